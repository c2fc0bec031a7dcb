# SPDX-License-Identifier: GPL-3.0-or-later
"""MHAD's skeletons of bare positions are read with its joints named, and other text is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import load
from hums_engine.errors import MotionFileError
from hums_engine.formats import is_readable, mhad
from hums_engine.motion import Motion

DATA = os.environ.get("HUMS_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="HUMS_DATA does not name a folder of unpacked motion data")
NAME = "a01_s02_e03_skeleton.txt"


def written(folder: Path, content: str | bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def text(frames: int = 3, joints: int = 35) -> str:
    """Joint j of frame t at (100 + j, 2 j, t) centimetres."""
    rows = [f"{100 + j:.6f} {2 * j:.6f} {t:.6f} 1\n" for t in range(frames) for j in range(joints)]
    return f"{frames} {joints}\n" + "".join(rows)


def refusal(path: Path) -> str:
    with pytest.raises(MotionFileError) as caught:
        load(path)
    return str(caught.value)


def test_centimetres_with_y_up_become_metres_with_z_up(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text()))
    joints, frames = np.arange(35), np.arange(3)
    np.testing.assert_allclose(motion.positions[..., 0], np.tile(1.0 + joints / 100, (3, 1)), atol=1e-6)
    np.testing.assert_allclose(motion.positions[..., 1], np.tile(-frames[:, None] / 100, (1, 35)), atol=1e-6)
    np.testing.assert_allclose(motion.positions[..., 2], np.tile(2 * joints / 100, (3, 1)), atol=1e-6)
    assert (motion.fps, motion.unit, motion.name) == (24.0, "cm", "a01_s02_e03_skeleton")
    assert motion.rotations is None and motion.rest_positions is None


def test_both_sides_have_the_same_joints_in_the_same_places(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text()))
    names, parents = list(motion.joint_names), motion.parents
    assert len(names) == len(set(names)) == 35
    for joint, name in enumerate(names):
        if name.startswith("Right"):
            twin = names.index(name.replace("Right", "Left"))
            assert names[parents[twin]] == names[parents[joint]].replace("Right", "Left")


def test_a_joint_flagged_as_not_seen_is_nan(tmp_path: Path) -> None:
    rows = text().splitlines()
    rows[1 + 35 + 12] = "0 0 0 0"
    motion = load(written(tmp_path, "\n".join(rows)))
    assert np.isnan(motion.positions[1, 12]).all()
    assert np.isnan(motion.positions).sum() == 3


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: t.replace(" ", "\t"), str.rstrip])
def test_blanks_and_line_ends_make_no_difference(tmp_path: Path, change) -> None:  # noqa: ANN001
    plain = load(written(tmp_path, text()))
    np.testing.assert_array_equal(load(written(tmp_path, change(text()))).positions, plain.positions)


BROKEN = {
    "a letter": ("Dear Ada,\nthe walk is attached.\n", "MHAD"),
    "a table of another kind": ("3 4\n" + "1 2 3 4\n" * 12, "MHAD"),
    "another number of joints": (text(joints=20), "MHAD"),
    "a frame less than told": (text(3).replace("3 35", "4 35", 1), "3 of its 4 frames"),
    "cut in a line": (text()[:-30], "2 of its 3 frames"),
    "half a frame too many": (text() + "1 2 3 1\n", "in the middle of frame 4"),
    "no frames": ("0 35\n", "cut off"),
    "a word": (text().replace("134.000000", "13x", 1), "13x"),
    "nothing seen": (text().replace(" 1\n", " 0\n"), "no joint"),
    "only nan": ("1 35\n" + "nan nan nan 1\n" * 35, "no joint"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_text_that_is_no_whole_skeleton_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    content, told = BROKEN[case]
    message = refusal(written(tmp_path, content))
    assert message.startswith(f"{NAME}: ") and told in message
    assert message.endswith(".") and "\n" not in message


@pytest.mark.parametrize("content", [text(), text().replace("\n", "\r\n"), "140\t35 \n"])
def test_a_text_that_begins_like_a_skeleton_is_worth_reading(tmp_path: Path, content: str) -> None:
    assert is_readable(written(tmp_path, content))


@pytest.mark.parametrize("content", ["", "read me", "3 4\n1 2 3 4\n", "35\n", "140 355\n", b"\xff\xfe\0\0"])
def test_any_other_text_is_not_worth_reading(tmp_path: Path, content: str | bytes) -> None:
    assert not is_readable(written(tmp_path, content))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = text(1)
    for length in range(0, len(whole) - 2, 10):
        refusal(written(tmp_path, whole[:length]))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_fails_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(text(2).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    try:
        assert isinstance(load(written(tmp_path, bytes(content))), Motion)
    except MotionFileError as error:
        assert str(error).startswith(f"{NAME}: ")


@needs_data
def test_real_bones_keep_their_length_and_are_the_same_on_both_sides() -> None:
    files = sorted((Path(DATA) / "mhad").glob("*_skeleton.txt"))
    assert len(files) == 659
    below = np.flatnonzero(mhad.PARENTS >= 0)
    twins = [
        mhad.JOINTS.index(n.replace("Right", "@").replace("Left", "Right").replace("@", "Left")) for n in mhad.JOINTS
    ]
    for path in files[::40]:
        motion = load(path)
        bones = np.linalg.norm(motion.positions - motion.positions[:, np.maximum(motion.parents, 0)], axis=-1)
        assert bones[:, below].std(axis=0).max() < 1e-4, path.name
        lengths = np.median(bones, axis=0)
        assert np.abs(lengths - lengths[twins])[below].max() < 0.015, path.name
        at = dict(zip(motion.joint_names, np.moveaxis(motion.positions, 1, 0), strict=True))
        assert np.median(at["Head"][:, 2] - at["LeftFoot"][:, 2]) > 0.7
        # He faces where the toes point, and has his left at his left.
        ahead = (at["LeftToeBase"] + at["RightToeBase"] - at["LeftFoot"] - at["RightFoot"])[:, :2]
        left = (at["LeftUpLeg"] - at["RightUpLeg"])[:, :2]
        assert np.median(ahead[:, 0] * left[:, 1] - ahead[:, 1] * left[:, 0]) > 0
