# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer keys: as few of a clip's frames as keep every frame within an error that a person names.

After Douglas and Peucker (1973), on all spans between keys at once: where the curve through the keys is farther off
than allowed, the worst frame of each such span becomes a key, until none is. The error is measured on what Blender
would make of the channels between the keys - degrees of the rotation, not differences of its numbers. Spans are
straight lines, or cubic ones that fit the motion best in the sense of least squares. Handles a third of a span away
from its keys make Blender's Bezier curve that same cubic in time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat, rotation_modes

Array = NDArray[np.float64]
Error = Callable[[Array], Array]

_FEWEST: Final = 4
"""Spans of fewer frames are straight: their inner frames do not tell two slopes."""


class KeptKeys(NamedTuple):
    """The frames that are keys, and how the curve goes from one to the next.

    Attributes:
        frames: ``[N]`` indices of frames, rising, the first and the last among them.
        leaving: ``[N - 1, C]`` slope of each span at its start, per frame; None where spans are straight.
        arriving: ``[N - 1, C]`` slope of each span at its end, likewise.
    """

    frames: NDArray[np.intp]
    leaving: Array | None = None
    arriving: Array | None = None


def reduce_rotation(values: Array, mode: str, most_rad: float, smooth: bool) -> KeptKeys:
    """Keys of a rotation's channels ``[T, C]`` that keep every frame within ``most_rad`` radians.

    Args:
        values: the channels, without jumps between frames.
        mode: Blender's rotation mode, which says what they are.
        most_rad: the largest error of any frame.
        smooth: cubic spans instead of straight ones.
    """
    truth = rotation_modes.to_quaternions(values, mode)

    def off(made: Array) -> Array:
        return quat.angle(rotation_modes.to_quaternions(made, mode), truth)

    return _reduced(values, off, most_rad, smooth)


def reduce_vector(values: Array, most: float, smooth: bool) -> KeptKeys:
    """Keys of a location's channels ``[T, C]`` that keep every frame within a distance of ``most`` (their unit)."""
    return _reduced(values, lambda made: np.linalg.norm(made - values, axis=-1), most, smooth)


def _reduced(values: Array, off: Error, most: float, smooth: bool) -> KeptKeys:
    last = len(values) - 1
    if last < 1:
        return KeptKeys(np.arange(len(values)))
    fit = _smooth if smooth else _straight
    kept = fit(values, np.array([0, last], dtype=np.intp))
    while len(kept.frames) <= last:
        more = _worst_frames(off(between(values, kept)), kept.frames, most)
        if not len(more):
            break
        kept = fit(values, np.union1d(kept.frames, more))
    return kept


def _worst_frames(off: Array, keys: NDArray[np.intp], most: float) -> NDArray[np.intp]:
    """The frame that is farthest off in every span between two keys that holds one farther off than ``most``."""
    worst = np.maximum.reduceat(off[:-1], keys[:-1])
    span = np.repeat(np.arange(len(worst)), np.diff(keys))
    frames = np.flatnonzero((off[:-1] > most) & (off[:-1] == worst[span]))
    _, first = np.unique(span[frames], return_index=True)
    return np.setdiff1d(frames[first], keys)


def between(values: Array, kept: KeptKeys) -> Array:
    """What the curves through the kept keys of ``values`` ``[T, C]`` give at every frame ``[T, C]``."""
    span, t, start, rise = _spans(values, kept.frames)
    if kept.leaving is None or kept.arriving is None:
        return start + t * rise
    length = np.diff(kept.frames)[span, None]
    a, b = kept.leaving[span] * length, kept.arriving[span] * length
    return start + t * (a + t * (3.0 * rise - 2.0 * a - b + t * (a + b - 2.0 * rise)))


def _spans(values: Array, keys: NDArray[np.intp]) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """For every frame: its span ``[T]``, how far along that it is ``[T, 1]``, and the span's start and rise."""
    frames = np.arange(len(values))
    span = np.minimum(np.searchsorted(keys, frames, side="right") - 1, len(keys) - 2)
    first, last = keys[span], keys[span + 1]
    t = ((frames - first) / (last - first))[:, None]
    return span, t, values[first], values[last] - values[first]


def _straight(_values: Array, keys: NDArray[np.intp]) -> KeptKeys:
    return KeptKeys(keys)


def _smooth(values: Array, keys: NDArray[np.intp]) -> KeptKeys:
    """The cubic (Hermite) spans through the keys whose slopes fit the frames between best.

    With ends fixed, each span is a least-squares problem of two unknowns, its slopes; all are solved at once.
    """
    _, t, start, rise = _spans(values, keys)
    left, right = t * (1.0 - t) ** 2, -t * t * (1.0 - t)
    rest = values - start - rise * (t * t * (3.0 - 2.0 * t))

    def total(x: Array) -> Array:
        return np.add.reduceat(x[:-1], keys[:-1], axis=0)

    ll, rr, lr, lv, rv = (total(x) for x in (left * left, right * right, left * right, left * rest, right * rest))
    length = np.diff(keys)[:, None]
    short = length < _FEWEST
    steady = values[keys[1:]] - values[keys[:-1]]
    divisor = np.where(short, 1.0, ll * rr - lr * lr) * length
    leaving = np.where(short, steady / length, (lv * rr - rv * lr) / divisor)
    arriving = np.where(short, steady / length, (rv * ll - lv * lr) / divisor)
    return KeptKeys(keys, leaving, arriving)
