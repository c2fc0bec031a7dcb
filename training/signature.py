# SPDX-License-Identifier: GPL-3.0-or-later
"""How the shipped signature learns: to be as far apart as the teacher says, whatever befell the motions.

A pool of pieces is drawn once and compared by the teacher, clean. Each step sees some pieces with their near
neighbours, disturbed: cut, warped in time, noisy, joints missing, as another rig would have them. Every prefix
of the signature learns alike, so its first 64 numbers are a signature too (Kusupati et al., "Matryoshka
Representation Learning", 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hums_engine.normalize import NormalizedMotion

from . import augment
from .augment import Batch, drop_joints, drop_limbs, exaggerate, mirror, place, recombine
from .fit import Settings, Terms
from .losses import distillation, similarity_regression, supervised_contrastive
from .motion_set import MotionSet
from .signature_net import SignatureNet
from .teacher import joined, look, teach


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
    invented: float = 0.5  # chance of a piece to be recombined, to be mirrored, and to be exaggerated
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
    """P pieces of motions and how far they are apart, ``distance [P, P]``."""

    pieces: MotionSet
    distance: Tensor


_AT_ONCE = 256  # pieces drawn and looked at together: bounds the memory
PREFIXES = (64, 128, 256, 512)


class SignatureRecipe:
    """`SignatureNet` learning from the teacher."""

    def __init__(self, settings: SignatureSettings, motions: MotionSet, folder: Path) -> None:
        self.settings = settings
        self.pool = _pool(settings, motions, folder / "pool.pt")
        self.near = self.pool.distance.argsort(dim=1)[:, 1 : settings.neighbours + 1]
        self.encoder = SignatureNet(width=settings.width, blocks=settings.blocks, drop=settings.drop)
        self.encoder.fit(_whole(self.pool.pieces, torch.arange(0, settings.pool, 4)))
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """All losses over the prefixes of the signatures of one batch."""
        settings = self.settings
        chosen = self._choose()
        signatures = self._encode(self._disturbed(chosen))
        wanted = self.pool.distance[chosen][:, chosen]
        label = self.pool.pieces.label[chosen]
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
        settings, pieces, count = self.settings, self.pool.pieces, len(chosen)
        whole = pieces.length[chosen].float()
        kept = 1.0 - (1.0 - settings.keep) * torch.rand(count) * _sometimes(count)
        span = (whole * kept).clamp_min(settings.shortest).minimum(whole)
        first = torch.rand(count) * (whole - span)
        pace = torch.exp((2.0 * torch.rand(count) - 1.0) * math.log(settings.speed))
        length = (span / pace).round().long().clamp(settings.shortest // 2, 2 * settings.longest)
        bend = (2.0 * torch.rand(count) - 1.0) * _sometimes(count)
        batch = pieces.warped(chosen, first, span, length, bend)
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
        stored: dict[str, Tensor] = torch.load(path, weights_only=True)
        return Pool(distance=stored.pop("distance"), pieces=MotionSet(**stored))
    parts = [_draw(settings, motions, min(_AT_ONCE, settings.pool - i)) for i in range(0, settings.pool, _AT_ONCE)]
    pieces = MotionSet.of(
        [
            NormalizedMotion(p.joints[i, :n].numpy(), p.valid[i].numpy())
            for p, _ in parts
            for i, n in enumerate(p.length)
        ],
        [],
    )
    pieces = replace(pieces, label=torch.cat([label for _, label in parts]))
    joints = motions.valid.all(dim=0).nonzero()[:, 0]
    looks = [look(_whole(pieces, some), joints) for some in torch.arange(settings.pool).split(_AT_ONCE)]
    pool = Pool(pieces, teach(joined(looks)))
    torch.save(vars(pieces) | {"distance": pool.distance}, path)
    return pool


def _draw(settings: SignatureSettings, motions: MotionSet, count: int) -> tuple[Batch, Tensor]:
    """Pieces of the motions and their labels; most are made into motions that nobody recorded, without a label.

    Half have the trunk and arms of another piece, half are mirrored, half are exaggerated or subdued.
    """
    which = torch.multinomial(motions.length.float().sqrt(), count, replacement=True)
    length = _lengths(settings, motions.length[which])
    first = (torch.rand(count) * (motions.length[which] - length + 1)).long()
    pieces = motions.pieces(which, first, length)
    other = torch.multinomial(motions.length.float().sqrt(), count, replacement=True)
    span = torch.minimum(length, motions.length[other]).float()
    start = torch.rand(count) * (motions.length[other] - span)
    upper = motions.warped(other, start, span, length, torch.zeros(count))
    mixed, mirrored, changed = (torch.rand(count) < settings.invented for _ in range(3))
    pieces = _where(mixed, recombine(pieces, upper), pieces)
    pieces = _where(mirrored, mirror(pieces), pieces)
    factor = 0.6 + 0.8 * torch.rand(count)
    pieces = _where(changed, exaggerate(pieces, factor), pieces)
    return place(pieces), torch.where(mixed | mirrored | changed, -1, motions.label[which])


def _lengths(settings: SignatureSettings, available: Tensor) -> Tensor:
    """Lengths ``[N]`` of pieces: evenly spread by ratio, a quarter as long as may be: clips are asked for whole."""
    spread = settings.longest / settings.shortest
    length = (settings.shortest * spread ** torch.rand(len(available))).long()
    length = torch.where(torch.rand(len(available)) < 0.25, settings.longest, length)
    return torch.minimum(length, available)


def _where(chosen: Tensor, changed: Batch, batch: Batch) -> Batch:
    """``changed`` in the rows ``chosen [N]``, else ``batch``; both of the same lengths."""
    joints = torch.where(chosen[:, None, None, None], changed.joints, batch.joints)
    return Batch(joints, torch.where(chosen[:, None], changed.valid, batch.valid), batch.length)


def _whole(pieces: MotionSet, rows: Tensor) -> Batch:
    return pieces.pieces(rows, torch.zeros_like(rows), pieces.length[rows])
