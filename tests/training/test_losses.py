# SPDX-License-Identifier: GPL-3.0-or-later
"""The losses pull and push the right way, and are worth what their equations say."""

from __future__ import annotations

import pytest
import torch

from training.losses import balanced, contrastive, distances


def test_the_contrastive_loss_is_its_equation() -> None:
    distance = torch.tensor([0.5, 0.5, 1.5])
    similar = torch.tensor([True, False, False])
    loss = contrastive(distance, similar, margin=1.0)
    torch.testing.assert_close(loss, torch.tensor([0.125, 0.125, 0.0]))


def test_similar_pairs_are_pulled_together_and_others_pushed_up_to_the_margin() -> None:
    distance = torch.tensor([0.3, 0.3, 2.0], requires_grad=True)
    contrastive(distance, torch.tensor([True, False, False]), margin=1.0).sum().backward()
    assert distance.grad is not None
    pull, push, rest = distance.grad.tolist()
    assert pull > 0 > push
    assert rest == 0.0


def test_rare_similar_pairs_weigh_as_much_as_all_others_together() -> None:
    similar = torch.eye(10, dtype=torch.bool)
    similar[0, 1] = similar[1, 0] = True
    loss = torch.where(similar, 3.0, 1.0)
    assert balanced(loss, similar).item() == pytest.approx(2.0)
    assert balanced(torch.ones(3, 3), torch.eye(3, dtype=torch.bool)).item() == pytest.approx(0.5), "no similar pair"


def test_distances_are_euclidean_with_a_finite_slope_at_zero() -> None:
    signatures = torch.nn.functional.normalize(torch.randn(6, 16), dim=1)
    torch.testing.assert_close(distances(signatures), torch.cdist(signatures, signatures), atol=2e-3, rtol=0)
    same = signatures[:1].repeat(2, 1).requires_grad_()
    distances(same).sum().backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()
