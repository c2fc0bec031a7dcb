# SPDX-License-Identifier: GPL-3.0-or-later
"""What training does to motions must leave them where the engine would have put them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.normalize import NormalizedMotion, normalize
from hums_engine.skeleton import INDEX
from training.augment import Batch, drop_joints, faster, place, slower, turn

from .synthetic_motions import swinging


def batch_of(*motions: NormalizedMotion) -> Batch:
    longest = max(len(motion.joints) for motion in motions)
    joints = np.stack([np.pad(m.joints, ((0, longest - len(m.joints)), (0, 0), (0, 0)), mode="edge") for m in motions])
    length = torch.tensor([len(motion.joints) for motion in motions])
    return Batch(torch.from_numpy(joints), torch.from_numpy(np.stack([m.valid for m in motions])), length)


def canonical(motion: NormalizedMotion, valid: np.ndarray) -> CanonicalMotion:
    rotations = np.broadcast_to(quat.IDENTITY.astype(np.float32), (*motion.joints.shape[:2], 4))
    return CanonicalMotion(motion.joints, rotations, valid, fps=30.0)


@pytest.mark.parametrize(
    "missing",
    [
        (),
        ("left_elbow", "spine2", "neck"),
        ("left_hip",),
        ("left_hip", "right_hip"),
        ("left_ankle", "right_ankle"),
        ("left_hip", "right_shoulder", "neck"),
        ("left_hip", "left_shoulder", "right_shoulder", "pelvis"),
        ("pelvis", "head", "right_wrist", "right_foot", "left_shoulder"),
    ],
)
def test_placing_a_piece_in_torch_is_what_the_engine_does_to_it(missing: tuple[str, ...]) -> None:
    whole = normalize(swinging(1, 2, frames=80))
    piece = whole._replace(joints=whole.joints[33:71])
    valid = np.array([name not in missing for name in INDEX])
    wanted = normalize(canonical(piece, valid))
    longer = whole._replace(joints=whole.joints[:60])
    batch = batch_of(piece, longer)
    placed = place(batch._replace(valid=torch.from_numpy(np.stack([valid, valid]))))
    np.testing.assert_allclose(placed.joints[0, :38].numpy(), wanted.joints, atol=2e-4)
    assert not placed.joints[0, 38:].any(), "padding is zero"


def test_a_turned_motion_is_placed_where_it_was() -> None:
    batch = batch_of(normalize(swinging(2, 1)), normalize(swinging(3, 1)))
    again = place(turn(batch, torch.tensor([2.0, -0.7])))
    np.testing.assert_allclose(again.joints.numpy(), place(batch).joints.numpy(), atol=1e-4)


def test_the_faster_copy_is_every_other_frame_and_the_slower_one_has_frames_between() -> None:
    motion = normalize(swinging(1, 1, frames=31))
    batch = batch_of(motion)
    fast, slow = faster(batch), slower(batch)
    assert fast.length.tolist() == [16]
    assert slow.length.tolist() == [61]
    np.testing.assert_array_equal(fast.joints[0].numpy(), motion.joints[::2])
    np.testing.assert_array_equal(slow.joints[0, ::2].numpy(), motion.joints)
    between = (motion.joints[4] + motion.joints[5]) / 2
    np.testing.assert_allclose(slow.joints[0, 9].numpy(), between, atol=1e-6)


def test_a_fifth_of_the_joints_is_dropped_but_never_all_that_places_the_body() -> None:
    torch.manual_seed(0)
    kept = drop_joints(torch.ones(2000, 22, dtype=torch.bool), 0.2)
    assert set((22 - kept.sum(dim=1)).tolist()) <= {3, 4}
    assert kept[:, [INDEX["pelvis"], INDEX["left_hip"], INDEX["right_hip"]]].any(dim=1).all()
    assert (kept.float().mean(dim=0) - 18 / 22).abs().max() < 0.05, "no joint is spared, none is hit more often"


def test_a_motion_at_another_rate_is_the_same_to_the_network() -> None:
    slow, fast = swinging(4, 1, frames=60, fps=30.0), swinging(4, 1, frames=239, fps=120.0)
    a, b = normalize(slow), normalize(replace(fast, name="fast"))
    np.testing.assert_allclose(a.joints[:59], b.joints[:59], atol=1e-3)
