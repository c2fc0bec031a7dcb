# SPDX-License-Identifier: GPL-3.0-or-later
"""How the shipped signature learns: to be as far apart as the teacher says, whatever befell the motions.

A pool of pieces is drawn once and compared by the teacher, clean. Each step sees some pieces with their near
neighbours, disturbed: cut, warped in time, noisy, joints missing, as another rig would have them. Every prefix
of the signature learns alike, so its first 64 numbers are a signature too (Kusupati et al., "Matryoshka
Representation Learning", 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import augment
from .augment import Batch, drop_joints, drop_limbs, place
from .fit import Settings, Terms
from .losses import distillation, similarity_regression, supervised_contrastive
from .motion_set import MotionSet
from .signature_net import SignatureNet
from .teacher import look, teach


@dataclass(frozen=True)
class SignatureSettings(Settings):
    """The net, the pool of pieces, what befalls them, and the losses."""

    recipe: str = "signature"
    steps: int = 4000
    batch: int = 96  # pieces a step: a quarter anchors, again the anchors, and half neighbours of anchors
    weight_decay: float = 0.01
    width: int = 192
    blocks: int = 6
    drop: float = 0.1
    pool: int = 3000  # pieces that the teacher compares, each with each
    shortest: int = 15  # frames of a piece
    longest: int = 240
    neighbours: int = 32  # an anchor's company is drawn from so many nearest
    keep: float = 0.6  # least share of a piece that a cut leaves
    speed: float = 2.0  # pieces play up to so much faster or slower
    noise: float = 0.02  # largest deviation of noise, metres
    marker: float = 0.012  # deviation of each joint's place on the body, metres
    missing: float = 0.35  # largest share of joints missing
    teacher_temperature: float = 0.1  # of the distribution over neighbours, in medians of the teacher's distance
    temperature: float = 0.1  # of the student's
    scale: float = 0.5  # the teacher's distance at which cosines shall have fallen to 1/e
    regression: float = 5.0  # weight of the squared error of cosines beside the distribution over neighbours
    supervised: float = 0.0  # weight of the contrastive loss over labels, where there are any


class Pool(NamedTuple):
    """Pieces of motions and how far they are apart: ``which``, ``first``, ``length`` ``[P]``, ``distance [P, P]``."""

    which: Tensor
    first: Tensor
    length: Tensor
    distance: Tensor


PREFIXES = (64, 128, 256, 512)


class SignatureRecipe:
    """`SignatureNet` learning from the teacher."""

    def __init__(self, settings: SignatureSettings, motions: MotionSet, folder: Path) -> None:
        self.settings = settings
        self.motions = motions
        self.pool = _pool(settings, motions, folder / "pool.pt")
        self.near = self.pool.distance.argsort(dim=1)[:, 1 : settings.neighbours + 1]
        self.encoder = SignatureNet(width=settings.width, blocks=settings.blocks, drop=settings.drop)
        self.encoder.input.fit(_pieces(motions, self.pool, torch.arange(0, settings.pool, 4)))
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """All losses over the prefixes of the signatures of one batch."""
        settings = self.settings
        chosen = self._choose()
        signatures = self._encode(self._disturbed(chosen))
        wanted = self.pool.distance[chosen][:, chosen]
        label = self.motions.label[self.pool.which[chosen]]
        terms: dict[str, list[Tensor]] = {"distil": [], "regress": [], "label": []}
        for size in PREFIXES:
            prefix = nn.functional.normalize(signatures[:, :size], dim=-1)
            cosine = prefix @ prefix.T
            terms["distil"].append(distillation(cosine / settings.temperature, wanted / settings.teacher_temperature))
            terms["regress"].append(similarity_regression(cosine, torch.exp(-wanted / settings.scale)))
            if settings.supervised:
                terms["label"].append(supervised_contrastive(cosine / settings.temperature, label))
        means = {name: torch.stack(values).mean() for name, values in terms.items() if values}
        weights = {"distil": 1.0, "regress": settings.regression, "label": settings.supervised}
        return torch.stack([weights[name] * value for name, value in means.items()]).sum(), means

    def after_step(self) -> None:
        """Nothing: the net has no bounded weights."""

    def _choose(self) -> Tensor:
        """Anchors, the anchors again, and two near neighbours of each."""
        anchors = torch.randint(self.settings.pool, (self.settings.batch // 4,))
        company = [self.near[anchors, torch.randint(self.near.shape[1], (len(anchors),))] for _ in range(2)]
        return torch.cat([anchors, anchors, *company])

    def _disturbed(self, chosen: Tensor) -> Batch:
        """The chosen pieces, each cut, warped, noisy and incomplete in its own way."""
        settings, pool, count = self.settings, self.pool, len(chosen)
        whole = pool.length[chosen].float()
        kept = 1.0 - (1.0 - settings.keep) * torch.rand(count) * _sometimes(count)
        span = (whole * kept).clamp_min(settings.shortest).minimum(whole)
        first = pool.first[chosen] + torch.rand(count) * (whole - span)
        pace = torch.exp((2.0 * torch.rand(count) - 1.0) * math.log(settings.speed))
        length = (span / pace).round().long().clamp(settings.shortest // 2, 2 * settings.longest)
        bend = (2.0 * torch.rand(count) - 1.0) * _sometimes(count)
        batch = self.motions.warped(pool.which[chosen], first, span, length, bend)
        batch = augment.move_markers(batch, settings.marker)
        batch = augment.add_noise(batch, settings.noise * torch.rand(count) * _sometimes(count))
        valid = drop_joints(batch.valid, settings.missing * torch.rand(count) * _sometimes(count))
        return place(batch._replace(valid=drop_limbs(valid, 0.1)))

    def _encode(self, batch: Batch) -> Tensor:
        """Signatures of a batch in eight parts of similar length, which spares most of the padding."""
        order = batch.length.argsort()
        parts = []
        for rows in order.chunk(8):
            joints = batch.joints[rows, : int(batch.length[rows].max())]
            parts.append(self.encoder(joints, batch.valid[rows].float(), batch.length[rows]))
        return torch.cat(parts)[order.argsort()]


def _sometimes(count: int) -> Tensor:
    """``[count]`` 0 or 1, evenly: what is done to a motion is left undone half of the time."""
    return (torch.rand(count) < 0.5).float()


def _pool(settings: SignatureSettings, motions: MotionSet, path: Path) -> Pool:
    """Random pieces and the teacher's distances, from ``path`` when the run was begun before."""
    if path.exists():
        return Pool(**torch.load(path, weights_only=True))
    which = torch.multinomial(motions.length.float().sqrt(), settings.pool, replacement=True)
    spread = settings.longest / settings.shortest
    length = (settings.shortest * spread ** torch.rand(settings.pool)).long()
    length = torch.where(torch.rand(settings.pool) < 0.25, settings.longest, length)  # many motions are asked for whole
    length = torch.minimum(length, motions.length[which])
    first = (torch.rand(settings.pool) * (motions.length[which] - length + 1)).long()
    pool = Pool(which, first, length, torch.zeros(0))
    joints = motions.valid.all(dim=0).nonzero()[:, 0]
    pool = pool._replace(distance=teach(look(_pieces(motions, pool, torch.arange(settings.pool)), joints)))
    torch.save(pool._asdict(), path)
    return pool


def _pieces(motions: MotionSet, pool: Pool, rows: Tensor) -> Batch:
    return motions.pieces(pool.which[rows], pool.first[rows], pool.length[rows])
