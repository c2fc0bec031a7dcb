# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosting: where the joints of a rig would be if it played a motion, without anything being written on it.

The rig is taken as its canonical joints at rest, whatever hierarchy it hangs them in, so that a control rig with a
thousand bones has its ghost as soon as a skeleton of twenty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import armature, quat, skeleton
from .canonical import CanonicalMotion
from .mapping import JointMap
from .normalize import nearest_ancestor
from .retarget import RetargetOptions, retarget
from .rig import Rig

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Body:
    """A rig's canonical joints at rest in the world.

    Attributes:
        joints: ``[22, 3]`` metres, NaN where it has none.
        tips: ``[22, 3]`` where their bones end.
        valid: ``[22]``.
        floor: height that it is made to stand on.
    """

    joints: Array
    tips: Array
    valid: NDArray[np.bool_]
    floor: float | None


def body_of(rig: Rig, joint_map: JointMap) -> Body:
    """The joints of a rig that a map knows, as they are seen, and as it would stand if its object were not tilted."""
    joint_map = rig.sides_as_seen(joint_map)
    rig = rig.upright(joint_map)
    bones = np.maximum(joint_map.joints, 0)
    there = joint_map.valid[:, None]
    return Body(
        joints=rig.joints(joint_map),
        tips=np.where(there, rig.tips[bones], np.nan),
        valid=joint_map.valid,
        floor=rig.floor,
    )


def play(motion: CanonicalMotion, body: Body, options: RetargetOptions, fps: float) -> Array:
    """The joints ``[T, 22, 3]`` in the world while the body plays a motion; zero where it has none.

    Args:
        motion: what to play.
        body: what plays it, with a pelvis.
        options: how it lands.
        fps: frames a second of what is returned.
    """
    chain = np.flatnonzero(body.valid)
    rest = np.tile(np.eye(4), (len(chain), 1, 1))
    rest[:, :3, 3] = body.joints[chain]
    bones = armature.Bones(
        names=tuple(skeleton.JOINTS[joint] for joint in chain),
        parents=_parents(body.valid, chain),
        rest=rest,
        tips=body.tips[chain],
        inherits_rotation=np.ones(len(chain), dtype=bool),
        local_location=np.ones(len(chain), dtype=bool),
    )
    places = np.full(skeleton.JOINT_COUNT, -1, dtype=np.intp)
    places[chain] = np.arange(len(chain))
    rig = Rig(bones.names, bones.parents, bones.rest, bones.tips, floor=body.floor)
    curves = retarget(motion, rig, JointMap(places, "canonical", 1.0), options, fps)
    count = len(curves.times_s)
    rotations = np.tile(quat.IDENTITY, (count, len(chain), 1))
    rotations[:, curves.bones] = curves.rotations
    locations = np.zeros((count, len(chain), 3))
    locations[:, curves.root_bone] = curves.root_locations
    joints = np.zeros((count, skeleton.JOINT_COUNT, 3))
    joints[:, chain] = armature.pose(bones, locations, rotations)[..., :3, 3] + curves.travel[:, None]
    return joints


def _parents(valid: NDArray[np.bool_], chain: NDArray[np.intp]) -> NDArray[np.intp]:
    """The place in the chain of the nearest ancestor that is there; the first joint stands for the root."""
    places = {int(joint): place for place, joint in enumerate(chain)}
    return np.array(
        [places.get(nearest_ancestor(int(joint), valid), 0) if place else -1 for place, joint in enumerate(chain)],
        dtype=np.intp,
    )
