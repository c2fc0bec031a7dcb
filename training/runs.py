# SPDX-License-Identifier: GPL-3.0-or-later
"""From a recipe's name and changed settings to a trained run folder, and from that to an ONNX file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import data
from .card import make_card
from .export import export
from .fit import Recipe, Settings, fit
from .motion_set import MotionSet
from .provenance import TrainingData
from .recipes import RECIPES, load_run


class Exported(NamedTuple):
    """An ONNX file that was written: its steps of training and its largest difference from torch."""

    steps: int
    difference: float


def train(settings: Settings, run: Path, folder: Path, cache: Path) -> int:
    """Trains a run, or goes on with one; the number of motions it learns from.

    Raises:
        DivergedError: the loss is no longer a number.
        ValueError: a corpus cannot be read, or the folder holds a run of other settings.
    """
    motions = training_set(settings, folder, cache)

    def make() -> Recipe:
        return RECIPES[settings.recipe].recipe(settings, motions, run)

    fit(settings, make, run)
    return len(motions)


def export_run(run: Path, out: Path, name: str, version: str, metrics: Mapping[str, Any]) -> Exported:
    """Writes the encoder of a run folder as ONNX, with its card.

    Raises:
        ValueError: the folder is not that of a run, its encoder has no ONNX form, or the file differs from torch.
    """
    settings, encoder, steps = load_run(run)
    description = RECIPES[settings.recipe].description
    card = make_card(dataclasses.replace(settings, steps=steps), name, version, description, metrics)
    return Exported(steps, export(encoder, card, out))


def training_set(settings: Settings, folder: Path, cache: Path) -> MotionSet:
    """The motions that a run may learn from: its corpora without the subjects left out."""
    learnt = TrainingData(settings.corpora, settings.leave_out)
    takes = [take for name in settings.corpora for take in data.load(folder, name, cache) if learnt.holds(take)]
    return MotionSet.of(data.normalized(takes), [f"{take.corpus}/{take.label}" if take.label else "" for take in takes])


def changed(settings: Settings, changes: Sequence[str]) -> Settings:
    """``settings`` with each ``name=value`` put in; lists are written with commas.

    Raises:
        ValueError: there is no setting of that name, or its value is of another kind.
    """
    values: dict[str, Any] = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in {field.name for field in dataclasses.fields(settings)}:
            raise ValueError(f"There is no setting '{name}' in the recipe {settings.recipe}.")
        before = getattr(settings, name)
        values[name] = _value(name, text, before)
    return dataclasses.replace(settings, **values)


def _value(name: str, text: str, before: object) -> object:
    if isinstance(before, str):
        return text
    if isinstance(before, tuple):
        return tuple(word for word in text.split(",") if word)
    kind = float if isinstance(before, float) else int
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"The setting {name} is a number ({kind.__name__}), not '{text}'.") from error
