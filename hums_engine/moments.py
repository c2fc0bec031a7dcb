# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments: the stretches of a clip that have signatures of their own, so that an excerpt finds its take."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOWS_S: Final = (1.0, 2.0, 4.0)
"""Lengths of the stretches: an excerpt of 0.7 to 5.6 s is within a factor of the root of two of one of them."""
OVERLAP: Final = 0.5


def windows(duration_s: float) -> NDArray[np.float64]:
    """Start and end ``[M, 2]`` of the stretches of a clip, seconds.

    Each length steps by half of itself and ends flush with the clip. A length that the clip hardly exceeds is left
    out, since the clip's own signature stands for it.
    """
    found = [np.empty((0, 2))]
    for length in WINDOWS_S:
        if duration_s > length * 1.25:
            hop = length * (1.0 - OVERLAP)
            count = int(np.ceil((duration_s - length) / hop - 1e-9)) + 1
            starts = np.minimum(np.arange(count) * hop, duration_s - length)
            found.append(np.column_stack([starts, starts + length]))
    return np.concatenate(found)


def without_overlaps(start_s: NDArray[np.floating], end_s: NDArray[np.floating], limit: int) -> list[int]:
    """Indices of at most ``limit`` stretches, best first as they are listed, none mostly inside one before it."""
    kept: list[int] = []
    for i in range(len(start_s)):
        shared = np.minimum(end_s[i], end_s[kept]) - np.maximum(start_s[i], start_s[kept])
        shorter = np.minimum(end_s[i] - start_s[i], end_s[kept] - start_s[kept])
        if not np.any(shared > 0.5 * shorter):
            kept.append(i)
        if len(kept) == limit:
            break
    return kept
