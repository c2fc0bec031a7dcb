# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender opens: scenes with all their actions, USD, COLLADA and FBX, read as other readers read that motion."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hums_engine import load, load_all, quat
from hums_engine.encoder import Encoder
from hums_engine.errors import MissingDependencyError, MotionFileError
from hums_engine.formats import blender, fbx, fbx_process, is_readable, usd_rate
from hums_engine.library import Library
from hums_engine.motion import Motion

from .refusals import refusal

PROGRAMS = Path(__file__).parent
SAMPLE = PROGRAMS.parents[1] / "samples" / "wave_13_26.bvh"
NEEDS_BLENDER = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="Blender's module bpy is missing")
POSIX = pytest.mark.skipif(os.name == "nt", reason="runs a script as a program")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `blender_scenes` writes."""
    folder = tmp_path_factory.mktemp("scenes")
    words = [sys.executable, PROGRAMS / "blender_scenes.py", SAMPLE, folder, folder / "done"]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def truth() -> Motion:
    return load(SAMPLE)


@pytest.fixture
def no_process() -> Iterator[None]:
    """Begins and ends without a Blender that waits."""
    blender._blender.end()
    yield
    blender._blender.end()


def check_same(motion: Motion, truth: Motion, ends: bool) -> None:
    """Joints of the same names at the same places, turned from rest in the same way; with or without bones' ends."""
    mine = [joint for joint, name in enumerate(motion.joint_names) if ends or not name.endswith("_end")]
    order = [truth.joint_names.index(motion.joint_names[joint]) for joint in mine]
    assert len(order) > 20
    assert (motion.fps, motion.frame_count) == (truth.fps, truth.frame_count)
    np.testing.assert_allclose(motion.positions[:, mine], truth.positions[:, order], atol=1e-4)
    assert motion.rest_positions is not None and truth.rest_positions is not None
    np.testing.assert_allclose(motion.rest_positions[mine], truth.rest_positions[order], atol=1e-4)
    turned, expected = motion.world_rotations(), truth.world_rotations()
    assert turned is not None and expected is not None
    assert np.degrees(quat.angle(turned[:, mine], expected[:, order])).max() < 0.1


@NEEDS_BLENDER
@pytest.mark.parametrize("kind", ["blend", "usda", "usdc", "usdz"])
def test_a_scene_is_read_as_the_bvh_that_was_imported_into_it(scenes: Path, truth: Motion, kind: str) -> None:
    path = scenes / f"wave.{kind}"
    if not path.exists():
        pytest.skip("this build of Blender writes no USD")
    (motion,) = load_all(path)
    assert (motion.name, motion.source, motion.unit, motion.up) == ("wave", str(path), "m", "Z")
    assert set(motion.joint_names) == set(truth.joint_names)
    check_same(motion, truth, ends=kind == "blend")  # USD has no lengths of bones; importers before 4.5 guess them
    assert is_readable(path)


@NEEDS_BLENDER
def test_collada_is_read_where_blender_has_it(scenes: Path, tmp_path: Path, truth: Motion) -> None:
    path = scenes / "wave.dae"
    if not path.exists():
        path = tmp_path / "wave.dae"
        path.write_text('<?xml version="1.0"?><COLLADA version="1.4.1"></COLLADA>')
        assert "reads no COLLADA" in refusal(path)
        return
    (motion,) = load_all(path)
    assert motion.duration_s == pytest.approx(truth.duration_s, abs=0.1)
    joint, same = motion.joint_names.index("head"), truth.joint_names.index("head")
    np.testing.assert_allclose(motion.positions[1, joint], truth.positions[0, same], atol=0.02)


@NEEDS_BLENDER
def test_fbx_without_ufbx_is_read_as_with_it(scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("ufbx") is None:
        pytest.skip("ufbx is not installed")
    with_it = load(scenes / "wave.fbx")
    (tmp_path / "program.py").write_text(f"raise SystemExit({fbx_process.NOT_INSTALLED})")
    monkeypatch.setattr(fbx_process, "__file__", str(tmp_path / "program.py"))
    (without,) = fbx.read(scenes / "wave.fbx")
    common = [name for name in with_it.joint_names if name in without.joint_names]
    assert len(common) > 20
    theirs, ours = ([m.joint_names.index(name) for name in common] for m in (with_it, without))
    frames = min(with_it.frame_count, without.frame_count)
    assert abs(with_it.frame_count - without.frame_count) <= 1
    assert without.fps == pytest.approx(with_it.fps, abs=1e-3)
    np.testing.assert_allclose(without.positions[:frames, ours], with_it.positions[:frames, theirs], atol=1e-4)


def test_fbx_as_text_without_ufbx_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "walk.fbx").write_bytes(b"; FBX 7.4.0 project file\n")
    with pytest.raises(MotionFileError, match="text; export it as binary, or install ufbx"):
        blender.read(tmp_path / "walk.fbx")


@NEEDS_BLENDER
def test_each_action_is_a_take_of_the_armature_that_uses_it_or_that_it_fits(scenes: Path) -> None:
    takes = {take.name: take for take in load_all(scenes / "several.blend")}
    assert {name: take.frame_count for name, take in takes.items()} == {
        "Wave (arm)": 11, "Nod (arm)": 21, "Bow (arm)": 31, "Kick (leg)": 6,
    }  # fmt: skip
    assert {take.fps for take in takes.values()} == {25.0}
    assert takes["Wave (arm)"].joint_names == ("arm0", "arm1", "arm2", "arm2_end")
    assert takes["Kick (leg)"].joint_names == ("leg0", "leg1", "leg1_end")


@NEEDS_BLENDER
def test_an_action_is_played_alone_from_the_rest_pose(scenes: Path) -> None:
    takes = {take.name: take for take in load_all(scenes / "several.blend")}
    upright = np.array([[0, 0, 0], [0, 0, 0.5], [0, 0, 1.0], [0, 0, 1.5]])
    waved, bowed = takes["Wave (arm)"].positions, takes["Bow (arm)"].positions
    np.testing.assert_allclose(waved[0], upright, atol=1e-6)
    half = 0.5 + 0.5 * np.sqrt(0.5) * np.array([1.0, 2.0])
    np.testing.assert_allclose(waved[5, 2:, 2], half, atol=1e-5)
    np.testing.assert_allclose(waved[-1, :, 2], [0.0, 0.5, 0.5, 0.5], atol=1e-5)
    np.testing.assert_allclose(bowed[-1, :, 2], np.arange(4) * 0.25, atol=1e-5)
    rest = takes["Wave (arm)"].rest_positions
    assert rest is not None
    np.testing.assert_allclose(rest, upright, atol=1e-6)


@NEEDS_BLENDER
def test_slots_of_an_action_are_takes_of_their_own_armatures(scenes: Path) -> None:
    if not (scenes / "slots.blend").exists():
        pytest.skip("actions have slots since Blender 4.4")
    takes = {take.name: take.frame_count for take in load_all(scenes / "slots.blend")}
    assert takes["Wave: leg's part (leg)"] == 5
    assert [count for name, count in takes.items() if name.startswith("Wave") and name.endswith("(arm)")] == [11]


@NEEDS_BLENDER
def test_an_armature_that_only_follows_is_a_take_of_the_scene(scenes: Path) -> None:
    takes = {take.name: take for take in load_all(scenes / "constrained.blend")}
    assert sorted(takes) == ["Scene (other)", "Wave (arm)"]
    leads, follows = takes["Wave (arm)"], takes["Scene (other)"]
    np.testing.assert_allclose(follows.positions, leads.positions, atol=1e-5)


@NEEDS_BLENDER
def test_scripts_and_drivers_in_a_scene_do_not_run(scenes: Path) -> None:
    (take,) = load_all(scenes / "hostile.blend")
    assert take.frame_count == 5
    assert not (scenes / "ran").exists()


@NEEDS_BLENDER
@pytest.mark.parametrize(("name", "told"), [("empty", "no armature"), ("still", "no action of the file moves")])
def test_a_scene_without_motion_is_refused(scenes: Path, name: str, told: str) -> None:
    path = scenes / f"{name}.blend"
    assert told in refusal(path)
    is_packed = not path.read_bytes().startswith(b"BLENDER")  # as by default since 5.1: nobody looks into it
    assert is_readable(path) == is_packed


@NEEDS_BLENDER
@pytest.mark.parametrize("kind", ["blend", "usda", "usdc", "usdz", "dae"])
def test_a_file_that_was_cut_off_or_damaged_costs_a_sentence_and_no_other_file(
    scenes: Path, tmp_path: Path, kind: str
) -> None:
    source = scenes / f"wave.{kind}"
    if not source.exists():
        pytest.skip("this build of Blender does not write it")
    whole = source.read_bytes()
    for number, content in enumerate((whole[: len(whole) // 2], whole[:100] + bytes(len(whole) - 100))):
        path = tmp_path / f"damaged{number}.{kind}"
        path.write_bytes(content)
        refusal(path)
    assert load(scenes / "hostile.blend").frame_count == 5


@pytest.mark.parametrize("kind", ["blend", "usd", "usda", "usdc", "usdz", "dae"])
def test_what_is_another_kind_is_refused_without_a_blender(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv(blender.VARIABLE, str(tmp_path / "no blender"))
    (tmp_path / f"a.{kind}").write_bytes(b"HIERARCHY\n" * 20)
    assert f"this is no {kind.upper()} file" in refusal(tmp_path / f"a.{kind}")
    assert not is_readable(tmp_path / f"a.{kind}")
    (tmp_path / f"a.{kind}").write_bytes(b"")
    assert "empty" in refusal(tmp_path / f"a.{kind}")


def test_an_alembic_file_is_said_to_hold_no_skeleton(tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_bytes(b"Ogawa\xff")
    assert "no skeleton" in refusal(tmp_path / "a.abc")


# the process


def scene(folder: Path, name: str = "a.blend") -> Path:
    (folder / name).write_bytes(b"BLENDER-v405" + bytes(100))
    return folder / name


def program(folder: Path, lines: str) -> str:
    """A program in the place of Blender."""
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@POSIX
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (f"print({blender.MARK!r}, flush=True); sys.stdin.readline()", "Blender ended while it opened"),
        (f"print({blender.MARK!r}, flush=True); time.sleep(60)", "was not done with this file within"),
        (f"print({blender.MARK!r}, flush=True); sys.stdin.readline(); print('nonsense', flush=True)", "Blender ended"),
        (
            f"print({blender.MARK!r}, flush=True); sys.stdin.readline(); print('{{}}', flush=True)",
            "cannot open it (None)",
        ),
        (
            f"print({blender.MARK!r}, flush=True); sys.stdin.readline(); print('[]', flush=True)",
            "answer about this file is damaged",
        ),
        (
            f"print({blender.MARK!r}, flush=True); sys.stdin.readline()\n"
            """print('{"takes": [{"file": "../../x", "name": 1}]}', flush=True)""",
            "no such file",
        ),
    ],
)
def test_a_process_that_ends_or_hangs_or_lies_costs_one_sentence(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch, lines: str, told: str
) -> None:
    monkeypatch.setenv(blender.VARIABLE, program(tmp_path, lines))
    monkeypatch.setattr(blender, "PATIENCE_S", 3.0)
    assert told in refusal(scene(tmp_path))


@POSIX
@pytest.mark.parametrize("lines", ["", "print('Blender 3.6'); sys.exit(1)"])
def test_a_program_that_is_no_blender_is_told(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    monkeypatch.setenv(blender.VARIABLE, program(tmp_path, lines))
    with pytest.raises(MissingDependencyError, match=f"is no Blender of 4.2 or later; set {blender.VARIABLE} to one"):
        load(scene(tmp_path))


def test_a_program_that_is_not_there_is_told(tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(blender.VARIABLE, str(tmp_path / "no blender"))
    with pytest.raises(MissingDependencyError, match="no blender cannot be started"):
        load(scene(tmp_path))


def test_without_any_blender_it_is_said_what_to_do(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(blender.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "bpy", None)
    assert not blender.is_there()
    with pytest.raises(MissingDependencyError, match=f"not found; set {blender.VARIABLE}"):
        load(scene(tmp_path))


def test_the_blender_that_this_runs_in_is_used_here_and_in_processes_started_from_here(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(blender.VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "bpy", SimpleNamespace(app=SimpleNamespace(binary_path=str(tmp_path / "running"))))
    assert blender.environment() == {blender.VARIABLE: str(tmp_path / "running")}
    with pytest.raises(MissingDependencyError, match="running cannot be started"):
        load(scene(tmp_path))
    monkeypatch.setenv(blender.VARIABLE, "another")
    assert blender.environment() == {}


@NEEDS_BLENDER
def test_one_process_reads_many_files_and_ends_when_none_comes(
    scenes: Path, no_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(scenes / "hostile.blend")
    first = blender._blender._process
    assert first is not None
    monkeypatch.setattr(blender, "IDLE_S", 0.05)
    load(scenes / "several.blend")
    assert blender._blender._process in (first, None)
    first.wait(timeout=20)
    load(scenes / "hostile.blend")


@NEEDS_BLENDER
@POSIX
def test_nothing_is_left_behind_by_a_process_that_was_killed_while_its_blender_waits(
    scenes: Path, tmp_path: Path
) -> None:
    code = "import sys, time, hums_engine; hums_engine.load(sys.argv[1]); print('read', flush=True); time.sleep(60)"
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(PROGRAMS.parents[1]),
    }
    words = [sys.executable, "-c", code, str(scenes / "hostile.blend")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline() == b"read\n"
        assert len(list(tmp_path.glob("hums-*"))) == 1
        reading.kill()
    end = time.monotonic() + 20
    while list(tmp_path.glob("hums-*")):
        assert time.monotonic() < end
        time.sleep(0.05)


@NEEDS_BLENDER
def test_scenes_are_indexed_with_a_line_for_each_that_holds_none(
    scenes: Path, tmp_path: Path, encoder: Encoder
) -> None:
    (tmp_path / "mocap").mkdir()
    for name in ("wave.blend", "several.blend", "empty.blend"):
        shutil.copy(scenes / name, tmp_path / "mocap" / name)
    with Library.create(tmp_path / "l.hums", encoder) as library:
        report = library.add([tmp_path / "mocap"])
        assert report.added == 1  # an arm of three bones is no figure
        assert {Path(path).name for path, _ in report.failed} - {"empty.blend"} == {"several.blend"}
        assert [clip.name for clip in library.clips()] == ["wave"]


# the rate of USD


def test_a_usd_without_a_rate_has_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "a.usda").write_text('#usda 1.0\n(\n    upAxis = "Y"\n)\n')
    assert usd_rate.time_codes_per_second(tmp_path / "a.usda") == 24.0
    (tmp_path / "a.usda").write_text("#usda 1.0\n(\n    framesPerSecond = 48\n)\n")
    assert usd_rate.time_codes_per_second(tmp_path / "a.usda") == 48.0
    (tmp_path / "a.usda").write_text("#usda 1.0\n(\n  framesPerSecond = 48\n  timeCodesPerSecond = 30.5\n)\n")
    assert usd_rate.time_codes_per_second(tmp_path / "a.usda") == 30.5
    assert usd_rate.time_codes_per_second(tmp_path / "gone.usda") == 24.0


@NEEDS_BLENDER
def test_the_rate_of_a_damaged_crate_is_some_rate(scenes: Path, tmp_path: Path) -> None:
    if not (scenes / "wave.usdc").exists():
        pytest.skip("this build of Blender writes no USD")
    whole = (scenes / "wave.usdc").read_bytes()
    assert usd_rate.time_codes_per_second(scenes / "wave.usdc") == pytest.approx(60.0, abs=1e-3)
    sections = whole.rindex(b"TOKENS")
    path = tmp_path / "a.usdc"

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(-3000, 400), st.integers(0, 255)), min_size=1, max_size=8))
    def check(changes: list[tuple[int, int]]) -> None:
        data = bytearray(whole)
        for place, value in changes:
            data[(sections + place) % len(data)] = value
        path.write_bytes(data)
        assert 0.1 <= usd_rate.time_codes_per_second(path) <= 10_000.0

    check()
