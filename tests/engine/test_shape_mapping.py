# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures are found by their shape alone, whatever the build and the extras, and what is no figure is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hums_engine import bone_tree, quat
from hums_engine.errors import MappingError
from hums_engine.mapping import JointMap, map_joints
from hums_engine.rig_families import families
from hums_engine.skeleton import INDEX, MAIN_JOINTS
from tests.engine.synthetic_rigs import EXTRAS, Build, Rig, make, random_build

Array = NDArray[np.float64]
UPRIGHT = np.eye(3)


def arrays(rig: Rig) -> tuple[NDArray[np.intp], Array, Array]:
    return np.array(rig.parents, dtype=np.intp), np.array(rig.heads), np.array(rig.tips)


def found(rig: Rig, turn: Array = UPRIGHT, unit: float = 1.0) -> JointMap:
    """The rig mapped without names, turned and in another unit."""
    parents, heads, tips = arrays(rig)
    names = [f"Bone.{i:03d}" for i in range(len(parents))]
    return map_joints(names, parents, heads @ turn.T * unit, tips @ turn.T * unit)


def wrong(rig: Rig, joint_map: JointMap) -> list[str]:
    """Main joints that are not on the bone that they truly are."""
    return [
        f"{name}: {rig.names[index] if (index := int(joint_map.joints[INDEX[name]])) >= 0 else 'none'}"
        for name in MAIN_JOINTS
        if joint_map.joints[INDEX[name]] != rig.truth[name]
    ]


def rig_of(**changes: object) -> Rig:
    return make(replace(Build(), **changes))  # type: ignore[arg-type]


def yaw(degrees: float) -> Array:
    return quat.to_matrix(quat.from_axis_angle([0.0, 0.0, 1.0], np.radians(degrees)))


@pytest.mark.parametrize(
    "changes",
    [
        {"arm_angle": 0.0},
        {"arm_angle": 45.0},
        {"arm_angle": 80.0},
        {"leg_angle": 20.0},
        {"spine": 1},
        {"spine": 3},
        {"spine": 7},
        {"necks": 0},
        {"necks": 3},
        {"toes": False},
        {"collars": 0},
        {"collars": 2},
        {"hip_bones": 2},
        {"leg_twists": 3, "arm_twists": 3},
        {"leaf_twists": 2},
        {"fingers": 0},
        {"fingers": 5, "palms": True},
        {"roots": 2},
        {"ends": True},
        {"thigh": 0.2, "shin": 0.2, "upper_arm": 0.16, "forearm": 0.15, "head": 0.45},
    ],
    ids=lambda changes: ", ".join(f"{k} {v}" for k, v in changes.items()),
)
def test_every_build_of_a_figure_is_found_without_names(changes: dict[str, object]) -> None:
    rig = rig_of(**changes)
    assert wrong(rig, found(rig)) == []


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_what_else_hangs_on_a_figure_is_not_taken_for_its_limbs(extra: str) -> None:
    rig = rig_of(extras=(extra,))
    assert wrong(rig, found(rig)) == []


def test_nineteen_of_twenty_figures_of_random_build_are_found_whole() -> None:
    rigs = [make(random_build(np.random.default_rng(seed))) for seed in range(100)]
    right = sum(not wrong(rig, found(rig)) for rig in rigs)
    assert right >= 95


@pytest.mark.parametrize("degrees", [0, 37, 90, 180, 270])
def test_left_is_left_whichever_way_the_figure_faces(degrees: float) -> None:
    rig = rig_of()
    assert wrong(rig, found(rig, yaw(degrees))) == []


@pytest.mark.parametrize("unit", [0.01, 1.0, 39.37, 100.0])
def test_the_unit_of_length_does_not_matter(unit: float) -> None:
    rig = rig_of()
    assert wrong(rig, found(rig, unit=unit)) == []


def test_a_figure_with_y_up_is_found() -> None:
    rig = rig_of()
    y_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    assert wrong(rig, found(rig, y_up)) == []


def test_limbs_without_a_parent_in_the_trunk_are_hung_on_what_they_touch() -> None:
    rig = rig_of()
    for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder"):
        rig.parents[rig.truth[name]] = -1
    assert wrong(rig, found(rig)) == []


def along_one_line(parents: NDArray[np.intp], heads: Array) -> Array:
    """A rest pose as some files have it: every bone along x, of its true length."""
    line = np.zeros_like(heads)
    for j, parent in enumerate(parents):
        if parent >= 0:
            line[j] = line[parent]
            line[j, 0] += np.linalg.norm(heads[j] - heads[parent])
    return line


def test_poses_tell_what_a_rest_pose_along_one_line_hides() -> None:
    rig = rig_of(ends=True)
    parents, heads, _ = arrays(rig)
    line = along_one_line(parents, heads)
    names = [str(j) for j in range(len(parents))]
    assert wrong(rig, map_joints(names, parents, line, poses=heads[None] + np.zeros((8, 1, 1)))) == []


def test_a_line_of_bones_at_rest_is_refused_rather_than_guessed() -> None:
    rig = rig_of(ends=True)
    parents, heads, _ = arrays(rig)
    line = along_one_line(parents, heads)
    with pytest.raises(MappingError, match="No human figure"):
        map_joints([str(j) for j in range(len(parents))], parents, line)


def test_names_tell_the_sides_where_straight_limbs_do_not() -> None:
    rig = rig_of(toes=False, knee_bend=0.0, elbow_bend=0.0, fingers=0)
    parents, heads, tips = arrays(rig)
    ankles = [rig.truth["left_ankle"], rig.truth["right_ankle"]]
    tips[ankles] = heads[ankles] + [0.0, 0.0, -0.05]
    half_turn = yaw(180.0)
    names = [f"b{i}.{'L' if 'left' in n else 'R' if 'right' in n else 'M'}" for i, n in enumerate(rig.names)]
    joint_map = map_joints(names, parents, heads @ half_turn.T, tips @ half_turn.T)
    assert joint_map.joints[INDEX["left_hip"]] == rig.truth["left_hip"]
    assert joint_map.joints[INDEX["left_shoulder"]] == rig.truth["left_shoulder"]


def test_a_figure_whose_limbs_are_one_bone_each_has_hips_and_shoulders() -> None:
    heads = np.array(
        [[0, 0, 0], [0.1, 0, 0.2], [-0.1, 0, 0.2], [0, 0, 0.2], [0.1, 0, 0.3], [-0.1, 0, 0.3], [0, 0, 0.35]]
    )
    parents = np.array([-1, 0, 0, 0, 3, 3, 3])
    joint_map = map_joints([str(i) for i in range(7)], parents, heads, heads + [0.0, 0.0, 0.1])
    assert joint_map.as_names("0123456") == {
        "pelvis": "0", "left_hip": "1", "right_hip": "2", "spine3": "3",
        "left_shoulder": "4", "right_shoulder": "5", "head": "6",
    }  # fmt: skip


def with_followers(rig: Rig) -> tuple[list[str], NDArray[np.intp], Array, Array, NDArray[np.bool_]]:
    """The rig with bones that copy its own, in a tree of their own before them, as deform bones do in control rigs."""
    parents, heads, tips = arrays(rig)
    count = len(parents)
    both = np.concatenate([parents, np.where(parents >= 0, parents + count, -1)])
    controls = np.arange(2 * count) >= count
    names = [f"Bone.{i:03d}" for i in range(2 * count)]
    return names, both, np.concatenate([heads, heads]), np.concatenate([tips, tips]), controls


def test_a_control_rig_without_names_is_mapped_onto_the_bones_that_a_person_poses() -> None:
    rig = rig_of(collars=1, extras=("controls",))
    names, parents, heads, tips, controls = with_followers(rig)
    joint_map = map_joints(names, parents, heads, tips, controls=controls)
    found = joint_map.joints[[INDEX[name] for name in MAIN_JOINTS]] - len(rig.names)
    assert found.tolist() == [rig.truth[name] for name in MAIN_JOINTS]


def test_known_names_on_bones_that_only_follow_give_way_to_the_controls_in_their_places() -> None:
    rig = rig_of(collars=1, spine=3, necks=1)
    names, parents, heads, tips, controls = with_followers(rig)
    for joint, index in rig.truth.items():
        spellings = {f.family: f for f in families()}["unreal"].joints.get(joint, ())
        names[index] = next(iter(spellings), names[index])
    named = map_joints(names, parents, heads, tips)
    posed = map_joints(names, parents, heads, tips, controls=controls)
    main = [INDEX[name] for name in MAIN_JOINTS]
    assert named.family == "unreal"
    assert (posed.joints[main] - named.joints[main]).tolist() == [len(rig.names)] * len(main)


def test_controls_that_are_no_figure_leave_the_map_to_the_names() -> None:
    rig = rig_of()
    names, parents, heads, tips, controls = with_followers(rig)
    controls[len(rig.names) + 6 :] = False
    joint_map = map_joints(names, parents, heads, tips, controls=controls)
    assert (joint_map.joints[[INDEX[name] for name in MAIN_JOINTS]] >= 0).all()


def quadruped() -> tuple[NDArray[np.intp], Array]:
    parents, heads = [-1, 0, 1, 2, 3], [[0, 0.1 * -k, 0.6] for k in range(5)]
    for base, y in ((0, 0.0), (4, -0.4)):
        for x in (0.1, -0.1):
            parent = base
            for z, ahead in ((0.58, 0.0), (0.3, 0.04), (0.05, 0.0), (0.01, -0.08)):
                parents.append(parent)
                heads.append([x, y + ahead, z])
                parent = len(parents) - 1
    return np.array(parents, dtype=np.intp), np.array(heads)


def hand() -> tuple[NDArray[np.intp], Array]:
    parents, heads = [-1], [[0.0, 0.0, 0.0]]
    for finger in range(5):
        parent = 0
        for k in range(4):
            parents.append(parent)
            heads.append([0.05 + 0.03 * k, 0.02 * finger, 0.0])
            parent = len(parents) - 1
    return np.array(parents, dtype=np.intp), np.array(heads)


def random_tree() -> tuple[NDArray[np.intp], Array]:
    rng = np.random.default_rng(4)
    parents = np.array([-1] + [int(rng.integers(max(0, j - 6), j)) for j in range(1, 30)], dtype=np.intp)
    return parents, np.cumsum(rng.normal(size=(30, 3)), axis=0)


@pytest.mark.parametrize(
    ("skeleton", "why"),
    [
        ((np.arange(12) - 1, np.arange(36.0).reshape(12, 3)), "no two limbs that are alike"),
        (quadruped(), "four legs"),
        (hand(), "No human figure"),
        (random_tree(), "No human figure"),
        ((np.array([-1]), np.zeros((1, 3))), "no two limbs that are alike"),
    ],
    ids=["a single chain", "an animal on four legs", "a hand", "a random tree", "one bone"],
)
def test_what_is_no_human_figure_is_refused_and_says_why(skeleton: tuple[NDArray[np.intp], Array], why: str) -> None:
    parents, heads = skeleton
    with pytest.raises(MappingError, match=why):
        map_joints([f"Bone{i}" for i in range(len(parents))], parents, heads, heads + [0.0, 0.0, 0.01])


def test_bones_that_are_each_others_parents_are_refused() -> None:
    with pytest.raises(MappingError, match="circle"):
        bone_tree.build(np.array([1, 0]), np.zeros((2, 3)), None, None)


def test_joints_that_are_never_seen_do_not_stop_the_others() -> None:
    rig = rig_of(ends=True)
    parents, heads, _ = arrays(rig)
    poses = np.repeat(heads[None], 10, axis=0)
    poses[:, rig.names.index("left finger 0 2")] = np.nan
    poses[::3, rig.truth["left_wrist"]] = np.nan
    assert wrong(rig, map_joints([str(j) for j in range(len(parents))], parents, None, poses=poses)) == []
