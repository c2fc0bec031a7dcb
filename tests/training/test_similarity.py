# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's motion field, motion distance and pairing rule, on motions whose answer is known."""

from __future__ import annotations

import torch

from training.similarity import gaps, motion_distance, motion_field, similar


def walk(metres: float, frames: int, way: tuple[float, float] = (0.0, -1.0)) -> torch.Tensor:
    """22 joints that go ``metres`` along ``way`` at an even pace."""
    along = torch.linspace(0.0, metres, frames)[:, None] * torch.tensor([*way, 0.0])
    return along[:, None, :].expand(-1, 22, -1).clone()


def padded(*motions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    joints = torch.nn.utils.rnn.pad_sequence(list(motions), batch_first=True, padding_value=99.0)
    return joints, torch.tensor([len(motion) for motion in motions])


def there_and_back(metres: float, frames: int) -> torch.Tensor:
    out = walk(metres, frames)
    return torch.cat([out, out.flip(0)])


def test_the_motion_field_is_first_frame_less_last() -> None:
    joints, length = padded(walk(2.0, 30), there_and_back(2.0, 30))
    field = motion_field(joints, length)
    torch.testing.assert_close(field[0], torch.tensor([0.0, 2.0, 0.0]).expand(22, 3))
    torch.testing.assert_close(field[1], torch.zeros(22, 3))


def test_the_motion_distance_is_the_length_of_the_path() -> None:
    joints, length = padded(walk(2.0, 30), there_and_back(2.0, 30))
    distance = motion_distance(joints, length)
    torch.testing.assert_close(distance, torch.tensor([[2.0], [4.0]]).expand(2, 22))


def test_a_motion_is_similar_to_itself_at_any_speed() -> None:
    joints, length = padded(walk(2.0, 31), walk(2.0, 16), walk(2.0, 61))
    assert similar(joints, length, field_limit=0.05, distance_limit=0.05).all()


def test_both_field_and_distance_must_agree() -> None:
    away, back = walk(2.0, 30), there_and_back(1.0, 15)  # equal paths, other ends
    joints, length = padded(away, back)
    field_gap, distance_gap = gaps(motion_field(joints, length), motion_distance(joints, length))
    assert distance_gap[0, 1] < 1e-5
    assert field_gap[0, 1] > 0.5
    assert not similar(joints, length, field_limit=0.2, distance_limit=0.2)[0, 1]
    still, around = walk(0.0, 30), there_and_back(2.0, 30)  # equal ends, other paths
    joints, length = padded(still, around)
    field_gap, distance_gap = gaps(motion_field(joints, length), motion_distance(joints, length))
    assert field_gap[0, 1] < 1e-5
    assert distance_gap[0, 1] > 0.5
    assert not similar(joints, length, field_limit=0.2, distance_limit=0.2)[0, 1]


def test_limits_are_shares_of_the_path_so_long_walks_may_differ_by_more() -> None:
    short, long = (padded(walk(m, 30), walk(m + 0.3, 30)) for m in (0.5, 5.0))
    assert not similar(*short, field_limit=0.1, distance_limit=0.1)[0, 1]
    assert similar(*long, field_limit=0.1, distance_limit=0.1)[0, 1]


def test_similarity_goes_both_ways() -> None:
    torch.manual_seed(0)
    joints, length = torch.randn(12, 20, 22, 3).cumsum(1) * 0.02, torch.randint(2, 21, (12,))
    pairs = similar(joints, length, 0.4, 0.4)
    assert pairs.diagonal().all()
    assert (pairs == pairs.T).all()
    assert 0 < pairs.float().mean() < 1
