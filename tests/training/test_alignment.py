# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment of many pairs at once gives what the recursion of the textbook gives for each."""

from __future__ import annotations

import torch

from training.alignment import warping_distance


def by_recursion(cost: torch.Tensor) -> float:
    """Sakoe and Chiba's recursion, cell by cell."""
    a, b = cost.shape
    total = torch.full((a, b), torch.inf)
    for i in range(a):
        for j in range(b):
            ways = [2.0 * cost[i, j]] if i == j == 0 else []
            ways += [total[i - 1, j] + cost[i, j]] if i else []
            ways += [total[i, j - 1] + cost[i, j]] if j else []
            ways += [total[i - 1, j - 1] + 2.0 * cost[i, j]] if i and j else []
            total[i, j] = min(ways)
    return float(total[-1, -1]) / (a + b)


def test_many_padded_pairs_are_aligned_as_one_by_one() -> None:
    torch.manual_seed(0)
    cost = torch.rand(6, 7, 9)
    rows, columns = torch.tensor([7, 1, 3, 7, 2, 1]), torch.tensor([9, 1, 9, 4, 2, 9])
    wanted = [by_recursion(c[:r, :k]) for c, r, k in zip(cost, rows, columns, strict=True)]
    torch.testing.assert_close(warping_distance(cost, rows, columns), torch.tensor(wanted))


def test_a_motion_is_at_no_distance_from_itself_at_half_the_speed() -> None:
    slow = torch.linspace(0, 1, 21)
    cost = (slow[::2, None] - slow[None, ::2].repeat_interleave(2, dim=1)[:, :21]).abs()[None]
    assert warping_distance(cost, torch.tensor([11]), torch.tensor([21])).item() < 1e-6
