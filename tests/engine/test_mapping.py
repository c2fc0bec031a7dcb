# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs are mapped by their names, names that lie are set right by the skeleton, and gaps are filled from its shape."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from hums_engine import load
from hums_engine.errors import MappingError, MotionFileError
from hums_engine.mapping import JointMap, map_joints
from hums_engine.rig_families import RigFamily, families, read_family
from hums_engine.skeleton import INDEX, JOINTS, MAIN_JOINTS, PARENTS, REFERENCE
from tests.engine.rig_hierarchies import HIERARCHIES, Hierarchy

Array = NDArray[np.float64]
DATA = os.environ.get("HUMS_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="HUMS_DATA does not name a folder of unpacked motion data")
SAMPLES = Path(__file__).parents[2] / "samples"
BY_NAME = {family.family: family for family in families()}


class Skeleton(NamedTuple):
    """Names, parents and rest positions, and which joint each of them truly is."""

    names: list[str]
    parents: NDArray[np.intp]
    rest: Array
    truth: dict[str, int]

    def map(self, names: Sequence[str] | None = None) -> JointMap:
        return map_joints(names or self.names, self.parents, self.rest)


def skeleton_of(family: RigFamily, spine: Sequence[str] | None = None) -> Skeleton:
    """The reference body with a family's names and its spine bones."""
    above = {*family.joints.get("neck", ()), *family.joints.get("head", ())}
    trunk = [name for name in family.spine if name not in above] if spine is None else list(spine)
    points = {j: REFERENCE[INDEX[j]] for j in family.joints if family.joints[j]}
    names, parents, rest, truth = ["armature root"], [-1], [np.zeros(3)], {}

    def add(joint: str, name: str, parent: int, at: Array) -> int:
        names.append(name)
        parents.append(parent)
        rest.append(at)
        if joint:
            truth[joint] = len(names) - 1
        return len(names) - 1

    pelvis = chest = add("pelvis", family.joints["pelvis"][0], 0, points["pelvis"])
    for k, name in enumerate(trunk):
        chest = add("", name, chest, np.array([0.0, 0.0, 0.98 + 0.35 * (k + 1) / (len(trunk) + 1)]))
    for joint in JOINTS:
        if joint in points and joint != "pelvis" and not joint.startswith("spine"):
            before = JOINTS[PARENTS[INDEX[joint]]]
            carrier = pelvis if before == "pelvis" else truth.get(before, chest)
            add(joint, family.joints[joint][0], carrier, points[joint])
    return Skeleton(names, np.array(parents, dtype=np.intp), np.array(rest), truth)


def mixamo() -> Skeleton:
    return skeleton_of(BY_NAME["mixamo"])


def wrong(skeleton: Skeleton, joint_map: JointMap) -> list[str]:
    return [j for j in MAIN_JOINTS if j in skeleton.truth and joint_map.joints[INDEX[j]] != skeleton.truth[j]]


@pytest.mark.parametrize("family", families(), ids=lambda family: family.family)
def test_every_family_finds_the_joints_of_a_figure_in_its_names(family: RigFamily) -> None:
    skeleton = skeleton_of(family)
    joint_map = skeleton.map()
    assert joint_map.family != "shape"
    assert joint_map.score >= 0.8
    assert {j: i for j, i in skeleton.truth.items() if joint_map.joints[INDEX[j]] != i} == {}


@pytest.mark.parametrize("rig", HIERARCHIES, ids=lambda rig: rig.chains.split()[0])
def test_the_rigs_of_many_makers_are_mapped_with_all_that_hangs_on_them(rig: Hierarchy) -> None:
    names, parents, heads = rig.bones()
    joint_map = map_joints(names, parents, heads)
    mapped = joint_map.as_names(names)
    assert joint_map.family == rig.family
    assert {joint: mapped.get(joint) for joint in rig.truth()} == rig.truth()


@pytest.mark.parametrize(
    "spelling",
    [
        "mixamorig7:{}", "mixamorig_{}", "Hero:mixamorig:{}", "{}", "Armature_{}", "{}_jnt", "{}.001", "rig|{}",
    ],
)  # fmt: skip
def test_prefixes_namespaces_and_endings_do_not_matter(spelling: str) -> None:
    skeleton = mixamo()
    assert wrong(skeleton, skeleton.map([spelling.format(name) for name in skeleton.names])) == []


def test_capitals_separators_and_node_numbers_do_not_matter() -> None:
    skeleton = skeleton_of(BY_NAME["unreal"])
    for names in (
        [name.upper() for name in skeleton.names],
        [name.replace("_", " ") for name in skeleton.names],
        [f"{name}_{i:02d}" for i, name in enumerate(skeleton.names)],
    ):
        assert wrong(skeleton, skeleton.map(names)) == []


@pytest.mark.parametrize(
    ("bones", "chosen"),
    [
        (1, ("", "", "spine_01")),
        (2, ("spine_01", "", "spine_02")),
        (3, ("spine_01", "spine_02", "spine_03")),
        (4, ("spine_01", "spine_02", "spine_04")),
        (5, ("spine_01", "spine_03", "spine_05")),
        (7, ("spine_01", "spine_04", "spine_07")),
    ],
)
def test_the_last_spine_bone_is_spine3_the_first_spine1_and_the_middle_one_spine2(
    bones: int, chosen: tuple[str, str, str]
) -> None:
    skeleton = skeleton_of(BY_NAME["unreal"], [f"spine_{k + 1:02d}" for k in range(bones)])
    mapped = skeleton.map().as_names(skeleton.names)
    assert tuple(mapped.get(f"spine{k}", "") for k in (1, 2, 3)) == chosen


def test_rigify_controls_below_the_pivot_of_the_spine_are_left_out() -> None:
    skeleton = skeleton_of(BY_NAME["rigify_control"], ["spine_fk.002", "spine_fk.003"])
    torso = skeleton.truth["pelvis"]
    names = [*skeleton.names, "spine_fk.001", "spine_fk"]
    parents = np.append(skeleton.parents, [torso, len(names) - 2])
    rest = np.concatenate([skeleton.rest, [[0.0, 0.0, 1.1], [0.0, 0.0, 1.0]]])
    mapped = map_joints(names, parents, rest).as_names(names)
    assert (mapped["pelvis"], mapped["spine1"], mapped["spine3"]) == ("torso", "spine_fk.002", "spine_fk.003")


def test_controls_are_taken_before_the_deform_bones_that_follow_them() -> None:
    control, deform = skeleton_of(BY_NAME["rigify_control"]), skeleton_of(BY_NAME["rigify_deform"])
    shift = len(deform.names)
    parents = np.concatenate([deform.parents, np.where(control.parents >= 0, control.parents + shift, 0)])
    rest = np.concatenate([deform.rest, control.rest])
    assert map_joints(deform.names + control.names, parents, rest).family == "rigify_control"


def swapped(name: str) -> str:
    return name.replace("Left", "@").replace("Right", "Left").replace("@", "Right")


def test_a_rig_whose_sides_are_named_the_wrong_way_round_is_set_right_by_its_feet() -> None:
    skeleton = mixamo()
    assert wrong(skeleton, skeleton.map([swapped(name) for name in skeleton.names])) == []


@pytest.mark.parametrize(
    "part", [("shoulder", "elbow", "wrist", "collar"), ("hip", "knee", "ankle", "foot"), ("wrist",)]
)
def test_one_limb_or_hand_named_for_the_other_side_is_set_right(part: tuple[str, ...]) -> None:
    skeleton = mixamo()
    lying = {skeleton.truth[f"{side}_{name}"] for side in ("left", "right") for name in part}
    names = [swapped(name) if i in lying else name for i, name in enumerate(skeleton.names)]
    assert wrong(skeleton, skeleton.map(names)) == []


def test_names_that_fit_half_are_completed_by_the_shape() -> None:
    skeleton = mixamo()
    hidden = {skeleton.truth[name] for name in ("left_elbow", "right_knee", "left_wrist", "right_wrist")}
    names = [f"Bone{i}" if i in hidden else name for i, name in enumerate(skeleton.names)]
    assert wrong(skeleton, skeleton.map(names)) == []


def test_foreign_names_are_mapped_by_shape() -> None:
    words = {"hip": "Oberschenkel", "knee": "Unterschenkel", "ankle": "Fuss", "shoulder": "Oberarm", "wrist": "Hand"}
    skeleton = mixamo()
    names = [f"Knochen{i}" for i in range(len(skeleton.names))]
    for joint, i in skeleton.truth.items():
        side, _, part = joint.rpartition("_")
        names[i] = f"{words.get(part, part + 'knochen')}.{side[:1].upper()}"
    joint_map = skeleton.map(names)
    assert (joint_map.family, wrong(skeleton, joint_map)) == ("shape", [])


def test_bones_named_by_the_joint_where_they_end_are_read_by_where_they_begin() -> None:
    skeleton = skeleton_of(BY_NAME["openpose_bones"])
    mapped = skeleton.map().as_names(skeleton.names)
    assert (mapped["left_hip"], mapped["left_knee"], mapped["left_shoulder"]) == ("LKnee", "LAnkle", "LElbow")


def test_what_a_person_says_is_taken_before_what_was_found() -> None:
    skeleton = mixamo()
    said = {"left_elbow": "LeftArm", "left_shoulder": "", "head": "no bone of this name"}
    corrected = map_joints(skeleton.names, skeleton.parents, skeleton.rest, said=said)
    mapped, found = corrected.as_names(skeleton.names), skeleton.map().as_names(skeleton.names)
    assert (corrected.family, corrected.score) == ("hand", 1.0)
    assert mapped.pop("left_elbow") == "LeftArm"
    assert "left_shoulder" not in mapped
    assert mapped == {j: n for j, n in found.items() if j not in ("left_elbow", "left_shoulder")}


def test_a_person_can_map_what_is_no_figure_but_not_without_a_pelvis() -> None:
    names, parents = ["root", "leg", "arm"], np.array([-1, 0, 0])
    said = {"pelvis": "root", "left_hip": "leg", "left_shoulder": "arm"}
    assert map_joints(names, parents, said=said).as_names(names) == said
    with pytest.raises(MappingError, match="no pelvis and no shoulder: choose"):
        map_joints(names, parents, said={"left_hip": "leg"})


def test_an_animal_with_the_bone_names_of_a_human_is_refused() -> None:
    skeleton = skeleton_of(BY_NAME["rigify_metarig"])
    rest = skeleton.rest.copy()
    rest[:, 1], rest[:, 2] = -skeleton.rest[:, 2], 0.6
    for side, x in (("left", 0.1), ("right", -0.1)):
        for names, y in ((("hip", "knee", "ankle", "foot"), -0.94), (("shoulder", "elbow", "wrist"), -1.39)):
            for k, name in enumerate(names):
                rest[skeleton.truth[f"{side}_{name}"]] = [x, y, 0.58 - 0.27 * k]
    with pytest.raises(MappingError, match="No human figure"):
        map_joints(skeleton.names, skeleton.parents, rest)


def test_a_joint_that_is_never_seen_keeps_its_name() -> None:
    skeleton = mixamo()
    poses = np.repeat(skeleton.rest[None], 6, axis=0)
    poses[:, skeleton.truth["left_wrist"]] = np.nan
    joint_map = map_joints(skeleton.names, skeleton.parents, None, poses=poses)
    assert joint_map.joints[INDEX["left_wrist"]] == skeleton.truth["left_wrist"]


def test_names_serve_without_any_position() -> None:
    skeleton = mixamo()
    assert wrong(skeleton, map_joints(skeleton.names, skeleton.parents)) == []


def test_nothing_to_go_by_is_said_in_one_sentence() -> None:
    with pytest.raises(MappingError, match="and no positions"):
        map_joints(["a", "b", "c"], np.array([-1, 0, 1]))


def test_no_bone_is_two_joints() -> None:
    for family in families():
        joint_map = skeleton_of(family).map()
        used = joint_map.joints[joint_map.valid]
        assert len(set(used)) == len(used), family.family


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", '{"family": "x"}', '{"family": "x", "title": "x", "joints": {"pelvis": 3}}',
        '{"family": "x", "title": "x", "joints": {}, "prefix": "("}',
        '{"family": "x", "title": "x", "joints": {}, "prefix": "(a+)+$"}', "[" * 100_000, "\0\xff",
    ],
)  # fmt: skip
def test_a_damaged_or_hostile_rig_map_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(MappingError, match=r"mine\.json is not a rig map"):
        read_family(path)


def test_a_rig_map_of_ones_own_is_read_as_the_shipped_ones_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"family": "mine", "title": "Mine", "joints": {"pelvis": ["Root"]}}), encoding="utf-8")
    assert read_family(path).joints == {"pelvis": ("Root",)}


def test_every_shipped_rig_map_says_where_its_names_come_from() -> None:
    folder = Path(__file__).parents[2] / "hums_engine" / "rig_maps"
    for path in folder.glob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        assert data["family"] == path.stem
        assert len(data["source"]) > 10
        assert set(data["joints"]) <= set(JOINTS)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.bvh"))[::6], ids=lambda path: path.stem)
def test_the_samples_are_mapped_alike_by_name_and_by_shape(path: Path) -> None:
    motion = load(path)
    poses = motion.positions[:: max(1, motion.frame_count // 24)]
    named = map_joints(motion.joint_names, motion.parents, motion.rest_positions, poses=poses)
    anonymous = [f"Bone.{i:03d}" for i in range(len(motion.parents))]
    shaped = map_joints(anonymous, motion.parents, motion.rest_positions, poses=poses)
    main = [INDEX[j] for j in MAIN_JOINTS]
    assert (named.joints[main] >= 0).all()
    assert (shaped.family, shaped.joints[main].tolist()) == ("shape", named.joints[main].tolist())


class Source(NamedTuple):
    """A skeleton of the data folder: of a rig (with tips) or of a motion (with poses)."""

    kind: str
    label: str
    names: list[str]
    parents: NDArray[np.intp]
    rest: Array | None
    tips: Array | None
    poses: Array | None

    def map(self, names: Sequence[str]) -> JointMap:
        return map_joints(names, self.parents, self.rest, self.tips, self.poses)


def motions(folder: Path, pattern: str, kind: str, step: int) -> Iterator[Source]:
    for path in sorted(folder.glob(pattern))[::step]:
        try:
            motion = load(path)
        except MotionFileError:
            continue
        poses = motion.positions[:: max(1, motion.frame_count // 24)].astype(np.float64)
        rest = None if motion.rest_positions is None else motion.rest_positions.astype(np.float64)
        yield Source(kind, path.name, list(motion.joint_names), motion.parents, rest, None, poses)


def makehuman_rigs(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        bones = data.get("bones", data)
        order: list[str] = []
        while len(order) < len(bones):
            order += [b for b in bones if b not in order and (not bones[b]["parent"] or bones[b]["parent"] in order)]
        parents = np.array([order.index(p) if (p := bones[b]["parent"]) else -1 for b in order], dtype=np.intp)
        ends = [np.array([bones[b][end]["default_position"] for b in order]) for end in ("head", "tail")]
        yield Source("MPFB2 rigs", path.name, order, parents, ends[0], ends[1], None)


def glb_rigs(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*/*.glb")):
        raw = path.read_bytes()
        nodes = json.loads(raw[20 : 20 + int.from_bytes(raw[12:16], "little")])
        yield _skin(path.name, nodes["nodes"], nodes["skins"][0]["joints"])


def _skin(label: str, nodes: list[dict[str, list[float]]], joints: list[int]) -> Source:
    above = {int(child): n for n, node in enumerate(nodes) for child in node.get("children", [])}
    world: dict[int, Array] = {}

    def place(n: int) -> Array:
        if n not in world:
            local = np.eye(4)
            x, y, z, w = nodes[n].get("rotation", [0.0, 0.0, 0.0, 1.0])
            turn = np.array(
                [
                    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
                ]
            )
            local[:3, :3] = turn * np.array(nodes[n].get("scale", [1.0, 1.0, 1.0]))
            local[:3, 3] = nodes[n].get("translation", [0.0, 0.0, 0.0])
            world[n] = place(above[n]) @ local if n in above else local
        return world[n]

    deep = sorted(joints, key=lambda n: len(_line(n, above)))
    parents = np.array([deep.index(above[n]) if above.get(n) in deep else -1 for n in deep], dtype=np.intp)
    y_up = np.array([place(n)[:3, 3] for n in deep])
    rest = np.stack([y_up[:, 0], -y_up[:, 2], y_up[:, 1]], axis=-1)
    return Source("glTF characters", label, [str(nodes[n]["name"]) for n in deep], parents, rest, None, None)


def _line(node: int, above: dict[int, int]) -> list[int]:
    line = [node]
    while line[-1] in above:
        line.append(above[line[-1]])
    return line


def sources(root: Path) -> Iterator[Source]:
    yield from makehuman_rigs(root / "fixtures/rigs/mpfb_rigs")
    yield from glb_rigs(root / "fixtures/rigs")
    yield from motions(root / "fixtures/bvh", "*/*.bvh", "BVH of many makers", 1)
    yield from motions(root / "cmu/bvh", "*.bvh", "CMU", 8)
    yield from motions(root / "mhad", "*.txt", "MHAD", 40)
    yield from motions(root / "hdm05", "*/*/*.amc", "HDM05", 20)


@needs_data
def test_every_figure_of_the_data_folder_is_mapped_without_names_as_with_them() -> None:
    """Prints the table of what is right; figures that names do not tell, such as single hands, are left out."""
    table: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    failures: list[str] = []
    for source in sources(Path(DATA)):
        try:
            named = source.map(source.names)
        except MappingError:
            continue
        main = [INDEX[j] for j in MAIN_JOINTS if named.joints[INDEX[j]] >= 0]
        row = table[source.kind]
        row[0] += 1
        row[1] += named.family != "shape"
        try:
            shaped = source.map([f"Bone.{i:03d}" for i in range(len(source.names))])
            right = shaped.joints[main].tolist() == named.joints[main].tolist()
        except MappingError as error:
            right, failures = False, [*failures, f"{source.label}: {error}"]
        row[2] += right
        if not right:
            failures.append(source.label)
    print("\nsource | figures | by names | the same without names")
    for kind, row in table.items():
        print(kind, *row, sep=" | ")
    assert failures == []
