# SPDX-License-Identifier: GPL-3.0-or-later
"""When are two motions similar, with no label to say so? By the paper's motion field and motion distance.

The paper calls two sequences similar when "both the joint-wise motion field and the motion distance over the
whole sequence" are, and gives no number. The rule here: both gaps, each taken per joint, averaged over the
joints and divided by the length of the paths, stay below a limit. Dividing makes the limits hold for a
step and for a long walk alike. The limits are settings of the run (`fit.Settings`).
"""

from __future__ import annotations

import torch
from torch import Tensor

STILL_PATH = 0.25
"""Metres added to the path length, so that two figures that stand still are not told apart by tremor."""


def motion_field(joints: Tensor, length: Tensor) -> Tensor:
    """The paper's equation 3: each joint's place in the first frame less that in the last.

    Args:
        joints: ``[N, T, J, 3]`` metres, padded.
        length: ``[N]`` frames of each motion.

    Returns:
        ``[N, J, 3]`` metres.
    """
    return joints[:, 0] - joints[torch.arange(len(joints)), length - 1]


def motion_distance(joints: Tensor, length: Tensor) -> Tensor:
    """The paper's equation 4: the length of each joint's path, summed over the steps between frames.

    Arguments as `motion_field`; returns ``[N, J]`` metres.
    """
    steps = (joints[:, 1:] - joints[:, :-1]).norm(dim=-1)
    inside = torch.arange(1, joints.shape[1], device=joints.device)[None, :] < length[:, None]
    return (steps * inside[..., None]).sum(dim=1)


def gaps(field: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """How far apart each two motions are in motion field and in motion distance.

    Args:
        field: ``[N, J, 3]`` metres, from `motion_field`.
        distance: ``[N, J]`` metres, from `motion_distance`.

    Returns:
        Two ``[N, N]``: mean gap of a joint over mean path length of a joint.
    """
    mean_path = distance.mean(dim=1)
    scale = (mean_path[:, None] + mean_path[None, :]) / 2 + STILL_PATH
    field_gap = (field[:, None] - field[None, :]).norm(dim=-1).mean(dim=-1)
    distance_gap = (distance[:, None] - distance[None, :]).abs().mean(dim=-1)
    return field_gap / scale, distance_gap / scale


def similar(joints: Tensor, length: Tensor, field_limit: float, distance_limit: float) -> Tensor:
    """The pairing rule: which of N motions are similar, bool ``[N, N]``; every motion is similar to itself.

    Args:
        joints: ``[N, T, J, 3]`` metres, padded, before anything is taken from them (noise, missing joints).
        length: ``[N]`` frames.
        field_limit: largest gap in motion field.
        distance_limit: largest gap in motion distance.
    """
    field_gap, distance_gap = gaps(motion_field(joints, length), motion_distance(joints, length))
    return (field_gap < field_limit) & (distance_gap < distance_limit)
