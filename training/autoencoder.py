# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature of an auto-encoder: what it takes to draw the motion again, learnt without labels.

After Wang and Neff, "Deep signatures for indexing and retrieval in large motion databases" (MIG 2015). Kept:
one stacked auto-encoder for each functional part of the body, over a segment of a fixed number of frames; the codes of
the parts, one after the other, are the signature; bounded units. Another here: the segment is the whole motion,
resampled; joint locations and their motion stand for joint rotations; all layers are trained at once on corrupted
input (Vincent et al., "Stacked Denoising Autoencoders", 2010) where the paper stacks restricted Boltzmann machines; the
code is compared as real numbers, not rounded to 20 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from hums_engine.skeleton import INDEX

from .augment import Batch
from .drawing import large_parts, of_one_length, with_joints_missing
from .fit import Settings, Terms
from .model import CHANNELS
from .motion_set import MotionSet
from .resampling import resampled
from .signature_net import LocalInput

FRAMES: Final = 32
_LIMBS: Final = (("shoulder", "elbow", "wrist"), ("knee", "ankle", "foot"))
_SIDED: Final = [[INDEX[f"{side}_{name}"] for name in limb] for side in ("left", "right") for limb in _LIMBS]
PARTS: Final = [[i for i in INDEX.values() if not any(i in limb for limb in _SIDED)], *_SIDED]
"""The joints of the trunk with the head, and of each arm and leg."""
CODES: Final = (128, 96, 96, 96, 96)
"""Numbers of the signature that tell of each part."""
_STATISTICS_MOTIONS: Final = 256


@dataclass(frozen=True)
class AutoEncoderSettings(Settings):
    """Which pieces are drawn again, and how they are corrupted first."""

    recipe: str = "autoencoder"
    batch: int = 64
    shortest: int = 15  # frames of a piece
    longest: int = 300
    least: float = 0.5  # share of a clip that half of the steps see; the others see pieces of one length
    corruption: float = 0.2  # share of the input's numbers set to zero
    missing: float = 0.2  # share of the joints that a piece loses
    missing_chance: float = 0.5  # of a piece to lose them


class PartAutoEncoder(nn.Module):
    """One part of the body: numbers to code, and back."""

    def __init__(self, numbers: int, code: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(numbers, 2 * code), nn.Tanh(), nn.Linear(2 * code, code), nn.Tanh())
        self.decode = nn.Sequential(nn.Linear(code, 2 * code), nn.Tanh(), nn.Linear(2 * code, numbers))


class AutoEncoder(nn.Module):
    """Auto-encoders of all parts of the body; the signature is their codes."""

    def __init__(self, corruption: float = 0.2) -> None:
        super().__init__()
        self.input = LocalInput()
        self.corrupt = nn.Dropout(corruption)  # does nothing but in training
        self.parts = nn.ModuleList(
            PartAutoEncoder(FRAMES * len(joints) * CHANNELS, code) for joints, code in zip(PARTS, CODES, strict=True)
        )

    def fit(self, joints: Tensor, valid: Tensor, length: Tensor) -> None:
        """Takes the training data's mean and deviation as constants."""
        local = self.input.local(joints, valid.float(), length)
        within = torch.arange(joints.shape[1])[None, :] < length[:, None]
        self.input.fit(local, within[..., None] & valid[:, None])

    def features(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """``[N, 32, 22, 6]`` what is to be drawn again, standardised; zero for missing joints."""
        frames = resampled(self.input.local(joints, valid, length), length, FRAMES)
        return (frames - self.input.standard.mean) * self.input.standard.scale * valid[:, None, :, None]

    def codes(self, features: Tensor) -> list[Tensor]:
        """The code ``[N, C]`` of each part."""
        return [part.encode(features[:, :, joints].flatten(1)) for part, joints in self._each()]

    def drawn_again(self, codes: list[Tensor]) -> Tensor:
        """Features ``[N, 32, 22, 6]`` from codes."""
        whole = codes[0].new_empty(len(codes[0]), FRAMES, sum(map(len, PARTS)), CHANNELS)
        for (part, joints), code in zip(self._each(), codes, strict=True):
            whole[:, :, joints] = part.decode(code).reshape(len(code), FRAMES, len(joints), CHANNELS)
        return whole

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Signatures ``[N, 512]`` of unit length."""
        codes = self.codes(self.corrupt(self.features(joints, valid, length)))
        return nn.functional.normalize(torch.cat(codes, dim=1), dim=-1)

    def _each(self) -> list[tuple[PartAutoEncoder, list[int]]]:
        pairs = zip(self.parts, PARTS, strict=True)
        return [(part, joints) for part, joints in pairs if isinstance(part, PartAutoEncoder)]


class AutoEncoderRecipe:
    """An `AutoEncoder` learning to draw the motions of a `MotionSet` from corrupted ones."""

    def __init__(self, settings: AutoEncoderSettings, motions: MotionSet, _folder: Path) -> None:
        self.settings = settings
        self.motions = motions
        self.encoder = AutoEncoder(settings.corruption)
        which = torch.randint(len(motions), (_STATISTICS_MOTIONS,))
        self.encoder.fit(*large_parts(motions, which, 1.0, settings.longest).pieces)
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """Mean squared error of the joints that the motion has, those that were taken from the input among them."""
        settings, encoder = self.settings, self.encoder
        pieces = self._draw(step)
        wanted = encoder.features(pieces.joints, pieces.valid.float(), pieces.length)
        batch = with_joints_missing(pieces, settings.missing, settings.missing_chance)
        given = encoder.features(batch.joints, batch.valid.float(), batch.length)
        drawn = encoder.drawn_again(encoder.codes(encoder.corrupt(given)))
        seen = pieces.valid[:, None, :, None].expand_as(wanted)
        return (drawn - wanted)[seen].square().mean(), {}

    def _draw(self, step: int) -> Batch:
        settings = self.settings
        if step % 2:
            return of_one_length(self.motions, settings.batch, settings.shortest, settings.longest).pieces
        which = torch.randint(len(self.motions), (settings.batch,))
        return large_parts(self.motions, which, settings.least, settings.longest).pieces

    def after_step(self) -> None:
        """Nothing: the net has no bounded weights."""
