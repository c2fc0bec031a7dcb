# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of dynamic time warping, filled for many pairs at once: how well a pattern fits a text up to each frame.

Müller, "Information Retrieval for Music and Motion" (2007), section 4.4, with the steps (1,1), (2,1) and (1,2):
a pattern ``[n]`` is laid whole into a text ``[m]``, ``m >= n``, whose ends are open. No step stays within a row, so a
row is computed at once for all frames of all texts. The pairs are the last axis: a step in time is then a step from
block to block, and NumPy runs through a whole row without stopping at its pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS: Final = 2.0**20
"""Of a metre, in which costs are counted: 128 frames of 10 m each then leave 20 bits of a float64 for a fraction."""
_STARTS: Final = 2.0**20
"""Frames that a text may have, more than a day's: a start is told by so small a fraction of a step."""

Costs = NDArray[np.float32]
"""Distances ``[n, m, B]`` of frames in whole half steps, even where a step counts them once; infinite behind the end of
a text."""


def costs(squares: NDArray[np.float32]) -> Costs:
    """What squared distances in metres are as `Costs`, in their place; those below zero are rounding errors."""
    np.abs(squares, out=squares)
    np.sqrt(squares, out=squares)
    squares *= np.float32(STEPS / 2.0)
    return np.rint(squares, out=squares)


def totals(table: Costs, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """The cost ``[m, B]`` of the best way that ends at each frame of a text, through ``rows`` ``[B]`` of its pattern.

    Whole steps, and as a fraction the frame where the way begins: the least of three brings its start along, and of
    equal ones it is the first. See `parted`.
    """
    ending = set(rows.tolist())
    if len(ending) == 1:
        *_, last = _rows(table[: rows[0]], int(rows[0]))
        return last
    last = np.full(table.shape[1:], np.inf)
    for row, total in enumerate(_rows(table, int(rows.min())), 1):
        if row in ending:
            last[:, rows == row] = total[:, rows == row]
    return last


def parted(totals: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Totals as metres, infinite where nothing ends, and the frames where they begin."""
    steps = np.floor(totals)
    start = np.zeros_like(totals)
    np.subtract(totals, steps, out=start, where=np.isfinite(totals))
    return steps / STEPS, (start * _STARTS).astype(np.intp)


def _rows(table: Costs, shortest: int) -> Iterator[NDArray[np.float64]]:
    """The rows ``[m, B]`` of the table, one after another in one place; infinite where no way leads.

    Frames from which the text is too short for what is left of the ``shortest`` pattern are not computed.
    """
    rows, length, pairs = table.shape
    total, way, double, best, cost = (np.full((length, pairs), np.inf) for _ in range(5))
    np.add(2.0 * table[0], np.arange(length)[:, None] / _STARTS, out=total)
    yield total
    for row in range(1, rows):
        first, stop = (row + 1) // 2, length - max(shortest - 1 - row, 0) // 2
        half, one, two, least = cost[first:stop], way[first:stop], double[first:stop], best[first:stop]
        np.copyto(half, table[row, first:stop])
        np.add(total[first - 1 : stop - 1], half, out=one)  # one frame of either, the other half of its cost to come
        if row % 2:
            total[first - 1] = way[first - 1] = np.inf  # left behind
        np.minimum(one, way[first - 1 : stop - 1], out=least)  # or two frames of the text, each by half
        np.add(two, half, out=two)  # or two of the pattern
        np.minimum(least, two, out=least)
        np.add(least, half, out=total[first:stop])
        np.add(one, half, out=two)
        yield total
