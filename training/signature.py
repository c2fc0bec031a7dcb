# SPDX-License-Identifier: GPL-3.0-or-later
"""How the shipped signature learns: to be as far apart as the teacher says, whatever befell the motions.

Beside it, motions that have a label learn to find those of the same label.

A pool of pieces is drawn once and compared by the teacher, clean. Each step sees some pieces with their near
neighbours, disturbed: cut, warped in time, noisy, joints missing, as another rig would have them. Every prefix
of the signature learns alike, so its first 64 numbers are a signature too (Kusupati et al., "Matryoshka
Representation Learning", 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
from .pose_statistics import poses_of
from .signature_net import SignatureNet
from .teacher import joined, look, teach


@dataclass(frozen=True)
class SignatureSettings(Settings):
    """The net, the pool of pieces, what befalls them, and the losses."""

    recipe: str = "signature"
    steps: int = 1300
    batch: int = 80  # pieces a step: a quarter anchors, again the anchors, and half neighbours of anchors
    weight_decay: float = 0.01
    width: int = 192
    blocks: int = 6
    drop: float = 0.1
    pool: int = 3500  # pieces that the teacher compares, each with each
    shortest: int = 15  # frames of a piece
    longest: int = 180
    neighbours: int = 32  # an anchor's company is drawn from so many nearest
    invented: float = 0.5  # chance of a piece to be recombined, to be mirrored, and to be exaggerated
    keep: float = 0.6  # least share of a piece that a cut leaves
    speed: float = 3.0  # pieces play up to so much faster or slower
    noise: float = 0.02  # largest deviation of noise, metres
    marker: float = 0.012  # deviation of each joint's place on the body, metres
    missing: float = 0.35  # largest share of joints missing
    teacher_temperature: float = 0.1  # of the distribution over neighbours, in medians of the teacher's distance
    temperature: float = 0.1  # of the student's
    scale: float = 0.5  # the teacher's distance at which cosines shall have fallen to 1/e
    regression: float = 5.0  # weight of the squared error of cosines beside the distribution over neighbours
    supervised: float = 0.5  # weight of the contrastive loss over labels
    labelled: int = 16  # motions a step for that loss, four of each of some classes


class Pool(NamedTuple):
    """P pieces of motions and how far they are apart, ``distance [P, P]``."""

    pieces: MotionSet
    distance: Tensor


_OF_A_CLASS = 4
_AT_ONCE = 256  # pieces drawn and looked at together: bounds the memory
PREFIXES = (64, 128, 256, 512)


class SignatureRecipe:
    """`SignatureNet` learning from the teacher."""

    def __init__(self, settings: SignatureSettings, motions: MotionSet, folder: Path) -> None:
        self.settings = settings
        self.motions = motions
        self.pool = _pool(settings, motions, folder / "pool.pt")
        self.near = self.pool.distance.argsort(dim=1)[:, 1 : settings.neighbours + 1]
        self.encoder = SignatureNet(width=settings.width, blocks=settings.blocks, drop=settings.drop)
        self.encoder.fit(_whole(self.pool.pieces, torch.arange(0, settings.pool, 4)))
        self.encoder.know(poses_of(motions))
        self.model: nn.Module = nn.ModuleDict({"encoder": self.encoder})

    def loss(self, step: int) -> tuple[Tensor, Terms]:
        """All losses over the prefixes of the signatures of one batch."""
        settings = self.settings
        chosen = self._choose()
        batches = [self._disturbed(self.pool.pieces, chosen)]
        labelled = self._choose_labelled() if settings.supervised else chosen[:0]
        if len(labelled):
            batches.append(self._disturbed(self.motions, labelled))
        signatures = self._encode(_together(batches))
        wanted = self.pool.distance[chosen][:, chosen]
        terms: dict[str, list[Tensor]] = {"distil": [], "regress": [], "label": []}
        for size in PREFIXES:
            prefix = nn.functional.normalize(signatures[:, :size], dim=-1)
            taught, classed = prefix[: len(chosen)], prefix[len(chosen) :]
            cosine = taught @ taught.T
            terms["distil"].append(distillation(cosine / settings.temperature, wanted / settings.teacher_temperature))
            terms["regress"].append(similarity_regression(cosine, torch.exp(-wanted / settings.scale)))
            if len(labelled):
                logits = classed @ classed.T / settings.temperature
                terms["label"].append(supervised_contrastive(logits, self.motions.label[labelled]))
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

    def _choose_labelled(self) -> Tensor:
        """Four motions each of as many classes as there is room for; none where no motion has a label."""
        label = self.motions.label
        classes = label[label >= 0].unique()
        some = classes[torch.randperm(len(classes))][: self.settings.labelled // _OF_A_CLASS]
        of_class = [(label == one).nonzero()[:, 0] for one in some]
        return torch.cat([those[torch.randint(len(those), (_OF_A_CLASS,))] for those in of_class] or [label[:0]])

    def _disturbed(self, pieces: MotionSet, chosen: Tensor) -> Batch:
        """The chosen pieces, each cut, warped, noisy and incomplete in its own way."""
        settings, count = self.settings, len(chosen)
        whole = pieces.length[chosen].float()
        kept = 1.0 - (1.0 - settings.keep) * torch.rand(count) * _sometimes(count)
        span = (whole * kept).clamp(settings.shortest, settings.longest).minimum(whole)
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


def _together(batches: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    longest = max(batch.joints.shape[1] for batch in batches)
    joints = [nn.functional.pad(b.joints, (0, 0, 0, 0, 0, longest - b.joints.shape[1])) for b in batches]
    return Batch(torch.cat(joints), torch.cat([b.valid for b in batches]), torch.cat([b.length for b in batches]))


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
        [NormalizedMotion(p.joints[i, :n].numpy(), p.valid[i].numpy()) for p in parts for i, n in enumerate(p.length)],
        [],
    )
    joints = motions.valid.all(dim=0).nonzero()[:, 0]
    looks = [look(_whole(pieces, some), joints) for some in torch.arange(settings.pool).split(_AT_ONCE)]
    pool = Pool(pieces, teach(joined(looks)))
    torch.save(vars(pieces) | {"distance": pool.distance}, path)
    return pool


def _draw(settings: SignatureSettings, motions: MotionSet, count: int) -> Batch:
    """Pieces of the motions; most are made into motions that nobody recorded.

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
    return place(pieces)


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
