# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's armatures as arrays: pose channels to bone matrices, posed bones to a Motion, and a Motion to new bones.

An armature's bones rest in the object's own space; each has its own axes there, Y along the bone. Pose channels
are told in those axes, relative to the posed parent (Blender's ``BKE_armature_where_is_pose_bone``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import quat, skeleton
from .canonical import CanonicalMotion
from .motion import Motion, forward_kinematics
from .normalize import leg_scale
from .rig import Rig

Array = NDArray[np.float64]

_END = "_end"
_END_NAMES = ("_end", "end site", "endsite", "_nub")
_SHORTEST = 0.01
"""Length of the shortest new bone, as part of the figure's height: Blender drops bones without length."""


@dataclass(frozen=True, eq=False)
class Bones:
    """The bones of an armature at rest, in the armature's own space.

    Attributes:
        names: ``B`` names.
        parents: ``[B]`` index of each bone's parent, parents first, -1 for a root.
        rest: ``[B, 4, 4]`` rest matrices (``bone.matrix_local``).
        tips: ``[B, 3]`` where the bones end at rest.
        inherits_rotation: ``[B]`` whether a bone turns with its parent.
        local_location: ``[B]`` whether a bone's location is told in its own axes (else in the armature's, or the
            posed parent's turn of them).
        connected: ``[B]`` whether a bone starts where its parent ends and ignores its location; None: none does.
    """

    names: tuple[str, ...]
    parents: NDArray[np.intp]
    rest: Array
    tips: Array
    inherits_rotation: NDArray[np.bool_]
    local_location: NDArray[np.bool_]
    connected: NDArray[np.bool_] | None = None

    @property
    def heads(self) -> Array:
        """Where the bones start at rest ``[B, 3]``."""
        return self.rest[:, :3, 3]

    def in_world(self, world: Array) -> Rig:
        """The rig as it stands in the world, for an object whose matrix is ``world`` ``[4, 4]``."""
        return Rig(
            names=self.names,
            parents=self.parents,
            rest=world @ self.rest,
            tips=self.tips @ world[:3, :3].T + world[:3, 3],
            inherits_rotation=self.inherits_rotation,
            floor=float(world[2, 3]),
            connected=self.connected,
            world=world,
        )


def pose(bones: Bones, locations: Array, rotations: Array) -> Array:
    """Forward kinematics of bones without scale.

    Args:
        bones: the armature at rest.
        locations: ``[T, B, 3]`` pose locations.
        rotations: ``[T, B, 4]`` pose rotations, w first.

    Returns:
        Pose matrices ``[T, B, 4, 4]`` in the armature's space (``pose_bone.matrix``).
    """
    posed = np.empty((*rotations.shape[:2], 4, 4))
    posed[..., 3, :] = [0.0, 0.0, 0.0, 1.0]
    turned = quat.to_matrix(rotations)
    for b, parent in enumerate(bones.parents):
        rest = bones.rest[b]
        if parent < 0:
            offset, above, frame = rest, np.eye(4), rest
        else:
            offset, above = np.linalg.inv(bones.rest[parent]) @ rest, posed[:, parent]
            frame = above @ offset
        turning = frame if parent < 0 or bones.inherits_rotation[b] else rest
        shift = locations[:, b] if bones.local_location[b] else _unturned(locations[:, b], offset)
        posed[:, b, :3, :3] = turning[..., :3, :3] @ turned[:, b]
        posed[:, b, :3, 3] = (frame[..., :3, :3] @ shift[..., None])[..., 0] + frame[..., :3, 3]
    return posed


def _unturned(location: Array, offset: Array) -> Array:
    """A location ``[T, 3]`` that is told in the parent's axes, in the bone's own, ``offset`` ``[4, 4]`` from it."""
    return location @ offset[:3, :3]


def location_channels(bones: Bones, bone: int, locations: Array) -> Array:
    """What the location channels of a bone hold ``[T, 3]`` for locations told in its own axes."""
    if bones.local_location[bone]:
        return locations
    parent = int(bones.parents[bone])
    rest = bones.rest[bone, :3, :3]
    return locations @ (rest if parent < 0 else np.linalg.inv(bones.rest[parent, :3, :3]) @ rest).T


def to_motion(bones: Bones, posed: Array, world: Array, fps: float, name: str = "", source: str = "") -> Motion:
    """The movement of an armature as joints in the world: bone heads, and the tips of the last bones.

    Args:
        bones: the armature at rest.
        posed: ``[T, B, 4, 4]`` pose matrices in the armature's space; scale and shear are passed over in rotations.
        world: ``[4, 4]`` or ``[T, 4, 4]`` matrix of the object.
        fps: frames a second of ``posed``.
        name: what a person calls it.
        source: where it came from.
    """
    world = np.broadcast_to(world, (len(posed), 4, 4))
    placed = world[:, None] @ posed
    rest = world[0] @ bones.rest
    leaves = np.setdiff1d(np.arange(len(bones.names)), bones.parents)
    ends = _transformed(np.linalg.inv(bones.rest), bones.tips)[leaves]
    heads = np.concatenate([placed[..., :3, 3], _transformed(placed[:, leaves], ends)], axis=1)
    rest_heads = np.concatenate([rest[:, :3, 3], _transformed(rest[leaves], ends)])
    turns = _axes(placed) @ np.swapaxes(_axes(rest), -1, -2)
    local = _local(quat.from_matrix(turns), bones.parents)
    still = np.broadcast_to(quat.IDENTITY, (len(posed), len(leaves), 4))
    return Motion(
        positions=heads.astype(np.float32),
        fps=fps,
        joint_names=(*bones.names, *(bones.names[leaf] + _END for leaf in leaves)),
        parents=np.concatenate([bones.parents, leaves]),
        rotations=np.concatenate([local, still], axis=1).astype(np.float32),
        rest_positions=rest_heads.astype(np.float32),
        name=name,
        source=source,
    )


def _transformed(matrices: Array, points: Array) -> Array:
    """``points`` ``[N, 3]`` through ``matrices`` ``[..., N, 4, 4]``."""
    return (matrices[..., :3, :3] @ points[:, :, None])[..., 0] + matrices[..., :3, 3]


def _axes(matrices: Array) -> Array:
    """Rotations ``[..., 3, 3]`` in matrices ``[..., 4, 4]``: true along the bone (Y), then by Gram and Schmidt."""
    y = quat.unit(matrices[..., :3, 1])
    z = matrices[..., :3, 2]
    z = quat.unit(z - y * np.sum(y * z, axis=-1, keepdims=True))
    return np.stack([np.cross(y, z), y, z], axis=-1)


def _local(turns: Array, parents: NDArray[np.intp]) -> Array:
    """Local rotations ``[T, B, 4]`` from those in the world, ``turns`` ``[T, B, 4]``."""
    above = turns[:, np.maximum(parents, 0)]
    above[:, parents < 0] = quat.IDENTITY
    return quat.mul(quat.inv(above), turns)


@dataclass(frozen=True, eq=False)
class NewBones:
    """Bones to be made for a motion's own skeleton, in the motion's axes.

    Attributes:
        joints: ``[B]`` the motion's joint at each bone's head.
        parents: ``[B]`` index of each bone's parent, -1 for a root.
        heads: ``[B, 3]`` metres.
        tips: ``[B, 3]`` metres, never at the head.
    """

    joints: NDArray[np.intp]
    parents: NDArray[np.intp]
    heads: Array
    tips: Array


def new_bones(motion: Motion) -> NewBones:
    """Bones for a motion that knows its rest pose: one for each joint but those that mark an end.

    Raises:
        ValueError: the motion has no rest pose.
    """
    if motion.rest_positions is None:
        raise ValueError("The motion has no rest pose")
    rest = motion.rest_positions.astype(np.float64)
    children = [np.flatnonzero(motion.parents == j) for j in range(len(rest))]
    joints = [j for j in range(len(rest)) if len(children[j]) or not _is_tip(motion, j)]
    shortest = _SHORTEST * max(float(np.ptp(rest, axis=0).max()), 1e-3)
    directions = np.zeros_like(rest)
    for j in joints:
        parent = int(motion.parents[j])
        onward = directions[parent] if parent >= 0 else np.array([0.0, 0.0, shortest])
        directions[j] = _direction(rest[children[j]] - rest[j], onward, shortest)
    bone_of = {joint: bone for bone, joint in enumerate(joints)}
    return NewBones(
        joints=np.array(joints, dtype=np.intp),
        parents=np.array([bone_of.get(int(motion.parents[j]), -1) for j in joints], dtype=np.intp),
        heads=rest[joints],
        tips=rest[joints] + directions[joints],
    )


def _is_tip(motion: Motion, joint: int) -> bool:
    """Whether a leaf joint only marks where a bone ends, as its name tells."""
    return motion.parents[joint] >= 0 and motion.joint_names[joint].lower().endswith(_END_NAMES)


def _direction(ways: Array, onward: Array, shortest: float) -> Array:
    """Head to tip ``[3]`` of a bone: to the child most straight ahead of those that lie ``ways`` ``[C, 3]`` from it."""
    ways = ways[np.linalg.norm(ways, axis=-1) > shortest]
    if not len(ways):
        return quat.unit(onward) * max(shortest, 0.5 * float(np.linalg.norm(onward)))
    return ways[np.argmax(quat.unit(ways) @ quat.unit(onward))]


def from_canonical(canonical: CanonicalMotion) -> Motion:
    """A canonical motion on a skeleton of its own: the reference pose with the figure's bone lengths.

    Joints that the source lacks are kept, with the reference body's lengths.
    """
    valid, parents = canonical.valid, skeleton.PARENTS
    seen = np.where(valid[:, None], canonical.positions.astype(np.float64), np.nan)
    above = np.maximum(parents, 0)
    offsets = skeleton.REFERENCE - np.where(parents[:, None] < 0, 0.0, skeleton.REFERENCE[above])
    offsets = offsets / leg_scale(seen)
    known = valid & valid[above] & (parents >= 0)
    lengths = np.median(np.linalg.norm(seen - seen[:, above], axis=-1), axis=0)
    offsets[known] = quat.unit(offsets[known]) * lengths[known, None]
    path = np.broadcast_to(offsets, seen.shape).copy()
    if valid[0]:
        path[:, 0] = seen[:, 0]
    local = _local(canonical.rotations.astype(np.float64), parents)
    still = np.tile(quat.IDENTITY, (1, len(parents), 1))
    return Motion(
        positions=forward_kinematics(local, path, parents)[1].astype(np.float32),
        fps=canonical.fps,
        joint_names=skeleton.JOINTS,
        parents=parents,
        rotations=local.astype(np.float32),
        rest_positions=forward_kinematics(still, offsets, parents)[1][0].astype(np.float32),
        name=canonical.name,
        source=canonical.source,
    )


def keys(motion: Motion, joints: NDArray[np.intp], bones: Bones) -> tuple[Array, Array]:
    """Pose channels that play a motion on bones made by `new_bones`.

    Args:
        motion: with rotations and a rest pose.
        joints: ``[B]`` the motion's joint at each bone's head.
        bones: as Blender made them (with the axes it gave them), in the motion's axes.

    Returns:
        Pose rotations ``[T, B, 4]`` and locations ``[T, B, 3]``.

    Raises:
        ValueError: the motion has no rotations or no rest pose.
    """
    world = motion.world_rotations()
    if world is None or motion.rest_positions is None:
        raise ValueError("The motion has no rotations or no rest pose")
    turns, heads = world[:, joints], motion.positions[:, joints].astype(np.float64)
    axes = quat.from_matrix(bones.rest[:, :3, :3])
    local = _local(turns, bones.parents)
    rotations = quat.mul(quat.inv(axes), quat.mul(local, axes))
    above = np.maximum(bones.parents, 0)
    root = (bones.parents < 0)[:, None]
    start = np.where(root, 0.0, heads[:, above])
    turn = np.where(root, quat.IDENTITY, turns[:, above])
    offset = bones.heads - np.where(root, 0.0, bones.heads[above])
    moved = quat.rotate(quat.inv(turn), heads - start) - offset
    return quat.unroll(rotations), quat.rotate(quat.inv(axes), np.nan_to_num(moved))


def at_rate(rotations: Array, locations: Array, fps: float, wanted: float) -> tuple[Array, Array]:
    """Pose rotations ``[T, B, 4]`` and locations ``[T, B, 3]`` of ``fps``, over the same seconds at ``wanted``."""
    if abs(fps - wanted) < 1e-6:
        return rotations, locations
    last = len(rotations) - 1
    at = np.minimum(np.arange(max(round(last * wanted / fps), 0) + 1) * (fps / wanted), last)
    before = np.floor(at).astype(np.intp)
    after = np.minimum(before + 1, last)
    part = at - before
    between = locations[before] + part[:, None, None] * (locations[after] - locations[before])
    return quat.unroll(quat.slerp(rotations[before], rotations[after], part[:, None])), between
