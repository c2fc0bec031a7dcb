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
