# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole table from the data folder: which runs it is made of, and how those that are missing come to be.

A run that is there is not trained again, one that was stopped goes on; so the same command can be given until all is
done. A run that fails costs its row a line, not the others theirs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .entries import Entry, model_entry
from .evaluate import one_sentence
from .fit import Settings
from .recipes import RECIPES, load_run
from .runs import changed, train

SEEDS = (0, 1, 2)


class Planned(NamedTuple):
    """One row of the table that is trained.

    Attributes:
        row: its name in the table.
        folder: its run folders are named so, with ``_`` and the seed behind.
        recipe: a name of `RECIPES`.
        changes: its settings, as ``name=value``, where they are not the recipe's.
        teacher: of a recipe with a frozen network, the ``folder`` of the row whose network of the same seed that is.
    """

    row: str
    folder: str
    recipe: str
    changes: tuple[str, ...] = ()
    teacher: str = ""


_HDM05 = ("corpora=hdm05", "leave_out=", "batch=8", "warmup=50")
_SHORT = ("batch=21", "longest=200", "steps=360")

PLAN: tuple[Planned, ...] = (
    # learnt from CMU and MHAD's s01-s07: the unseen corpus of hdm05-11
    Planned("signature", "signature", "signature"),
    Planned("DeepHuMS self-supervised", "cm_deephums", "deephums", _SHORT),
    Planned("DeepHuMS supervised", "cm_deephums-supervised", "deephums", (*_SHORT, "cross_entropy=1")),
    Planned("DeepHuMS sub-motion", "cm_sub-motion", "sub-motion", ("steps=600",), "cm_deephums-supervised"),
    Planned(
        "IndRNN recognition", "cm_recognition-indrnn", "recognition-indrnn", ("batch=16", "longest=300", "steps=600")
    ),
    Planned("HCN recognition", "cm_recognition-hcn", "recognition-hcn", ("steps=800",)),
    Planned("auto-encoder", "cm_autoencoder", "autoencoder", ("steps=1500",)),
    # learnt from HDM05's gallery: the paper's protocol
    Planned(
        "signature, HDM05",
        "hdm05_signature",
        "signature",
        ("corpora=hdm05", "leave_out=", "steps=400", "pool=800", "batch=40", "labelled=24", "supervised=2"),
    ),
    Planned("DeepHuMS self-supervised, HDM05", "hdm05_deephums", "deephums", (*_HDM05, "steps=500")),
    Planned(
        "DeepHuMS supervised, HDM05",
        "hdm05_deephums-supervised",
        "deephums",
        (*_HDM05, "steps=500", "cross_entropy=1"),
    ),
    Planned("IndRNN recognition, HDM05", "hdm05_recognition-indrnn", "recognition-indrnn", (*_HDM05, "steps=1300")),
    Planned("HCN recognition, HDM05", "hdm05_recognition-hcn", "recognition-hcn", (*_HDM05, "steps=1800")),
    Planned("auto-encoder, HDM05", "hdm05_autoencoder", "autoencoder", (*_HDM05, "steps=3500")),
)


class Trained(NamedTuple):
    """The entries whose runs are there, and a line for each that could not be made."""

    entries: list[Entry]
    failures: list[str]


def train_all(
    plan: Sequence[Planned], seeds: Sequence[int], overrides: Sequence[str], runs: Path, folder: Path, cache: Path
) -> Trained:
    """Trains what is missing.

    Args:
        plan: the rows.
        seeds: of each row.
        overrides: settings as ``name=value`` for all recipes that have them, over those of the plan.
        runs: folder of the run folders.
        folder: the data folder.
        cache: where read corpora are kept.

    Raises:
        ValueError: no recipe of the plan has an overridden setting, or it is of another kind.
    """
    _check(plan, overrides)
    settings = {planned: [planned_settings(planned, seed, overrides, runs) for seed in seeds] for planned in plan}
    done = Trained([], [])
    for planned in plan:
        models = []
        for seed, wanted in zip(seeds, settings[planned], strict=True):
            run = runs / f"{planned.folder}_{seed}"
            try:
                _make(wanted, run, folder, cache)
                models.append(run)
            except Exception as error:  # whatever ends one run (a damaged file, say), the others are worth their hours
                done.failures.append(f"{planned.row}, seed {seed}: {one_sentence(error)}")
        try:
            done.entries.extend([model_entry(planned.row, models)] if models else [])
        except Exception as error:
            done.failures.append(f"{planned.row}: {one_sentence(error)}")
    return done


def planned_settings(planned: Planned, seed: int, overrides: Sequence[str], runs: Path) -> Settings:
    """The settings of one run of the plan."""
    settings = RECIPES[planned.recipe].settings()
    names = {field.name for field in dataclasses.fields(settings)}
    fitting = [change for change in overrides if change.partition("=")[0] in names]
    teacher = [f"teacher={runs / f'{planned.teacher}_{seed}'}"] if planned.teacher else []
    return changed(settings, [*planned.changes, f"seed={seed}", *teacher, *fitting])


def _check(plan: Sequence[Planned], overrides: Sequence[str]) -> None:
    recipes = {planned.recipe for planned in plan}
    names = {field.name for recipe in recipes for field in dataclasses.fields(RECIPES[recipe].settings())}
    for change in overrides:
        name = change.partition("=")[0]
        if name not in names:
            raise ValueError(f"There is no setting '{name}' in any recipe of the plan.")


def _make(settings: Settings, run: Path, folder: Path, cache: Path) -> None:
    """Trains a run where it is not finished.

    Raises:
        ValueError: it is, with other settings.
    """
    if not (run / "model.pt").exists():
        train(settings, run, folder, cache)
    elif load_run(run)[0] != settings:
        raise ValueError(f"{run} holds a run of other settings; move it away, or give another folder for runs.")
