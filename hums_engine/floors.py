# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the floor is: under a motion, under a rig at rest, and under one that rests half in the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mapping import JointMap
from .normalize import leg_length
from .rig import Rig
from .skeleton import INDEX

Array = NDArray[np.float64]

_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]
_FEET = [*_ANKLES, INDEX["left_foot"], INDEX["right_foot"]]
_NEAR_ZERO = 0.15
_USUAL_ANKLE = 0.09
_ON_ORIGIN = 0.01
_PLANTED_PERCENTILE = 5


def source_floor(joints: Array, leg: float) -> tuple[float, float]:
    """Height of the floor under a motion, and of its ankles above it when they stand.

    Studios calibrate the floor to zero. Where the lowest ankle is far from that, the take has a floor of its own
    (a stage, or a file whose origin is at the hips).

    Args:
        joints: ``[T, 22, 3]`` metres, NaN where missing.
        leg: length of the legs, metres.
    """
    usual = _USUAL_ANKLE * (leg if np.isfinite(leg) else 1.0)
    ankles = joints[:, _ANKLES, 2]
    if not np.isfinite(ankles).any():
        return 0.0, usual
    lowest = float(np.percentile(np.nanmin(np.where(np.isfinite(ankles), ankles, np.inf), axis=1), _PLANTED_PERCENTILE))
    limit = _NEAR_ZERO * (leg if np.isfinite(leg) else 1.0)
    return (0.0, lowest) if 0.0 < lowest < limit + usual else (lowest - usual, usual)


def rest_floor(rig: Rig, joint_map: JointMap, rest: Array) -> tuple[float, float]:
    """Height of the floor that the rig stands on at rest, and of its ankles above it."""
    feet = joint_map.joints[_FEET]
    feet = feet[feet >= 0]
    if not len(feet):
        return float(np.nanmin(rest[:, 2])) if rig.floor is None else rig.floor, 0.0
    lowest = float(min(rig.heads[feet, 2].min(), rig.tips[feet, 2].min()))
    near = _NEAR_ZERO * leg_length(rest)
    floor = lowest if rig.floor is None or not 0.0 <= lowest - rig.floor < near else rig.floor
    ankles = rest[_ANKLES, 2]
    ankle = float(np.nanmean(ankles)) if np.isfinite(ankles).any() else lowest
    return floor, ankle - floor


def out_of_the_ground(rig: Rig, rest: Array, floor: float, leg: float) -> float:
    """How much higher than at rest the rig is to stand, where it rests with its pelvis on its origin and on the ground.

    Armatures that importers make of motion files often rest so, feet below the ground, and stand on it once they move.
    A figure with its origin at its pelvis may have been put up with its feet on the world's ground: it stays there.

    Args:
        rig: the rig.
        rest: ``[22, 3]`` its joints at rest, NaN where missing.
        floor: height of the floor that it stands on at rest.
        leg: length of its legs.
    """
    if rig.floor is None or not np.isfinite(leg):
        return 0.0
    near = _NEAR_ZERO * leg
    on_origin = abs(float(rest[INDEX["pelvis"], 2]) - rig.floor) < _ON_ORIGIN * leg
    buried = rig.floor - floor > near and abs(floor) > near
    return rig.floor - floor if on_origin and buried else 0.0
