# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting an encoder's first hits in order by exact alignment."""

from __future__ import annotations

import numpy as np

from hums_engine.normalize import normalize
from training.reranking import CANDIDATES, RerankedRow
from training.rows import Floats, Motions, exact_dtw

from .synthetic_motions import swinging

GALLERY = [normalize(swinging(kind, example)) for kind in range(6) for example in range(5)]
QUERIES = [normalize(swinging(kind, 9)) for kind in range(6)]


class Even:
    """Signs motions with nothing that tells them apart but their place in a list."""

    def encode(self, motions: Motions) -> Floats:
        angle = np.linspace(0.0, 1.0, len(motions), dtype=np.float32)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)


class Height:
    """Signs motions by how high the hands and feet are on average: rough, but of the motion."""

    def encode(self, motions: Motions) -> Floats:
        means = np.stack([motion.joints[:, [10, 11, 20, 21], 2].mean(axis=0) for motion in motions])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def test_among_the_candidates_the_order_is_that_of_exact_alignment_and_the_rest_comes_behind() -> None:
    row = RerankedRow(Height())
    row.index(GALLERY)
    found, exact = row(QUERIES, GALLERY), exact_dtw(QUERIES, GALLERY)
    aligned = found < 50.0
    assert (aligned.sum(axis=1) == CANDIDATES).all()
    np.testing.assert_allclose(found[aligned], exact[aligned], rtol=1e-3, atol=1e-4)
    nearest = exact.argmin(axis=1)
    reached = aligned[np.arange(len(QUERIES)), nearest]
    assert (found.argmin(axis=1) == nearest)[reached].all()
    assert reached.sum() >= 4


def test_what_the_signatures_miss_no_alignment_brings_back() -> None:
    row = RerankedRow(Even())
    found = row(QUERIES[:1], GALLERY)
    assert set(np.flatnonzero(found[0] < 50.0)) == set(range(CANDIDATES)), "the nearest to the first query's angle"


def test_another_gallery_is_indexed_anew() -> None:
    row = RerankedRow(Height())
    row.index(GALLERY)
    some = GALLERY[3:]
    np.testing.assert_allclose(row(QUERIES, some).min(axis=1), RerankedRow(Height())(QUERIES, some).min(axis=1))
