# SPDX-License-Identifier: GPL-3.0-or-later
"""Retrieval metrics on rankings small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.metrics import RECALL_LEVELS, retrieval


def test_figures_are_those_counted_by_hand() -> None:
    distance = np.array([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]])
    gallery = ["walk", "jump", "walk", "jump"]
    figures = retrieval(distance, ["walk", "jump"], gallery)
    assert figures.top_1 == 0.5
    assert figures.top_10 == 0.5, "four hits, two of them right"
    assert figures.mean_ap == pytest.approx(((1 + 2 / 3) / 2 + (1 / 2 + 2 / 4) / 2) / 2)
    at_recall_one = figures.precision[RECALL_LEVELS == 1.0]
    assert at_recall_one == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_perfect_ranking_scores_one_and_a_query_may_not_find_itself() -> None:
    distance = np.array([[np.inf, 0.1, 0.9], [0.1, np.inf, 0.9], [0.5, 0.5, np.inf]])
    figures = retrieval(distance, [0, 0, 1], [0, 0, 1])
    assert figures.mean_ap == 1.0, "the third query has no other of its class and is left out"
    assert figures.top_1 == 1.0


def test_labels_without_a_match_are_an_error() -> None:
    with pytest.raises(ValueError, match="labels"):
        retrieval(np.ones((1, 2)), ["a"], ["b", "c"])
