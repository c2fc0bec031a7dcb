# SPDX-License-Identifier: GPL-3.0-or-later
"""The teacher of the shipped signature: how far apart pieces of motion are, found slowly and without labels.

No one measure is right for all motions: alignment follows the order of poses and is lost when a step is
repeated; statistics over time do not care for order. So it is their sum, each divided by its median. All three look at
the figure from its own place and heading, as `signature_net.LocalInput` does:

- the exact alignment (`alignment.warping_distance`) of poses and velocities at eight frames a second,
- mean and deviation over time of every coordinate, and deviation of its velocity,
- the mean speed of every joint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from hums_engine.normalize import FPS

from .alignment import warping_distance
from .augment import Batch, inside
from .signature_net import LocalInput

ALIGNED_FPS = 8
LONGEST = 64  # aligned frames of a piece at most
VELOCITY_S = 0.2  # a difference in velocity of 1 m/s counts as much as joints that are this many metres apart
VELOCITY_DEVIATION_S = 0.3  # the same among the statistics
_PAIRS = 512  # aligned at once: bounds the memory


class Look(NamedTuple):
    """What the teacher sees of N pieces.

    Attributes:
        aligned: ``[N, T, F]`` poses and velocities at eight frames a second, padded.
        frames: ``[N]`` of these.
        statistics: ``[N, S]``.
        speed: ``[N, J]`` metres a second.
    """

    aligned: Tensor
    frames: Tensor
    statistics: Tensor
    speed: Tensor


def look(batch: Batch, joints: Tensor) -> Look:
    """What the teacher sees of a padded batch, by the joints ``[J]`` that all motions have."""
    local = LocalInput().local(batch.joints, batch.valid.float(), batch.length)[:, :, joints]
    place, velocity = local[..., :3].flatten(2), (local[..., 3:] * FPS).flatten(2)
    within = inside(batch.length, local.shape[1])[..., None].float()
    frames = within.sum(dim=1)

    def mean(values: Tensor) -> Tensor:
        return (values * within).sum(dim=1) / frames

    def deviation(values: Tensor) -> Tensor:
        return mean((values - mean(values)[:, None]).square()).sqrt()

    statistics = [mean(place), deviation(place), deviation(velocity) * VELOCITY_DEVIATION_S]
    speed = mean((local[..., 3:] * FPS).norm(dim=-1))
    aligned, count = _thinned(torch.cat([place, velocity * VELOCITY_S], dim=-1), batch.length)
    return Look(aligned, count, torch.cat(statistics, dim=1), speed)


def _thinned(values: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    """``values [N, T, F]`` at eight frames a second, and how many each has."""
    count = (length * ALIGNED_FPS / FPS).round().long().clamp(2, LONGEST)
    steps = torch.arange(int(count.max()))[None, :].clamp_max(count[:, None] - 1)
    at = steps * (length[:, None] - 1) / (count[:, None] - 1)
    before = at.floor().long()
    after = torch.minimum(before + 1, length[:, None] - 1)
    rows = torch.arange(len(values))[:, None]
    return torch.lerp(values[rows, before], values[rows, after], (at - before)[..., None]), count


def joined(looks: Sequence[Look]) -> Look:
    """Several looks as one."""
    longest = max(part.aligned.shape[1] for part in looks)
    aligned = [torch.nn.functional.pad(part.aligned, (0, 0, 0, longest - part.aligned.shape[1])) for part in looks]
    frames, statistics, speed = (torch.cat([part[i] for part in looks]) for i in (1, 2, 3))
    return Look(torch.cat(aligned), frames, statistics, speed)


def teach(pieces: Look) -> Tensor:
    """Distances ``[N, N]`` of all pieces from each other; the median is one."""
    parts = (
        _aligned(pieces),
        torch.cdist(pieces.statistics, pieces.statistics),
        torch.cdist(pieces.speed, pieces.speed),
    )
    total = sum((part / part.median() for part in parts), torch.zeros(()))
    total = (total + total.T) / 2
    return (total / total.median()).fill_diagonal_(0.0)


def _aligned(pieces: Look) -> Tensor:
    """Alignment distances ``[N, N]``: the lower triangle is computed, shortest first so that padding is small."""
    order = pieces.frames.argsort(stable=True)
    frames, count = pieces.aligned[order], pieces.frames[order]
    lower = torch.zeros(len(order), len(order))
    for i in tqdm(range(1, len(order)), desc="teacher", unit="piece", dynamic_ncols=True):
        for j in range(0, i, _PAIRS):
            some = slice(j, min(j + _PAIRS, i))
            others = frames[some, : int(count[some].max())]
            cost = torch.cdist(frames[i : i + 1, : int(count[i])].expand(len(others), -1, -1), others)
            lower[i, some] = warping_distance(cost, count[i].expand(len(others)), count[some])
    back = order.argsort()
    return (lower + lower.T)[back][:, back]
