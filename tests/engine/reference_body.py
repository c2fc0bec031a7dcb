# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions and rigs of the reference body, for tests that need to know the truth."""

from __future__ import annotations

import numpy as np

from hums_engine import orientation, quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.motion import forward_kinematics
from hums_engine.rig import Rig
from hums_engine.skeleton import INDEX, JOINT_COUNT, JOINTS, PARENTS, REFERENCE

OFFSETS = REFERENCE - np.where(PARENTS[:, None] >= 0, REFERENCE[PARENTS], 0.0)


def wandering(frames: int = 40, seed: int = 3) -> CanonicalMotion:
    """A smooth random motion of the reference body, walking away and bending every joint by up to some 40 degrees."""
    rng = np.random.default_rng(seed)
    phase, speed = rng.uniform(0, 6, (JOINT_COUNT, 3)), rng.uniform(0.5, 2, (JOINT_COUNT, 3))
    t = np.linspace(0, 4, frames)[:, None, None]
    vectors = 0.4 * np.sin(speed * t + phase)
    angles = np.linalg.norm(vectors, axis=-1)
    local = quat.from_axis_angle(quat.unit(vectors), angles)
    offsets = np.tile(OFFSETS, (frames, 1, 1))
    offsets[:, 0] += np.stack([0.3 * t[:, 0, 0], -0.8 * t[:, 0, 0], 0.05 * np.sin(3 * t[:, 0, 0])], axis=-1)
    world, positions = forward_kinematics(local, offsets, PARENTS)
    return CanonicalMotion(
        positions.astype(np.float32), world.astype(np.float32), np.ones(JOINT_COUNT, dtype=bool), fps=30.0
    )


def swaying(frames: int = 60) -> CanonicalMotion:
    """The reference body standing on both feet, its hips circling above them on bending knees."""
    t = np.linspace(0, 4 * np.pi, frames)
    return _standing_under(np.stack([0.06 * np.sin(t), 0.06 * np.cos(t), -0.06 + 0.02 * np.sin(2 * t)], axis=-1))


def crouching(frames: int = 60) -> CanonicalMotion:
    """The reference body standing on both feet, its hips sinking straight down and coming up again, twice."""
    t = np.linspace(0, 4 * np.pi, frames)
    return _standing_under(np.stack([0 * t, 0 * t, -0.16 + 0.14 * np.cos(t)], axis=-1))


def _standing_under(moved: np.ndarray) -> CanonicalMotion:
    """The reference body on both feet, all above its ankles ``moved`` ``[T, 3]`` from where it rests."""
    positions = np.tile(REFERENCE, (len(moved), 1, 1))
    feet = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("ankle", "foot")]
    others = np.setdiff1d(np.arange(JOINT_COUNT), feet)
    positions[:, others] += moved[:, None]
    for side in ("left", "right"):
        hip, knee, ankle = (INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        straight = positions[:, ankle] - positions[:, hip]
        half = 0.5 * np.linalg.norm(straight, axis=-1, keepdims=True)
        out = np.sqrt(np.maximum(0.41**2 - half**2, 0.0))
        positions[:, knee] = positions[:, hip] + 0.5 * straight + out * [0.0, -1.0, 0.0]
    every = np.ones(JOINT_COUNT, dtype=bool)
    rotations = orientation.from_positions(positions, every)
    return CanonicalMotion(positions.astype(np.float32), rotations.astype(np.float32), every, fps=30.0)


def resting(arm_drop_deg: float = 0.0, yaw_deg: float = 0.0, scale: float = 1.0, unit: float = 1.0) -> Rig:
    """The reference body as a rig: arms lowered, turned about the vertical, resized, its bones rolled at random."""
    local = np.tile(quat.IDENTITY, (1, JOINT_COUNT, 1))
    drop = np.radians(arm_drop_deg)
    local[0, INDEX["left_shoulder"]] = quat.from_axis_angle([0, 1, 0], drop)
    local[0, INDEX["right_shoulder"]] = quat.from_axis_angle([0, 1, 0], -drop)
    local[0, 0] = quat.from_axis_angle([0, 0, 1], np.radians(yaw_deg))
    _, positions = forward_kinematics(local, OFFSETS * scale, PARENTS)
    rng = np.random.default_rng(1)
    rest = np.tile(np.eye(4), (JOINT_COUNT, 1, 1))
    rest[:, :3, :3] = quat.to_matrix(quat.normalize(rng.normal(size=(JOINT_COUNT, 4)))) * unit
    rest[:, :3, 3] = positions[0]
    return Rig(JOINTS, PARENTS, rest, tips=positions[0])
