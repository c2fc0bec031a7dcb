# SPDX-License-Identifier: GPL-3.0-or-later
"""Time sync: which second of a stretch that was found is like which second of the query.

The two are laid over each other frame by frame, as in the check of a search (`dtw`), and the path of the alignment is
kept: dynamic time warping with a slope between a half and two, on top of the difference in length (Sakoe and Chiba,
"Dynamic programming algorithm optimization for spoken word recognition", 1978).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import dtw
from .canonical import CanonicalMotion
from .errors import MappingError
from .normalize import FPS, normalize

Array = NDArray[np.float64]

_LONGEST: Final = 96
"""Frames that are compared at most; of longer motions every second one, and so on."""


def in_step(query: CanonicalMotion, stretch: CanonicalMotion) -> Array:
    """For each frame of the query at 30 frames a second, the second ``[T]`` of the stretch that is like it.

    The seconds never go back, and begin and end with the stretch. Where one of the two has no hips to compare by, time
    passes evenly.
    """
    count = max(round(query.duration_s * FPS), 0) + 1
    even = np.linspace(0.0, stretch.duration_s, count)
    try:
        asked, found = (dtw.frames(normalize(motion)) for motion in (query, stretch))
    except MappingError:
        return even
    size = min(count, len(found.values), _LONGEST)
    if size < 4:
        return even
    costs = _costs(asked, found, size)
    path = _path(costs)
    places = np.linspace(0.0, count - 1.0, size)
    return np.interp(np.arange(count), places, path / (size - 1.0) * stretch.duration_s)


def _costs(one: dtw.Frames, other: dtw.Frames, size: int) -> Array:
    """Distances ``[size, size]`` of frames taken evenly from both, over the features that both have."""
    a, b = (part.values[np.linspace(0, len(part.values) - 1, size).round().astype(np.intp)] for part in (one, other))
    shared = one.known * other.known
    return np.sqrt((((a[:, None] - b[None]) ** 2) * shared).sum(axis=-1) / max(float(shared.sum()), 1.0))


def _path(costs: Array) -> Array:
    """For each row of ``costs`` ``[n, n]`` the column that the cheapest path from corner to corner passes.

    A step goes on by one row and one column, by one row and two columns, or by two rows and one column.
    """
    size = len(costs)
    total = np.full((size + 2, size + 2), np.inf)  # two rows and columns of nothing before the first
    total[2, 2] = costs[0, 0]
    step = np.zeros((size, size), dtype=np.int8)
    for row in range(1, size):
        cost = costs[row]
        straight = total[row + 1, 1:-1] + cost
        fast = total[row + 1, :-2] + 0.5 * (cost + np.concatenate([[0.0], cost[:-1]]))
        slow = total[row, 1:-1] + costs[row - 1] + cost
        ways = np.stack([straight, fast, slow])
        step[row] = ways.argmin(axis=0)
        total[row + 2, 2:] = ways.min(axis=0)
    return _walked_back(step)


def _walked_back(step: NDArray[np.int8]) -> Array:
    """The columns ``[n]`` of the path that ends in the last corner; a row that it jumps lies half way."""
    path = np.full(len(step), np.nan)
    row = column = len(step) - 1
    while row > 0 and column > 0:
        path[row] = column
        kind = int(step[row, column])
        row, column = row - (2 if kind == 2 else 1), column - (2 if kind == 1 else 1)
    path[0] = 0.0
    known = np.flatnonzero(np.isfinite(path))
    return np.interp(np.arange(len(path)), known, path[known])
