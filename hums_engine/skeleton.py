# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical skeleton: the 22 body joints of SMPL, their reference pose and their left-right twins.

Loper et al., "SMPL: A Skinned Multi-Person Linear Model" (2015) names the joints and their order. Every rig
and file is mapped onto it. The reference pose is a T-pose facing -Y, Z up, in metres; its proportions
are those of an adult of about 1.7 m, and its use is as a common yardstick, not as a measured body.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# joint, parent, reference position (x to the figure's left, -y forward, z up)
_TABLE: Final = (
    ("pelvis", "", (0.0, 0.0, 0.94)),
    ("left_hip", "pelvis", (0.09, 0.0, 0.90)),
    ("right_hip", "pelvis", (-0.09, 0.0, 0.90)),
    ("spine1", "pelvis", (0.0, 0.0, 1.04)),
    ("left_knee", "left_hip", (0.09, 0.0, 0.49)),
    ("right_knee", "right_hip", (-0.09, 0.0, 0.49)),
    ("spine2", "spine1", (0.0, 0.0, 1.17)),
    ("left_ankle", "left_knee", (0.09, 0.0, 0.08)),
    ("right_ankle", "right_knee", (-0.09, 0.0, 0.08)),
    ("spine3", "spine2", (0.0, 0.0, 1.26)),
    ("left_foot", "left_ankle", (0.09, -0.13, 0.02)),
    ("right_foot", "right_ankle", (-0.09, -0.13, 0.02)),
    ("neck", "spine3", (0.0, 0.0, 1.45)),
    ("left_collar", "spine3", (0.06, 0.0, 1.39)),
    ("right_collar", "spine3", (-0.06, 0.0, 1.39)),
    ("head", "neck", (0.0, 0.0, 1.55)),
    ("left_shoulder", "left_collar", (0.18, 0.0, 1.39)),
    ("right_shoulder", "right_collar", (-0.18, 0.0, 1.39)),
    ("left_elbow", "left_shoulder", (0.45, 0.0, 1.39)),
    ("right_elbow", "right_shoulder", (-0.45, 0.0, 1.39)),
    ("left_wrist", "left_elbow", (0.71, 0.0, 1.39)),
    ("right_wrist", "right_elbow", (-0.71, 0.0, 1.39)),
)

JOINTS: Final[tuple[str, ...]] = tuple(name for name, _, _ in _TABLE)
JOINT_COUNT: Final = len(JOINTS)
INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(JOINTS)}
PARENTS: Final[NDArray[np.intp]] = np.array([INDEX.get(parent, -1) for _, parent, _ in _TABLE], dtype=np.intp)
REFERENCE: Final[NDArray[np.float64]] = np.array([position for _, _, position in _TABLE])
"""``[22, 3]`` metres: the reference pose."""

LEG_LENGTH: Final = float(REFERENCE[INDEX["left_hip"], 2] - REFERENCE[INDEX["left_ankle"], 2])
"""Hip to ankle of the reference body, metres."""

# The thirteen joints without which a map is not trusted, and which every figure has.
MAIN_JOINTS: Final[tuple[str, ...]] = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip

TWINS: Final[NDArray[np.intp]] = np.array(
    [INDEX[n.replace("left_", "@").replace("right_", "left_").replace("@", "right_")] for n in JOINTS], dtype=np.intp
)
"""``[22]`` index of each joint's left-right twin; a middle joint is its own."""

# The joint a bone leaving each joint points to, where one continues the limb (-1: a leaf).
_NEXT: Final = {
    "pelvis": "spine1", "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    "left_hip": "left_knee", "left_knee": "left_ankle", "left_ankle": "left_foot",
    "right_hip": "right_knee", "right_knee": "right_ankle", "right_ankle": "right_foot",
    "left_collar": "left_shoulder", "left_shoulder": "left_elbow", "left_elbow": "left_wrist",
    "right_collar": "right_shoulder", "right_shoulder": "right_elbow", "right_elbow": "right_wrist",
}  # fmt: skip
NEXT: Final[NDArray[np.intp]] = np.array([INDEX.get(_NEXT.get(name, ""), -1) for name in JOINTS], dtype=np.intp)
