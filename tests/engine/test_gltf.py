# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF and GLB: every animation of every skeleton, sampled as the specification says, and hostile files refused."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hums_engine import load, load_all, quat
from hums_engine.canonical import canonicalize
from hums_engine.errors import MotionFileError
from hums_engine.formats import is_readable
from hums_engine.library import Library
from hums_engine.motion import Motion, forward_kinematics
from hums_engine.skeleton import JOINTS, PARENTS, REFERENCE

from .gltf_scene import WALK, Scene, add_body, body, glb, move_body
from .reference_body import OFFSETS, wandering
from .refusals import refusal

NAME = "walk.glb"
BODY = body()
WHOLE = BODY.glb()
DATA = Path(os.environ.get("HUMS_DATA", "")) / "fixtures" / "rigs"
ROOT = Path(__file__).resolve().parents[2]
NEEDS_DATA = pytest.mark.skipif("HUMS_DATA" not in os.environ, reason="HUMS_DATA does not name a folder of real files")
NEEDS_BLENDER = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="Blender's module bpy is missing")


def written(folder: Path, content: bytes, name: str = NAME) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def one_node(values: Any, times: Any, mode: str = "LINEAR", path: str = "translation", **more: Any) -> Scene:  # noqa: ANN401
    """A joint that is moved by one channel, and one that hangs a metre beside it."""
    scene = Scene()
    scene.add("nodes", name="root", children=[1])
    scene.add("nodes", name="tip", translation=[1.0, 0.0, 0.0])
    scene.add("skins", joints=[0, 1])
    scene.animation("", {(0, path): scene.numbers(values, **more)}, scene.numbers(times), mode)
    return scene


def canonical_order(motion: Motion) -> list[int]:
    """Where the reference body's joints are in a motion, which lists them branch by branch."""
    return [motion.joint_names.index(name) for name in JOINTS]


def in_gltf(motion: Motion) -> np.ndarray:
    """Positions in the axes of the file."""
    return np.stack([motion.positions[..., 0], motion.positions[..., 2], -motion.positions[..., 1]], axis=-1)


# what is read


def test_a_moving_body_is_read_joint_by_joint(tmp_path: Path) -> None:
    motion = load(written(tmp_path, WHOLE))
    order = canonical_order(motion)
    assert [order.index(p) if p >= 0 else -1 for p in motion.parents[order]] == PARENTS.tolist()
    np.testing.assert_allclose(motion.positions[:, order], WALK.positions, atol=1e-5)
    assert (motion.fps, motion.unit, motion.name, motion.frame_count) == (30.0, "m", "walk", 30)


def test_its_rotations_turn_the_rest_pose_into_the_posed_one(tmp_path: Path) -> None:
    motion = load(written(tmp_path, WHOLE))
    order = canonical_order(motion)
    assert motion.rest_positions is not None and motion.rotations is not None
    np.testing.assert_allclose(motion.rest_positions[order], REFERENCE, atol=1e-5)
    offsets = np.tile(OFFSETS, (30, 1, 1))
    offsets[:, 0] = motion.positions[:, 0]
    world, positions = forward_kinematics(motion.rotations[:, order].astype(np.float64), offsets, PARENTS)
    np.testing.assert_allclose(positions, motion.positions[:, order], atol=1e-5)
    assert np.degrees(quat.angle(world, WALK.rotations)).max() < 0.01


def test_the_canonical_body_is_the_same(tmp_path: Path) -> None:
    canonical = canonicalize(load(written(tmp_path, WHOLE)))
    assert canonical.valid.all()
    np.testing.assert_allclose(canonical.positions, WALK.positions, atol=1e-4)


@pytest.mark.parametrize("where", ["inside", "beside", "below", "with a blank"])
def test_text_is_read_with_its_buffer_wherever_that_may_lie(tmp_path: Path, where: str) -> None:
    names = {"beside": "walk.bin", "below": "buffers/walk.bin", "with a blank": "a walk.bin"}
    (tmp_path / "buffers").mkdir()
    if where in names:
        (tmp_path / names[where]).write_bytes(BODY.binary)
    uri = names[where].replace(" ", "%20") if where in names else None
    motion = load(written(tmp_path, BODY.text(uri), "walk.gltf"))
    np.testing.assert_array_equal(motion.positions, load(written(tmp_path, WHOLE)).positions)


def test_text_in_utf_16_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xff\xfe" + BODY.text().decode().encode("utf-16-le"), "walk.gltf")
    assert is_readable(path)
    assert load(path).frame_count == 30


def test_each_animation_of_each_skeleton_is_a_take(tmp_path: Path) -> None:
    scene = Scene()
    one, other = add_body(scene, name="Ann"), add_body(scene, rolls=2, name="Bob")
    both = move_body(scene, one, name="Fight") | move_body(scene, other, wandering(30, 5), "", 2)
    times = scene.document["animations"].pop()["samplers"][0]["input"]
    scene.document["animations"].pop()
    scene.animation("Fight", both, times)
    move_body(scene, other, name="Wave", rolls=2)
    takes = load_all(written(tmp_path, scene.glb()))
    assert [take.name for take in takes] == ["Fight (Ann)", "Fight (Bob)", "Wave (Bob)"]
    order = canonical_order(takes[1])
    np.testing.assert_allclose(takes[1].positions[:, order], wandering(30, 5).positions, atol=1e-5)
    assert all(len(take.parents) == 22 for take in takes)


def test_an_animation_without_a_name_is_counted_and_one_alone_has_the_files_name(tmp_path: Path) -> None:
    scene = body("Walk")
    assert load(written(tmp_path, scene.glb())).name == "walk"
    move_body(scene, scene.document["skins"][0]["joints"])
    assert [take.name for take in load_all(written(tmp_path, scene.glb()))] == ["Walk", "walk: take 2"]


def test_skins_of_one_skeleton_are_one_figure(tmp_path: Path) -> None:
    scene = body()
    scene.add("nodes", name="hair", translation=[0.0, 0.1, 0.0])
    scene.document["nodes"][JOINTS.index("head")]["children"].append(22)
    scene.add("skins", joints=[0, 1, 2])
    scene.add("skins", joints=[22])
    (take,) = load_all(written(tmp_path, scene.glb()))
    assert set(take.joint_names) == {*JOINTS, "hair"}
    hair, head = take.joint_names.index("hair"), take.joint_names.index("head")
    assert take.parents[hair] == head
    np.testing.assert_allclose(
        np.linalg.norm(take.positions[:, hair] - take.positions[:, head], axis=-1), 0.1, atol=1e-5
    )


def test_without_a_skin_the_animated_nodes_are_the_joints(tmp_path: Path) -> None:
    scene = body()
    del scene.document["skins"]
    scene.add("nodes", name="mesh", mesh=0)
    scene.document["nodes"][0]["children"].append(22)
    motion = load(written(tmp_path, scene.glb()))
    assert set(motion.joint_names) == set(JOINTS)
    np.testing.assert_allclose(motion.positions[:, canonical_order(motion)], WALK.positions, atol=1e-5)


def test_nodes_above_and_between_the_joints_carry_them(tmp_path: Path) -> None:
    scene = body()
    nodes = scene.document["nodes"]
    neck, head = JOINTS.index("neck"), JOINTS.index("head")
    half_turn = [0.0, 1.0, 0.0, 0.0]
    scene.add("nodes", name="armature", children=[0], translation=[5.0, 0.0, 0.0], rotation=half_turn, scale=[2.0] * 3)
    nodes[neck]["children"] = [23]
    scene.add("nodes", name="between", children=[head], matrix=np.diag([1.0, 1.0, 1.0, 1.0]).ravel().tolist())
    motion = load(written(tmp_path, scene.glb()))
    turned = WALK.positions * [-2.0, -2.0, 2.0] + [5.0, 0.0, 0.0]
    order = canonical_order(motion)
    np.testing.assert_allclose(motion.positions[:, order], turned, atol=1e-4)
    assert motion.rest_positions is not None
    np.testing.assert_allclose(motion.rest_positions[order], REFERENCE * [-2.0, -2.0, 2.0] + [5.0, 0.0, 0.0], atol=1e-4)
    assert motion.parents[motion.joint_names.index("head")] == motion.joint_names.index("neck")


def test_a_node_of_a_matrix_stands_where_the_matrix_says(tmp_path: Path) -> None:
    scene = one_node([[0.0, 0.0, 0.0]] * 2, [0.0, 1.0])
    matrix = np.eye(4)
    matrix[:3, :3] = quat.to_matrix(quat.from_axis_angle([0, 0, 1], np.pi / 2)) * -3.0
    matrix[:3, 3] = 1.0, 2.0, 3.0
    scene.add("nodes", name="above", children=[0], matrix=matrix.T.ravel().tolist())
    np.testing.assert_allclose(in_gltf(load(written(tmp_path, scene.glb())))[0], [[1, 2, 3], [1, -1, 3]], atol=1e-6)


# sampling


def test_linear_keys_are_sampled_at_thirty_frames_where_they_are_thin(tmp_path: Path) -> None:
    motion = load(written(tmp_path, one_node([[0, 0, 0], [3, 0, 0], [3, 6, 0]], [0.5, 1.5, 3.5]).glb()))
    assert (motion.fps, motion.frame_count) == (30.0, 91)
    root = in_gltf(motion)[:, 0]
    np.testing.assert_allclose(root[:31, 0], np.linspace(0, 3, 31), atol=1e-5)
    np.testing.assert_allclose(root[30:, 1], np.linspace(0, 6, 61), atol=1e-5)


def test_steps_hold_their_value_until_the_next_key(tmp_path: Path) -> None:
    times = np.arange(4) / 10
    motion = load(written(tmp_path, one_node([[n, 0, 0] for n in range(4)], times, "STEP").glb()))
    assert motion.fps == 30.0
    assert in_gltf(motion)[:, 0, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_splines_follow_hermites_formula(tmp_path: Path) -> None:
    keys = [[9, 9, 9], [0, 0, 0], [1, 0, 0], [0, 2, 0], [1, 1, 0], [9, 9, 9]]  # tangent in, value, tangent out
    motion = load(written(tmp_path, one_node(keys, [0.0, 2.0], "CUBICSPLINE").glb()))
    t = np.arange(61)[:, None] / 60
    truth = (t**3 - 2 * t**2 + t) * 2 * [1, 0, 0] + (3 * t**2 - 2 * t**3) * [1, 1, 0] + (t**3 - t**2) * 2 * [0, 2, 0]
    np.testing.assert_allclose(in_gltf(motion)[:, 0], truth, atol=1e-5)


def test_turns_go_the_short_way_at_even_speed(tmp_path: Path) -> None:
    quarter = np.array([0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)])
    motion = load(written(tmp_path, one_node([[0, 0, 0, 1], -quarter], [0.0, 1.0], path="rotation").glb()))
    angle = np.linspace(0, np.pi / 2, 31)
    tip = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    np.testing.assert_allclose(in_gltf(motion)[:, 1], tip, atol=1e-5)


@pytest.mark.parametrize(("dtype", "one"), [("i1", 127), ("u1", 255), ("i2", 32767), ("u2", 65535)])
def test_turns_in_whole_numbers_are_fractions_of_the_largest(tmp_path: Path, dtype: str, one: int) -> None:
    scene = one_node([[0, 0, 0, one], [0, 0, one, 0]], [0.0, 1.0], path="rotation", dtype=dtype, normalized=True)
    np.testing.assert_allclose(in_gltf(load(written(tmp_path, scene.glb())))[-1, 1], [-1, 0, 0], atol=1e-5)


def test_a_channel_outside_its_keys_holds_the_nearest(tmp_path: Path) -> None:
    scene = one_node([[0, 0, 0], [1, 0, 0]], [1.0, 2.0])
    channels = {(1, "translation"): scene.numbers([[2, 0, 0], [2, 3, 0]])}
    scene.document["animations"][0]["channels"].append({"sampler": 1, "target": {"node": 1, "path": "translation"}})
    output = {"input": scene.numbers([0.0, 3.0]), "output": channels[1, "translation"]}
    scene.document["animations"][0]["samplers"].append(output)
    motion = load(written(tmp_path, scene.glb()))
    assert motion.frame_count == 91
    np.testing.assert_allclose(in_gltf(motion)[[0, 30, 45, 60, 90], 0, 0], [0, 0, 0.5, 1, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("step", "fps"), [(1 / 24, 24.0), (1 / 60, 60.0), (0.0333, 30.0), (1 / 27.5, 27.5), (1e-3, 240.0), (0.5, 30.0)]
)
def test_the_rate_is_that_of_the_keys_within_bounds(tmp_path: Path, step: float, fps: float) -> None:
    times = np.arange(12) * step
    motion = load(written(tmp_path, one_node(np.zeros((12, 3)), times).glb()))
    assert motion.fps == pytest.approx(fps, abs=1e-3)
    assert motion.duration_s == pytest.approx(11 * step, abs=0.5 / fps)


def test_sparse_and_strided_and_absent_numbers_are_read(tmp_path: Path) -> None:
    scene = one_node(np.zeros((3, 3)), [0.0, 0.5, 1.0])
    interleaved = scene.view(np.arange(18, dtype="<f4").tobytes(), byteStride=24)
    strided = {"bufferView": interleaved, "byteOffset": 12, "componentType": 5126, "count": 3, "type": "VEC3"}
    sparse = {
        "count": 2,
        "indices": {"bufferView": scene.view(np.array([0, 2], "<u2").tobytes()), "componentType": 5123},
        "values": {"bufferView": scene.view(np.array([[5, 0, 0], [7, 0, 0]], "<f4").tobytes())},
    }
    absent = {"componentType": 5126, "count": 3, "type": "VEC3", "sparse": sparse}
    outputs = {
        (0, "translation"): scene.add("accessors", **strided),
        (1, "translation"): scene.add("accessors", **absent),
    }
    scene.document["animations"].clear()
    scene.animation("", outputs, 1)
    found = in_gltf(load(written(tmp_path, scene.glb())))[[0, 15, 30]]
    np.testing.assert_allclose(found[:, 0], [[3, 4, 5], [9, 10, 11], [15, 16, 17]], atol=1e-5)
    np.testing.assert_allclose(found[:, 1, 0] - found[:, 0, 0], [5, 0, 7], atol=1e-5)


def test_a_body_in_centimetres_is_told_from_its_size(tmp_path: Path) -> None:
    scene = body()
    scene.add("nodes", name="armature", children=[0], scale=[100.0] * 3)
    motion = load(written(tmp_path, scene.glb()))
    assert motion.unit == "cm"
    np.testing.assert_allclose(motion.positions[:, canonical_order(motion)], WALK.positions, atol=1e-4)


def test_what_is_not_a_number_is_not_seen(tmp_path: Path) -> None:
    values = np.zeros((31, 3))
    values[3], values[20, 1] = np.nan, 1e30
    motion = load(written(tmp_path, one_node(values, np.arange(31) / 30).glb()))
    unseen = np.flatnonzero(np.isnan(motion.positions).any(axis=(1, 2)))
    assert {3, 20} <= set(unseen.tolist()) <= {2, 3, 4, 19, 20, 21}
    assert "no frame has usable numbers" in refusal(
        written(tmp_path, one_node(np.full((2, 3), np.nan), [0.0, 1.0]).glb())
    )


def test_a_name_of_what_is_no_character_can_be_written(tmp_path: Path) -> None:
    scene = body()
    scene.document["nodes"][0]["name"] = "\ud800" + "x" * 5000
    name = load(written(tmp_path, scene.glb())).joint_names[0]
    assert name.encode() and len(name) <= 500


# what is refused


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The body's GLB with its document changed."""
    document = copy.deepcopy(BODY.whole())
    change(document)
    return glb(json.dumps(document).encode(), BODY.binary)


def set_in(*way: str | int, to: object) -> Callable[[dict[str, Any]], object]:
    def change(document: Any) -> None:  # noqa: ANN401
        for step in way[:-1]:
            document = document[step]
        document[way[-1]] = to

    return change


def only_shapes_move(document: dict[str, Any]) -> None:
    document["animations"][0]["channels"] = [{"sampler": 0, "target": {"node": 0, "path": "weights"}}]
    del document["skins"]


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no animation": (set_in("animations", to=[]), "no animation"),
    "an animation of something else": (set_in("animations", 0, "channels", to=[]), "no animation of the file moves"),
    "only shapes of a mesh that move": (only_shapes_move, "no animation of the file moves"),
    "nodes in a circle": (set_in("nodes", 15, "children", to=[0]), "parents' parents"),
    "a node that is its own child": (set_in("nodes", 0, "children", to=[0]), "parents' parents"),
    "two parents": (set_in("nodes", 1, "children", to=[15]), "two parents"),
    "a child that is not there": (set_in("nodes", 15, "children", to=[99]), "child of a node"),
    "children in words": (set_in("nodes", 15, "children", to="all"), "children"),
    "nodes in words": (set_in("nodes", to="all"), '"nodes" is no list'),
    "a joint that is not there": (set_in("skins", 0, "joints", 3, to=-1), "joint of a skin"),
    "a skin without joints": (set_in("skins", 0, "joints", to=[]), "no joints"),
    "a place in words": (set_in("nodes", 3, "translation", to=["a", 0, 0]), "translation of a node"),
    "a place that is nan": (set_in("nodes", 3, "translation", to=[float("nan"), 0, 0]), "translation of a node"),
    "half a matrix": (set_in("nodes", 3, "matrix", to=[1.0] * 8), "matrix of a node"),
    "an accessor without end": (set_in("accessors", 1, "count", to=10**12), "accessor"),
    "an accessor of a fraction": (set_in("accessors", 1, "count", to=2.5), "accessor"),
    "an accessor beyond its view": (set_in("accessors", 1, "count", to=31), "larger than its buffer view"),
    "an accessor of another kind": (set_in("accessors", 1, "componentType", to=1), "no known type"),
    "an accessor of another shape": (set_in("accessors", 1, "type", to="VEC9"), "no known type"),
    "a view beyond its buffer": (set_in("bufferViews", 1, "byteLength", to=10**9), "end of a buffer view"),
    "a view that begins before it": (set_in("bufferViews", 1, "byteOffset", to=-4), "a buffer view"),
    "a buffer that is shorter": (set_in("buffers", 0, "byteLength", to=10**9), "shorter"),
    "fewer values than keys": (set_in("animations", 0, "samplers", 0, "output", to=0), "fewer values"),
    "a sampler that is not there": (set_in("animations", 0, "channels", 0, "sampler", to=99), "a sampler"),
    "a node that is not there": (set_in("animations", 0, "channels", 0, "target", "node", to=99), "an animated node"),
    "too few bind matrices": (set_in("accessors", 0, "count", to=3), "bind matrices"),
    "meshopt": (set_in("bufferViews", 1, "extensions", to={"EXT_meshopt_compression": {}}), "meshopt"),
    "another version": (set_in("asset", "version", to="1.0"), "2.0"),
    "no asset": (set_in("asset", to=None), "asset"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_document_that_says_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    change, told = BROKEN[case]
    assert told in refusal(written(tmp_path, changed(change)))


def test_a_skeleton_of_too_many_joints_is_refused(tmp_path: Path) -> None:
    scene = one_node([[0, 0, 0]] * 2, [0.0, 1.0])
    scene.document["nodes"] = [{"children": [n + 1]} for n in range(5000)] + [{}]
    scene.document["skins"] = [{"joints": list(range(5001))}]
    assert "4096 joints" in refusal(written(tmp_path, scene.glb()))


def test_an_animation_of_a_year_is_refused_before_there_is_room_for_it(tmp_path: Path) -> None:
    assert "last for days" in refusal(written(tmp_path, one_node([[0, 0, 0]] * 2, [0.0, 3e7]).glb()))
    long = one_node(np.zeros((4, 3)), [0.0, 1 / 240, 2 / 240, 90_000.0])
    assert "too many" in refusal(written(tmp_path, long.glb()))


@pytest.mark.parametrize(
    "uri",
    ["../walk.bin", "a/../../walk.bin", "/etc/hosts", "file:///etc/hosts", "http://a.org/walk.bin", "..\\walk.bin",
     "%2e%2e/walk.bin", "C:\\walk.bin", "\\\\host\\walk.bin", "", ".", "link.bin", "pipe.bin", "nul%00.bin",
     "x" * 5000],
)  # fmt: skip
def test_a_buffer_outside_the_folder_is_never_opened(tmp_path: Path, uri: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "walk.bin").write_bytes(BODY.binary)
    if os.name != "nt":
        (inner / "link.bin").symlink_to(tmp_path / "walk.bin")
        os.mkfifo(inner / "pipe.bin")
    message = refusal(written(inner, BODY.text(uri), "walk.gltf"))
    assert "folder" in message or "missing" in message


def test_a_buffer_that_is_gone_is_named(tmp_path: Path) -> None:
    assert '"gone.bin" is missing' in refusal(written(tmp_path, BODY.text("gone.bin"), "walk.gltf"))
    broken = BODY.text("data:application/octet-stream;base64,A")
    assert "base64" in refusal(written(tmp_path, broken, "walk.gltf"))


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    assert "JSON" in refusal(written(tmp_path, b"[" * 200_000, "walk.gltf"))
    assert "JSON" in refusal(written(tmp_path, glb(b"[" * 200_000, b"")))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(WHOLE) - 1, 331):
        refusal(written(tmp_path, WHOLE[:length]))
    text = BODY.text()
    for length in range(0, len(text) - 1, 997):
        refusal(written(tmp_path, text[:length], "walk.gltf"))


def test_only_scenes_that_speak_of_animations_are_worth_reading(tmp_path: Path) -> None:
    assert is_readable(written(tmp_path, WHOLE))
    for other in (Scene().glb(), b"", b"glTF", b"glTF" + b"\xff" * 30, WHOLE[:19]):
        assert not is_readable(written(tmp_path, other))


def test_a_library_takes_every_animation_and_passes_over_models(tmp_path: Path, library: Library) -> None:
    scene = body("Walk")
    move_body(scene, scene.document["skins"][0]["joints"], wandering(40, 9), "Stroll")
    written(tmp_path, scene.glb(), "body.glb")
    written(tmp_path, Scene().glb(), "chair.glb")
    report = library.add([tmp_path])
    assert (report.added, report.failed) == (1, [])
    assert sorted(clip.name for clip in library.clips()) == ["Stroll", "Walk"]


def check_any(path: Path) -> None:
    """The file is read or refused, nothing else."""
    is_readable(path)
    try:
        takes = load_all(path)
    except MotionFileError as error:
        assert str(error).startswith(f"{path.name}: ") and "\n" not in str(error)
    else:
        assert all(isinstance(take, Motion) and all(name.encode() for name in take.joint_names) for take in takes)


SMALL = one_node([[0, 0, 0], [1, 0, 0]], [0.0, 0.1])
SMALL_GLB = SMALL.glb()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_never_fail_otherwise_than_by_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(SMALL_GLB)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    check_any(written(tmp_path, bytes(damaged)))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["", "name", "VEC3", "VEC4", "MAT4", "CUBICSPLINE", "STEP", "rotation", "../a", "data:,x", "\ud800"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["node", "count", "uri"]), inner),
    max_leaves=6,
)


def ways(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:  # noqa: ANN401
    """Every place in a JSON document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([way] if way else []), *(inner for key, item in items for inner in ways(item, (*way, key)))]


PLACES = ways(SMALL.whole())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_any_value_anywhere_in_the_document_is_read_or_refused(
    tmp_path: Path, changes: list[tuple[tuple[str | int, ...], Any]]
) -> None:
    document = copy.deepcopy(SMALL.whole())
    for way, value in changes:
        try:
            set_in(*way, to=value)(document)
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took the place away
    check_any(written(tmp_path, glb(json.dumps(document).encode(), SMALL.binary)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.floats(width=32), min_size=8, max_size=8))
def test_any_keys_are_read_or_refused(tmp_path: Path, numbers: list[float]) -> None:
    binary = struct.pack("<8f", *numbers)
    check_any(written(tmp_path, glb(json.dumps(SMALL.whole()).encode(), binary + SMALL.binary[32:])))


# beside Blender


def in_blender(motion: Motion, action: str, folder: Path) -> tuple[np.ndarray, float]:
    """The heads of the bones of the motion's joints, as Blender's importer poses them, and the seconds it took."""
    program = Path(__file__).with_name("blender_bones.py")
    words = [motion.source, str(motion.fps), str(motion.frame_count), action, str(folder / "bones.npz")]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(program), *words], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with np.load(folder / "bones.npz") as found:
        bones = found["names"].tolist()
        return found["positions"][:, [bones.index(name) for name in motion.joint_names]], float(found["seconds"])


@NEEDS_BLENDER
def test_blender_puts_the_bones_of_a_scene_where_the_joints_are(tmp_path: Path) -> None:
    scene = body("Walk")
    mesh = {"attributes": {"POSITION": scene.numbers(np.eye(3), min=[0.0] * 3, max=[1.0] * 3)}}
    mesh["attributes"]["JOINTS_0"] = scene.numbers(np.zeros((3, 4)), "u1")
    mesh["attributes"]["WEIGHTS_0"] = scene.numbers(np.tile([1.0, 0, 0, 0], (3, 1)))
    scene.add("meshes", primitives=[mesh])
    scene.add("nodes", mesh=0, skin=0)
    scene.document["scenes"][0]["nodes"].append(22)
    motion = load(written(tmp_path, scene.glb()))
    bones, _ = in_blender(motion, "Walk", tmp_path)
    np.testing.assert_allclose(motion.positions, bones, atol=1e-4)


REAL = {
    "gdquest_mannequiny/mannequiny.glb": (10, 45, "run_root.001"),
    "kaykit/Knight.glb": (76, 41, "Walking_A"),
    "kenney_mini/character-male-a.glb": (32, 7, "walk"),
}


@NEEDS_DATA
@pytest.mark.parametrize("name", REAL)
def test_real_characters_have_all_their_takes(name: str) -> None:
    takes, joints, _ = REAL[name]
    motions = load_all(DATA / name)
    assert len(motions) == takes
    assert all(len(motion.parents) == joints and np.isfinite(motion.positions).all() for motion in motions)
    assert len({motion.name for motion in motions}) == takes


@NEEDS_DATA
@NEEDS_BLENDER
@pytest.mark.parametrize("name", REAL)
def test_blender_puts_the_bones_of_real_characters_where_the_joints_are(name: str, tmp_path: Path) -> None:
    action = REAL[name][2]
    motion = next(take for take in load_all(DATA / name) if take.name == action)
    bones, _ = in_blender(motion, action, tmp_path)
    assert np.linalg.norm(motion.positions - bones, axis=-1).max() < 1e-4


def test_the_character_of_the_samples_is_a_model_without_motion() -> None:
    assert "no animation" in refusal(ROOT / "samples" / "character" / "knight.glb")
