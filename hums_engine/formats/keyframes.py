# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys at any times to frames at even ones."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import quat

_SLOWEST: Final = 20.0
_FASTEST: Final = 240.0
_USUAL: Final = 30.0
_SAME_TIME_S: Final = 1e-4
_NEARLY_WHOLE: Final = 0.005  # of a rate: key times are written in few digits
_ONE_STEP_S: Final = 1e-5  # by which a frame may miss the time of a step, for rounding

Array = NDArray[np.float64]


def frame_rate(key_times: Array) -> float:
    """Frames a second of a take, from all its key times in seconds: the inverse of the median step between them.

    A rate within a two-hundredth of a whole one is the whole one. Keys so thin that they cannot be all frames
    give 30; keys nearer than those of the fastest captures give 240.
    """
    times = np.unique(key_times)
    steps = np.diff(times)
    steps = steps[steps > _SAME_TIME_S]
    if not len(steps) or (rate := 1.0 / float(np.median(steps))) < _SLOWEST * (1 - _NEARLY_WHOLE):
        return _USUAL
    rate = min(rate, _FASTEST)
    return float(round(rate)) if abs(rate - round(rate)) < _NEARLY_WHOLE * rate else rate


def interpolated(keys: Array, values: NDArray[np.floating], mode: str, turns: bool, at: Array) -> Array:
    """Values ``[K, C, width]`` (of splines ``[3 K, ...]``) of keys at seconds ``[K]``, at the times ``at`` ``[T]``.

    Before the first key and after the last it is that key's value (glTF 2.0, appendix C, which also names the modes).
    """
    late = at + _ONE_STEP_S if mode == "STEP" else at
    after = np.minimum(np.searchsorted(keys, late, side="right"), len(keys) - 1)
    before = np.maximum(np.searchsorted(keys, late, side="right") - 1, 0)
    step = keys[after] - keys[before]
    part = np.clip((at - keys[before]) / np.where(step > 0, step, 1.0), 0.0, 1.0)
    if mode == "CUBICSPLINE":
        found = _spline(values.astype(np.float64), before, after, step[:, None, None], part[:, None, None])
        return quat.normalize(found) if turns else found
    first = values[before].astype(np.float64)
    if mode == "STEP":
        return quat.normalize(first) if turns else first
    last = values[after].astype(np.float64)
    if turns:
        return quat.slerp(quat.normalize(first), quat.normalize(last), part[:, None])
    return first + part[:, None, None] * (last - first)


def _spline(values: Array, before: NDArray[np.intp], after: NDArray[np.intp], step: Array, part: Array) -> Array:
    """Cubic Hermite splines; of each key there are the tangent into it, its value and the tangent out of it."""
    square, cube = part**2, part**3
    return (
        (2 * cube - 3 * square + 1) * values[3 * before + 1]
        + step * (cube - 2 * square + part) * values[3 * before + 2]
        + (3 * square - 2 * cube) * values[3 * after + 1]
        + step * (cube - square) * values[3 * after]
    )
