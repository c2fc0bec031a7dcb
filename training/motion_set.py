# SPDX-License-Identifier: GPL-3.0-or-later
"""MotionSet: all motions to learn from in one tensor, to draw pieces from in whole batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hums_engine.normalize import NormalizedMotion

from .augment import Batch, place, sample


@dataclass(frozen=True)
class MotionSet:
    """Normalised motions, one after the other.

    Attributes:
        frames: ``[F, 22, 3]`` metres of the reference body, 30 fps.
        valid: ``[N, 22]`` bool.
        start: ``[N]`` each motion's first frame.
        length: ``[N]`` its frames.
        label: ``[N]`` its class, -1 without one.
    """

    frames: Tensor
    valid: Tensor
    start: Tensor
    length: Tensor
    label: Tensor

    @classmethod
    def of(cls, motions: Sequence[NormalizedMotion], labels: Sequence[str]) -> MotionSet:
        """Joins normalised motions; equal labels are one class, an empty one (or no labels at all) is none."""
        labels = labels or [""] * len(motions)
        classes = {label: i for i, label in enumerate(sorted({label for label in labels if label}))}
        length = torch.tensor([len(motion.joints) for motion in motions])
        return cls(
            frames=torch.from_numpy(np.concatenate([motion.joints for motion in motions])),
            valid=torch.from_numpy(np.stack([motion.valid for motion in motions])),
            start=length.cumsum(0) - length,
            length=length,
            label=torch.tensor([classes.get(label, -1) for label in labels]),
        )

    def __len__(self) -> int:
        return len(self.length)

    @property
    def class_count(self) -> int:
        """Number of classes."""
        return int(self.label.max()) + 1 if len(self) else 0

    def pieces(self, which: Tensor, first: Tensor, length: Tensor) -> Batch:
        """The frames ``first`` to ``first + length`` of the motions ``which``, each ``[N]``, placed anew."""
        steps = torch.arange(int(length.max()))[None, :].clamp_max(length[:, None] - 1)
        joints = self.frames[self.start[which, None] + first[:, None] + steps]
        return place(Batch(joints, self.valid[which], length))

    def warped(self, which: Tensor, first: Tensor, span: Tensor, length: Tensor, bend: Tensor) -> Batch:
        """Pieces played in another time: ``length`` frames over ``span`` frames of the source, not placed.

        Args:
            which: ``[N]`` motions.
            first: ``[N]`` first frame of the piece, may be fractional.
            span: ``[N]`` frames of the source that the piece covers.
            length: ``[N]`` frames of the result.
            bend: ``[N]`` in -1..1: how much faster the first half is than the second; 0 for an even rate.
        """
        steps = torch.arange(int(length.max()))[None, :].clamp_max(length[:, None] - 1)
        along = steps / (length[:, None] - 1).clamp_min(1)
        along = along + 0.25 * bend[:, None] * torch.sin(torch.pi * along)
        at = self.start[which, None] + first[:, None] + along * (span[:, None] - 1)
        return Batch(sample(self.frames, at), self.valid[which], length)
