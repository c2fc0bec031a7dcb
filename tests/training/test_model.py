# SPDX-License-Identifier: GPL-3.0-or-later
"""The recurrent encoder: packing is only a matter of speed, and neither padding nor company changes a signature."""

from __future__ import annotations

import torch
from torch import Tensor

from training.model import DeepHuMS, recur


def by_hand(drive: Tensor, weight: Tensor) -> Tensor:
    """One motion ``[T, size]``, frame by frame as the equation says."""
    state, states = torch.zeros_like(drive[0]), []
    for frame in drive:
        state = torch.relu(frame + weight * state)
        states.append(state)
    return torch.stack(states)


def test_packed_motions_have_the_states_and_slopes_of_the_equation() -> None:
    torch.manual_seed(0)
    lengths = [7, 4, 4, 1]
    motions = [torch.randn(n, 5, dtype=torch.double, requires_grad=True) for n in lengths]
    weight = torch.randn(5, dtype=torch.double, requires_grad=True)
    rows = [sum(n > frame for n in lengths) for frame in range(7)]
    packed = torch.stack([motions[i][frame] for frame, count in enumerate(rows) for i in range(count)])
    states = recur(packed, weight, rows)
    wanted = [by_hand(motion, weight) for motion in motions]
    expected = torch.stack([wanted[i][frame] for frame, count in enumerate(rows) for i in range(count)])
    torch.testing.assert_close(states, expected)
    pull = torch.randn_like(states)
    slopes = torch.autograd.grad((states * pull).sum(), [*motions, weight], retain_graph=True)
    for got, want in zip(slopes, torch.autograd.grad((expected * pull).sum(), [*motions, weight]), strict=True):
        torch.testing.assert_close(got, want)


def test_the_order_and_padding_of_a_batch_change_no_signature() -> None:
    torch.manual_seed(1)
    model = DeepHuMS(layers=2, size=32)
    joints, valid = torch.randn(4, 40, 22, 3).cumsum(1) * 0.05, torch.ones(4, 22)
    length = torch.tensor([9, 40, 1, 23])
    together = model(joints, valid, length)
    for i, n in enumerate(length):
        alone = model(joints[i : i + 1, :n], valid[:1], length[i : i + 1])
        torch.testing.assert_close(together[i], alone[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(4))
