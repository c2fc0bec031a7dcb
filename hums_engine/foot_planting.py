# SPDX-License-Identifier: GPL-3.0-or-later
"""Foot planting: feet that stand in the source stand on the rig.

When a rig's legs are of other proportions, feet that point as the source's do slide a little while they stand. Here the
frames at which a foot stands are read off the source, each stand gets one place on the ground, and the leg is bent to
reach it by the closed solution of a chain of two bones. Between two stands the correction passes smoothly from one
to the other, so nothing jumps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import quat

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# In leg lengths: how fast a standing ankle may seem to move a second, and how far it may be above its lowest.
_STAND_SPEED: Final = 0.33
_STAND_HEIGHT: Final = 0.06
_SHORTEST_STAND_S: Final = 0.1
_REACH: Final = 0.9995
"""A leg is never stretched straight: the knee would pop on the way there."""


def stands(ankles: Array, fps: float, leg: float) -> Mask:
    """When each foot of a motion stands: low and slow for at least a tenth of a second.

    Args:
        ankles: ``[T, 2, 3]`` metres, NaN where missing.
        fps: frames a second.
        leg: length of the legs, metres.

    Returns:
        ``[T, 2]``.
    """
    if len(ankles) < 2:
        return np.zeros(ankles.shape[:2], dtype=bool)
    speed = np.linalg.norm(np.gradient(ankles, axis=0), axis=-1) * fps
    lowest = np.nanpercentile(ankles[..., 2], 5) if np.isfinite(ankles).any() else 0.0
    low = ankles[..., 2] < lowest + _STAND_HEIGHT * leg
    return _long_enough(low & (speed < _STAND_SPEED * leg), max(2, round(_SHORTEST_STAND_S * fps)))


def _long_enough(mask: Mask, frames: int) -> Mask:
    """``mask`` ``[T, 2]`` without the runs of fewer than ``frames`` frames."""
    kept = np.zeros_like(mask)
    for foot in range(mask.shape[1]):
        for start, stop in runs(mask[:, foot]):
            kept[start:stop, foot] = stop - start >= frames
    return kept


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Start and end (excluded) of each run of true in ``mask`` ``[T]``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def planted(ankles: Array, standing: Mask) -> Array:
    """Where the ankles should be ``[T, 2, 3]``: each stand on one spot of the ground, eased from stand to stand.

    Args:
        ankles: ``[T, 2, 3]`` where they are.
        standing: ``[T, 2]`` from `stands`.
    """
    wanted = ankles.copy()
    frames = np.arange(len(ankles))
    for foot in range(ankles.shape[1]):
        on = standing[:, foot]
        if not on.any():
            continue
        shift = np.zeros((len(ankles), 2))
        for start, stop in runs(on):
            shift[start:stop] = ankles[start:stop, foot, :2].mean(axis=0) - ankles[start:stop, foot, :2]
        for axis in range(2):
            wanted[:, foot, axis] += np.interp(frames, frames[on], shift[on, axis])
    return wanted


def reach(hip: Array, knee: Array, ankle: Array, target: Array) -> tuple[Array, Array]:
    """Turns of thigh and shin that bring the ankle to its target, the knee staying on its side.

    Args:
        hip: ``[..., 3]`` where the leg hangs; it stays.
        knee: ``[..., 3]``.
        ankle: ``[..., 3]``.
        target: ``[..., 3]`` where the ankle should be; out of reach, the leg points there.

    Returns:
        World turns of thigh and of shin ``[..., 4]``, to be applied after the bones' own.
    """
    upper = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    lower = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)
    to_target = target - hip
    distance = np.clip(
        np.linalg.norm(to_target, axis=-1, keepdims=True), np.abs(upper - lower) + 1e-6, (upper + lower) * _REACH
    )
    ahead = quat.unit(to_target)
    cosine = np.clip((upper**2 + distance**2 - lower**2) / np.maximum(2 * upper * distance, 1e-9), -1.0, 1.0)
    new_knee = hip + upper * (cosine * ahead + np.sqrt(1 - cosine**2) * _knee_side(hip, knee, ankle, ahead))
    thigh = quat.between(knee - hip, new_knee - hip)
    shin = quat.between(ankle - knee, hip + distance * ahead - new_knee)
    return thigh, shin


def _knee_side(hip: Array, knee: Array, ankle: Array, ahead: Array) -> Array:
    """Unit direction ``[..., 3]`` square to ``ahead`` in which the knee points, carried along with the leg."""
    along = quat.unit(ankle - hip)
    side = (knee - hip) - np.sum((knee - hip) * along, axis=-1, keepdims=True) * along
    carried = quat.rotate(quat.between(along, ahead), side)
    return quat.unit(carried - np.sum(carried * ahead, axis=-1, keepdims=True) * ahead)
