# SPDX-License-Identifier: GPL-3.0-or-later
"""FBX: every animation of every skeleton in metres, Z up, and files that end the process that reads them refused."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hums_engine import load, load_all, quat
from hums_engine.canonical import canonicalize
from hums_engine.errors import MissingDependencyError, MotionFileError
from hums_engine.formats import blender, fbx, fbx_process, is_readable
from hums_engine.motion import Motion
from hums_engine.skeleton import JOINTS, PARENTS, REFERENCE

from .fbx_text import WALK, Scene, add_body, body, move_body
from .reference_body import wandering
from .refusals import refusal

NEEDS_UFBX = pytest.mark.skipif(importlib.util.find_spec("ufbx") is None, reason="ufbx is not installed")
NEEDS_BLENDER = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="Blender's module bpy is missing")
NEEDS_DATA = pytest.mark.skipif("HUMS_DATA" not in os.environ, reason="HUMS_DATA does not name a folder of real files")
DATA = Path(os.environ.get("HUMS_DATA", "")) / "fixtures"
NAME = "walk.fbx"
WHOLE = body()
PROGRAMS = Path(__file__).parent


def written(folder: Path, content: bytes, name: str = NAME) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def canonical_order(motion: Motion) -> list[int]:
    return [motion.joint_names.index(name) for name in JOINTS]


@NEEDS_UFBX
@pytest.mark.parametrize("up", ["Y", "Z"])
@pytest.mark.parametrize(("unit_cm", "unit"), [(1.0, "cm"), (100.0, "m"), (2.54, "in"), (0.1, "mm")])
def test_a_moving_body_is_read_in_metres_z_up(tmp_path: Path, unit_cm: float, unit: str, up: str) -> None:
    motion = load(written(tmp_path, body(unit_cm, up)))
    order = canonical_order(motion)
    assert [order.index(p) if p >= 0 else -1 for p in motion.parents[order]] == PARENTS.tolist()
    np.testing.assert_allclose(motion.positions[:, order], WALK.positions, atol=1e-4)
    assert (motion.fps, motion.unit, motion.name, motion.frame_count) == (30.0, unit, "walk", 30)


@NEEDS_UFBX
def test_its_rotations_turn_the_rest_pose_into_the_posed_one(tmp_path: Path) -> None:
    motion = load(written(tmp_path, WHOLE))
    order = canonical_order(motion)
    world = motion.world_rotations()
    assert motion.rest_positions is not None and world is not None
    np.testing.assert_allclose(motion.rest_positions[order], REFERENCE, atol=1e-5)
    assert np.degrees(quat.angle(world[:, order], WALK.rotations)).max() < 0.05
    np.testing.assert_allclose(canonicalize(motion).positions, WALK.positions, atol=1e-3)


@NEEDS_UFBX
def test_each_animation_of_each_skeleton_is_a_take(tmp_path: Path) -> None:
    scene = Scene()
    one = add_body(scene)
    move_body(scene, one, name="Walk")
    move_body(scene, one, wandering(20, 7), "Stroll")
    takes = load_all(written(tmp_path, scene.text()))
    assert [(take.name, take.frame_count) for take in takes] == [("Walk", 30), ("Stroll", 20)]
    move_body(scene, add_body(scene, "other:"), wandering(20, 8), "Dance")
    takes = load_all(written(tmp_path, scene.text()))
    assert [take.name for take in takes] == ["Walk (pelvis)", "Stroll (pelvis)", "Dance (other:pelvis)"]


@NEEDS_UFBX
def test_a_body_whose_file_states_another_unit_is_told_from_its_size(tmp_path: Path) -> None:
    scene = Scene(100.0)
    limbs = add_body(scene)
    move_body(scene, limbs)
    wrong = scene.text().replace(
        b'"UnitScaleFactor", "double", "Number", "",100.0', b'"UnitScaleFactor", "double", "Number", "",10000.0'
    )
    motion = load(written(tmp_path, wrong))
    assert motion.unit == "cm"
    np.testing.assert_allclose(motion.positions[:, canonical_order(motion)], WALK.positions, atol=1e-4)


@NEEDS_UFBX
def test_turns_between_keys_far_apart_go_the_way_of_their_angles(tmp_path: Path) -> None:
    scene = Scene()
    root = scene.limb("root", np.zeros(3), 0)
    scene.limb("tip", np.array([100.0, 0.0, 0.0]), root)
    ends = np.array([[0.0, 0.0, 0.0], [340.0, 60.0, 500.0]])
    scene.curves(scene.stack("Turn", 8.0), root, "Rotation", ends, 1 / 8)
    motion = load(written(tmp_path, scene.text()))
    x, y, z = np.radians(np.linspace(ends[0], ends[1], 241)).T
    turns = quat.from_euler(np.stack([z, y, x], axis=-1), "ZYX")
    tip = quat.rotate(turns, [1.0, 0.0, 0.0])
    np.testing.assert_allclose(motion.positions[:, 1], tip[:, [0, 2, 1]] * [1, -1, 1], atol=2e-3)


@NEEDS_UFBX
def test_a_model_without_motion_is_refused_and_not_worth_reading(tmp_path: Path) -> None:
    scene = Scene()
    add_body(scene)
    path = written(tmp_path, scene.text())
    assert "no animation" in refusal(path)
    assert not is_readable(path)
    assert is_readable(written(tmp_path, WHOLE))


@NEEDS_UFBX
@pytest.mark.parametrize(
    "content", [b"Kaydara FBX Binary  \0\x1a\0", b"o cube\nv 0 0 0\n", b"; FBX 7.4.0 project file\n", WHOLE[:300]]
)
def test_what_is_no_fbx_is_refused(tmp_path: Path, content: bytes) -> None:
    refusal(written(tmp_path, content))


@NEEDS_UFBX
def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(25):
        damaged = bytearray(WHOLE)
        for _ in range(rng.choice([1, 3, 30])):
            start = rng.randrange(len(damaged))
            damaged[start : start + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        path = written(tmp_path, bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])]))
        try:
            assert all(isinstance(take, Motion) for take in load_all(path))
        except MotionFileError as error:
            assert str(error).startswith(f"{NAME}: ") and "\n" not in str(error)


def replaced_process(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Another program in the place of the one that reads."""
    (folder / "program.py").write_text(program)
    monkeypatch.setattr(fbx_process, "__file__", str(folder / "program.py"))


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import os; os.abort()", "failed on this file"),
        ("import time; time.sleep(60)", "not read within"),
        ("print('nonsense')", "damaged"),
        ("import sys; sys.stdout.buffer.write(bytes(8) + b'{}')", "damaged"),
        ("", "damaged"),
    ],
)
def test_a_process_that_dies_or_hangs_or_lies_costs_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    replaced_process(monkeypatch, tmp_path, program)
    monkeypatch.setattr(fbx, "PATIENCE_S", 5.0)
    assert told in refusal(written(tmp_path, WHOLE))


def test_without_ufbx_and_blender_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced_process(monkeypatch, tmp_path, f"raise SystemExit({fbx_process.NOT_INSTALLED})")
    monkeypatch.delenv(blender.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "bpy", None)
    with pytest.raises(
        MissingDependencyError, match=r"install ufbx with: pip install 'hums\[run\]', or set HUMS_BLENDER"
    ):
        load(written(tmp_path, WHOLE))


def test_a_process_without_the_package_says_so(tmp_path: Path) -> None:
    words = [sys.executable, "-S", fbx_process.__file__, "[]"]
    done = subprocess.run(
        words, input=WHOLE, capture_output=True, check=False, env={**os.environ, "PYTHONSAFEPATH": "1"}
    )
    assert done.returncode == fbx_process.NOT_INSTALLED


# beside Blender


def in_process(program: str, folder: Path, *words: object) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / program), *map(str, words)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def check_beside_blender(motion: Motion, action: str, folder: Path, tolerance: float) -> None:
    in_process("blender_bones.py", folder, motion.source, motion.fps, motion.frame_count, action, folder / "bones.npz")
    with np.load(folder / "bones.npz") as found:
        bones = found["names"].tolist()
        common = [(j, bones.index(name)) for j, name in enumerate(motion.joint_names) if name in bones]
        assert len(common) > 20
        ours, theirs = (np.array(side) for side in zip(*common, strict=True))
        assert np.abs(motion.positions[:, ours] - found["positions"][:, theirs]).max() < tolerance


@NEEDS_UFBX
@NEEDS_BLENDER
@pytest.mark.parametrize(("forward", "up", "scale"), [("-Z", "Y", "FBX_SCALE_NONE"), ("Y", "Z", "FBX_SCALE_ALL")])
def test_what_blender_exports_is_read_as_blender_reads_it(tmp_path: Path, forward: str, up: str, scale: str) -> None:
    source = Path(__file__).parents[2] / "samples" / "wave_13_26.bvh"
    target = tmp_path / "wave.fbx"
    in_process("blender_export.py", tmp_path, source, forward, up, scale, target)
    motion = load(target)
    assert motion.frame_count > 30
    check_beside_blender(motion, "wave_13_26", tmp_path, 1e-3)


@NEEDS_UFBX
@NEEDS_DATA
def test_files_of_all_ages_and_kinds_are_read_or_refused_in_a_sentence() -> None:
    moving = 0
    for path in sorted((DATA / "fbx_torture").glob("*.fbx")):
        try:
            moving += len(load_all(path))
        except MotionFileError as error:
            assert "no animation that moves a skeleton" in str(error), error
    assert moving >= 1


@NEEDS_UFBX
@NEEDS_DATA
def test_a_real_capture_has_the_size_of_a_person() -> None:
    motion = load(DATA / "rigs" / "cmu_fbx" / "07_01_cmu.fbx")
    assert (motion.fps, motion.frame_count, motion.unit) == (120.0, 317, "in/0.45")
    canonical = canonicalize(motion)
    assert 1.2 < np.ptp(canonical.positions[100, canonical.valid, 2]) < 2.0
