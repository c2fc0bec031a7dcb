# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest

from hums_engine import armature, quat, skeleton
from hums_engine.armature import Bones
from hums_engine.canonical import canonicalize
from hums_engine.motion import Motion, forward_kinematics
from tests.engine.reference_body import OFFSETS


def tree(seed: int = 0, count: int = 9, inherits: bool = True) -> Bones:
    """A random tree of bones with random axes."""
    rng = np.random.default_rng(seed)
    rest = np.tile(np.eye(4), (count, 1, 1))
    rest[:, :3, :3] = quat.to_matrix(quat.normalize(rng.normal(size=(count, 4))))
    rest[:, :3, 3] = rng.normal(size=(count, 3))
    return Bones(
        names=tuple(f"bone{i}" for i in range(count)),
        parents=np.array([-1, *(rng.integers(0, i) for i in range(1, count))], dtype=np.intp),
        rest=rest,
        tips=rest[:, :3, 3] + 0.3 * rest[:, :3, 1],
        inherits_rotation=np.full(count, inherits),
        local_location=np.ones(count, dtype=bool),
    )


def channels(bones: Bones, frames: int = 5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    count = len(bones.names)
    return rng.normal(size=(frames, count, 3)), quat.normalize(rng.normal(size=(frames, count, 4)))


def test_bones_without_keys_stand_in_their_rest_pose() -> None:
    bones = tree()
    still = np.zeros((2, 9, 3)), np.tile(quat.IDENTITY, (2, 9, 1))
    assert np.allclose(armature.pose(bones, *still), bones.rest)


def test_a_bone_that_does_not_inherit_rotation_keeps_its_axes_and_follows_its_parent() -> None:
    bones = tree(inherits=False)
    locations, rotations = channels(bones)
    rotations[:, 1:] = quat.IDENTITY
    locations[:, 1:] = 0.0
    posed = armature.pose(bones, locations, rotations)
    child = int(np.flatnonzero(bones.parents == 0)[0])
    assert np.allclose(posed[:, child, :3, :3], bones.rest[child, :3, :3])
    hung = posed[:, 0] @ np.linalg.inv(bones.rest[0]) @ bones.rest[child, :, 3]
    assert np.allclose(posed[:, child, :3, 3], hung[:, :3])


def test_a_location_told_in_the_parents_axes_moves_a_bone_as_far_as_one_told_in_its_own() -> None:
    own = tree()
    told = replace(own, local_location=np.zeros(9, dtype=bool))
    locations, rotations = channels(own)
    elsewhere = np.stack([armature.location_channels(told, b, locations[:, b]) for b in range(9)], axis=1)
    assert np.allclose(armature.pose(told, elsewhere, rotations), armature.pose(own, locations, rotations))


@pytest.mark.parametrize("scale", [1.0, 0.01, -1.0])
def test_a_motion_read_off_posed_bones_plays_back_to_the_same_poses(scale: float) -> None:
    bones = tree()
    locations, rotations = channels(bones)
    locations[:, 1:] = 0.0
    world = np.eye(4)
    world[:3, :3] = scale * quat.to_matrix(quat.from_euler([0.4, 0.9], "XZ"))
    world[:3, 3] = [1.0, 2.0, 3.0]
    posed = armature.pose(bones, locations, rotations)
    motion = armature.to_motion(bones, posed, world, fps=24.0)
    heads = (world @ posed)[..., :3, 3]
    assert np.allclose(motion.positions[:, :9], heads, atol=1e-5)
    rest = motion.rest_positions
    turns = motion.world_rotations()
    assert rest is not None and turns is not None
    for bone in range(1, 9):
        parent = int(motion.parents[bone])
        expected = heads[:, parent] + quat.rotate(turns[:, parent], rest[bone] - rest[parent])
        assert np.allclose(expected, heads[:, bone], atol=1e-4)


def test_the_tips_of_last_bones_become_joints_named_after_them() -> None:
    bones = tree()
    motion = armature.to_motion(bones, bones.rest[None], np.eye(4), fps=24.0)
    leaves = sorted(set(range(9)) - set(bones.parents.tolist()))
    assert list(motion.joint_names[9:]) == [f"bone{leaf}_end" for leaf in leaves]
    assert np.allclose(motion.positions[0, 9:], bones.tips[leaves], atol=1e-6)


def body(frames: int = 20) -> Motion:
    """The reference body, waving and walking off."""
    t = np.linspace(0, 1, frames)
    local = np.tile(quat.IDENTITY, (frames, 22, 1))
    local[:, skeleton.INDEX["left_elbow"]] = quat.from_axis_angle([0.0, 0.0, 1.0], t)
    local[:, skeleton.INDEX["spine2"]] = quat.from_axis_angle([1.0, 0.0, 0.0], 0.3 * t)
    path = np.tile(OFFSETS, (frames, 1, 1))
    path[:, 0, 1] -= t
    return Motion(
        positions=forward_kinematics(local, path, skeleton.PARENTS)[1].astype(np.float32),
        fps=30.0,
        joint_names=skeleton.JOINTS,
        parents=skeleton.PARENTS,
        rotations=local.astype(np.float32),
        rest_positions=skeleton.REFERENCE.astype(np.float32),
        name="wave",
    )


def bones_of(motion: Motion, new: armature.NewBones, seed: int = 3) -> Bones:
    """Bones as Blender would make them, with any roll: Y along the bone."""
    rng = np.random.default_rng(seed)
    y = quat.unit(new.tips - new.heads)
    z = quat.unit(np.cross(y, rng.normal(size=y.shape)))
    rest = np.tile(np.eye(4), (len(y), 1, 1))
    rest[:, :3, :3] = np.stack([np.cross(y, z), y, z], axis=-1)
    rest[:, :3, 3] = new.heads
    every = np.ones(len(y), dtype=bool)
    names = tuple(motion.joint_names[int(j)] for j in new.joints)
    return Bones(names, new.parents, rest, new.tips, inherits_rotation=every, local_location=every)


def test_new_bones_play_the_motion_that_they_were_made_for() -> None:
    motion = body()
    new = armature.new_bones(motion)
    bones = bones_of(motion, new)
    rotations, locations = armature.keys(motion, new.joints, bones)
    posed = armature.pose(bones, locations, rotations)
    assert np.allclose(posed[..., :3, 3], motion.positions[:, new.joints], atol=1e-5)
    assert np.abs(locations[:, 1:]).max() < 1e-5, "only the root moves away from its parent"


def test_joints_that_mark_an_end_become_the_tip_of_their_bone() -> None:
    motion = body()
    parents = np.append(motion.parents, skeleton.INDEX["left_wrist"])
    rest = np.vstack([skeleton.REFERENCE, skeleton.REFERENCE[skeleton.INDEX["left_wrist"]] + [0.1, 0.0, 0.0]])
    ended = replace(
        motion,
        positions=np.concatenate([motion.positions, motion.positions[:, -1:]], axis=1),
        joint_names=(*motion.joint_names, "left_wrist_end"),
        parents=parents,
        rotations=None,
        rest_positions=rest,
    )
    new = armature.new_bones(ended)
    assert len(new.joints) == 22
    wrist = int(np.flatnonzero(new.joints == skeleton.INDEX["left_wrist"])[0])
    assert np.allclose(new.tips[wrist], rest[-1], atol=1e-6)


def test_no_new_bone_is_without_length() -> None:
    motion = replace(body(), rest_positions=np.zeros((22, 3)))
    new = armature.new_bones(motion)
    assert np.linalg.norm(new.tips - new.heads, axis=-1).min() > 0


def test_a_canonical_motion_gets_a_skeleton_with_its_own_limbs() -> None:
    motion = body()
    canonical = canonicalize(motion)
    own = armature.from_canonical(canonical)
    assert np.allclose(own.positions, motion.positions, atol=1e-4)
    assert own.rest_positions is not None
    assert np.allclose(own.rest_positions, skeleton.REFERENCE, atol=1e-4)


def test_keys_at_another_rate_cover_the_same_seconds() -> None:
    motion = body(31)
    new = armature.new_bones(motion)
    rotations, locations = armature.keys(motion, new.joints, bones_of(motion, new))
    fewer, places = armature.at_rate(rotations, locations, 30.0, 24.0)
    assert len(fewer) == len(places) == 25
    assert np.degrees(quat.angle(fewer[[0, -1]], rotations[[0, -1]])).max() < 1e-3
    assert np.allclose(places[12], locations[15])
