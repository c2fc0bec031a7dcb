# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoders that ours is compared with keep the contract of an encoder and learn by the same script."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hums_engine.normalize import NormalizedMotion, normalize
from training.autoencoder import AutoEncoder, AutoEncoderSettings
from training.entries import open_model
from training.export import export
from training.fit import DivergedError, Recipe, Settings, Terms, fit
from training.hcn import HCN
from training.model import DeepHuMS, MotionInput
from training.motion_set import MotionSet
from training.provenance import TrainingData
from training.recipes import RECIPES, load_run
from training.recognition import RecognitionHCNSettings, RecognitionIndRNNSettings
from training.torch_encoder import TorchEncoder

from .synthetic_motions import swinging
from .test_fit import KINDS, examples, losses, mean_average_precision

ENCODERS: dict[str, Callable[[], nn.Module]] = {"indrnn": DeepHuMS, "hcn": HCN, "autoencoder": AutoEncoder}
TINY: list[Settings] = [
    RecognitionIndRNNSettings(steps=40, batch=16, warmup=5, layers=2, size=64),
    RecognitionHCNSettings(steps=30, batch=16, warmup=5, dropout=0.1),
    AutoEncoderSettings(steps=60, batch=24, warmup=5, longest=45),
]
by_recipe = pytest.mark.parametrize("settings", TINY, ids=lambda settings: settings.recipe)


class Ready(NamedTuple):
    """An encoder as training would leave its constants, and motions of several lengths."""

    encoder: TorchEncoder
    motions: list[NormalizedMotion]


@pytest.fixture(params=ENCODERS)
def ready(request: pytest.FixtureRequest) -> Ready:
    torch.manual_seed(1)
    network = ENCODERS[request.param]()
    for module in network.modules():
        if isinstance(module, MotionInput):  # constants that, left at 0 and 1, would hide a mistake in their place
            module.mean.uniform_(-0.5, 0.5)
            module.scale.uniform_(1.0, 4.0)
    motions = [normalize(swinging(k, 1, frames=n)) for k, n in enumerate((33, 1, 80, 15, 41))]
    return Ready(TorchEncoder(network), motions)


def test_signatures_have_512_numbers_and_unit_length(ready: Ready) -> None:
    signatures = ready.encoder.encode(ready.motions)
    assert signatures.shape == (5, 512)
    np.testing.assert_allclose(np.linalg.norm(signatures, axis=1), 1.0, atol=1e-5)
    assert np.abs(signatures[0] - signatures[2]).max() > 1e-3, "different motions differ"


def test_padding_and_company_change_no_signature(ready: Ready) -> None:
    together = ready.encoder.encode(ready.motions)
    alone = np.concatenate([ready.encoder.encode([motion]) for motion in ready.motions])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_what_stands_in_a_missing_joint_changes_no_signature(ready: Ready) -> None:
    motion = ready.motions[0]
    valid = np.ones(22, dtype=bool)
    valid[[3, 18, 1]] = False
    rubbish = motion.joints.copy()
    rubbish[:, ~valid] = 7.0
    whole, lacking, hidden = ready.encoder.encode(
        [motion, NormalizedMotion(motion.joints, valid), NormalizedMotion(rubbish, valid)]
    )
    assert np.isfinite(lacking).all()
    np.testing.assert_allclose(lacking, hidden, atol=1e-5)
    assert np.abs(whole - lacking).max() > 1e-4, "the joints did count"


def test_a_take_longer_than_the_networks_were_made_for_is_signed_by_its_parts(ready: Ready) -> None:
    long = normalize(swinging(2, 1, frames=1300))
    parts = [NormalizedMotion(joints, long.valid) for joints in np.array_split(long.joints, 3)]
    mean = ready.encoder.encode(parts).mean(axis=0)
    np.testing.assert_allclose(ready.encoder.encode([long])[0], mean / np.linalg.norm(mean), atol=1e-5)


def train(settings: Settings, motions: MotionSet, folder: Path) -> Recipe:
    return fit(settings, lambda: RECIPES[settings.recipe].recipe(settings, motions, folder), folder)


@by_recipe
def test_a_few_seconds_of_training_learn_to_find_motions_of_a_kind(settings: Settings, tmp_path: Path) -> None:
    recipe = train(replace(settings, log_every=1), MotionSet.of(*examples(range(8))), tmp_path)
    curve = losses(tmp_path)
    assert np.mean(curve[-5:]) < 0.8 * np.mean(curve[:5])
    chance = 3 / (4 * KINDS - 1)
    assert mean_average_precision(recipe.encoder) > 0.5 > 2 * chance


@by_recipe
def test_a_run_folder_gives_back_the_encoder_that_was_trained(settings: Settings, tmp_path: Path) -> None:
    motions, labels = examples(range(2))
    recipe = train(replace(settings, steps=2), MotionSet.of(motions, labels), tmp_path)
    loaded, network, steps = load_run(tmp_path)
    assert (loaded, steps) == (replace(settings, steps=2), 2)
    wanted, got = (TorchEncoder(encoder).encode(motions) for encoder in (recipe.encoder, network))
    np.testing.assert_array_equal(got, wanted)


class Sudden(KeyboardInterrupt):
    """Ends a run in the middle, as a kill does."""


def assert_a_kill_leaves_no_trace(settings: Settings, motions: MotionSet, folder: Path) -> None:
    """Trains twice, once killed between two checkpoints: same curve, same weights."""
    settings = replace(settings, steps=8, batch=6, save_every=3, log_every=1)
    whole, killed = folder / "whole", folder / "killed"

    def dying() -> Recipe:
        recipe = RECIPES[settings.recipe].recipe(settings, motions, killed)
        go_on = recipe.loss

        def loss(step: int) -> tuple[Tensor, Terms]:
            if step == 5:
                raise Sudden
            return go_on(step)

        recipe.loss = loss  # type: ignore[method-assign]
        return recipe

    train(settings, motions, whole)
    with pytest.raises(Sudden):
        fit(settings, dying, killed)
    train(settings, motions, killed)
    assert losses(killed) == losses(whole)
    a, b = (torch.load(run / "model.pt", weights_only=True) for run in (whole, killed))
    assert all(torch.equal(a[name], b[name]) for name in a)


@by_recipe
def test_a_killed_run_goes_on_to_the_same_curve(settings: Settings, tmp_path: Path) -> None:
    assert_a_kill_leaves_no_trace(settings, MotionSet.of(*examples(range(3))), tmp_path)


@by_recipe
def test_a_frame_that_is_not_a_number_stops_training(settings: Settings, tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(1)))
    motions.frames[20, 0] = torch.nan
    with pytest.raises(DivergedError, match=r"not a number at step \d+; resume"):
        train(replace(settings, steps=60), motions, tmp_path)
    assert not (tmp_path / "model.pt").exists()


@pytest.mark.parametrize("name", ["recognition-indrnn", "recognition-hcn"])
def test_recognition_without_any_class_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    motions = MotionSet.of(examples(range(1))[0], [])
    with pytest.raises(ValueError, match="add a labelled corpus"):
        train(RECIPES[name].settings(), motions, tmp_path)


def test_motions_without_a_class_are_not_drawn_for_recognition(tmp_path: Path) -> None:
    motions, labels = examples(range(2))
    strange = [NormalizedMotion(np.full_like(motions[0].joints, np.nan), motions[0].valid)]
    everything = MotionSet.of(motions + strange, [*labels, ""])
    settings = RecognitionIndRNNSettings(steps=5, batch=16, warmup=1, layers=1, size=16, log_every=1)
    train(settings, everything, tmp_path)
    saved = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert saved["recipe"] == "recognition-indrnn"
    assert len(losses(tmp_path)) == 5


@by_recipe
def test_a_run_folder_is_a_row_of_the_table(settings: Settings, tmp_path: Path) -> None:
    motions, labels = examples(range(2))
    train(replace(settings, steps=2), MotionSet.of(motions, labels), tmp_path)
    model = open_model(tmp_path)
    assert model.learnt == TrainingData(settings.corpora, settings.leave_out)
    wanted = TorchEncoder(load_run(tmp_path)[1]).encode(motions)
    np.testing.assert_allclose(model.row(motions, motions), 1.0 - wanted @ wanted.T, atol=1e-4)


@pytest.mark.parametrize("network", [HCN(), AutoEncoder()], ids=["hcn", "autoencoder"])
def test_a_peer_without_an_onnx_form_says_how_it_is_evaluated(network: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="evaluate its run folder"):
        export(network, {}, tmp_path / "peer.onnx")
    assert not (tmp_path / "peer.onnx").exists()
