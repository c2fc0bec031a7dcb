# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums-train``: fit an encoder, evaluate encoders, export one to ONNX."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hums_engine.errors import HumsError

from . import data
from .card import make_card
from .entries import baselines, chosen_entries
from .evaluate import evaluate
from .export import export
from .fit import DivergedError, Recipe, Settings, fit
from .motion_set import MotionSet
from .protocols import CONDITIONS, PROTOCOLS, SEVERITIES
from .provenance import TrainingData
from .recipes import RECIPES, load_run
from .report import markdown, save


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it is done, 1 when it is with failures told, 2 when it could not be."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (DivergedError, HumsError, ValueError, OSError) as error:
        print(f"hums-train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hums-train: stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hums-train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fitting = commands.add_parser("fit", help="train an encoder, or go on with one")
    fitting.add_argument("folder", type=Path, help="run folder; one with a checkpoint is gone on with")
    fitting.add_argument("--recipe", choices=sorted(RECIPES), default="deephums")
    fitting.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, such as seed=1")
    _add_data(fitting)
    fitting.set_defaults(run=_fit)
    evaluating = commands.add_parser("evaluate", help="compare encoders and baselines on the protocols")
    evaluating.add_argument("models", type=Path, nargs="*", help="run folders or .onnx files, a row each")
    evaluating.add_argument(
        "--row", action="append", default=[], metavar="NAME=MODEL,MODEL", help="one row of models that differ by seed"
    )
    evaluating.add_argument("--protocol", action="append", choices=sorted(PROTOCOLS), help="hdm05-11 and mhad-xsub")
    evaluating.add_argument(
        "--condition", action="append", choices=[*CONDITIONS, *SEVERITIES], help="all of them without it"
    )
    evaluating.add_argument("--out", type=Path, default=Path("runs/evaluation"), help="folder of tables and pictures")
    evaluating.add_argument("--no-baselines", action="store_true", help="the models alone")
    _add_data(evaluating)
    evaluating.set_defaults(run=_evaluate)
    exporting = commands.add_parser("export", help="write a trained encoder as ONNX, checked against torch")
    exporting.add_argument("folder", type=Path, help="run folder")
    exporting.add_argument("out", type=Path, help="the .onnx file to write")
    exporting.add_argument("--name", default="", help="the model's name on its card; the run folder's without it")
    exporting.add_argument("--version", default="0.1.0")
    exporting.add_argument("--metrics", type=Path, help="JSON of hums-train evaluate, to stand on the card")
    exporting.set_defaults(run=_export)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder a corpus (cmu, mhad, hdm05)")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where read motions are kept")


def _fit(arguments: argparse.Namespace) -> int:
    kind = RECIPES[arguments.recipe]
    settings = changed(kind.settings(), arguments.set)
    motions = training_set(settings, arguments.data, arguments.cache)

    def make() -> Recipe:
        return kind.recipe(settings, motions, arguments.folder)

    fit(settings, make, arguments.folder)
    print(f"Trained on {len(motions)} motions; the weights are in {arguments.folder / 'model.pt'}.")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    torch.set_num_threads(1)  # times are those of one thread, for the encoders and for what they must beat
    entries = chosen_entries(arguments.models, arguments.row) + ([] if arguments.no_baselines else baselines())
    protocols = arguments.protocol or ["hdm05-11", "mhad-xsub"]
    evaluation = evaluate(entries, protocols, arguments.condition, arguments.data, arguments.cache)
    save(evaluation, arguments.out)
    print(markdown(evaluation))
    return 1 if evaluation.failures else 0


def _export(arguments: argparse.Namespace) -> int:
    settings, encoder, steps = load_run(arguments.folder)
    kind = RECIPES[settings.recipe]
    metrics = json.loads(arguments.metrics.read_text(encoding="utf-8")) if arguments.metrics else {}
    settings = dataclasses.replace(settings, steps=steps)
    name = arguments.name or arguments.folder.name
    card = make_card(settings, name, arguments.version, kind.description, metrics)
    difference = export(encoder, card, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"Wrote {arguments.out} ({size:.1f} MB, {steps} steps); it differs from torch by at most {difference:.1e}.")
    return 0


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
