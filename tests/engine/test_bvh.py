# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH files of every dialect are read as the figure they hold, and broken ones refused in one sentence."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from hums_engine import load, load_all
from hums_engine.errors import MotionFileError
from hums_engine.formats import bvh
from hums_engine.formats.axes import UNITS
from hums_engine.motion import Motion, forward_kinematics
from tests.engine import bvh_text
from tests.engine.bvh_text import XYZ, ZXY, Joint, end, hierarchy, person, posed, standing, width

DATA = os.environ.get("HUMS_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="HUMS_DATA does not name a folder of unpacked motion data")
JOINTS = [
    "Hips", "Spine", "Head", "Head_end", "LeftArm", "LeftArm_end", "RightArm", "RightArm_end",
    "LeftUpLeg", "LeftFoot", "LeftFoot_end", "RightUpLeg", "RightFoot", "RightFoot_end",
]  # fmt: skip


def swinging(frames: int = 4) -> NDArray[np.float64]:
    """Frames of the person walking off and turning every joint, all by different angles."""
    values = standing(person(), frames=frames)
    values[:, 3:] = np.random.default_rng(0).uniform(-60, 60, values[:, 3:].shape).round(3)
    values[:, :3] += np.arange(frames)[:, None] * [1.0, 0.25, 7.0]
    return values


def text(values: NDArray[np.float64] | None = None, root: Joint | None = None) -> str:
    root = root or person()
    return hierarchy(root) + bvh_text.motion(swinging() if values is None else values)


def written(folder: Path, content: str | bytes, name: str = "take.bvh") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def blender(points: ArrayLike) -> NDArray[np.float64]:
    """Centimetres, Y up, to metres in Blender's axes."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return np.stack([x, -z, y], axis=-1) * 0.01


def refusal(path: Path) -> str:
    with pytest.raises(MotionFileError) as caught:
        load(path)
    return str(caught.value)


# What a file holds


def test_a_person_stands_in_metres_with_z_up_and_faces_minus_y(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text(standing(person()))))
    assert list(motion.joint_names) == JOINTS
    at = dict(zip(motion.joint_names, motion.positions[0], strict=True))
    np.testing.assert_allclose(at["Hips"], [0, 0, 1.0], atol=1e-6)
    np.testing.assert_allclose(at["Head"], [0, 0, 1.65], atol=1e-6)
    np.testing.assert_allclose(at["LeftArm_end"], [0.78, 0, 1.55], atol=1e-6)
    np.testing.assert_allclose(at["LeftFoot_end"], [0.1, -0.12, 0.0], atol=1e-6)
    assert motion.unit == "cm"
    assert (motion.fps, motion.frame_count, motion.name) == (30.0, 3, "take")


def test_joints_stand_where_matrices_put_them(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text()))
    truth = blender([posed(person(), row) for row in swinging().tolist()])
    np.testing.assert_allclose(motion.positions, truth, atol=1e-5)


def test_rotations_and_rest_give_the_positions_again(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text()))
    assert motion.rotations is not None and motion.rest_positions is not None
    np.testing.assert_allclose(
        motion.rest_positions, blender(posed(person(), standing(person())[0].tolist())), atol=1e-5
    )
    parents = motion.parents
    offsets = motion.rest_positions - np.where(parents[:, None] >= 0, motion.rest_positions[parents], 0.0)
    moving = np.repeat(offsets[None].astype(np.float64), motion.frame_count, axis=0)
    moving[:, 0] = motion.positions[:, 0]
    again = forward_kinematics(motion.rotations.astype(np.float64), moving, parents)[1]
    np.testing.assert_allclose(motion.positions, again, atol=1e-5)


# Dialects that say the same

DIALECTS: dict[str, Callable[[str], bytes]] = {
    "windows line ends": lambda t: t.replace("\n", "\r\n").encode(),
    "old macintosh line ends": lambda t: t.replace("\n", "\r").encode(),
    "mixed line ends": lambda t: t.replace("\n", "\r\n", 20).encode(),
    "tabs": lambda t: t.replace(" ", "\t").encode(),
    "wide blanks": lambda t: t.replace(" ", " \t  ").replace("\n", "  \n").encode(),
    "blank lines": lambda t: t.replace("\n", "\n\n  \n").encode(),
    "braces on the line of the name": lambda t: _braces_up(t).encode(),
    "a skeleton on one line": lambda t: _one_line(t).encode(),
    "small letters": lambda t: _keywords(t, str.lower).encode(),
    "capital letters": lambda t: _keywords(t, str.upper).encode(),
    "scientific notation": lambda t: _numbers(t, lambda n: f"{n:.9e}").encode(),
    "capital exponents": lambda t: _numbers(t, lambda n: f"{n:.9E}").encode(),
    "seventeen digits": lambda t: _numbers(t, lambda n: f"{n:.17f}").encode(),
    "no leading zero": lambda t: _numbers(t, lambda n: re.sub(r"^(-?)0\.", r"\1.", f"{n:.6f}")).encode(),
    "plus signs": lambda t: _numbers(t, lambda n: f"{n:+.6f}").encode(),
    "decimal commas": lambda t: _numbers(t, lambda n: f"{n:.6f}".replace(".", ",")).encode(),
    "columns that touch": lambda t: re.sub(r"(?<=\d) -", "-", t).encode(),
    "comments": lambda t: ("# by hand\n" + t.replace("MOTION", "// the take\n  # of today\nMOTION")).encode(),
    "one number a line": lambda t: _numbers(t, lambda n: f"\n{n}").encode(),
    "a mark of UTF-8": lambda t: b"\xef\xbb\xbf" + t.encode(),
    "UTF-16": lambda t: t.encode("utf-16"),
    "the end mark of DOS": lambda t: t.encode() + b"\x1a",
    "zeros at the end": lambda t: t.encode() + b"\0" * 100,
    "no line end at the end": lambda t: t.rstrip().encode(),
    "glued frame time": lambda t: t.replace("Frame Time: ", "FrameTime:").replace("Frames: ", "Frames:").encode(),
    "a gap before the colon": lambda t: t.replace("Frames:", "Frames :").replace("Time:", "Time   :\t").encode(),
}  # fmt: skip


def _braces_up(content: str) -> str:
    head, rest = content.split("MOTION")
    return "{".join(part.rstrip() + " " for part in head.split("{")) + "MOTION" + rest


def _one_line(content: str) -> str:
    head, rest = content.split("MOTION")
    return " ".join(head.split()) + " MOTION" + rest


def _keywords(content: str, change: Callable[[str], str]) -> str:
    for word in ("HIERARCHY", "ROOT", "JOINT", "End", "OFFSET", "CHANNELS", "MOTION", "Frames", "Frame Time"):
        content = content.replace(word, change(word))
    for kind in ("position", "rotation"):
        for axis in "XYZ":
            content = content.replace(f"{axis}{kind}", change(f"{axis}{kind}"))
    return content


def _numbers(content: str, write: Callable[[float], str]) -> str:
    head, frames = content.split("Frame Time: 0.0333333\n")
    rows = [" ".join(write(float(word)) for word in row.split()) for row in frames.splitlines()]
    return head + "Frame Time: 0.0333333\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_reads_like_the_plain_file(tmp_path: Path, dialect: str) -> None:
    plain = load(written(tmp_path, text()))
    content = DIALECTS[dialect](text())
    other = load(written(tmp_path, content, "other.bvh"))
    np.testing.assert_allclose(other.positions, plain.positions, atol=1e-6)
    assert other.joint_names == plain.joint_names
    assert other.fps == plain.fps


# Channels


def test_positions_behind_rotations_move_the_same(tmp_path: Path) -> None:
    behind = replace(person(), channels=(*ZXY, *XYZ))
    values = swinging()
    values[:, :6] = values[:, [3, 4, 5, 0, 1, 2]]
    moved = load(written(tmp_path, text(values, behind)))
    np.testing.assert_allclose(moved.positions, load(written(tmp_path, text())).positions, atol=1e-6)


def test_position_channels_stand_in_place_of_the_offset_axis_by_axis(tmp_path: Path) -> None:
    root = person()
    root.children[0].channels = ("Yposition", *ZXY)
    values = standing(root)
    values[:, 6] = 30.0  # the spine, which rests 10 above the hips
    motion = load(written(tmp_path, text(values, root)))
    spine = motion.joint_names.index("Spine")
    np.testing.assert_allclose(motion.positions[0, spine], [0, 0, 1.3], atol=1e-6)


def test_a_root_without_a_position_channel_stays_at_its_offset_there(tmp_path: Path) -> None:
    root = replace(person(), channels=("Xposition", "Zposition", *ZXY), offset=(3, 100, 4))
    values = standing(root)
    values[:, :2] = [20.0, 30.0]
    motion = load(written(tmp_path, text(values, root)))
    np.testing.assert_allclose(motion.positions[:, 0], [[0.2, -0.3, 1.0]] * 3, atol=1e-6)


def test_bones_written_only_as_positions_give_the_rest_pose_its_lengths(tmp_path: Path) -> None:
    root = person()
    bones = [joint for joint in bvh_text.joints_of(root)[1:] if joint.channels]
    for joint in bones:
        joint.channels = (*XYZ, *ZXY)
    values = standing(root)
    for joint in bones:
        joint.offset = (0, 0, 0)
    motion = load(written(tmp_path, text(values, root)))
    plain = load(written(tmp_path, text(standing(person())), "plain.bvh"))
    assert motion.rest_positions is not None and plain.rest_positions is not None
    np.testing.assert_allclose(motion.positions, plain.positions, atol=1e-6)
    np.testing.assert_allclose(motion.rest_positions, plain.rest_positions, atol=1e-6)


CHANNEL = st.sampled_from([*XYZ, "Xrotation", "Yrotation", "Zrotation"])


@st.composite
def skeletons(draw: st.DrawFn, depth: int = 0) -> Joint:
    """Any tree, any offsets, any channels in any order and number."""
    coordinate = st.floats(-50, 50).map(lambda x: round(x, 4))
    children = draw(st.lists(skeletons(depth + 1), max_size=3)) if depth < 3 else []
    channels = draw(st.lists(CHANNEL, max_size=7)) if depth else draw(st.lists(CHANNEL, min_size=1, max_size=7))
    name = draw(st.text("abcdefgh_", min_size=1, max_size=6))
    return Joint(name, draw(st.tuples(coordinate, coordinate, coordinate)), channels, [*children, end(0, 1, 0)])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(root=skeletons(), seed=st.integers(0, 2**32 - 1))
def test_any_channels_on_any_skeleton_pose_it_as_matrices_do(tmp_path: Path, root: Joint, seed: int) -> None:
    values = np.random.default_rng(seed).uniform(-400, 400, (2, width(root))).round(5)
    motion = bvh.read(written(tmp_path, text(values, root)))[0]
    truth = np.array([posed(root, row) for row in values.tolist()])
    found = motion.positions / dict(UNITS)[motion.unit]
    z_up, y_up = found, np.stack([found[..., 0], found[..., 2], -found[..., 1]], axis=-1)
    error = min(np.abs(truth - z_up).max(), np.abs(truth - y_up).max())
    assert error < 1e-3 * max(np.abs(truth).max(), 1.0)


# Frames and their rate


@pytest.mark.parametrize(
    ("printed", "fps"),
    [
        (".0083333", 120.0), ("0.00833333", 120.0), ("0.0083", 120.0), ("0.008342", 120000 / 1001),
        ("0.0333333", 30.0), ("0.033333", 30.0), (".03333", 30.0), ("0.033", 30.0), ("0.033367", 30000 / 1001),
        ("0.04", 25.0), ("0.040000", 25.0), ("0.0416667", 24.0), ("0.041708", 24000 / 1001), ("0.0166667", 60.0),
        ("0.016", 60.0), ("0.01", 100.0), ("0.005", 200.0), ("1", 1.0), ("3.33333e-02", 30.0), ("0,0333333", 30.0),
        ("0.0417083750417", 23.976), ("0.0217391", 1 / 0.0217391),
    ],
)  # fmt: skip
def test_the_frame_rate_is_the_one_the_printed_time_was_cut_from(printed: str, fps: float) -> None:
    assert bvh.frame_rate(printed) == pytest.approx(fps, rel=1e-9)


@pytest.mark.parametrize("printed", ["0", "0.0", "-0.0333", "nan", "inf", "abc", "1e-300", "33.333e3"])
def test_a_frame_time_that_no_frame_takes_is_refused(tmp_path: Path, printed: str) -> None:
    message = refusal(written(tmp_path, hierarchy(person()) + bvh_text.motion(swinging(), frame_time=printed)))
    assert "Frame Time" in message and printed in message


@pytest.mark.parametrize("declared", [0, 1, 4, 5])
def test_every_whole_frame_that_is_there_is_read(tmp_path: Path, declared: int) -> None:
    content = hierarchy(person()) + bvh_text.motion(swinging(4), frames=declared)
    assert load(written(tmp_path, content)).frame_count == 4


def test_a_file_cut_in_its_last_line_loses_that_frame(tmp_path: Path) -> None:
    whole = load(written(tmp_path, text()))
    cut = load(written(tmp_path, text().rstrip()[:-40]))
    np.testing.assert_array_equal(cut.positions, whole.positions[:3])


def test_a_file_that_lacks_frames_is_refused_and_says_how_many(tmp_path: Path) -> None:
    content = hierarchy(person()) + bvh_text.motion(swinging(4), frames=500)
    assert "it has 4 of its 500 frames" in refusal(written(tmp_path, content))


def test_one_frame_is_a_motion(tmp_path: Path) -> None:
    motion = load(written(tmp_path, text(swinging(1))))
    assert (motion.frame_count, motion.duration_s) == (1, 0.0)


@pytest.mark.parametrize("declared", [0, 3])
def test_a_file_without_frames_is_refused(tmp_path: Path, declared: int) -> None:
    content = hierarchy(person()) + f"MOTION\nFrames: {declared}\nFrame Time: 0.0333\n"
    assert "no frames" in refusal(written(tmp_path, content))


def test_rows_of_another_width_than_the_channels_are_refused(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, text(swinging()[:, :-1])))
    assert f"{width(person()) - 1} numbers" in message and f"ask for {width(person())}" in message


# Names


def test_names_with_blanks_colons_and_other_scripts_are_kept(tmp_path: Path) -> None:
    root = person()
    names = ["mixamorig:Hips", "Bip01 Spine", "頭", "Épaule.gauche"]
    for joint, name in zip([root, *root.children[0].children[:2]], [names[0], *names[2:]], strict=False):
        joint.name = name
    root.children[0].name = names[1]
    motion = load(written(tmp_path, text(root=root)))
    assert list(motion.joint_names[:5]) == [names[0], names[1], names[2], f"{names[2]}_end", names[3]]


def test_names_in_latin_1_are_read(tmp_path: Path) -> None:
    content = text().replace("Spine", "R\xfccken").encode("latin-1")
    assert load(written(tmp_path, content)).joint_names[1] == "R\xfccken"


def test_names_that_repeat_are_told_apart(tmp_path: Path) -> None:
    root = person()
    for joint, name in zip(root.children, ["Leg_2", "Leg", "Leg"], strict=True):
        joint.name = name
    root.children[0].children[0].children.append(end(0, 0, 5))
    names = load(written(tmp_path, text(root=root))).joint_names
    assert len(set(names)) == len(names)
    assert {"Leg", "Leg_2", "Leg_3", "Head_end", "Head_end_2"} <= set(names)


@pytest.mark.parametrize("site", ["End", "End Site", "END SITE", "End effector Site of this", "End\n"])
def test_an_end_site_is_named_after_its_parent_whatever_it_is_called(tmp_path: Path, site: str) -> None:
    motion = load(written(tmp_path, text().replace("End Site", site)))
    assert list(motion.joint_names) == JOINTS


# Several figures


def test_two_roots_are_two_figures(tmp_path: Path) -> None:
    prop = Joint("Sword", (0, 90, 50), (*XYZ, *ZXY), [end(0, 0, 70)])
    values = np.concatenate([standing(prop), swinging(3)], axis=1)
    path = written(tmp_path, hierarchy(prop, person()) + bvh_text.motion(values))
    sword, figure = load_all(path)
    assert list(sword.joint_names) == ["Sword", "Sword_end"]
    assert list(figure.joint_names) == JOINTS
    assert list(figure.parents[:3]) == [-1, 0, 1]
    assert sword.name != figure.name
    assert list(load(path).joint_names) == JOINTS
    np.testing.assert_allclose(
        figure.positions, load(written(tmp_path, text(swinging(3)), "one.bvh")).positions, atol=1e-6
    )


# Numbers that are none


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-inf", "-1.#IND00", "1.#QNAN", "1e30"])
def test_a_turn_that_is_no_number_hides_what_it_moves_and_only_that(tmp_path: Path, word: str) -> None:
    whole = load(written(tmp_path, text()))
    rows = text().splitlines()
    values = rows[-2].split()
    values[6] = word  # the first turn of the spine
    rows[-2] = " ".join(values)
    motion = load(written(tmp_path, "\n".join(rows)))
    above = [motion.joint_names.index(name) for name in JOINTS if name.startswith(("Head", "LeftArm", "RightArm"))]
    assert np.isnan(motion.positions[2, above]).all()
    others = np.setdiff1d(np.arange(len(JOINTS)), above)
    np.testing.assert_array_equal(motion.positions[:, others], whole.positions[:, others])
    np.testing.assert_array_equal(motion.positions[:2], whole.positions[:2])
    assert motion.rotations is not None and np.isfinite(motion.rotations).all()


def test_a_motion_of_nothing_but_nan_is_refused(tmp_path: Path) -> None:
    assert "NaN" in refusal(written(tmp_path, text(np.full((3, width(person())), np.nan))))


def test_a_word_among_the_numbers_is_named(tmp_path: Path) -> None:
    assert '"oops"' in refusal(written(tmp_path, text().rstrip() + " oops"))


# Broken and hostile files

BROKEN: dict[str, tuple[str, str]] = {
    "text of another kind": ("Dear Ada,\nthe walk is attached.\n", "not a BVH file"),
    "a skeleton alone": (hierarchy(person()), "no MOTION"),
    "no Frame Time": (text().replace("Frame Time: 0.0333333\n", ""), "Frame Time"),
    "a brace too few": (text().replace("}\nMOTION", "MOTION"), "last brace"),
    "a brace too many": (text().replace("}\nMOTION", "}}\nMOTION"), '"}"'),
    "a joint without a brace": (text().replace("JOINT Spine\n  {", "JOINT Spine\n"), '"OFFSET"'),
    "an offset of two": (text().replace("OFFSET 0 10 0", "OFFSET 0 10"), '"0 10"'),
    "an offset of words": (text().replace("OFFSET 0 10 0", "OFFSET 0 1x0 0"), '"0 1x0 0"'),
    "channels of no kind": (text().replace("Zrotation", "Zscale", 1), "CHANNELS 6"),
    "fewer channels than told": (text().replace("CHANNELS 3 Zrotation", "CHANNELS 3"), "CHANNELS 3"),
    "no channels at all": (re.sub(r" *CHANNELS.*\n", "", text()), "no CHANNELS"),
    "frames in words": (text().replace("Frames: 4", "Frames: four"), '"four"'),
    "an offset outside a joint": (text().replace("HIERARCHY\n", "HIERARCHY\nOFFSET 0 0 0\n"), "line 2"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence_that_says_where(tmp_path: Path, case: str) -> None:
    content, told = BROKEN[case]
    message = refusal(written(tmp_path, content))
    assert message.startswith("take.bvh: ") and told in message
    assert message.endswith(".") and "\n" not in message


def test_a_file_cut_anywhere_is_read_or_refused_but_never_fails_otherwise(tmp_path: Path) -> None:
    whole = text().encode()
    refused = 0
    for length in range(0, len(whole), 10):
        try:
            assert isinstance(load(written(tmp_path, whole[:length])), Motion)
        except MotionFileError:
            refused += 1
    assert refused > 0.6 * len(whole) / 10


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_fails_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(text().encode())
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    try:
        assert isinstance(load(written(tmp_path, bytes(content))), Motion)
    except MotionFileError as error:
        assert str(error).startswith("take.bvh: ")


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_refused(tmp_path: Path, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, 100_000, dtype=np.uint8).tobytes()
    assert "not a BVH file" in refusal(written(tmp_path, noise))


def test_a_hundred_megabytes_of_nested_joints_are_refused(tmp_path: Path) -> None:
    nested = b"HIERARCHY\nROOT a\n{\n" + b"JOINT a\n{\n" * 10_000_000
    path = written(tmp_path, nested + b"MOTION\nFrames: 1\nFrame Time: 0.1\n0\n")
    assert f"more than {bvh.MAX_JOINTS} joints" in refusal(path)
    path.unlink()


def test_few_numbers_that_would_pose_a_billion_joints_are_refused(tmp_path: Path) -> None:
    chain = "ROOT j {CHANNELS 1 Xposition\n" + "JOINT j {\n" * 4000 + "}" * 4001
    path = written(tmp_path, f"HIERARCHY\n{chain}\nMOTION\nFrames: 1\nFrame Time: 0.1\n" + "0 " * 250_000)
    assert "250000 frames of 4001 joints" in refusal(path)


def test_a_chain_of_a_thousand_joints_is_read(tmp_path: Path) -> None:
    chain = "ROOT j {OFFSET 0 0 0 CHANNELS 3 " + " ".join(XYZ) + "\n" + "JOINT j {OFFSET 0 0.1 0\n" * 999 + "}" * 1000
    motion = load(written(tmp_path, f"HIERARCHY\n{chain}\nMOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"))
    assert len(motion.joint_names) == 1000
    tall = np.linalg.norm(motion.positions[0, -1]) / dict(UNITS)[motion.unit]
    assert tall == pytest.approx(99.9, rel=1e-4)


# Blender's importer and real exporters

BLENDER = """
import sys, json, bpy
bpy.ops.import_anim.bvh(filepath=sys.argv[-1], axis_forward="Y", axis_up="Z", update_scene_fps=False)
heads = {}
for frame in (1, 2, 30):
    bpy.context.scene.frame_set(frame)
    heads[frame] = {bone.name: list(bone.head) for bone in bpy.context.object.pose.bones}
print("heads", json.dumps(heads))
"""


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="Blender (bpy) is not installed here")
@pytest.mark.parametrize("sample", ["walk_02_01", "cartwheel_49_06"])
def test_joints_stand_where_blenders_importer_puts_them(sample: str) -> None:
    path = Path(__file__).resolve().parents[2] / "samples" / f"{sample}.bvh"
    command = [sys.executable, "-c", BLENDER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    heads = json.loads(
        next(line for line in done.stdout.splitlines() if line.startswith("heads")).removeprefix("heads")
    )
    motion = load(path)
    metres = dict(UNITS)[motion.unit]
    for frame, bones in heads.items():
        assert set(bones) == {name for name in motion.joint_names if not name.endswith("_end")}
        for name, (x, y, z) in bones.items():
            here = motion.positions[int(frame) - 1, motion.joint_names.index(name)]
            np.testing.assert_allclose(here, np.array([x, -z, y]) * metres, atol=1e-5)


@needs_data
def test_every_fixture_is_read_but_the_one_without_numbers() -> None:
    files = sorted((Path(DATA) / "fixtures" / "bvh").rglob("*.bvh"))
    assert len(files) > 30
    for path in files:
        if path.name == "lafan_test.bvh":
            assert "NaN" in refusal(path)
            continue
        motion = load(path)
        assert np.isfinite(motion.positions).all(), path
        if {"head", "lfoot", "leftfoot", "leftankle"} & {name.lower() for name in motion.joint_names}:
            height = np.ptp(motion.positions[..., 2], axis=1).max()
            assert 0.9 < height < 2.3, f"{path.name} is {height:.2f} m tall"


@needs_data
def test_people_of_all_three_cmu_conversions_are_of_human_size() -> None:
    for path in sorted((Path(DATA) / "cmu").rglob("*.bvh"))[::6]:
        motion = load(path)
        at = dict(zip(motion.joint_names, np.moveaxis(motion.positions, 1, 0), strict=True))
        foot = at.get("LeftFoot", at.get("lFoot"))
        head = at.get("Head_end", at.get("head"))
        assert foot is not None and head is not None
        tall = np.percentile(np.linalg.norm(head - foot, axis=-1), 90)
        assert 1.2 < tall < 1.9, f"{path.name}: {tall:.2f} m from foot to head"
        assert motion.fps == 120.0
