# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the paper's way of learning can be seen in one step of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hums_engine.normalize import normalize
from training.augment import faster, slower
from training.deephums import DeepHuMSRecipe, DeepHuMSSettings
from training.drawing import large_parts, of_one_length, with_joints_missing
from training.fit import fit
from training.motion_set import MotionSet

from .synthetic_motions import swinging
from .test_augment import batch_of
from .test_fit import TINY_PAPER, examples


def recipe_of(settings: DeepHuMSSettings, motions: MotionSet, folder: Path) -> DeepHuMSRecipe:
    torch.manual_seed(0)
    return DeepHuMSRecipe(settings, motions, folder)


def test_the_three_speeds_of_a_sequence_share_its_target(tmp_path: Path) -> None:
    one = MotionSet.of([normalize(swinging(1, 1, frames=40))], [])
    _, terms = recipe_of(replace(TINY_PAPER, batch=1), one, tmp_path).loss(0)
    assert terms["similar"] == 1.0, "the nine pairs of three copies"


def test_training_brings_the_speeds_of_a_motion_together(tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(6)))
    settings = replace(TINY_PAPER, steps=40)
    recipe = fit(settings, lambda: DeepHuMSRecipe(settings, motions, tmp_path), tmp_path)
    batch = batch_of(*examples(range(10, 13))[0])
    with torch.no_grad():
        vectors = [
            recipe.encoder.eval()(copy.joints, copy.valid.float(), copy.length)
            for copy in (batch, faster(batch), slower(batch))
        ]
    other = (vectors[0][:, None] - vectors[0][None]).norm(dim=-1).mean()
    assert (vectors[0] - vectors[1]).norm(dim=1).mean() < 0.5 * other
    assert (vectors[0] - vectors[2]).norm(dim=1).mean() < 0.5 * other


def test_the_defaults_are_those_of_the_paper() -> None:
    settings = DeepHuMSSettings()
    assert settings.learning_rate == 1e-3
    assert 120 <= settings.batch * 3 <= 128
    assert (settings.shortest, settings.longest * 2) == (15, 600)
    assert settings.missing == 0.2


def test_the_supervised_loss_adds_cross_entropy_and_needs_classes(tmp_path: Path) -> None:
    motions, labels = examples(range(2))
    supervised = replace(TINY_PAPER, cross_entropy=1.0)
    loss, terms = recipe_of(supervised, MotionSet.of(motions, labels), tmp_path).loss(0)
    torch.testing.assert_close(loss, terms["contrastive"] + terms["class"])
    assert terms["class"] > 0
    with pytest.raises(ValueError, match="add a labelled corpus"):
        recipe_of(supervised, MotionSet.of(motions, []), tmp_path)


def test_a_fifth_of_the_joints_is_missing_from_all_frames_of_a_sequence() -> None:
    torch.manual_seed(0)
    batch = batch_of(*examples(range(4))[0])
    lacking = with_joints_missing(batch, 0.2, 1.0)
    assert set((~lacking.valid).sum(dim=1).tolist()) <= {3, 4}, "4 of 22; one fewer where the pelvis must stay"
    assert (lacking.joints.transpose(1, 2)[~lacking.valid] == 0).all()
    assert with_joints_missing(batch, 0.2, 0.0).valid.all()


def test_pieces_of_a_batch_are_of_about_one_length() -> None:
    motions = MotionSet.of([normalize(swinging(k, 1, frames=300)) for k in range(3)], [])
    for seed in range(5):
        torch.manual_seed(seed)
        length = of_one_length(motions, 30, 15, 300).pieces.length
        assert 15 <= length.min() <= length.max() <= 300
        assert length.max() <= 1.6 * length.min()


def test_large_parts_keep_their_share_of_each_clip() -> None:
    motions = MotionSet.of([normalize(swinging(k, 1, frames=n)) for k, n in enumerate((20, 90, 250))], [])
    which = torch.arange(3).repeat(40)
    length = large_parts(motions, which, 0.5, 100).pieces.length.reshape(40, 3)
    assert (length >= torch.tensor([10, 45, 100])).all()
    assert (length <= torch.tensor([20, 90, 100])).all()
    assert len(length[:, 1].unique()) > 10
