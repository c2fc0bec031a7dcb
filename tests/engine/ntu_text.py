# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes NTU RGB+D's ``.skeleton`` text: bodies as a Kinect v2 would have seen them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hums_engine.canonical import CanonicalMotion
from hums_engine.skeleton import INDEX

FIRST_ID = 72057594037931101

# the canonical joint that each of Kinect's 25 is, in the order of the file, and how far it lies beyond it along the arm
_SEEN = (
    ("pelvis", 0.0), ("spine2", 0.0), ("neck", 0.0), ("head", 0.0),
    ("left_shoulder", 0.0), ("left_elbow", 0.0), ("left_wrist", 0.0), ("left_wrist", 0.08),
    ("right_shoulder", 0.0), ("right_elbow", 0.0), ("right_wrist", 0.0), ("right_wrist", 0.08),
    ("left_hip", 0.0), ("left_knee", 0.0), ("left_ankle", 0.0), ("left_foot", 0.0),
    ("right_hip", 0.0), ("right_knee", 0.0), ("right_ankle", 0.0), ("right_foot", 0.0),
    ("spine3", 0.0), ("left_wrist", 0.16), ("left_wrist", 0.05), ("right_wrist", 0.16), ("right_wrist", 0.05),
)  # fmt: skip
_PASSED_OVER = "277.419 191.8218 1036.233 519.1677 -0.2059419 0.05349901 0.9692109 -0.1239193"


class Body(NamedTuple):
    """A body in the file: its joints ``[T, 25, 3]`` in the camera's axes, and the frame that each row is in."""

    joints: NDArray[np.floating]
    frames: NDArray[np.integer]
    number: int = FIRST_ID
    states: NDArray[np.integer] | int = 2


def kinect(motion: CanonicalMotion) -> NDArray[np.float64]:
    """Where a Kinect three metres ahead sees the 25 joints ``[T, 25, 3]``, in its axes and in the order of the file."""
    joints = motion.positions.astype(np.float64)
    picked = joints[:, [INDEX[name] for name, _ in _SEEN]].copy()
    for place, (name, beyond) in enumerate(_SEEN):
        if beyond:
            arm = joints[:, INDEX[name]] - joints[:, INDEX[name.replace("wrist", "elbow")]]
            picked[:, place] += beyond * arm / np.linalg.norm(arm, axis=-1, keepdims=True)
    return np.stack([picked[..., 0], picked[..., 2] - 0.9, 3.0 - picked[..., 1]], axis=-1)


def body(joints: NDArray[np.floating], first_frame: int = 0, number: int = FIRST_ID, states: int = 2) -> Body:
    """A body that is seen without a break from a frame on."""
    return Body(joints, first_frame + np.arange(len(joints)), number, states)


def text(*bodies: Body, frames: int = 0) -> str:
    """The file; it has as many frames as the bodies need, or more."""
    count = max([frames, *(int(b.frames.max()) + 1 for b in bodies)])
    lines = [str(count)]
    for frame in range(count):
        here = [(b, row) for b in bodies for row in np.flatnonzero(b.frames == frame)]
        lines.append(str(len(here)))
        for b, row in here:
            states = np.broadcast_to(np.asarray(b.states), b.joints.shape[:2])
            lines += [f"{b.number} 0 1 1 1 1 0 0.02764709 -0.05745083 2", "25"]
            lines += [
                f"{x:.7g} {y:.7g} {z:.7g} {_PASSED_OVER} {state}"
                for (x, y, z), state in zip(b.joints[row], states[row], strict=True)
            ]
    return "\n".join(lines) + "\n"
