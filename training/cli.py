# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums-train``: fit an encoder, evaluate encoders, export one to ONNX."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import data
from .deephums import DeepHuMSRecipe, DeepHuMSSettings
from .fit import DivergedError, Recipe, Settings, fit
from .motion_set import MotionSet

RECIPES: dict[str, tuple[type[Settings], Callable[..., Recipe]]] = {"deephums": (DeepHuMSSettings, DeepHuMSRecipe)}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it is done, 2 when it could not be."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (DivergedError, ValueError, OSError) as error:
        print(f"hums-train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hums-train: stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hums-train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fitting = commands.add_parser("fit", help="train an encoder, or go on with one")
    fitting.add_argument("folder", type=Path, help="run folder; one with a checkpoint is gone on with")
    fitting.add_argument("--recipe", choices=sorted(RECIPES), default="deephums")
    fitting.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as seed=1")
    _add_data(fitting)
    fitting.set_defaults(run=_fit)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a corpus (cmu, mhad, hdm05)")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where read motions are kept")


def _fit(arguments: argparse.Namespace) -> None:
    kind, recipe = RECIPES[arguments.recipe]
    settings = changed(kind(), arguments.set)
    motions = training_set(settings, arguments.data, arguments.cache)

    def make() -> Recipe:
        return recipe(settings, motions)

    fit(settings, make, arguments.folder)
    print(f"Trained on {len(motions)} motions; the weights are in {arguments.folder / 'model.pt'}.")


def training_set(settings: Settings, folder: Path, cache: Path) -> MotionSet:
    """The motions that a run may learn from: its corpora without the subjects left out."""
    takes = [take for name in settings.corpora for take in data.load(folder, name, cache)]
    takes = [take for take in takes if take.split != "test" and not data.is_left_out(take, settings.leave_out)]
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
