# SPDX-License-Identifier: GPL-3.0-or-later
"""NPZ files of joint positions are read, SMPL's by their number, and hostile ones refused before they are unpacked."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import load, quat
from hums_engine.canonical import canonicalize
from hums_engine.errors import MotionFileError
from hums_engine.formats import axes, is_readable, npz
from hums_engine.formats.axes import UNITS, Unit, UpAxis
from hums_engine.mapping import map_joints
from hums_engine.motion import Motion
from hums_engine.skeleton import JOINTS, PARENTS

from .reference_body import wandering
from .refusals import refusal

WALK = wandering(30).positions
NAME = "walk.npz"


def saved(folder: Path, name: str = NAME, compressed: bool = False, **arrays: Any) -> Path:  # noqa: ANN401
    (np.savez_compressed if compressed else np.savez)(folder / name, **arrays)
    return folder / name


def written(folder: Path, content: bytes) -> Path:
    (folder / NAME).write_bytes(content)
    return folder / NAME


def content(**arrays: Any) -> bytes:  # noqa: ANN401
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


WHOLE = content(joints=WALK, fps=30.0)


@pytest.mark.parametrize("compressed", [False, True])
def test_joints_of_smpl_need_no_names(tmp_path: Path, compressed: bool) -> None:
    path = saved(tmp_path, compressed=compressed, joints=WALK, fps=25.0)
    motion = load(path)
    np.testing.assert_allclose(motion.positions, WALK, atol=1e-7)
    assert (tuple(motion.joint_names), motion.parents.tolist()) == (JOINTS, PARENTS.tolist())
    assert (motion.fps, motion.unit, motion.name, motion.source) == (25.0, "m", "walk", str(path))
    assert is_readable(path)
    np.testing.assert_allclose(canonicalize(motion).positions, WALK, atol=1e-6)


@pytest.mark.parametrize("count", [24, 52, 55])
def test_hands_and_fingers_come_after_the_body(tmp_path: Path, count: int) -> None:
    side = np.where(np.arange(count - 22) % 2, 20, 21)
    motion = load(saved(tmp_path, joints=np.concatenate([WALK, WALK[:, side] + 0.05], axis=1), fps=30))
    assert len(set(motion.joint_names)) == count
    assert map_joints(motion.joint_names, motion.parents, poses=motion.positions).family == "smpl"
    np.testing.assert_allclose(canonicalize(motion).positions, WALK, atol=1e-6)
    parent = dict(zip(motion.joint_names, [motion.joint_names[p] for p in motion.parents], strict=True))
    if count > 24:
        assert (parent["left_index1"], parent["right_thumb3"]) == ("left_wrist", "right_thumb2")


@pytest.mark.parametrize("key", ["joints", "positions"])
@pytest.mark.parametrize("rate", ["fps", "mocap_framerate", "mocap_frame_rate"])
@pytest.mark.parametrize("value", [np.float64(60.0), np.array([60]), np.float32(60.0)])
def test_either_name_of_a_key_will_do(tmp_path: Path, key: str, rate: str, value: Any) -> None:  # noqa: ANN401
    motion = load(saved(tmp_path, **{key: WALK, rate: value}))
    assert (motion.fps, motion.frame_count) == (60.0, 30)


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "<f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_kind_of_number_in_any_order_will_do(tmp_path: Path, dtype: str, order: Any) -> None:  # noqa: ANN401
    motion = load(saved(tmp_path, joints=np.asarray(WALK.astype(dtype), order=order), fps=30))
    np.testing.assert_allclose(motion.positions, WALK, atol=2e-3)
    assert motion.positions.dtype == np.float32 and motion.positions.flags.c_contiguous


def test_the_figure_tells_which_way_is_up_and_the_key_has_the_last_word(tmp_path: Path) -> None:
    y_up = np.stack([WALK[..., 0], WALK[..., 2], -WALK[..., 1]], axis=-1)
    np.testing.assert_allclose(load(saved(tmp_path, joints=y_up, fps=30)).positions, WALK, atol=1e-6)
    lying = saved(tmp_path, joints=y_up, fps=30, up_axis="Z")
    np.testing.assert_allclose(load(lying).positions, y_up, atol=1e-6)
    np.testing.assert_allclose(load(saved(tmp_path, joints=y_up, fps=30, up_axis="y")).positions, WALK, atol=1e-6)


def test_a_unit_makes_metres(tmp_path: Path) -> None:
    motion = load(saved(tmp_path, joints=100 * WALK, fps=30, unit="cm"))
    np.testing.assert_allclose(motion.positions, WALK, atol=1e-5)
    assert motion.unit == "cm"


def test_another_skeleton_has_names_and_parents_in_any_order(tmp_path: Path) -> None:
    shuffled = np.random.default_rng(1).permutation(22)
    place = np.argsort(shuffled)
    names = np.array([f"Bone {JOINTS[joint]}" for joint in shuffled])
    parents = np.array([place[PARENTS[joint]] if PARENTS[joint] >= 0 else -1 for joint in shuffled])
    motion = load(saved(tmp_path, joints=WALK[:, shuffled], fps=30, joint_names=names, parents=parents))
    at = [list(motion.joint_names).index(f"Bone {name}") for name in JOINTS]
    np.testing.assert_allclose(motion.positions[:, at], WALK, atol=1e-6)
    for joint, parent in enumerate(motion.parents[at]):
        assert (motion.joint_names[parent] == f"Bone {JOINTS[PARENTS[joint]]}") if parent >= 0 else joint == 0


@pytest.mark.parametrize("root", [np.int64(-1), np.int8(-1), np.uint32(4294967295), np.uint64(0)])
def test_a_root_is_minus_one_or_itself_or_beyond_the_joints(tmp_path: Path, root: Any) -> None:  # noqa: ANN401
    parents = np.array(PARENTS.clip(0), dtype=root.dtype)
    parents[0] = root
    assert load(saved(tmp_path, joints=WALK, fps=30, parents=parents)).parents.tolist() == PARENTS.tolist()


def test_some_of_smpls_joints_hang_on_the_nearest_above(tmp_path: Path) -> None:
    kept = [joint for joint, name in enumerate(JOINTS) if name not in ("spine2", "left_collar", "left_knee")]
    names = np.array([JOINTS[joint] for joint in kept], dtype="S")
    motion = load(saved(tmp_path, joints=WALK[:, kept], fps=30, joint_names=names))
    parent = dict(zip(motion.joint_names, [motion.joint_names[p] for p in motion.parents], strict=True))
    assert (parent["left_shoulder"], parent["left_ankle"], parent["spine3"]) == ("spine3", "left_hip", "spine1")


def test_what_is_not_a_place_is_not_seen(tmp_path: Path) -> None:
    joints = WALK.astype(np.float64)
    joints[2, 3], joints[4, 5, 1], joints[6, 7, 0] = np.nan, np.inf, 1e300
    motion = load(saved(tmp_path, joints=joints, fps=30))
    assert np.argwhere(np.isnan(motion.positions).all(axis=-1)).tolist() == [[2, 3], [4, 5], [6, 7]]


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "AMASS as it is downloaded": ({"poses": np.zeros((9, 156)), "trans": np.zeros((9, 3)), "fps": 30}, "body model"),
    "no joints": ({"x": WALK, "fps": 30}, 'no array "joints" or "positions", only fps, x'),
    "no rate": ({"joints": WALK}, 'no array "fps"'),
    "a rate of zero": ({"joints": WALK, "fps": 0.0}, "fps must be"),
    "a rate that is nan": ({"joints": WALK, "fps": np.nan}, "fps must be"),
    "many rates": ({"joints": WALK, "fps": np.ones(3)}, "fps must be"),
    "a rate in words": ({"joints": WALK, "fps": "thirty"}, "fps must be"),
    "no frames": ({"joints": WALK[:0], "fps": 30}, "[0, 22, 3]"),
    "two coordinates": ({"joints": WALK[..., :2], "fps": 30}, "[30, 22, 2]"),
    "one frame without its dimension": ({"joints": WALK[0], "fps": 30}, "[22, 3]"),
    "texts for joints": ({"joints": WALK.astype("U"), "fps": 30}, "must be numbers"),
    "complex joints": ({"joints": WALK.astype(complex), "fps": 30}, "plain numbers"),
    "objects": ({"joints": np.array([{}, []], dtype=object), "fps": 30}, "Python objects"),
    "columns": ({"joints": np.zeros(3, dtype=[("x", "f4")]), "fps": 30}, "columns"),
    "joints of nobody": ({"joints": WALK[:, :17], "fps": 30}, "need the array parents"),
    "names of nobody": ({"joints": WALK, "fps": 30, "joint_names": np.array([str(j) for j in range(22)])}, "parents"),
    "a name too few": ({"joints": WALK, "fps": 30, "joint_names": np.array(["hip"])}, "22 texts"),
    "names in numbers": ({"joints": WALK, "fps": 30, "joint_names": np.arange(22)}, "22 texts"),
    "a parent too few": ({"joints": WALK, "fps": 30, "parents": PARENTS[1:]}, "22 whole numbers"),
    "parents in fractions": ({"joints": WALK, "fps": 30, "parents": PARENTS * 1.0}, "22 whole numbers"),
    "a circle of parents": ({"joints": WALK, "fps": 30, "parents": np.roll(np.arange(22), 1)}, "own parent"),
    "an axis that is none": ({"joints": WALK, "fps": 30, "up_axis": "up"}, 'up_axis must be "Y" or "Z"'),
    "an axis in numbers": ({"joints": WALK, "fps": 30, "up_axis": 2}, "up_axis must be one text"),
    "a unit that is none": ({"joints": WALK, "fps": 30, "unit": "cubit"}, "unit must be one of cm, m"),
    "nothing seen": ({"joints": WALK * np.nan, "fps": 30}, "no joint is seen"),
    "too many joints": ({"joints": np.zeros((1, 5000, 3)), "fps": 30}, "too many"),
    "a novel for an axis": ({"joints": WALK, "fps": 30, "up_axis": np.array("Y" * 1_100_000)}, '"up_axis" has 4 MB'),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_arrays_that_are_no_motion_are_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    arrays, told = BROKEN[case]
    assert told in refusal(saved(tmp_path, **arrays))


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    joints = np.empty(1, dtype=object)
    joints[0] = Trap()
    refusal(saved(tmp_path, joints=joints, fps=30))
    refusal(written(tmp_path, pickle.dumps(Trap())))
    assert not (tmp_path / "sprung").exists()


def zipped(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def npy(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def header(descr: str = "<f4", shape: str = "(1, 22, 3)", fortran: str = "False") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = bytearray(zipped(("joints.npy", bytes(50_000_000))))
    directory = bomb.rfind(b"PK\x01\x02")
    assert len(bomb) < 100_000
    struct.pack_into("<L", bomb, directory + 24, 4_000_000_000)
    assert "4000 MB" in refusal(written(tmp_path, bytes(bomb)))


def test_no_more_is_unpacked_than_the_directory_says(tmp_path: Path) -> None:
    bomb = bytearray(zipped(("joints.npy", npy(header(), bytes(50_000_000)))))
    struct.pack_into("<L", bomb, bomb.rfind(b"PK\x01\x02") + 24, 1000)
    refusal(written(tmp_path, bytes(bomb)))


def test_an_array_that_is_smaller_than_its_header_says_is_refused_before_there_is_room_for_it(tmp_path: Path) -> None:
    for shape in ("(99999999999, 22, 3)", "(1000000, 1000000, 1000000, 1000000)", "(2, 22, 3)"):
        assert "not as large" in refusal(
            written(tmp_path, zipped(("joints.npy", npy(header(shape=shape), bytes(264)))))
        )


@pytest.mark.parametrize(
    "text",
    [
        header(descr="|O"),
        header(descr="<f3"),
        header(descr="<U0"),
        header(shape="(1, 22, -3)"),
        header(shape="(1 2, 3)"),
        header(shape="((((((((((1,),),),),),),),),),)"),
        header(shape="__import__('os').abort()"),
        "[" * 9000,
        "",
        "{'descr': '<f4'",
    ],
)
def test_a_header_is_matched_and_never_evaluated(tmp_path: Path, text: str) -> None:
    refusal(written(tmp_path, zipped(("joints.npy", npy(text, bytes(264))), ("fps.npy", npy(header("<f4", "()"))))))


@pytest.mark.parametrize("key", ["joint_names", "up_axis"])
def test_a_text_of_what_is_no_character_is_refused(tmp_path: Path, key: str) -> None:
    members = {
        "joints": npy(header(shape="(1, 1, 3)"), struct.pack("<3f", 1, 2, 3)),
        "fps": npy(header("<f4", "()"), struct.pack("<f", 30)),
        "parents": npy(header("<i4", "(1,)"), struct.pack("<i", -1)),
        key: npy(header("<U1", "(1,)"), b"\xff\xff\xff\x7f"),
    }
    path = written(tmp_path, zipped(*((f"{name}.npy", array) for name, array in members.items())))
    assert "characters that do not exist" in refusal(path)


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    names = np.array(["\ud800", *JOINTS[1:]])
    assert load(saved(tmp_path, joints=WALK, fps=30, joint_names=names, parents=PARENTS)).joint_names[0] == "?"


def test_a_directory_of_many_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    many = zipped(*((f"{n}", b"") for n in range(25_000)))
    assert "more arrays" in refusal(written(tmp_path, many))
    assert not npz.holds_motion(tmp_path / NAME)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path: Path, kind: int) -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    assert "packed" in refusal(written(tmp_path, zipped(*members, kind=kind)))


def test_only_an_npz_of_a_motion_is_worth_reading(tmp_path: Path) -> None:
    assert is_readable(saved(tmp_path, poses=np.zeros((2, 156)), fps=30)), "so that it is told why it is not read"
    assert not is_readable(saved(tmp_path, weights=np.zeros(3)))
    for other in (b"", b"PK\x05\x06", WHOLE[:-30], b"PK\x05\x06" * 100, WHOLE[:30]):
        assert not is_readable(written(tmp_path, other))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(WHOLE) - 1, 97):
        refusal(written(tmp_path, WHOLE[:length]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_fails_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    names = np.array([f"ä{joint}" for joint in range(4)])
    arrays = {"joints": WALK[:1, :4], "fps": 30, "joint_names": names, "parents": [-1, 0, 1, 0], "up_axis": "Z"}
    damaged = bytearray(content(**arrays))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    path = written(tmp_path, bytes(damaged))
    npz.holds_motion(path)
    try:
        assert isinstance(load(path), Motion)
    except MotionFileError as error:
        assert str(error).startswith(f"{NAME}: ")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(["joints", "fps", "joint_names", "parents", "up_axis"]), data=st.data())
def test_any_array_under_any_key_is_read_or_refused(tmp_path: Path, key: str, data: st.DataObject) -> None:
    descr = data.draw(st.sampled_from(["<f4", "<f8", ">i2", "<u8", "<U3", "|S2", "<f2", "<f16"]))
    shape = data.draw(st.lists(st.integers(0, 4), max_size=3))
    size = int(np.prod(shape)) * np.dtype(descr).itemsize
    array = npy(header(descr, f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"), b"")
    array += data.draw(st.binary(min_size=size, max_size=size))
    with zipfile.ZipFile(io.BytesIO(content(joints=WALK[:2, :4], fps=30, parents=[-1, 0, 1, 0]))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | {f"{key}.npy": array}
    path = written(tmp_path, zipped(*members.items()))
    try:
        motion = load(path)
    except MotionFileError as error:
        assert str(error).startswith(f"{NAME}: ")
    else:
        assert all(name.encode("utf-8") or not name for name in motion.joint_names)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.integers(1, 5),
    joints=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    up=st.sampled_from("YZ"),
    unit=st.sampled_from(UNITS),
    fps=st.floats(1.0, 480.0),
    whole=st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path: Path, frames: int, joints: int, seed: int, up: UpAxis, unit: Unit, fps: float, whole: bool
) -> None:
    random = np.random.default_rng(seed)
    positions, rest = random.normal(size=(frames, joints, 3)), random.normal(size=(joints, 3))
    turns = quat.unit(random.normal(size=(frames, joints, 4)))
    parents = np.array([random.integers(-1, joint) if joint else -1 for joint in range(joints)])
    names = [f"joint \u00e9 {joint}" for joint in range(joints)]
    order = random.permutation(joints)  # a file may list children before their parents
    place = np.argsort(order)
    mixed = np.array([place[parents[joint]] if parents[joint] >= 0 else -1 for joint in order])
    more: dict[str, Any] = {"rotations": turns[:, order], "rest_positions": rest[order]} if whole else {}
    path = saved(
        tmp_path, joints=positions[:, order], parents=mixed, joint_names=np.array(names)[order], fps=fps, up_axis=up,
        unit=unit.name, **more,
    )  # fmt: skip
    motion = load(path)
    found = [motion.joint_names.index(name) for name in names]
    back = motion.parents[found]
    assert [names.index(str(motion.joint_names[parent])) if parent >= 0 else -1 for parent in back] == parents.tolist()
    turned = axes.to_blender(positions, up) * unit.metres
    np.testing.assert_allclose(motion.positions[:, found], turned, rtol=1e-5, atol=1e-6)
    assert (motion.up, motion.unit, motion.fps) == (up, unit.name, fps)
    assert (motion.rotations is None) == (motion.rest_positions is None) == (not whole)
    if motion.rotations is not None:
        assert np.degrees(quat.angle(motion.rotations[:, found], axes.turn_to_blender(turns, up))).max() < 0.1


@pytest.mark.parametrize(
    "more",
    [
        {"rotations": np.zeros((30, 22, 4))},
        {"rotations": np.full((30, 22, 4), np.nan)},
        {"rotations": np.ones((30, 22, 3))},
        {"rotations": np.full((30, 22, 4), "x")},
        {"rest_positions": np.ones((21, 3))},
        {"rest_positions": np.full((22, 3), np.inf)},
    ],
)
def test_rotations_and_rests_that_are_none_are_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    assert next(iter(more)) in refusal(saved(tmp_path, joints=WALK, fps=30, **more))
