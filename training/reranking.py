# SPDX-License-Identifier: GPL-3.0-or-later
"""A row that searches as a library does: signatures find candidates, exact alignment puts these in order."""

from __future__ import annotations

import numpy as np

from .rows import EncoderRow, Floats, Motions, aligned_distance, aligned_frames

CANDIDATES = 20
_BEYOND = 100.0  # metres: whatever was not aligned ranks behind whatever was


class RerankedRow(EncoderRow):
    """The ranking of an encoder, its first hits put in order by dynamic time warping, the measure of the exact row."""

    _frames: list[Floats]

    def index(self, gallery: Motions) -> None:
        """Keeps signatures and frames of a gallery, as a library does."""
        super().index(gallery)
        self._frames = [aligned_frames(motion) for motion in gallery]

    def __call__(self, queries: Motions, gallery: Motions) -> Floats:
        """Distances ``[Q, G]``: metres a joint of the aligned ones, the others behind them by their signatures."""
        if self._indexed is None or self._indexed[0] is not gallery:
            self.index(gallery)
        distances = super().__call__(queries, gallery)
        nearest = np.argsort(distances, axis=1)[:, :CANDIDATES]
        distances += _BEYOND
        for row, query, some in zip(distances, queries, nearest, strict=True):
            row[some] = aligned_distance([aligned_frames(query)] * len(some), [self._frames[i] for i in some])
        return distances
