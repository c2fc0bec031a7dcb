# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model's card says of its figures."""

from __future__ import annotations

from typing import Any

import pytest

from training.card import make_card, metrics_of
from training.signature import SignatureSettings

CELL = {"top_1": 1.0, "top_10": 0.9, "mean_ap": 0.95, "dtw_mm": None, "query_ms": 2.0, "precision": [1.0, 0.5]}
EVALUATION: dict[str, Any] = {
    "rows": {"ours": {}, "theirs": {}},
    "protocols": {
        "hdm05-11": {"rows": {"ours": {"clean": CELL, "35 % joints missing": CELL}, "theirs": {"clean": CELL}}},
        "mhad-xsub": {"rows": {"theirs": {"clean": CELL}}},
    },
}


def test_a_card_has_the_figures_of_its_own_row_and_no_curves() -> None:
    metrics = metrics_of(EVALUATION, "ours")
    assert metrics == {"hdm05-11": {"clean": {"top_1": 1.0, "top_10": 0.9, "mean_ap": 0.95}}}
    card = make_card(SignatureSettings(), "ours", "1.0", "words", metrics)
    assert card["metrics"] == metrics
    assert len(card["citations"]) == 2
    assert card["weaknesses"]


def test_a_row_that_was_not_evaluated_is_told_with_those_that_were() -> None:
    with pytest.raises(ValueError, match="no row 'mine'; name one of 'ours', 'theirs'"):
        metrics_of(EVALUATION, "mine")
