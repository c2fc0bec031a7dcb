# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact dynamic time warping of many pairs at once, in torch: the teacher of the signature and the exact row.

Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition" (1978), with their
symmetric weights: a diagonal step counts twice, so every path between A and B frames weighs A + B and the
cost divided by it is a mean per frame, comparable between pairs of any lengths.
"""

from __future__ import annotations

import torch
from torch import Tensor


def warping_distance(cost: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Mean cost ``[P]`` along the best alignment of each pair.

    Args:
        cost: ``[P, A, B]`` cost of matching frame a with frame b, padded.
        rows: ``[P]`` frames of the first motion of each pair.
        columns: ``[P]`` frames of the second.
    """
    pairs, a, b = cost.shape
    infinite = torch.full((pairs, 1), torch.inf, dtype=cost.dtype)
    skewed = _skew(cost)
    last = rows + columns - 2
    total = torch.full((pairs,), torch.inf, dtype=cost.dtype)
    before = previous = torch.full((pairs, a), torch.inf, dtype=cost.dtype)
    for d in range(a + b - 1):
        c = skewed[:, d]
        if d == 0:
            current = torch.full((pairs, a), torch.inf, dtype=cost.dtype)
            current[:, 0] = 2.0 * c[:, 0]
        else:
            up = torch.cat([infinite, previous[:, :-1]], dim=1)
            diagonal = torch.cat([infinite, before[:, :-1]], dim=1)
            current = torch.minimum(torch.minimum(up, previous) + c, diagonal + 2.0 * c)
        ending = last == d
        total[ending] = current[ending, rows[ending] - 1]
        before, previous = previous, current
    return total / (rows + columns)


def _skew(cost: Tensor) -> Tensor:
    """``[P, A + B - 1, A]``: the antidiagonals of each matrix, infinite outside; cell (d, i) is cost[i, d - i]."""
    a, b = cost.shape[1:]
    column = torch.arange(a + b - 1)[:, None] - torch.arange(a)[None, :]
    row = torch.arange(a)[None, :].expand_as(column)
    values = cost[:, row, column.clamp(0, b - 1)]
    return torch.where((column >= 0) & (column < b), values, torch.inf)
