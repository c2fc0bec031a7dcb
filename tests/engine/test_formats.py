# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to motion files opens what can be read and says why the rest cannot."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import Motion, load, load_all
from hums_engine.errors import MotionFileError
from hums_engine.formats import READERS, files, is_readable
from tests.engine import fbx_text, test_asf_amc, test_bvh, test_gltf, test_mhad, test_npz, test_ntu

CONTENTS = {
    "take.bvh": test_bvh.text().encode(),
    "take.amc": test_asf_amc.AMC.encode(),
    "take.txt": test_mhad.text().encode(),
    "take.skeleton": test_ntu.WHOLE.encode(),
    "take.npz": test_npz.WHOLE,
    "take.gltf": test_gltf.BODY.text(),
    "take.glb": test_gltf.WHOLE,
}
UNREAD = {".fbx", ".blend", ".usd", ".usda", ".usdc", ".usdz", ".dae"}  # those of Blender are tried in test_blender
if importlib.util.find_spec("ufbx"):
    CONTENTS["take.fbx"] = fbx_text.body()
    UNREAD.remove(".fbx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each kind, and the skeleton of one."""
    for name, content in {**CONTENTS, "take.asf": test_asf_amc.ASF.encode()}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def refusal(path: str | Path) -> str:
    with pytest.raises(MotionFileError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def test_every_kind_that_has_a_reader_is_tried_here() -> None:
    assert set(READERS) - UNREAD == {Path(name).suffix for name in CONTENTS}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_motion_knows_its_name_and_source_and_keeps_the_types_it_promises(folder: Path, name: str) -> None:
    motion = load(folder / name)
    assert (motion.name, motion.source) == ("take", str(folder / name))
    for array in (motion.positions, motion.rotations, motion.rest_positions):
        assert array is None or (array.dtype == np.float32 and array.flags.c_contiguous)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_suffix_in_capitals_is_the_same_kind(folder: Path, name: str) -> None:
    capital = folder / name.replace("take.", "TAKE.").upper()
    (folder / name).rename(capital)
    assert is_readable(capital)
    assert load(capital).frame_count > 0


def test_a_path_may_be_a_string_and_begin_at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME" if os.name != "nt" else "USERPROFILE", str(folder))
    assert load("~/take.bvh").frame_count == load(str(folder / "take.bvh")).frame_count
    assert isinstance(load_all("~/take.bvh")[0], Motion)


def test_only_files_of_known_kinds_are_readable(folder: Path) -> None:
    (folder / "notes.txt").write_text("walk twice")
    (folder / "folder.bvh").mkdir()
    found = sorted(path.name for path in folder.iterdir() if is_readable(path))
    assert found == sorted(CONTENTS)
    assert not is_readable(folder / "gone.bvh")


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\0" * 1000, b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_of_nothing_is_called_empty(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert refusal(folder / name).startswith(f"{name}: ")
    assert "empty" in refusal(folder / name)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_missing_file_is_said_to_be_missing_and_where(folder: Path, name: str) -> None:
    message = refusal(folder / f"gone_{name}")
    assert "no such file" in message and str(folder) in message


@pytest.mark.parametrize("suffix", ["", *READERS])
def test_a_folder_is_called_a_folder(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"takes{suffix}").mkdir()
    assert "folder" in refusal(tmp_path / f"takes{suffix}")


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_too_large_to_read_is_refused_before_it_is_read(folder: Path, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)  # a hole: it takes no room on the disk
    assert "2.0 GB" in refusal(folder / name)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="permissions work in another way here")
def test_a_file_that_may_not_be_read_is_said_to_be_so(folder: Path) -> None:
    path = folder / "take.bvh"
    path.chmod(0)
    program = f"import os; from hums_engine import load; os.geteuid() or os.seteuid(65534); load({str(path)!r})"
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert "take.bvh: you are not permitted to read this file" in done.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [("take.c3d", "markers"), ("only.asf", "AMC"), ("take.abc", "no skeleton"), ("take", ".bvh"), ("notes.md", ".bvh")],
)
def test_other_kinds_are_refused_with_what_to_do(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / name).write_bytes(b"\x02\x50 anything")
    assert told in refusal(tmp_path / name)
    assert not is_readable(tmp_path / name)


@pytest.mark.parametrize("name", ["take.bvh", "take.amc", "take.asf", "take.txt", "take.skeleton"])
@pytest.mark.parametrize("odd", ["\x07", "\x7f", "\x9b", "\u2028", "\u202e", "\0"])
def test_what_is_cited_of_a_file_can_be_shown_in_one_line(folder: Path, name: str, odd: str) -> None:
    words = (folder / name).read_bytes().split()
    (folder / name).write_bytes(b"\n".join([*words[:-3], f"x{odd}x".encode(), *words[-3:]]))
    message = refusal(folder / ("take.amc" if name == "take.asf" else name))
    assert message.isprintable()


@pytest.mark.parametrize("path", ["nul\0byte.bvh", "x" * 5000 + ".bvh"])
def test_a_path_that_no_disk_can_have_is_refused(path: str) -> None:
    refusal(path)


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_of_any_kind_are_refused(folder: Path, name: str, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
    (folder / name).write_bytes(noise)
    assert refusal(folder / name).startswith(f"{name}: ")


@pytest.mark.parametrize("name", [name for name in CONTENTS if name != "take.fbx"])  # which starts a process each time
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_arbitrary_bytes_anywhere_in_a_file_are_read_or_refused(folder: Path, name: str, data: st.DataObject) -> None:
    whole = CONTENTS[name]
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.one_of(st.just(start), st.integers(start, len(whole))))
    (folder / name).write_bytes(whole[:start] + data.draw(st.binary(max_size=40)) + whole[stop:])
    try:
        motions = load_all(folder / name)
    except MotionFileError as error:
        assert str(error).startswith(f"{name}: ") and str(error).isprintable()
    else:
        assert motions and not any(np.isinf(motion.positions).any() for motion in motions)
