# SPDX-License-Identifier: GPL-3.0-or-later
"""The card of a model: what it is, what it learnt from, what may be done with it. It travels in the ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import data
from .fit import Settings
from .model import SIGNATURE
from .protocols import CONDITIONS

INPUT_LAYOUT = (
    "joints [N, T, 22, 3] float32: metres of the reference body after hums_engine.normalize, joints in SMPL's order, "
    "zero where missing; valid [N, 22] float32 of 1 and 0; length [N] int64: frames used of each row"
)

WEAKNESSES = {
    "signature": [
        "A motion and the same backwards have much in common: what is averaged over time forgets most of its order.",
        "Hands, faces and objects are not seen: a punch and a clap differ by the arms' path alone.",
        "Figures on the floor, upside down or on all fours are rare in the training data.",
        "Speeds beyond a third or three times that of the training data were not seen.",
        "Of a body with neither hips nor pelvis nothing can be said.",
    ],
}
_ON_CARD = ("top_1", "top_10", "mean_ap", "dtw_mm")


def make_card(
    settings: Settings, name: str, version: str, description: str, metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """The card of an encoder trained with ``settings``; ``metrics`` are those of `evaluate`."""
    return {
        "name": name,
        "version": version,
        "description": description,
        "recipe": settings.recipe,
        "seed": settings.seed,
        "steps": settings.steps,
        "training_data": list(settings.corpora),
        "left_out": list(settings.leave_out),
        "citations": [data.CORPORA[corpus].citation for corpus in settings.corpora],
        "licence": "GPL-3.0-or-later",
        "input_layout": INPUT_LAYOUT,
        "fps": 30,
        "dimension": SIGNATURE,
        "metrics": dict(metrics),
        "weaknesses": WEAKNESSES.get(settings.recipe, []),
    }


def metrics_of(evaluation: Mapping[str, Any], row: str) -> dict[str, Any]:
    """What a card says of a row of ``evaluation.json``: by protocol and condition top-1, top-10, mAP and aligned error.

    Raises:
        ValueError: the evaluation has no such row.
    """
    found = {
        protocol: {
            condition: {name: cell[name] for name in _ON_CARD if cell.get(name) is not None}
            for condition, cell in measured["rows"][row].items()
            if condition in CONDITIONS
        }
        for protocol, measured in evaluation.get("protocols", {}).items()
        if row in measured["rows"]
    }
    if not found:
        rows = ", ".join(f"'{name}'" for name in evaluation.get("rows", {}))
        raise ValueError(f"The evaluation has no row '{row}'; name one of {rows} with --row.")
    return found
