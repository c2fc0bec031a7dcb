# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of known kinds, as a corpus would have them: each kind a way to swing the limbs, each example its own."""

from __future__ import annotations

import numpy as np

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.motion import forward_kinematics
from hums_engine.skeleton import JOINT_COUNT, PARENTS, REFERENCE

OFFSETS = REFERENCE - np.where(PARENTS[:, None] >= 0, REFERENCE[PARENTS], 0.0)


def swinging(kind: int, example: int, frames: int = 60, fps: float = 30.0) -> CanonicalMotion:
    """The reference body swinging its limbs the way of ``kind``, with the small differences of ``example``."""
    way = np.random.default_rng(kind)
    phase, size = way.uniform(0, 2 * np.pi, (JOINT_COUNT, 3)), way.uniform(-0.8, 0.8, (JOINT_COUNT, 3))
    stride = way.uniform(-1.0, 1.0, 2)
    own = np.random.default_rng(1000 * kind + example)
    pace = own.uniform(0.8, 1.25)
    t = np.arange(frames)[:, None, None] / fps * pace
    vectors = size * own.uniform(0.85, 1.15, size.shape) * np.sin(4.0 * t + phase)
    angles = np.linalg.norm(vectors, axis=-1)
    local = quat.from_axis_angle(quat.unit(vectors), angles)
    offsets = np.tile(OFFSETS, (frames, 1, 1))
    offsets[:, 0, :2] += stride * t[:, 0]
    world, positions = forward_kinematics(local, offsets, PARENTS)
    every = np.ones(JOINT_COUNT, dtype=bool)
    name = f"kind {kind} example {example}"
    return CanonicalMotion(positions.astype(np.float32), world.astype(np.float32), every, fps, name)
