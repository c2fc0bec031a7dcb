# SPDX-License-Identifier: GPL-3.0-or-later
"""AMC motions are posed on their ASF as the Acclaim format says, and pairs that do not fit are refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import load
from hums_engine.errors import MotionFileError
from hums_engine.formats import asf_amc
from hums_engine.motion import Motion

DATA = os.environ.get("HUMS_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="HUMS_DATA does not name a folder of unpacked motion data")
METRES = 0.0254 / 0.45

ASF = """# a spine, an arm on it, a leg
:version 1.10
:name THREE
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   written by hand
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name spine
     direction 0 1 0
     length 9
     axis 90 0 0  XYZ
    dof rz
    limits (-160.0 20.0)
  end
  begin
     id 2
     name arm
     direction 1 0 0
     length 18
     axis 0 0 0 XYZ
  end
  begin
     id 3
     name leg
     direction 0, -1, 0
     length 18
     axis 0 0 0 XYZ
    dof rx rz
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
:hierarchy
  begin
    root spine leg
    spine arm
  end
"""
HEAD = "#!OML:ASF three.ASF\n:FULLY-SPECIFIED\n:DEGREES\n"
AMC = (
    HEAD
    + """1
root 1 18 2 0 0 0
spine 0
leg 0 0
2
root 1 18 2 0 0 0
spine 90
leg 90 90
3
root 1 18 2 90 0 90
spine 0
leg 0 0
"""
)
# Worked out by hand, in the file's unit and axes: where spine, arm and leg end, seen from the root, in three frames.
# Frame 2: the spine's z axis is the world's -y, so 90 degrees about it turn +x to +z; the leg turns about x, then z,
# so from -y to -z, where z leaves it. Frame 3: the root turns about x, then z: y to z, x to y, -y to -z.
ENDS = [
    [(0, 9, 0), (18, 9, 0), (0, -18, 0)],
    [(0, 9, 0), (0, 9, 18), (0, 0, -18)],
    [(0, 0, 9), (0, 18, 9), (0, 0, -18)],
]


def pair(folder: Path, amc: str | bytes = AMC, asf: str | bytes = ASF, name: str = "three.amc") -> Path:
    for path, content in ((folder / "three.asf", asf), (folder / name, amc)):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def ends(motion: Motion) -> np.ndarray:
    """Where the spine, the arm and the leg end, in the ASF's unit and axes, about the root."""
    at = {name: motion.positions[:, j] for j, name in enumerate(motion.joint_names)}
    points = np.stack([at["arm"], at["arm_end"], at["leg_end"]], axis=1) - at["root"][:, None]
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1) / METRES


def refusal(path: Path) -> str:
    with pytest.raises(MotionFileError) as caught:
        load(path)
    return str(caught.value)


def test_bones_end_where_they_were_worked_out_by_hand(tmp_path: Path) -> None:
    motion = load(pair(tmp_path))
    np.testing.assert_allclose(ends(motion), ENDS, atol=1e-4)
    np.testing.assert_allclose(motion.positions[:, 0], [[METRES, -2 * METRES, 18 * METRES]] * 3, atol=1e-6)


def test_a_joint_stands_at_the_start_of_its_bone_and_a_last_bone_has_an_end(tmp_path: Path) -> None:
    motion = load(pair(tmp_path))
    assert list(motion.joint_names) == ["root", "spine", "arm", "leg", "arm_end", "leg_end"]
    assert list(motion.parents) == [-1, 0, 1, 0, 2, 3]
    np.testing.assert_allclose(motion.positions[:, 1], motion.positions[:, 0], atol=1e-6)
    assert motion.rotations is not None and motion.rest_positions is not None
    np.testing.assert_allclose(motion.rotations[0], [[1, 0, 0, 0]] * 6, atol=1e-6)
    turned = motion.world_rotations()
    assert turned is not None
    assert np.abs(turned[1, 2]).max() < 0.8  # the arm turns with the spine, though it has no freedom of its own
    assert motion.unit == "in/0.45"


def test_the_order_of_freedoms_is_the_order_of_turning(tmp_path: Path) -> None:
    asf = ASF.replace("dof rx rz", "dof rz rx")
    motion = load(pair(tmp_path, asf=asf))
    np.testing.assert_allclose(ends(motion)[1, 2], [18, 0, 0], atol=1e-4)


def test_radians_are_read_where_either_file_says_so(tmp_path: Path) -> None:
    in_degrees = load(pair(tmp_path))
    in_radians = AMC.replace(":DEGREES", ":RADIANS").replace("90", f"{np.pi / 2:.9f}")
    by_amc = load(pair(tmp_path, in_radians))
    np.testing.assert_allclose(by_amc.positions, in_degrees.positions, atol=1e-5)
    asf = ASF.replace("angle deg", "angle rad").replace("axis 90", f"axis {np.pi / 2:.9f}")
    by_asf = load(pair(tmp_path, in_radians.replace(":RADIANS\n", ""), asf))
    np.testing.assert_allclose(by_asf.positions, in_degrees.positions, atol=1e-5)


def test_a_bone_that_lengthens_carries_what_follows_it(tmp_path: Path) -> None:
    motion = load(
        pair(
            tmp_path,
            AMC.replace("spine 0", "spine 0 3").replace("spine 90", "spine 90 3"),
            ASF.replace("dof rz\n", "dof rz l\n"),
        )
    )
    longer = np.array(ENDS, dtype=float)
    longer[:2, :2] += [0, 3, 0]
    longer[2, :2] += [0, 0, 3]
    np.testing.assert_allclose(ends(motion), longer, atol=1e-4)


def test_a_bone_that_slides_moves_along_its_own_axes(tmp_path: Path) -> None:
    asf = ASF.replace("dof rz\n", "dof tz rz\n")
    motion = load(pair(tmp_path, AMC.replace("spine 0", "spine 2 0").replace("spine 90", "spine 2 90"), asf))
    np.testing.assert_allclose(ends(motion)[0, :2], np.array(ENDS[0][:2]) + [0, -2, 0], atol=1e-4)


def test_the_roots_preset_moves_the_figure(tmp_path: Path) -> None:
    motion = load(pair(tmp_path, asf=ASF.replace("position 0 0 0", "position 5 0 0")))
    assert motion.positions[0, 0, 0] == pytest.approx(6 * METRES)


def test_bones_that_the_motion_leaves_out_stay_at_rest(tmp_path: Path) -> None:
    motion = load(pair(tmp_path, AMC.replace("leg 90 90\n", "").replace("leg 0 0\n", "")))
    np.testing.assert_allclose(ends(motion)[:2, 2], [ENDS[0][2]] * 2, atol=1e-4)


def test_capitals_commas_and_windows_line_ends_make_no_difference(tmp_path: Path) -> None:
    plain = load(pair(tmp_path))
    amc = AMC.replace("spine", "Spine").replace("\n", "\r\n")
    asf = ASF.replace("name leg", "name LEG").replace("order TX TY TZ", "order tx,ty,tz").replace("\n", "\r\n")
    np.testing.assert_array_equal(load(pair(tmp_path, amc, asf)).positions, plain.positions)


def test_a_skeleton_in_metres_is_told_by_its_size(tmp_path: Path) -> None:
    asf = ASF.replace("length 0.45", "length 1.0")
    for inches in ("9", "18"):
        asf = asf.replace(f"length {inches}\n", f"length {float(inches) * METRES}\n")
    motion = load(pair(tmp_path, asf=asf))
    assert motion.unit == "m"


@pytest.mark.parametrize(
    ("name", "header", "fps"),
    [
        ("HDM_x_walk_001_60.amc", "", 60.0),
        ("HDM_x_walk_001_120.amc", "", 120.0),
        ("01_02.amc", "", 120.0),
        ("walk.amc", "# fps: 30\n", 30.0),
        ("walk.amc", ":SAMPLES-PER-SECOND 59.94\n", 59.94),
    ],
)
def test_the_frame_rate_is_taken_from_a_comment_or_the_name(tmp_path: Path, name: str, header: str, fps: float) -> None:
    assert load(pair(tmp_path, header + AMC, name=name)).fps == fps


# Which skeleton belongs to a motion


def place(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ASF if name.endswith(".asf") else AMC)


@pytest.mark.parametrize(
    ("amc", "others", "expected"),
    [
        ("walk.amc", ("walk.asf", "wal.asf", "other.asf"), "walk.asf"),
        ("01/01_02.amc", ("01/01.asf", "01/0.asf"), "01/01.asf"),
        ("12/12_02.amc", ("12/1.asf", "12/12.asf"), "12/12.asf"),
        ("a/train/3/HDM_bd_hop_001_120.amc", ("a/HDM_bd.asf", "a/HDM_bk.asf"), "a/HDM_bd.asf"),
        ("WALK_1.AMC", ("walk.ASF", "b.asf"), "walk.ASF"),
        ("walk.amc", ("skeleton.asf",), "skeleton.asf"),
        ("takes/walk.amc", ("skeleton.asf",), "skeleton.asf"),
    ],
)
def test_the_skeleton_is_found_by_name_or_because_it_is_alone(
    tmp_path: Path, amc: str, others: tuple[str, ...], expected: str
) -> None:
    root = tmp_path / "deep" / "enough"
    place(root, amc, *others)
    assert asf_amc.find_asf(root / amc) == root / expected


@pytest.mark.parametrize("others", [(), ("a.asf", "b.asf"), ("wal.asf", "al.asf")])
def test_a_motion_whose_skeleton_is_not_clear_is_refused_and_told_where_to_put_it(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    root = tmp_path / "deep" / "enough"
    place(root, "walk.amc", *others)
    message = refusal(root / "walk.amc")
    assert message.startswith("walk.amc: ") and "walk.asf" in message


def test_a_skeleton_put_there_later_is_found(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "enough"
    place(root, "walk.amc")
    assert "walk.asf" in refusal(root / "walk.amc")
    place(root, "walk.asf")
    assert load(root / "walk.amc").frame_count == 3


# Broken and hostile files

BROKEN_ASF = {
    "no bones": (ASF.replace(":bonedata", ":bones"), "not a whole ASF"),
    "cut off": (ASF[: ASF.index(":hierarchy")], "not a whole ASF"),
    "a direction of words": (ASF.replace("direction 0 1 0", "direction 0 up 0"), "up"),
    "a direction of two": (ASF.replace("direction 0 1 0", "direction 0 1"), "0 1"),
    "a length of nan": (ASF.replace("length 9\n", "length nan\n"), "nan"),
    "an axis that is none": (ASF.replace("0 0 0 XYZ", "0 0 0 XXY", 1), "XXY"),
    "a freedom that is none": (ASF.replace("dof rz", "dof rw"), "rw"),
    "a unit of zero": (ASF.replace("length 0.45", "length 0"), "length 0"),
    "a bone without data": (ASF.replace("spine arm", "spine arm hand"), "hand"),
    "a bone of itself": (ASF.replace("spine arm", "spine arm spine"), "spine"),
    "a bone without a name": (ASF.replace("     name spine\n", ""), "name"),
}


@pytest.mark.parametrize("case", BROKEN_ASF)
def test_a_broken_skeleton_is_refused_and_named(tmp_path: Path, case: str) -> None:
    content, told = BROKEN_ASF[case]
    message = refusal(pair(tmp_path, asf=content))
    assert message.startswith("three.amc: its skeleton three.asf: ") and told in message
    assert message.endswith(".") and "\n" not in message


BROKEN_AMC = {
    "no frames": (HEAD, "not an AMC"),
    "frames without bones": (HEAD + "1\n2\n3\n", "same bones"),
    "a bone the skeleton lacks": (AMC.replace("leg", "tail"), "tail"),
    "a number too many": (AMC.replace("spine 0", "spine 0 0").replace("spine 90", "spine 90 0"), "spine"),
    "a frame of fewer bones": (AMC.replace("leg 90 90\n", ""), "same bones"),
    "bones in another order": (AMC.replace("spine 90\nleg 90 90", "leg 90 90\nspine 90"), "same bones"),
    "a word among the numbers": (AMC.replace("spine 90", "spine 9x0"), "9x0"),
    "text of another kind": ("Dear Ada,\nthe walk is attached.\n", "not an AMC"),
}


@pytest.mark.parametrize("case", BROKEN_AMC)
def test_a_broken_motion_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    content, told = BROKEN_AMC[case]
    message = refusal(pair(tmp_path, amc=content))
    assert message.startswith("three.amc: ") and told in message
    assert message.endswith(".") and "\n" not in message


def test_files_cut_anywhere_are_read_or_refused_but_never_fail_otherwise(tmp_path: Path) -> None:
    cases = [(AMC[:length], ASF) for length in range(0, len(AMC), 10)]
    cases += [(AMC, ASF[:length]) for length in range(0, len(ASF), 10)]
    refused = 0
    for amc, asf in cases:
        try:
            load(pair(tmp_path, amc, asf))
        except MotionFileError:
            refused += 1
    assert refused > 0.8 * len(cases)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_never_fail_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    contents = [bytearray(AMC.encode()), bytearray(ASF.encode())]
    for content in contents:
        for _ in range(data.draw(st.integers(0, 4))):
            start = data.draw(st.integers(0, len(content)))
            content[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    try:
        assert isinstance(load(pair(tmp_path, bytes(contents[0]), bytes(contents[1]))), Motion)
    except MotionFileError as error:
        assert str(error).startswith("three.amc: ")


def test_a_hierarchy_of_ten_thousand_bones_is_refused(tmp_path: Path) -> None:
    bone = "begin\nname b{0}\ndirection 0 1 0\nlength 1\nend\n"
    bones = "".join(bone.format(number) for number in range(10_000))
    links = "".join(f"b{number} b{number + 1}\n" for number in range(9_999))
    asf = f":bonedata\n{bones}:hierarchy\nbegin\nroot b0\n{links}end\n"
    assert "hierarchy" in refusal(pair(tmp_path, asf=asf))


def test_a_skeleton_of_a_hundred_megabytes_is_refused(tmp_path: Path) -> None:
    assert "100 MB" in refusal(pair(tmp_path, asf=b":bonedata\n" + b"begin\nend\n" * 10_000_000))


# The databases


@needs_data
def test_every_clip_of_hdm05_is_a_person_of_human_size() -> None:
    files = sorted((Path(DATA) / "hdm05").rglob("*.amc"))
    assert len(files) == 287
    for path in files[::10]:
        motion = load(path)
        assert np.isfinite(motion.positions).all()
        assert motion.fps == 120.0
        at = dict(zip(motion.joint_names, motion.positions[0], strict=True))
        assert 1.3 < np.linalg.norm(at["head_end"] - at["lfoot"]) < 1.9 or "squat" in path.name or "lie" in path.name


@pytest.mark.skipif(
    not (Path(DATA) / "hdm05_golden_fk.npz").is_file() or not DATA,
    reason="HUMS_DATA does not name a folder with hdm05_golden_fk.npz, positions by HDM05's own MATLAB tools",
)
def test_hdm05_stands_where_its_own_tools_put_it_to_a_hundredth_of_a_millimetre() -> None:
    golden = np.load(Path(DATA) / "hdm05_golden_fk.npz", allow_pickle=False)
    ends = [str(name).rpartition("_@_")[2] for name in golden["joint_names"]]
    clips = [name for name in golden.files if name != "joint_names"]
    assert len(clips) == 8
    for clip in clips:
        (path,) = (Path(DATA) / "hdm05").rglob(f"{clip}.amc")
        motion = load(path)
        children = {int(parent): joint for joint, parent in enumerate(motion.parents)}
        # It gives the end of each bone, where the next begins; in inches, Y up.
        joints = [0, *(children[motion.joint_names.index(bone)] for bone in ends[1:])]
        x, y, z = np.moveaxis(golden[clip], -1, 0)
        np.testing.assert_allclose(motion.positions[:, joints], np.stack([x, -z, y], axis=-1) * 0.0254, atol=1e-5)
