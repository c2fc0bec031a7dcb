# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig at rest, as retargeting sees it: where its bones are, and what turns with what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose
from .mapping import JointMap, map_joints
from .skeleton import INDEX, TWINS

Array = NDArray[np.float64]

_BALLS = (INDEX["left_foot"], INDEX["right_foot"])
_TOES = 3
"""As many bones on a foot are toes, none of them its ball."""


@dataclass(frozen=True, eq=False)
class Rig:
    """A rig at rest, in world space (Z up, metres).

    Attributes:
        names: ``B`` bone names.
        parents: ``[B]`` index of each bone's parent, parents first, -1 for a root.
        rest: ``[B, 4, 4]`` world matrices of the bones at rest: the object's times the bone's own.
        tips: ``[B, 3]`` where the bones end at rest.
        inherits_rotation: ``[B]`` whether a bone turns with its parent; None: all do.
        floor: height that the rig is made to stand on (its object's origin); where feet and hips are far from it, or
            it is None, the lowest point of the feet counts.
        connected: ``[B]`` whether a bone starts where its parent ends and can be given no location; None: none is.
        carriers: ``[B]`` the bone that each bone turns with, -1 for none, where constraints say so (a control rig);
            None: its parent.
        world: ``[4, 4]`` matrix of the rig's object; None: its axes say nothing.
        skin: ``[V, 3]`` points of what the bones move, at rest in the world; None: they are not known.
        tilt: ``[4]`` turn by which the object lies off the vertical, where the bones are told as if it did not.
    """

    names: tuple[str, ...]
    parents: NDArray[np.intp]
    rest: Array
    tips: Array
    inherits_rotation: NDArray[np.bool_] | None = None
    floor: float | None = None
    connected: NDArray[np.bool_] | None = None
    carriers: NDArray[np.intp] | None = None
    world: Array | None = None
    skin: Array | None = None
    tilt: Array | None = None

    @property
    def heads(self) -> Array:
        """Where the bones start at rest ``[B, 3]``."""
        return self.rest[:, :3, 3]

    @property
    def standing_heads(self) -> Array:
        """Where the bones start at rest ``[B, 3]`` under the tilt of the object."""
        if self.world is None or self.tilt is None:
            return self.heads
        return self.world[:3, 3] + quat.rotate(self.tilt, self.heads - self.world[:3, 3])

    def joints(self, joint_map: JointMap) -> Array:
        """World joints of the rig at rest ``[22, 3]``, NaN where missing."""
        rest = np.where(joint_map.valid[:, None], self.heads[np.maximum(joint_map.joints, 0)], np.nan)
        for ball in _BALLS:
            toe = int(joint_map.joints[ball])
            foot = int(self.parents[toe]) if toe >= 0 else -1
            if foot >= 0 and np.count_nonzero(self.parents == foot) >= _TOES:
                # a foot points to where its bone ends, not to the big toe
                rest[ball] = self.tips[foot]
        return rest

    def sides_as_seen(self, joint_map: JointMap) -> JointMap:
        """The map with left and right exchanged where the rig's object is its own mirror image (a scale below zero)."""
        if self.world is None or np.linalg.det(self.world[:3, :3]) > 0.0:
            return joint_map
        return replace(joint_map, joints=joint_map.joints[TWINS])

    def upright(self, joint_map: JointMap) -> Rig:
        """The rig as it would stand if its object were not tilted; what none of its joints turns stays tilted."""
        if self.world is None or self.tilt is not None:
            return self
        tilt = rest_pose.tilt(self.joints(joint_map), self.world[:3, :3])
        if not quat.angle(tilt, quat.IDENTITY) > 0.0:
            return self
        back, origin = quat.inv(tilt), self.world[:3, 3]
        rest = self.rest.copy()
        rest[:, :3, :3] = quat.to_matrix(back) @ rest[:, :3, :3]
        rest[:, :3, 3] = origin + quat.rotate(back, self.heads - origin)
        tips = origin + quat.rotate(back, self.tips - origin)
        skin = None if self.skin is None else origin + quat.rotate(back, self.skin - origin)
        return replace(self, rest=rest, tips=tips, skin=skin, tilt=tilt)

    def carrier(self, bone: int) -> int:
        """The bone that a bone turns with, -1 where it turns with none."""
        if self.carriers is not None:
            return int(self.carriers[bone])
        inherits = self.inherits_rotation is None or bool(self.inherits_rotation[bone])
        return int(self.parents[bone]) if inherits else -1

    def map(self) -> JointMap:
        """The rig's canonical joints, by names or by shape.

        Raises:
            MappingError: the rig is not that of a human figure.
        """
        return map_joints(self.names, self.parents, self.heads, tips=self.tips)
