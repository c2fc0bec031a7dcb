# SPDX-License-Identifier: GPL-3.0-or-later
"""The second network of the paper gives a piece of a motion the signature of the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from hums_engine.normalize import NormalizedMotion
from training.augment import Batch, place
from training.deephums import DeepHuMSRecipe
from training.entries import open_model
from training.fit import DivergedError, fit
from training.motion_set import MotionSet
from training.provenance import TrainingData
from training.recipes import RECIPES, load_run
from training.rows import SubMotionRow
from training.sub_motion import SubMotionSettings, in_parts
from training.torch_encoder import TorchEncoder

from .test_fit import TINY_PAPER, examples, losses
from .test_peers import assert_a_kill_leaves_no_trace

TINY = SubMotionSettings(steps=120, batch=16, warmup=5, layers=2, size=64, log_every=1)


class Trained(NamedTuple):
    """Run folders of the frozen network and of the second one."""

    first: Path
    second: Path


def two_in_a_row(which: range) -> list[NormalizedMotion]:
    """Motions of one kind that go on as another, the same other for each kind: a half tells the whole."""
    motions, _ = examples(which)
    firsts, seconds = motions, motions[len(which) :] + motions[: len(which)]
    pairs = [np.concatenate([a.joints[:25], b.joints[25:50]]) for a, b in zip(firsts, seconds, strict=True)]
    return [NormalizedMotion(joints, motions[0].valid) for joints in pairs]


def train(settings: SubMotionSettings, motions: MotionSet, folder: Path) -> None:
    fit(settings, lambda: RECIPES["sub-motion"].recipe(settings, motions, folder), folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("runs")
    runs, motions = Trained(folder / "first", folder / "second"), MotionSet.of(two_in_a_row(range(8)), [])
    fit(TINY_PAPER, lambda: DeepHuMSRecipe(TINY_PAPER, motions, runs.first), runs.first)
    train(replace(TINY, teacher=str(runs.first)), motions, runs.second)
    return runs


def halves(motions: list[NormalizedMotion]) -> list[NormalizedMotion]:
    """The second half of each motion, as a query of its own."""
    pieces = []
    for motion in motions:
        joints = torch.from_numpy(motion.joints[len(motion.joints) // 2 :].copy())[None]
        placed = place(Batch(joints, torch.from_numpy(motion.valid)[None], torch.tensor([joints.shape[1]])))
        pieces.append(NormalizedMotion(placed.joints[0].numpy(), motion.valid))
    return pieces


def signed(run: Path, motions: list[NormalizedMotion]) -> np.ndarray:
    return TorchEncoder(load_run(run)[1]).encode(motions)


def test_from_half_a_motion_it_is_nearer_to_the_whole_than_the_frozen_network_is(trained: Trained) -> None:
    wholes = two_in_a_row(range(10, 14))
    wanted = signed(trained.first, wholes)
    second, first = (
        np.linalg.norm(signed(run, halves(wholes)) - wanted, axis=1).mean() for run in (trained.second, trained.first)
    )
    assert second < 0.8 * first
    assert np.mean(losses(trained.second)[-5:]) < 0.5 * np.mean(losses(trained.second)[:5])


def test_its_row_signs_queries_by_the_second_network_and_the_gallery_by_the_first(trained: Trained) -> None:
    wholes = two_in_a_row(range(10, 12))
    row = open_model(trained.second).row
    assert isinstance(row, SubMotionRow)
    wanted = 1.0 - signed(trained.second, halves(wholes)) @ signed(trained.first, wholes).T
    np.testing.assert_allclose(row(halves(wholes), wholes), wanted, atol=1e-4)
    row.index(wholes)
    np.testing.assert_allclose(row(halves(wholes), wholes), wanted, atol=1e-4)


def test_it_is_known_to_have_learnt_only_what_its_teacher_has_learnt_too(trained: Trained, tmp_path: Path) -> None:
    assert open_model(trained.second).learnt == TrainingData(TINY.corpora, TINY.leave_out)
    other = replace(TINY, teacher=str(trained.first), corpora=("hdm05",), steps=1)
    train(other, MotionSet.of(*examples(range(1))), tmp_path)
    assert open_model(tmp_path).learnt is None


def test_a_killed_run_goes_on_to_the_same_curve(trained: Trained, tmp_path: Path) -> None:
    settings = replace(TINY, teacher=str(trained.first))
    assert_a_kill_leaves_no_trace(settings, MotionSet.of(*examples(range(2))), tmp_path)


def test_a_frame_that_is_not_a_number_stops_training(trained: Trained, tmp_path: Path) -> None:
    motions = MotionSet.of(*examples(range(1)))
    motions.frames[20, 0] = torch.nan
    with pytest.raises(DivergedError, match=r"not a number at step \d+; resume"):
        train(replace(TINY, teacher=str(trained.first)), motions, tmp_path)


def test_long_motions_are_cut_into_equal_wholes() -> None:
    motions, _ = examples(range(1))
    whole = MotionSet.of(motions[:2], ["a", ""])
    parts = in_parts(whole, longest=20)
    assert parts.length.tolist() == [16, 17, 17] * 2
    assert parts.label.tolist() == [0] * 3 + [-1] * 3
    frames = torch.cat([parts.frames[s : s + n] for s, n in zip(parts.start, parts.length, strict=True)])
    torch.testing.assert_close(frames, whole.frames)


def test_without_a_frozen_network_it_is_told_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--set teacher=FOLDER"):
        train(TINY, MotionSet.of(*examples(range(1))), tmp_path)
