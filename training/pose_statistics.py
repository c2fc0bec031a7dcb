# SPDX-License-Identifier: GPL-3.0-or-later
"""How the poses of the training data are distributed, by which an encoder completes joints that were not seen."""

from __future__ import annotations

import numpy as np

from hums_engine.completion import Poses, own_frame
from hums_engine.normalize import NormalizedMotion
from hums_engine.skeleton import REFERENCE

from .motion_set import MotionSet

_EVERY = 6  # frames: a fifth of a second, after which a pose has changed
_VARIANCE = 1e-3  # square metres, of each coordinate alone: rigs put their joints some 3 cm apart


def poses_of(motions: MotionSet) -> Poses:
    """Mean and covariance over every sixth frame of the training motions.

    Two coordinates are compared over the frames that have both. A joint that no motion has is where the reference
    pose has it.
    """
    frames = np.concatenate([own_frame(_motion(motions, i))[0][::_EVERY] for i in range(len(motions))])
    values = frames.reshape(len(frames), -1)
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.where(seen, values, 0.0).sum(axis=0) / np.maximum(count, 1), REFERENCE.ravel())
    apart = np.where(seen, values - mean, 0.0)
    shared = seen.astype(np.float64)
    covariance = apart.T @ apart / np.maximum(shared.T @ shared, 1.0)
    size, axes = np.linalg.eigh(covariance)
    return Poses(mean, axes * np.maximum(size, 0.0) @ axes.T + _VARIANCE * np.eye(len(mean)))


def _motion(motions: MotionSet, i: int) -> NormalizedMotion:
    first, length = int(motions.start[i]), int(motions.length[i])
    return NormalizedMotion(motions.frames[first : first + length].numpy(), motions.valid[i].numpy())
