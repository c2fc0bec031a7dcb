# SPDX-License-Identifier: GPL-3.0-or-later
"""NTU RGB+D's skeletons are read body by body with the Kinect's joints named, and damaged ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import load, load_all
from hums_engine.canonical import canonicalize
from hums_engine.errors import MotionFileError
from hums_engine.formats import is_readable, ntu
from hums_engine.library import Library
from hums_engine.mapping import map_joints
from hums_engine.motion import Motion
from hums_engine.normalize import normalize
from hums_engine.skeleton import INDEX, JOINTS

from .ntu_text import FIRST_ID, Body, body, kinect, text
from .reference_body import wandering

NAME = "S001C002P003R002A013.skeleton"
WALK = kinect(wandering(40))
WHOLE = text(body(WALK[:12]))


def written(folder: Path, content: str | bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def in_blenders_axes(joints: np.ndarray) -> np.ndarray:
    """The camera's ``x y z`` of joints in the file's order as the reader is to have them."""
    picked = joints[:, ntu.PLACES]
    return np.stack([picked[..., 0], -picked[..., 2], picked[..., 1]], axis=-1)


def refusal(path: Path) -> str:
    with pytest.raises(MotionFileError) as caught:
        load(path)
    return str(caught.value)


def test_a_walking_figure_is_read_where_it_was_seen(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text(body(WALK))))
    np.testing.assert_allclose(motion.positions, in_blenders_axes(WALK), atol=1e-6)
    assert (motion.fps, motion.unit, motion.name) == (30.0, "m", "S001C002P003R002A013")
    assert motion.rotations is None and motion.rest_positions is None
    assert is_readable(tmp_path / NAME)


def test_each_joint_hangs_on_the_one_that_the_body_has_before_it(tmp_path: Path) -> None:
    motion = load(written(tmp_path, WHOLE))
    names, parents = list(motion.joint_names), motion.parents
    assert len(set(names)) == 25 and sorted(ntu.PLACES) == list(range(25))
    assert [names[parents[names.index(n)]] for n in ("Neck", "HandTipLeft", "ThumbRight", "FootLeft", "HipRight")] == [
        "SpineShoulder", "HandLeft", "WristRight", "AnkleLeft", "SpineBase",
    ]  # fmt: skip
    for name in names:
        if "Right" in name:
            twin = names[parents[names.index(name.replace("Right", "Left"))]]
            assert names[parents[names.index(name)]] == twin.replace("Left", "Right")


def test_it_becomes_the_canonical_joints_that_a_kinect_has_and_the_same_motion(tmp_path: Path) -> None:
    truth = wandering(40)
    motion = load(written(tmp_path, text(body(kinect(truth)))))
    assert map_joints(motion.joint_names, motion.parents, poses=motion.positions).family == "kinect"
    canonical = canonicalize(motion)
    assert {JOINTS[j] for j in np.flatnonzero(~canonical.valid)} == {"left_collar", "right_collar", "spine2"}
    seen, told = normalize(canonical), normalize(truth)
    limbs = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle", "elbow", "wrist")]
    assert np.abs(seen.joints - told.joints)[:, limbs].max() < 0.1
    assert np.median(np.linalg.norm(seen.joints - told.joints, axis=-1)[:, limbs]) < 0.03


def test_two_bodies_are_two_motions_the_one_that_moves_most_first(tmp_path: Path) -> None:
    still = np.repeat(WALK[:1] + [1.0, 0.0, 0.5], 40, axis=0)
    path = written(tmp_path, text(body(still, number=FIRST_ID + 1), body(WALK, number=FIRST_ID + 2)))
    first, second = load_all(path)
    np.testing.assert_allclose(first.positions, in_blenders_axes(WALK), atol=1e-6)
    np.testing.assert_allclose(second.positions, in_blenders_axes(still), atol=1e-6)
    assert [first.name, second.name] == [f"{path.stem}: body 1", f"{path.stem}: body 2"]
    assert load(path).name == first.name


def test_each_body_is_a_clip_of_a_library(tmp_path: Path, library: Library) -> None:
    other = kinect(wandering(40, seed=5)) + [1.0, 0.0, 1.0]
    path = written(tmp_path, text(body(WALK), body(other, number=FIRST_ID + 1)))
    assert library.add([tmp_path]).failed == []
    assert sorted(clip.name for clip in library.clips()) == [f"{path.stem}: body 1", f"{path.stem}: body 2"]
    best = [library.search(motion, k=1)[0] for motion in load_all(path)]
    assert [hit.name for hit in best] == [f"{path.stem}: body 1", f"{path.stem}: body 2"]
    assert all(hit.score > 99 for hit in best)


def test_a_body_that_comes_late_begins_when_it_comes(tmp_path: Path) -> None:
    late = 0.1 * WALK[20:35] + [1.0, 0.0, 1.0]
    first, second = load_all(written(tmp_path, text(body(WALK), body(late, first_frame=20, number=FIRST_ID + 7))))
    assert (first.frame_count, second.frame_count) == (40, 15)
    np.testing.assert_allclose(second.positions, in_blenders_axes(late), atol=1e-6)


def test_a_body_that_is_lost_for_some_frames_is_not_seen_in_them(tmp_path: Path) -> None:
    kept = np.r_[0:10, 14:30]
    motion = load(written(tmp_path, text(Body(WALK[kept], kept), frames=35)))
    lost = np.isnan(motion.positions).all(axis=(1, 2))
    assert list(np.flatnonzero(lost)) == [10, 11, 12, 13]
    np.testing.assert_allclose(motion.positions[kept], in_blenders_axes(WALK)[kept], atol=1e-6)
    assert normalize(canonicalize(motion)).joints.shape[0] == 30


def test_a_body_of_a_few_frames_is_passed_over_unless_there_is_no_other(tmp_path: Path) -> None:
    flash = body(WALK[:11] + 1.0, first_frame=3, number=FIRST_ID + 9)
    assert len(load_all(written(tmp_path, text(body(WALK), flash)))) == 1
    assert load(written(tmp_path, text(flash))).frame_count == 11
    assert load(written(tmp_path, text(body(WALK[:1])))).frame_count == 1


def test_joints_that_were_not_tracked_are_not_seen(tmp_path: Path) -> None:
    states = np.full((12, 25), 2)
    states[5, 7], states[6, 7] = 0, 1
    joints = WALK[:12].copy()
    joints[8, 3] = 0.0
    joints[9, 3] = np.nan
    motion = load(written(tmp_path, text(Body(joints, np.arange(12), states=states))))
    gone = np.isnan(motion.positions).all(axis=-1)
    hand, head = motion.joint_names.index("HandLeft"), motion.joint_names.index("Head")
    assert np.argwhere(gone).tolist() == [[5, hand], [8, head], [9, head]]


def test_bodies_whose_long_numbers_differ_in_the_last_digit_are_two(tmp_path: Path) -> None:
    assert float(FIRST_ID) == float(FIRST_ID + 1)  # as floats they would be one
    bodies = [body(WALK + shift, number=FIRST_ID + shift) for shift in (0, 1)]
    assert len(load_all(written(tmp_path, text(*bodies)))) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace("\n", "\n\n"),
        lambda t: t.replace(" ", "   "),
        lambda t: t.replace("\n", " \n"),
        lambda t: "\n" + t,
        str.rstrip,
        lambda t: t.replace("519.1677", "-1.#IND"),
        lambda t: t.replace("277.419", "NaN").replace("191.8218", "-Infinity"),
    ],
)
def test_blanks_line_ends_and_what_is_not_read_make_no_difference(tmp_path: Path, change: Callable[[str], str]) -> None:
    plain = load(written(tmp_path, WHOLE))
    np.testing.assert_array_equal(load(written(tmp_path, change(WHOLE))).positions, plain.positions)


def lines_of(content: str) -> list[str]:
    return content.splitlines(keepends=True)


def without_line(content: str, number: int) -> str:
    lines = lines_of(content)
    return "".join(lines[:number] + lines[number + 1 :])


BROKEN = {
    "a letter": ("Dear Ada,\nthe walk is attached.\n", "check what it is"),
    "a mesh's skeleton": (b"\x00\x10[Serializer_v1.10]\n" + bytes(range(256)), "check what it is"),
    "MHAD's text": ("3 35\n" + "1 2 3 1\n" * 105, "check what it is"),
    "zero frames": ("0\n", "no body in any of its 0 frames"),
    "no bodies": ("3\n0\n0\n0\n", "no body in any of its 3 frames"),
    "only a count": ("103\n", "0 of its 103 frames"),
    "more frames told than any disk holds": (WHOLE.replace("12", "999999999999", 1), "12 of its 999999999999 frames"),
    "a frame more than told": (WHOLE.replace("12", "11", 1), "goes on after the 11 frames"),
    "cut between frames": ("".join(lines_of(WHOLE)[: 1 + 28 * 7]), "7 of its 12 frames"),
    "cut between joints": ("".join(lines_of(WHOLE)[: 1 + 28 * 7 + 9]), "7 of its 12 frames"),
    "cut in a line": (WHOLE[:-30], "11 of its 12 frames"),
    "a joint is missing": (without_line(WHOLE, 1 + 28 * 4 + 9), "frame 5 is not whole"),
    "a body's line is missing": (without_line(WHOLE, 1 + 28 * 4 + 1), "frame 5 is not whole"),
    "more bodies told": (
        "".join([*lines_of(WHOLE)[:29], "7777777777\n", *lines_of(WHOLE)[30:]]),
        "frame 2 is not whole",
    ),
    "bodies told as nan": ("".join([*lines_of(WHOLE)[:29], "nan\n", *lines_of(WHOLE)[30:]]), "frame 2 is not whole"),
    "another number of joints": (WHOLE.replace("\n25\n", "\n20\n"), "25 joints"),
    "a word": (WHOLE.replace("277.419", "27x", 1), "27x"),
    "numbers that touch": (WHOLE.replace("519.1677 -0.2059419", "519.1677-0.2059419", 1), "touch"),
    "nothing tracked": (text(body(WALK[:12], states=0)), "no joint is seen"),
    "only nan": (text(body(WALK[:12] * np.nan)), "no joint is seen"),
    "all at the sensor": (text(body(WALK[:12] * 0.0)), "no joint is seen"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_text_that_is_no_whole_recording_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    content, told = BROKEN[case]
    message = refusal(written(tmp_path, content))
    assert message.startswith(f"{NAME}: ") and told in message
    assert message.endswith(".") and "\n" not in message


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = text(body(WALK[:2]))
    for length in range(0, len(whole) - 1, 41):
        refusal(written(tmp_path, whole[:length]))


def test_more_bodies_than_anyone_recorded_are_refused(tmp_path: Path) -> None:
    one = lines_of(text(body(WALK[:1])))[2:]
    bodies = [line for n in range(1001) for line in (one[0].replace(str(FIRST_ID), str(n)), *one[1:])]
    message = refusal(written(tmp_path, "1\n1001\n" + "".join(bodies)))
    assert "1001 bodies" in message


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_fails_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(text(body(WALK[:2]), body(WALK[1:2] + 1.0, 1, FIRST_ID + 1)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    try:
        for motion in load_all(written(tmp_path, bytes(content))):
            assert isinstance(motion, Motion)
    except MotionFileError as error:
        assert str(error).startswith(f"{NAME}: ")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.sampled_from(["0", "1", "2", "25", " ".join("1" * 10), " ".join("1" * 12), "nan"]), max_size=70)
)
def test_lines_in_any_order_never_fail_otherwise_than_by_a_refusal(tmp_path: Path, rows: list[str]) -> None:
    try:
        assert load_all(written(tmp_path, "\n".join(["1", *rows])))
    except MotionFileError as error:
        assert str(error).startswith(f"{NAME}: ")
