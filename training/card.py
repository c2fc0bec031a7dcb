# SPDX-License-Identifier: GPL-3.0-or-later
"""The card of a model: what it is, what it learnt from, what may be done with it. It travels in the ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import data
from .fit import Settings
from .model import SIGNATURE

INPUT_LAYOUT = (
    "joints [N, T, 22, 3] float32: metres of the reference body after hums_engine.normalize, joints in SMPL's order, "
    "zero where missing; valid [N, 22] float32 of 1 and 0; length [N] int64: frames used of each row"
)


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
    }
