# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pieces of motions a step learns from: random ones of one length, or large parts of whole clips."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .augment import Batch, drop_joints, place
from .motion_set import MotionSet


class Drawn(NamedTuple):
    """Pieces and which motions ``[N]`` they are of."""

    which: Tensor
    pieces: Batch


def of_one_length(motions: MotionSet, count: int, shortest: int, longest: int) -> Drawn:
    """Pieces of any motions, all of about one length, evenly spread by ratio from ``shortest`` to ``longest`` frames.

    One length a batch makes its motion distances comparable.
    """
    wanted = shortest * (longest / shortest) ** float(torch.rand(()))
    which = torch.randint(len(motions), (count,))
    length = (wanted * (0.8 + 0.4 * torch.rand(count))).long().clamp(shortest, longest)
    return Drawn(which, _cut(motions, which, length.minimum(motions.length[which])))


def large_parts(motions: MotionSet, which: Tensor, least: float, longest: int) -> Drawn:
    """A random part of each motion of ``which [N]``: at least the share ``least``, at most ``longest`` frames."""
    share = least + (1.0 - least) * torch.rand(len(which))
    length = (motions.length[which] * share).round().long().clamp(1, longest)
    return Drawn(which, _cut(motions, which, length))


def with_joints_missing(batch: Batch, share: float, chance: float) -> Batch:
    """The batch placed anew, a share of the joints taken from each motion with a chance, for all its frames."""
    lose = torch.rand(len(batch.valid)) < chance
    valid = torch.where(lose[:, None], drop_joints(batch.valid, share), batch.valid)
    return place(batch._replace(valid=valid))


def _cut(motions: MotionSet, which: Tensor, length: Tensor) -> Batch:
    """``length [N]`` frames of each motion, from anywhere in it."""
    first = (torch.rand(len(which)) * (motions.length[which] - length + 1)).long()
    return motions.pieces(which, first, length)
