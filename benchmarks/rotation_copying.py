# SPDX-License-Identifier: GPL-3.0-or-later
"""Two common ways of retargeting, as baselines: rotations copied in the world, as they are or from the rest pose.

The first is Blender's Copy Rotation in world space (bones turned as the source's bones, whatever they rest in). The
second is what most free retargeters do in effect: each bone turns from its own rest pose as the source's bone does from
its own. Both get the true joints of both figures by hand, and the path of the hips scaled by the legs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmark_rigs import Posed
from benchmarks.retarget_measures import Performance
from hums_engine import proportions, quat, rest_pose, skeleton
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.mapping import map_motion
from hums_engine.motion import Motion
from hums_engine.skeleton import INDEX, PARENTS

Array = NDArray[np.float64]


def from_rest(motion: Motion, source: CanonicalMotion, rest: Posed) -> Performance:
    """Each bone turns from its rest pose as the source's bone does from its own."""
    return _played(_turns(motion, source), source, rest)


def in_world(motion: Motion, source: CanonicalMotion, rest: Posed) -> Performance:
    """Each bone is turned in the world as the source's bone: Y along the bone, no twist told apart."""
    turns = _turns(motion, source)
    joints = map_motion(motion).joints
    assert motion.rest_positions is not None
    source_rest = np.where(
        joints[:, None] >= 0, motion.rest_positions[np.maximum(joints, 0)].astype(np.float64), np.nan
    )
    for joint in range(skeleton.JOINT_COUNT):
        axes, own = _bone_axes(source_rest, joint), rest.axes[0, joint]
        if axes is not None and np.isfinite(own).all():
            turns[:, joint] = quat.mul(quat.mul(turns[:, joint], axes), quat.inv(own))
    return _played(turns, source, rest)


WAYS: dict[str, Callable[[Motion, CanonicalMotion, Posed], Performance]] = {
    "copy world rotation": in_world,
    "copy rotation from rest": from_rest,
}


def _turns(motion: Motion, source: CanonicalMotion) -> Array:
    """World turns ``[T, 22, 4]`` of the source's bones from its own rest pose, at the frames of ``source``."""
    world = motion.world_rotations()
    assert world is not None
    joints = map_motion(motion).joints
    above = np.array([_mapped_above(joints, j) for j in range(skeleton.JOINT_COUNT)])
    frames = np.minimum(np.round(np.arange(source.frame_count) * motion.fps / source.fps), motion.frame_count - 1)
    frames = np.maximum(frames.astype(np.intp), _first_frame(motion))
    return world[frames][:, joints[above]]


def _first_frame(motion: Motion) -> int:
    """The frame after a calibration pose, which is held back from the source: neither way is to be judged by it."""
    positions = canonicalize(motion).positions
    moved = np.flatnonzero((positions != positions[0]).any(axis=(1, 2)))
    return max(int(moved[0]) - 1, 0) if len(moved) else 0


def _mapped_above(joints: NDArray[np.intp], joint: int) -> int:
    while joints[joint] < 0 and PARENTS[joint] >= 0:
        joint = int(PARENTS[joint])
    return joint


def _bone_axes(rest: Array, joint: int) -> Array | None:
    """The axes ``[4]`` that Blender's BVH import gives a bone at rest: Y along it, the roll as short as can be."""
    ahead = skeleton.NEXT[joint]
    if ahead < 0 or not np.isfinite(rest[[joint, ahead]]).all():
        return None
    return quat.between(np.array([0.0, 1.0, 0.0]), rest[ahead] - rest[joint])


def _played(turns: Array, source: CanonicalMotion, rest: Posed) -> Performance:
    """The rig's joints with its bones so turned, its hips on the source's path at its own size."""
    still = rest.joints[0]
    seen = np.where(source.valid[:, None], source.positions.astype(np.float64), np.nan)
    hips = rest_pose.hips(seen) * proportions.size(seen, still, floor=0.0)
    joints = np.full((source.frame_count, skeleton.JOINT_COUNT, 3), np.nan)
    pelvis = INDEX["pelvis"]
    joints[:, pelvis] = hips + quat.rotate(turns[:, pelvis], still[pelvis] - rest_pose.hips(still))
    for joint in range(1, skeleton.JOINT_COUNT):
        parent = int(PARENTS[joint])
        while not np.isfinite(still[parent]).all():
            parent = int(PARENTS[parent])
        joints[:, joint] = joints[:, parent] + quat.rotate(turns[:, parent], still[joint] - still[parent])
    return Performance(joints, turns, still)
