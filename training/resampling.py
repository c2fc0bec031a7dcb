# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of any length as a fixed number of frames, for networks that read no other."""

from __future__ import annotations

import torch
from torch import Tensor


def resampled(frames: Tensor, length: Tensor, count: int) -> Tensor:
    """``count`` frames spread evenly over each motion, blended between neighbours.

    Args:
        frames: ``[N, T, ...]``, padded.
        length: ``[N]`` frames of each motion.
        count: frames of the result ``[N, count, ...]``.
    """
    along = torch.linspace(0.0, 1.0, count, device=frames.device)
    at = along[None, :] * (length[:, None] - 1)
    before = at.floor().long()
    after = torch.minimum(before + 1, length[:, None] - 1)
    rows = torch.arange(len(frames), device=frames.device)[:, None]
    part = (at - before).reshape(*at.shape, *[1] * (frames.ndim - 2))
    return torch.lerp(frames[rows, before], frames[rows, after], part)
