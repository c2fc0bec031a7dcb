# SPDX-License-Identifier: GPL-3.0-or-later
"""One period of a motion that repeats itself: the query that a signature must find among takes of many periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hums_engine.canonical import CanonicalMotion
from hums_engine.normalize import FPS, normalize

from .rows import poses

_SHORTEST_S = 0.3
_SAME = 0.5  # of the way from the best return to a pose to the mean: what is nearer counts as a return


def period_s(motion: CanonicalMotion) -> float:
    """After how many seconds a motion does the same again; half its duration where it never does.

    The first lag at which poses, on average, have come back about as near as they ever do.
    """
    gap = _gap_by_lag(np.nan_to_num(poses(normalize(motion))))
    least = round(_SHORTEST_S * FPS)
    if len(gap) <= least + 2:
        return motion.duration_s / 2.0
    inner = gap[1:-1]
    returns = np.flatnonzero((inner <= gap[:-2]) & (inner < gap[2:])) + 1
    returns = returns[returns >= least]
    if not len(returns):
        return motion.duration_s / 2.0
    nearest = gap[returns].min()
    near = nearest + _SAME * max(gap.mean() - nearest, 0.0)
    return float(returns[gap[returns] <= near][0] / FPS)


def one_period(motion: CanonicalMotion) -> CanonicalMotion:
    """The period in the middle of a motion."""
    length = period_s(motion)
    start = (motion.duration_s - length) / 2.0
    return motion.cut(start, start + length)


def _gap_by_lag(frames: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean squared distance ``[T // 2]`` of frames ``[T, F]`` from those so many frames later."""
    return np.array(
        [np.square(frames[lag:] - frames[: len(frames) - lag]).sum(axis=1).mean() for lag in range(len(frames) // 2)]
    )
