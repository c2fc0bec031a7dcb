# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums-train``: fit an encoder, evaluate encoders, export one to ONNX, reproduce the whole table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from hums_engine.errors import HumsError, MissingDependencyError

from .card import metrics_of
from .entries import Entry, baselines, chosen_entries, reranked
from .evaluate import Evaluation, measure_protocol, new_evaluation, one_sentence
from .fit import DivergedError
from .measure_moments import measure_moments
from .moment_protocol import PROTOCOL as MOMENTS
from .protocols import CONDITIONS, PROTOCOLS, SEVERITIES
from .recipes import RECIPES
from .report import markdown, save
from .reproduce import PLAN, SEEDS, train_all
from .runs import changed, export_run, train

USUAL = ("hdm05-11", "mhad-xsub", "mhad-repetition", MOMENTS)
"""Protocols that are measured where none is asked for."""


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
    _add_evaluation(evaluating)
    evaluating.set_defaults(run=_evaluate)
    reproducing = commands.add_parser(
        "reproduce", help="train every row of the table that is missing, and evaluate all"
    )
    reproducing.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the run folders")
    reproducing.add_argument(
        "--only", action="append", choices=[planned.folder for planned in PLAN], help="these rows of the plan alone"
    )
    reproducing.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="of every row; 0 1 2 without it")
    reproducing.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting for all recipes that have it"
    )
    _add_evaluation(reproducing)
    reproducing.set_defaults(run=_reproduce)
    exporting = commands.add_parser("export", help="write a trained encoder as ONNX, checked against torch")
    exporting.add_argument("folder", type=Path, help="run folder")
    exporting.add_argument("out", type=Path, help="the .onnx file to write")
    exporting.add_argument("--name", default="", help="the model's name on its card; the run folder's without it")
    exporting.add_argument("--version", default="0.1.0")
    exporting.add_argument("--metrics", type=Path, help="evaluation.json whose figures shall stand on the card")
    exporting.add_argument("--row", default="", help="the model's row in it; its name without it")
    exporting.set_defaults(run=_export)
    return parser


def _add_evaluation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocol", action="append", choices=[*sorted(PROTOCOLS), MOMENTS], help=f"{', '.join(USUAL)} without it"
    )
    parser.add_argument(
        "--condition",
        action="append",
        choices=[*CONDITIONS, *SEVERITIES],
        help="all of them without it, where rows that are slow are measured on clean queries only",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation"), help="folder of tables and pictures")
    parser.add_argument("--rerank", action="store_true", help="the first row also with its first hits aligned")
    parser.add_argument("--no-baselines", action="store_true", help="the models alone")
    parser.add_argument("--no-curves", action="store_true", help="half the time: no severities between the conditions")
    parser.add_argument("--no-pictures", action="store_true", help="the tables alone")
    _add_data(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder a corpus: cmu, mhad, ntu ...")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where read motions are kept")


def _fit(arguments: argparse.Namespace) -> int:
    settings = changed(RECIPES[arguments.recipe].settings(), arguments.set)
    count = train(settings, arguments.folder, arguments.data, arguments.cache)
    print(f"Trained on {count} motions; the weights are in {arguments.folder / 'model.pt'}.")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    models = chosen_entries(arguments.models, arguments.row)
    if arguments.no_baselines and not models:
        raise ValueError("There is nothing to measure; name a model, or leave --no-baselines out.")
    return _measure(models, [], arguments)


def _reproduce(arguments: argparse.Namespace) -> int:
    plan = [planned for planned in PLAN if not arguments.only or planned.folder in arguments.only]
    trained = train_all(plan, arguments.seeds, arguments.set, arguments.runs, arguments.data, arguments.cache)
    return _measure(trained.entries, trained.failures, arguments)


def _measure(models: Sequence[Entry], failures: Sequence[str], arguments: argparse.Namespace) -> int:
    """Evaluates models beside the baselines and writes all that is to be seen of it."""
    draw = None if arguments.no_pictures else _painter()
    torch.set_num_threads(1)  # times are those of one thread, for the encoders and for what they must beat
    again = [reranked(models[0])] if arguments.rerank and models else []
    entries = [*models, *again, *([] if arguments.no_baselines else baselines())]
    protocols = arguments.protocol or USUAL
    thorough = bool(arguments.condition)
    conditions = arguments.condition or [*CONDITIONS, *([] if arguments.no_curves else SEVERITIES)]
    evaluation = new_evaluation(entries, failures)
    for protocol in protocols:
        if protocol == MOMENTS:
            measure_moments(evaluation, arguments.data, arguments.cache)
        else:
            measure_protocol(evaluation, protocol, conditions, arguments.data, arguments.cache, thorough)
        save(evaluation, arguments.out)  # hours of measuring are not lost with the protocol after them
    if not evaluation.setups and not evaluation.moments:
        raise ValueError(f"Nothing could be measured. {[*evaluation.failures, *evaluation.left_out][0]}")
    if draw is not None and evaluation.setups:
        try:
            draw(evaluation, arguments.data, arguments.cache, arguments.out)
        except Exception as error:  # the figures are there, and are worth more than a picture of them
            evaluation.failures.append(f"The pictures: {one_sentence(error)}")
            save(evaluation, arguments.out)
    print(markdown(evaluation))
    return 1 if evaluation.failures else 0


def _painter() -> Callable[[Evaluation, Path, Path, Path], None]:
    """What draws the pictures; asked for before hours of measuring, and not by who wants the tables alone."""
    try:
        from .figures import draw  # noqa: PLC0415 - loads matplotlib and scikit-learn
    except ImportError as error:
        raise MissingDependencyError(
            "Pictures need matplotlib and scikit-learn; pip install 'hums[train]', or give --no-pictures."
        ) from error
    return draw


def _export(arguments: argparse.Namespace) -> int:
    name = arguments.name or arguments.folder.name
    metrics: dict[str, Any] = {}
    if arguments.metrics:
        metrics = metrics_of(json.loads(arguments.metrics.read_text(encoding="utf-8")), arguments.row or name)
    done = export_run(arguments.folder, arguments.out, name, arguments.version, metrics)
    size = arguments.out.stat().st_size / 1e6
    print(
        f"Wrote {arguments.out} ({size:.1f} MB, {done.steps} steps); it differs from torch by at most "
        f"{done.difference:.1e}."
    )
    return 0
