# SPDX-License-Identifier: GPL-3.0-or-later
"""The losses, each one function named after what it is in its paper."""

from __future__ import annotations

import torch
from torch import Tensor


def contrastive(distance: Tensor, similar: Tensor, margin: float) -> Tensor:
    """Contrastive loss of pairs (Hadsell, Chopra, LeCun 2006, equation 4), per pair.

    ``S * 1/2 D^2 + (1 - S) * 1/2 max(0, m - D)^2`` with S = 1 for a similar pair: similar pairs are pulled
    together, others pushed apart up to the margin.

    DeepHuMS prints it (equation 1) as ``(1 - Y) 1/2 D^2 + Y 1/2 max(0, m - D)^2`` and says in the text that
    Y = 1 for similar pairs; taken together these push similar pairs apart, so one of the two is a slip.
    This is the form it cites.

    Args:
        distance: Euclidean distances D, any shape.
        similar: bool, of the same shape.
        margin: m.
    """
    pull = 0.5 * distance.square()
    push = 0.5 * (margin - distance).clamp_min(0.0).square()
    return torch.where(similar, pull, push)


def balanced(loss: Tensor, similar: Tensor) -> Tensor:
    """Mean over the similar pairs plus mean over the others, each pair of two different items, halved.

    In a batch a few pairs in a hundred are similar: a plain mean would hardly see them.
    """
    other = ~torch.eye(len(loss), dtype=torch.bool, device=loss.device)
    near, far = similar & other, ~similar & other
    return (_mean(loss, near) + _mean(loss, far)) / 2


def _mean(loss: Tensor, chosen: Tensor) -> Tensor:
    return (loss * chosen).sum() / chosen.sum().clamp_min(1)


def distances(signatures: Tensor) -> Tensor:
    """Euclidean distances ``[N, N]`` of signatures ``[N, 512]`` of unit length.

    From the cosine: ``D^2 = 2 - 2 cos``. The floor keeps the root's slope finite where two are the same.
    """
    return (2.0 - 2.0 * signatures @ signatures.T).clamp_min(1e-8).sqrt()


def distillation(logits: Tensor, wanted: Tensor) -> Tensor:
    """How far the student's distribution over the other items is from the teacher's, item by item: ``KL(t || s)``.

    The teacher's is the softmax of ``-wanted``: nearest most. It is the loss of stochastic neighbour embedding
    (Hinton and Roweis 2002) with the teacher in the place of the high-dimensional space.

    Args:
        logits: ``[N, N]`` similarity over the student's temperature.
        wanted: ``[N, N]`` distance over the teacher's temperature.
    """
    itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    target = torch.log_softmax((-wanted).masked_fill(itself, -1e4), dim=1)
    found = torch.log_softmax(logits.masked_fill(itself, -1e4), dim=1)
    return (target.exp() * (target - found)).sum(dim=1).mean()


def similarity_regression(cosine: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of cosines ``[N, N]`` from the wanted ones, an item with itself aside."""
    other = ~torch.eye(len(cosine), dtype=torch.bool, device=cosine.device)
    return _mean((cosine - wanted).square(), other)


def supervised_contrastive(logits: Tensor, label: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, equation 2): the items of one class find each other.

    Args:
        logits: ``[N, N]`` similarity over the temperature.
        label: ``[N]``, -1 for an item without a class; such an item is only ever another.
    """
    itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    log_odds = torch.log_softmax(logits.masked_fill(itself, -1e4), dim=1)
    same = (label[:, None] == label[None, :]) & (label >= 0)[:, None] & ~itself
    per_item = -(log_odds * same).sum(dim=1) / same.sum(dim=1).clamp_min(1)
    return per_item.sum() / same.any(dim=1).sum().clamp_min(1)
