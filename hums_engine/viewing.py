# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewing: how a small figure is looked at: from where, which way round, and what its limbs are made of.

The eye stands in front of the figure, to its side and a little above. It is the same for printed strips (`pictures`)
and for the moving ones of the add-on (`moving_figure`), so that a motion looks alike wherever it is shown.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import skeleton

Array = NDArray[np.float64]

AZIMUTH: Final = float(np.radians(42.0))
"""How far the eye stands to the side of the figure's front."""
ELEVATION: Final = float(np.radians(15.0))
"""How far the eye looks down, so that the ground is a plane and not a line."""

# limb: near joint, far joint, radius at either end in metres on the reference body
LIMBS: Final = {
    "torso": (
        ("pelvis", "left_hip", 0.080, 0.064), ("pelvis", "right_hip", 0.080, 0.064),
        ("pelvis", "spine1", 0.085, 0.082), ("spine1", "spine2", 0.082, 0.086), ("spine2", "spine3", 0.086, 0.090),
        ("spine3", "neck", 0.090, 0.045), ("neck", "head", 0.040, 0.040),
        ("neck", "left_shoulder", 0.048, 0.052), ("neck", "right_shoulder", 0.048, 0.052),
    ),
    "left_leg": (
        ("left_hip", "left_knee", 0.068, 0.048), ("left_knee", "left_ankle", 0.048, 0.030),
        ("left_ankle", "left_foot", 0.034, 0.026),
    ),
    "right_leg": (
        ("right_hip", "right_knee", 0.068, 0.048), ("right_knee", "right_ankle", 0.048, 0.030),
        ("right_ankle", "right_foot", 0.034, 0.026),
    ),
    "left_arm": (("left_shoulder", "left_elbow", 0.046, 0.036), ("left_elbow", "left_wrist", 0.036, 0.026)),
    "right_arm": (("right_shoulder", "right_elbow", 0.046, 0.036), ("right_elbow", "right_wrist", 0.036, 0.026)),
}  # fmt: skip
HEAD_RADIUS: Final = 0.105
HEAD_LIFT: Final = 0.090


def centred(positions: Array, valid: NDArray[np.bool_]) -> Array:
    """``positions`` with the pelvis between the hips, where both are there: rigs put that joint anywhere."""
    hips = [skeleton.INDEX["left_hip"], skeleton.INDEX["right_hip"]]
    if valid[hips].all():
        positions[:, skeleton.INDEX["pelvis"]] = positions[:, hips].mean(axis=1)
    return positions


def facing(positions: Array, valid: NDArray[np.bool_]) -> Array:
    """The horizontal direction ``[3]`` in which the figure faces, on the whole: square to its hips or shoulders."""
    across = np.zeros(3)
    for side in ("hip", "shoulder"):
        left, right = skeleton.INDEX[f"left_{side}"], skeleton.INDEX[f"right_{side}"]
        if valid[left] and valid[right]:
            across += (positions[:, left] - positions[:, right]).mean(axis=0)
    facing = np.cross(across, [0.0, 0.0, 1.0])
    length = np.linalg.norm(facing)
    return facing / length if length > 1e-6 else np.array([0.0, -1.0, 0.0])


def eye(facing: Array) -> Array:
    """The axes of the picture ``[3, 3]`` in the world: to its right, up, and out of it toward the viewer."""
    angle = np.arctan2(facing[1], facing[0]) - AZIMUTH
    away = np.cos(ELEVATION)
    toward = np.array([np.cos(angle) * away, np.sin(angle) * away, np.sin(ELEVATION)])
    right = np.array([-np.sin(angle), np.cos(angle), 0.0])
    return np.stack([right, np.cross(toward, right), toward])


def body_size(positions: Array, valid: NDArray[np.bool_]) -> float:
    """How large the body is beside the reference body, by the bones that both have."""
    bones = np.flatnonzero(valid & valid[skeleton.PARENTS] & (skeleton.PARENTS >= 0))
    if not len(bones):
        return 1.0
    parents = skeleton.PARENTS[bones]
    real = np.linalg.norm(positions[:, bones] - positions[:, parents], axis=-1).mean(axis=0).sum()
    reference = np.linalg.norm(skeleton.REFERENCE[bones] - skeleton.REFERENCE[parents], axis=-1).sum()
    return max(float(real / reference), 1e-6)


def present(joint: int, valid: NDArray[np.bool_]) -> int:
    """``joint`` or its nearest ancestor that the source has; -1 if there is none."""
    while joint >= 0 and not valid[joint]:
        joint = int(skeleton.PARENTS[joint])
    return joint
