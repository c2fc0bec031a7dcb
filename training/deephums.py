# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's way of learning: pairs that are similar by their motion field and motion distance, in three speeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .augment import Batch, faster, slower
from .drawing import of_one_length, with_joints_missing
from .fit import Settings, Terms
from .losses import balanced, contrastive, distances
from .model import DeepHuMS, channel_statistics
from .motion_set import MotionSet
from .signature_classes import SignatureClasses
from .similarity import similar


@dataclass(frozen=True)
class DeepHuMSSettings(Settings):
    """What the paper gives, and what it leaves open, of its pairs and its loss."""

    recipe: str = "deephums"
    batch: int = 42  # motions a step, before the faster and slower copies: 126 with them, the paper has 128
    layers: int = 6  # of IndRNN
    size: int = 512  # neurons of each
    field_limit: float = 0.2  # largest gap in motion field of a similar pair, as a share of the path
    distance_limit: float = 0.2  # largest gap in motion distance, likewise
    margin: float = 1.0  # dissimilar pairs are pushed this far apart; signatures lie on the unit sphere
    shortest: int = 15  # frames, as in the paper
    longest: int = 300  # so that the slower copy has the paper's longest 600
    missing: float = 0.2  # share of the joints taken from a sequence, as in the paper
    missing_chance: float = 0.5  # of a sequence to lose them
    cross_entropy: float = 0.0  # weight of the supervised loss; the self-supervised signature has none


class DeepHuMSRecipe:
    """The paper's encoder learning from a `MotionSet`."""

    def __init__(self, settings: DeepHuMSSettings, motions: MotionSet, folder: Path) -> None:
        self.settings = settings
        self.motions = motions
        self.encoder = DeepHuMS(settings.layers, settings.size)
        self.encoder.input.fit(*channel_statistics(motions.frames))
        self.classes = SignatureClasses(motions) if settings.cross_entropy else None
        parts = {"encoder": self.encoder, "classes": self.classes}
        self.model: nn.Module = nn.ModuleDict({name: part for name, part in parts.items() if part is not None})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """Contrastive loss over all pairs of pieces and their copies, plus cross-entropy where asked for."""
        settings = self.settings
        which, pieces = of_one_length(self.motions, settings.batch, settings.shortest, settings.longest)
        pairs = similar(pieces.joints, pieces.length, settings.field_limit, settings.distance_limit)
        signatures = torch.cat([self._encode(copy) for copy in (pieces, faster(pieces), slower(pieces))])
        pairs = pairs.repeat(3, 3)  # the three copies of a sequence share its target
        pair_loss = balanced(contrastive(distances(signatures), pairs, settings.margin), pairs)
        if self.classes is None:
            return pair_loss, {"similar": pairs.float().mean()}
        class_loss = self.classes.loss(signatures, self.motions.label[which].repeat(3))
        return pair_loss + settings.cross_entropy * class_loss, {"contrastive": pair_loss, "class": class_loss}

    def after_step(self) -> None:
        """Clips the recurrent weights."""
        self.encoder.clip_recurrent()

    def _encode(self, batch: Batch) -> Tensor:
        batch = with_joints_missing(batch, self.settings.missing, self.settings.missing_chance)
        return self.encoder(batch.joints, batch.valid.float(), batch.length)
