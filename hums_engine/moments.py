# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments: the stretches of a clip that have signatures of their own, so that an excerpt finds its take."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOWS_S: Final = (1.0, 2.0, 4.0)
"""Lengths of the stretches: an excerpt of 0.7 to 5.6 s is within a factor of the root of two of one of them."""
OVERLAP: Final = 0.5
_PIECES: Final = 16
_HAIR: Final = 1e-4
"""Of a step: more than what single precision, in which durations are stored, moves one by."""
_AT_ONCE: Final = 256  # stretches of a long take, which may have thousands, that are compared with those chosen
_HARDLY: Final = 1.25  # times a length: what is no longer than that is taken as one piece of it

TOUCH: Final = 0.25
"""Share of the shorter of two stretches that they may have in common: the end of one turn is the next one's begin."""
LONG_S: Final = _HARDLY * WINDOWS_S[-1]
"""What lasts longer is taken in pieces of the longest length."""


def windows(duration_s: float) -> NDArray[np.float64]:
    """Start and end ``[M, 2]`` of the stretches of a clip, seconds.

    Each length steps by half of itself and ends flush with the clip. A length that the clip hardly exceeds is left
    out, since the clip's own signature stands for it.
    """
    found = [np.empty((0, 2))]
    for length in WINDOWS_S:
        steps = np.arange(int(_count(duration_s, length)))
        starts = np.minimum(steps * length * (1.0 - OVERLAP), duration_s - length)
        found.append(np.column_stack([starts, starts + length]))
    return np.concatenate(found)


def _count(duration_s: ArrayLike, length: float) -> NDArray[np.int64]:
    """How many stretches of a length clips have; a hair's breadth of a step is not worth one more."""
    duration_s = np.asarray(duration_s, dtype=np.float64)
    steps = np.ceil((duration_s - length) / (length * (1.0 - OVERLAP)) - _HAIR).astype(np.int64)
    return np.where(duration_s > length * _HARDLY, steps + 1, 0)


def pieces(start_s: float, end_s: float) -> NDArray[np.float64]:
    """Start and end ``[P, 2]`` of pieces, as long as the longest stretches, that a long stretch is taken in."""
    count = min(int(np.ceil(2.0 * (end_s - start_s) / WINDOWS_S[-1])), _PIECES)
    starts = np.linspace(start_s, end_s - WINDOWS_S[-1], count)
    return np.column_stack([starts, starts + WINDOWS_S[-1]])


def nearest_window(
    duration_s: NDArray[np.floating], start_s: NDArray[np.floating], end_s: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Which of a clip's stretches has most in common with a given one, relative to what either covers.

    Args:
        duration_s: ``[N]`` of the clips.
        start_s: ``[N]`` of the given stretches.
        end_s: ``[N]`` of the given stretches.

    Returns:
        ``[N]`` rows of what `windows` gives for the clips; -1 where the whole clip has most in common.
    """
    best, shared = np.full(len(duration_s), -1), (end_s - start_s) / np.maximum(duration_s, _HAIR)
    before = np.zeros(len(duration_s), dtype=np.int64)
    for length in WINDOWS_S:
        count, hop = _count(duration_s, length), length * (1.0 - OVERLAP)
        number = np.clip(
            np.rint(((start_s + end_s - length) / 2.0) / hop).astype(np.int64), 0, np.maximum(count - 1, 0)
        )
        for row in (number, np.maximum(count - 1, 0)):  # the last one lies off the grid
            start = np.minimum(row * hop, duration_s - length)
            common = np.minimum(end_s, start + length) - np.maximum(start_s, start)
            share = common / np.maximum(np.maximum(end_s, start + length) - np.minimum(start_s, start), _HAIR)
            better = (count > 0) & (share > shared)
            best, shared = np.where(better, before + row, best), np.where(better, share, shared)
        before += count
    return best


def without_overlaps(start_s: NDArray[np.number], end_s: NDArray[np.number], limit: int) -> list[int]:
    """Indices of at most ``limit`` stretches, best first as they are listed, that hardly overlap with one before."""
    kept: list[int] = []
    for first in range(0, len(start_s), _AT_ONCE):
        some = np.arange(first, min(first + _AT_ONCE, len(start_s)))
        left = some[~_overlap(start_s[some, None], end_s[some, None], start_s[kept], end_s[kept]).any(axis=1)]
        while len(left) and len(kept) < limit:
            best, left = left[0], left[1:]
            kept.append(int(best))
            left = left[~_overlap(start_s[left], end_s[left], start_s[best], end_s[best])]
    return kept


def _overlap(start: NDArray, end: NDArray, other_start: NDArray, other_end: NDArray) -> NDArray[np.bool_]:
    """Whether stretches have more in common with others than they may."""
    shared = np.minimum(end, other_end) - np.maximum(start, other_start)
    return shared > TOUCH * np.minimum(end - start, other_end - other_start)
