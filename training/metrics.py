# SPDX-License-Identifier: GPL-3.0-or-later
"""Retrieval metrics from a matrix of distances: top-n accuracy, mean average precision, precision over recall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

RECALL_LEVELS = np.linspace(0.0, 1.0, 21)


class Retrieval(NamedTuple):
    """How well queries find their own class.

    Attributes:
        top_1: share of the queries whose first hit is of their class.
        top_10: mean share of the first ten hits that are of the query's class (the paper's top-n accuracy).
        mean_ap: mean over the queries of the average precision over the whole gallery.
        precision: ``[21]`` interpolated precision at recall 0, .05 ... 1, mean over the queries.
    """

    top_1: float
    top_10: float
    mean_ap: float
    precision: NDArray[np.float64]


def retrieval(distance: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike) -> Retrieval:
    """Ranks the gallery for every query, nearest first, and counts the hits of the query's class.

    Queries whose class the gallery lacks are left out.

    Args:
        distance: ``[Q, G]``, smaller is more similar; infinite for what must not be found (the query itself).
        query_labels: ``[Q]``.
        gallery_labels: ``[G]``.

    Raises:
        ValueError: no query has its class in the gallery.
    """
    distance = np.asarray(distance, dtype=np.float64)
    relevant = np.asarray(query_labels)[:, None] == np.asarray(gallery_labels)[None, :]
    relevant &= np.isfinite(distance)
    answerable = relevant.any(axis=1)
    if not answerable.any():
        raise ValueError("No query has its class in the gallery; check the labels.")
    order = np.argsort(distance[answerable], axis=1, kind="stable")
    hits = np.take_along_axis(relevant[answerable], order, axis=1)
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    average = (precision * hits).sum(axis=1) / hits.sum(axis=1)
    return Retrieval(
        top_1=float(hits[:, 0].mean()),
        top_10=float(hits[:, :10].mean()),
        mean_ap=float(average.mean()),
        precision=_over_recall(hits, precision).mean(axis=0),
    )


def _over_recall(hits: NDArray[np.bool_], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """Best precision ``[Q, 21]`` at or beyond each level of recall."""
    recall = hits.cumsum(axis=1) / hits.sum(axis=1, keepdims=True)
    best_beyond = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    first = (recall[:, None, :] >= RECALL_LEVELS[None, :, None] - 1e-9).argmax(axis=2)
    return np.take_along_axis(best_beyond, first, axis=1)
