# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognition embeddings: an encoder that has learnt nothing but to tell classes apart, by cross-entropy.

They are the peers that DeepHuMS compares itself with: IndRNN (Li et al., CVPR 2018) and HCN (Li et al., IJCAI 2018),
their layer before the classes being the signature. As in HCN's paper a step sees a random part of each clip, at
least half of it. Their papers train on whole skeletons, so by default no joints are taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .drawing import large_parts, with_joints_missing
from .fit import Settings, Terms
from .hcn import HCN
from .model import DeepHuMS, channel_statistics
from .motion_set import MotionSet
from .signature_classes import SignatureClasses


@dataclass(frozen=True)
class RecognitionSettings(Settings):
    """What befalls the clips before they are to be recognised."""

    least: float = 0.5  # share of a clip that a step sees
    longest: int = 600  # frames
    missing: float = 0.2  # share of the joints that a clip loses
    missing_chance: float = 0.0  # of a clip to lose them


@dataclass(frozen=True)
class RecognitionIndRNNSettings(RecognitionSettings):
    """IndRNN's own: its size."""

    recipe: str = "recognition-indrnn"
    layers: int = 6
    size: int = 512  # neurons of each layer


@dataclass(frozen=True)
class RecognitionHCNSettings(RecognitionSettings):
    """HCN's own: its dropout."""

    recipe: str = "recognition-hcn"
    dropout: float = 0.5


class RecognitionRecipe:
    """An encoder learning the classes of a `MotionSet`; motions without a class are not looked at.

    Raises:
        ValueError: no motion has a class.
    """

    def __init__(
        self, settings: RecognitionSettings, motions: MotionSet, _folder: Path, encoder: DeepHuMS | HCN
    ) -> None:
        self.settings = settings
        self.motions = motions
        self.labelled = (motions.label >= 0).nonzero()[:, 0]
        self.encoder = encoder
        self.encoder.input.fit(*channel_statistics(motions.frames))
        self.classes = SignatureClasses(motions)
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder, "classes": self.classes})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """Cross-entropy of one batch of clips."""
        settings = self.settings
        which = self.labelled[torch.randint(len(self.labelled), (settings.batch,))]
        _, pieces = large_parts(self.motions, which, settings.least, settings.longest)
        batch = with_joints_missing(pieces, settings.missing, settings.missing_chance)
        signatures = self.encoder(batch.joints, batch.valid.float(), batch.length)
        return self.classes.loss(signatures, self.motions.label[which]), {}

    def after_step(self) -> None:
        """Clips the recurrent weights where there are any."""
        if isinstance(self.encoder, DeepHuMS):
            self.encoder.clip_recurrent()
