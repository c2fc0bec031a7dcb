# SPDX-License-Identifier: GPL-3.0-or-later
"""Training learns, survives a kill without a trace, and stops with a sentence when it diverges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hums_engine.normalize import NormalizedMotion, normalize
from training.deephums import DeepHuMSRecipe, DeepHuMSSettings
from training.fit import DivergedError, Recipe, Settings, Terms, fit
from training.metrics import retrieval
from training.motion_set import MotionSet
from training.signature import SignatureRecipe, SignatureSettings

from .synthetic_motions import swinging
from .test_augment import batch_of

KINDS = 6
TINY_PAPER = DeepHuMSSettings(steps=25, batch=12, shortest=15, longest=30, warmup=5, layers=2, size=64)
TINY = SignatureSettings(
    steps=30, batch=24, pool=60, neighbours=8, shortest=15, longest=45, width=48, blocks=2, warmup=5, supervised=0.0
)


def examples(which: range) -> tuple[list[NormalizedMotion], list[str]]:
    motions = [normalize(swinging(kind, example, frames=50)) for kind in range(KINDS) for example in which]
    return motions, [f"kind {kind}" for kind in range(KINDS) for _ in which]


def mean_average_precision(encoder: nn.Module) -> float:
    """Of motions never trained on, among each other."""
    motions, labels = examples(range(10, 14))
    batch = batch_of(*motions)
    with torch.no_grad():
        vectors = encoder.eval()(batch.joints, batch.valid.float(), batch.length).numpy()
    distance = 1.0 - vectors @ vectors.T
    np.fill_diagonal(distance, np.inf)
    return retrieval(distance, labels, labels).mean_ap


def losses(run: Path) -> list[float]:
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.mark.parametrize(
    ("kind", "settings"), [(DeepHuMSRecipe, TINY_PAPER), (SignatureRecipe, TINY)], ids=["the paper's", "the shipped"]
)
def test_a_minute_of_training_learns_to_find_motions_of_a_kind(
    kind: type[DeepHuMSRecipe] | type[SignatureRecipe], settings: Settings, tmp_path: Path
) -> None:
    motions = MotionSet.of(*examples(range(8)))
    settings = replace(settings, log_every=1)

    def make() -> Recipe:
        return kind(settings, motions, tmp_path)  # type: ignore[arg-type]

    recipe = fit(settings, make, tmp_path)
    curve = losses(tmp_path)
    assert len(curve) == settings.steps
    assert np.mean(curve[-5:]) < 0.9 * np.mean(curve[:5])
    chance = 3 / (4 * KINDS - 1)
    assert mean_average_precision(recipe.encoder) > 0.5 > 2 * chance
    assert (tmp_path / "model.pt").exists()
    assert json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))["batch"] == settings.batch


class Sudden(KeyboardInterrupt):
    """Ends a run in the middle, as a kill does."""


class Interrupted(DeepHuMSRecipe):
    """Dies at a step, after the last checkpoint."""

    dies_at = 7

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        if step == self.dies_at:
            raise Sudden
        return super().loss(step)


def test_a_killed_run_goes_on_to_the_very_same_weights(tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(3)))
    settings = replace(TINY_PAPER, steps=10, batch=6, longest=20, save_every=5, log_every=1)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    fit(settings, lambda: DeepHuMSRecipe(settings, motions, whole), whole)
    with pytest.raises(Sudden):
        fit(settings, lambda: Interrupted(settings, motions, killed), killed)
    with (killed / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 8, "lo')  # the kill came in the middle of a line
    fit(settings, lambda: DeepHuMSRecipe(settings, motions, killed), killed)
    assert losses(killed) == losses(whole)
    a, b = (torch.load(run / "model.pt", weights_only=True) for run in (whole, killed))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(2)))
    settings = replace(TINY_PAPER, steps=1, batch=4, longest=16)
    fit(settings, lambda: DeepHuMSRecipe(settings, motions, tmp_path), tmp_path)
    other = replace(settings, seed=1)
    with pytest.raises(ValueError, match="other settings"):
        fit(other, lambda: DeepHuMSRecipe(other, motions, tmp_path), tmp_path)


def test_a_loss_that_is_not_a_number_stops_the_run_with_a_sentence(tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(2)))
    motions.frames[7, 3, 1] = torch.nan
    settings = replace(TINY_PAPER, steps=60, batch=8)
    with pytest.raises(DivergedError, match=r"not a number at step \d+; resume"):
        fit(settings, lambda: DeepHuMSRecipe(settings, motions, tmp_path), tmp_path)
