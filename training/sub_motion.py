# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's sub-motion network: a second RNN that gives a piece the signature that the first one gives the whole.

DeepHuMS, section on sub-motion search: the first network is frozen; the second sees a subsequence and is trained by
the Euclidean distance to the first one's signature of the whole sequence. A query is then signed by the second,
what is searched by the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hums_engine.normalize import NormalizedMotion

from .augment import Batch
from .drawing import large_parts, with_joints_missing
from .fit import Settings, Terms
from .model import DeepHuMS, channel_statistics
from .motion_set import MotionSet

_AT_ONCE = 64


@dataclass(frozen=True)
class SubMotionSettings(Settings):
    """The second network and the pieces it sees."""

    recipe: str = "sub-motion"
    teacher: str = ""  # run folder or .onnx file of the frozen first network
    layers: int = 6  # of IndRNN
    size: int = 512  # neurons of each
    longest: int = 300  # frames of a whole sequence; longer motions are cut into equal ones
    least: float = 0.3  # share of the whole that a piece has at least
    missing: float = 0.2  # share of the joints taken from a piece
    missing_chance: float = 0.5  # of a piece to lose them


class Teacher(Protocol):
    """The frozen first network: `torch_encoder.TorchEncoder` or `hums_engine.encoder.Encoder`."""

    def encode(self, motions: Sequence[NormalizedMotion], /) -> NDArray[np.float32]:
        """Signatures ``[N, 512]`` of unit length."""
        ...


class SubMotionRecipe:
    """The second network learning the frozen one's signatures of the wholes."""

    def __init__(self, settings: SubMotionSettings, motions: MotionSet, _folder: Path, teacher: Teacher) -> None:
        self.settings = settings
        self.wholes = in_parts(motions, settings.longest)
        self.wanted = _signed(self.wholes, teacher)
        self.encoder = DeepHuMS(settings.layers, settings.size)
        self.encoder.input.fit(*channel_statistics(motions.frames))
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """Mean squared Euclidean distance of pieces' signatures from those of their wholes."""
        settings = self.settings
        which = torch.randint(len(self.wholes), (settings.batch,))
        _, pieces = large_parts(self.wholes, which, settings.least, settings.longest)
        batch = with_joints_missing(pieces, settings.missing, settings.missing_chance)
        signatures = self.encoder(batch.joints, batch.valid.float(), batch.length)
        return (signatures - self.wanted[which]).square().sum(dim=1).mean(), {}

    def after_step(self) -> None:
        """Clips the recurrent weights."""
        self.encoder.clip_recurrent()


def in_parts(motions: MotionSet, longest: int) -> MotionSet:
    """The motions, those of more than ``longest`` frames cut into equal parts."""
    count = (motions.length + longest - 1) // longest
    owner = torch.arange(len(motions)).repeat_interleave(count)
    number = torch.arange(len(owner)) - (count.cumsum(0) - count)[owner]
    ends = [(number + k) * motions.length[owner] // count[owner] for k in (0, 1)]
    return replace(
        motions,
        valid=motions.valid[owner],
        start=motions.start[owner] + ends[0],
        length=ends[1] - ends[0],
        label=motions.label[owner],
    )


def _signed(wholes: MotionSet, teacher: Teacher) -> Tensor:
    """The frozen network's signatures ``[N, 512]``."""
    signatures = []
    for rows in torch.arange(len(wholes)).split(_AT_ONCE):
        pieces = wholes.pieces(rows, torch.zeros_like(rows), wholes.length[rows])
        signatures.append(torch.from_numpy(teacher.encode(_separate(pieces))))
    return torch.cat(signatures)


def _separate(batch: Batch) -> list[NormalizedMotion]:
    rows = zip(batch.joints, batch.valid, batch.length.tolist(), strict=True)
    return [NormalizedMotion(joints[:frames].numpy(), valid.numpy()) for joints, valid, frames in rows]
