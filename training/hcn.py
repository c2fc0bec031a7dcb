# SPDX-License-Identifier: GPL-3.0-or-later
"""HCN: a convolutional network for recognising actions whose layer before the classes serves as a signature.

Li, Zhong, Xie, Pu, "Co-occurrence Feature Learning from Skeleton Data for Action Recognition and Detection with
Hierarchical Aggregation" (IJCAI 2018), figure 2. Kept: the two streams of joints and of their motion, each first
point by point (the coordinates are the channels, kernels 1x1 and 3x1), then with the joints as channels, so
that every kernel sees all joints at once (co-occurrence), then both together; widths, kernels, pooling and dropout;
input of 32 frames whatever the length. Another here: one person; the layer before the classes has 512 numbers and not
256, as every signature here has, and no activation, so that its direction is free.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .model import JOINTS, SIGNATURE, MotionInput
from .resampling import resampled

FRAMES = 32
_POINT, _JOINT = 64, 32  # channels of the first two layers
_WIDTHS = (32, 64, 128, 256)  # of the four layers over co-occurrences
_LAST = _WIDTHS[-1] * (FRAMES // 16) * (_JOINT // 16)  # numbers after four halvings of both axes


class _Stream(nn.Module):
    """Joints or their motion ``[N, 3, 32, 22]``: features of each point, then of all joints together."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.points = nn.Sequential(
            nn.Conv2d(3, _POINT, 1), nn.ReLU(), nn.Conv2d(_POINT, _JOINT, (3, 1), padding=(1, 0))
        )
        self.together = nn.Sequential(
            nn.Conv2d(JOINTS, _WIDTHS[0], 3, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(_WIDTHS[0], _WIDTHS[1], 3, padding=1),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[N, 64, 8, 8]``."""
        return self.together(self.points(x).transpose(1, 3))


class HCN(nn.Module):
    """The network without its classes.

    Joints are standardised by the training data; one that is missing is as the average, and does not move.
    """

    def __init__(self, dropout: float = 0.5) -> None:
        super().__init__()
        self.input = MotionInput()  # only its constants for places are used
        self.joints, self.motion = _Stream(dropout), _Stream(dropout)
        self.both = nn.Sequential(
            nn.Conv2d(2 * _WIDTHS[1], _WIDTHS[2], 3, padding=1),
            nn.ReLU(),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2),
            nn.Conv2d(_WIDTHS[2], _WIDTHS[3], 3, padding=1),
            nn.ReLU(),
            nn.Dropout2d(dropout),
            nn.MaxPool2d(2),
        )
        self.signature = nn.Linear(_LAST, SIGNATURE)

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Signatures ``[N, 512]`` of unit length."""
        place = resampled(joints, length, FRAMES)
        place = (place - self.input.mean[:, :3]) * self.input.scale[:, :3] * valid[:, None, :, None]
        place = place.permute(0, 3, 1, 2)
        steps = place[:, :, 1:] - place[:, :, :-1]
        motion = nn.functional.interpolate(steps, size=(FRAMES, JOINTS), mode="bilinear", align_corners=False)
        both = self.both(torch.cat([self.joints(place), self.motion(motion)], dim=1))
        return nn.functional.normalize(self.signature(both.flatten(1)), dim=-1)
