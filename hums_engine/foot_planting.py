# SPDX-License-Identifier: GPL-3.0-or-later
"""Foot planting: feet that stand in the source stand on the rig.

When a rig's legs are of other proportions, feet that point as the source's do slide a little while they stand. Here the
frames at which a foot stands are read off the source, each stand gets one place on the ground, and the leg is bent to
reach it (`two_bones`). Where that is farther than legs should bend for, as on thighs much longer than shins, the hips
give way first. Between two stands the correction passes smoothly from one to the other, so nothing jumps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .smoothing import smoothed

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# In leg lengths: how fast a standing ankle may seem to move a second, and how far it may be above its lowest.
_STAND_SPEED: Final = 0.2
_STAND_HEIGHT: Final = 0.06
_STAND_DRIFT: Final = 0.05
"""In leg lengths: a foot that came farther than this from the middle of its stand has taken a step, however slowly."""
_SHORTEST_STAND_S: Final = 0.1
_STEP_S: Final = 0.15
_HIPS_SMOOTH_S: Final = 0.08
_LEGS_ALONE: Final = 0.02
"""In leg lengths: how far legs bring a foot over the ground before the hips give way for it."""
_MOST_GIVEN: Final = 0.05


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
    # the slower of the ways from the frame before and to the one after: where a foot lands or leaves, one is a step
    moved = np.linalg.norm(np.diff(ankles, axis=0), axis=-1) * fps
    speed = np.fmin(np.concatenate([moved[:1], moved]), np.concatenate([moved, moved[-1:]]))
    lowest = np.nanpercentile(ankles[..., 2], 5) if np.isfinite(ankles).any() else 0.0
    low = ankles[..., 2] < lowest + _STAND_HEIGHT * leg
    standing = low & (speed < _STAND_SPEED * leg)
    for foot in range(ankles.shape[1]):
        for start, stop in runs(standing[:, foot]):
            _part(standing[:, foot], ankles[:, foot, :2], speed[:, foot], (start, stop), leg, round(_STEP_S * fps))
    return _long_enough(standing, max(2, round(_SHORTEST_STAND_S * fps)))


def _part(on: Mask, places: Array, speed: Array, run: tuple[int, int], leg: float, step: int) -> None:
    """Takes a slow step out of a stand ``run`` of ``on`` ``[T]``, at its fastest frame, until neither part drifts."""
    start, stop = run
    off = np.linalg.norm(places[start:stop] - places[start:stop].mean(axis=0), axis=-1)
    if off.max() < _STAND_DRIFT * leg:
        return
    middle = start + int(np.argmax(speed[start:stop]))
    gap = max(middle - step // 2, start), min(middle + step // 2 + 1, stop)
    on[gap[0] : gap[1]] = False
    for part in ((start, gap[0]), (gap[1], stop)):
        if part[1] - part[0] > 1:
            _part(on, places, speed, part, leg, step)


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


def ground_given(ankles: Array, standing: Mask, leg: float, fps: float) -> Array:
    """How far the hips give way over the ground ``[T, 2]`` where standing feet stray farther than legs should bend for.

    Args:
        ankles: ``[T, 2, 3]`` where they are.
        standing: ``[T, 2]`` from `stands`.
        leg: length of the rig's legs, metres.
        fps: frames a second.
    """
    some = standing.any(axis=1)
    if not some.any():
        return np.zeros((len(ankles), 2))
    strayed = _strayed(ankles, standing).sum(axis=1) / np.maximum(standing.sum(axis=1), 1)[:, None]
    far = np.linalg.norm(strayed, axis=-1, keepdims=True)
    short: Array = strayed * np.maximum(1.0 - _LEGS_ALONE * leg / np.maximum(far, 1e-9), 0.0)
    given = smoothed(_through(short, some), _HIPS_SMOOTH_S * fps)
    return -_softly_within(given, _MOST_GIVEN * leg)


def planted(ankles: Array, heights: Array, standing: Mask, slack: float = 0.0, most: float = np.inf) -> Array:
    """Where the ankles should be ``[T, 2, 3]``: each stand on one spot of the ground, eased from stand to stand.

    Args:
        ankles: ``[T, 2, 3]`` where they are.
        heights: ``[T, 2]`` how high they should be while they stand.
        standing: ``[T, 2]`` from `stands`.
        slack: how far from that height they are left.
        most: how far over the ground they are brought at most; beyond it a foot slides.
    """
    short = heights - ankles[..., 2]
    up = short - np.clip(short, -slack, slack)
    back = -_softly_within(_strayed(ankles, standing), most)
    shift = np.concatenate([back, up[..., None]], axis=-1)
    wanted = ankles.copy()
    for foot in range(ankles.shape[1]):
        if standing[:, foot].any():
            wanted[:, foot] += _through(shift[:, foot], standing[:, foot])
    return wanted


def _strayed(ankles: Array, standing: Mask) -> Array:
    """How far over the ground ``[T, 2, 2]`` each standing foot is from the middle of its stand; 0 while it flies."""
    off = np.zeros((*ankles.shape[:2], 2))
    for foot in range(ankles.shape[1]):
        for start, stop in runs(standing[:, foot]):
            places = ankles[start:stop, foot, :2]
            off[start:stop, foot] = places - places.mean(axis=0)
    return off


def _softly_within(off: Array, most: float) -> Array:
    """``off`` ``[..., 2]`` no longer than ``most``, and smoothly so."""
    far = np.linalg.norm(off, axis=-1, keepdims=True)
    return off / (1.0 + (far / most) ** 4) ** 0.25


def _through(values: Array, known: Mask) -> Array:
    """``values`` ``[T, C]`` where they are known ``[T]``, and straight from one to the next between."""
    frames = np.arange(len(values))
    return np.stack([np.interp(frames, frames[known], column[known]) for column in values.T], axis=-1)
