# SPDX-License-Identifier: GPL-3.0-or-later
"""Tying the loose parts of a skeleton together: limbs whose bones have no parent in the trunk.

Deform bones of control rigs often stand in several trees. Each part is hung on the bone that it touches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mirror_image import OFF_PLACE, SYMMETRIC

Array = NDArray[np.float64]
Joints = NDArray[np.intp]
Mask = NDArray[np.bool_]

_TOUCH = 1e-3  # of the rig's extent: bones nearer than this touch
_MOST_PARTS = 200
_MOST_DISTANCES = 1_000_000  # parts times bones; both bound the work on skeletons with thousands of bones


def joined(parents: Joints, heads: Array, tips: Array | None, placed: Mask) -> tuple[Joints, Mask]:
    """Parents with every loose part hung on the bone it touches, and which joints are in the tree.

    The nearest part is hung first, the smaller on the larger. Parts that begin in the figure's middle hang on
    each other only, and none hangs on the other side: a trunk does not hang on a leg, nor one leg on the other.

    Args:
        parents: ``[J]``, -1 for roots.
        heads: ``[J, 3]`` where bones begin.
        tips: ``[J, 3]`` where bones end, or None.
        placed: ``[J]`` which joints have a position; of very many loose parts only the largest are kept.
    """
    parents, placed = parents.copy(), placed.copy()
    roots = _largest(parents, placed)
    placed &= np.isin(_parts(parents), roots)
    if len(roots) > 1:
        _Ties(parents, heads, tips, placed, roots).tie()
    return np.where(placed, parents, -1), placed


class _Ties:
    """The state of hanging part after part: whose part each joint is, how deep, and which parts are loose."""

    def __init__(self, parents: Joints, heads: Array, tips: Array | None, placed: Mask, roots: Joints) -> None:
        self.parents, self.roots = parents, roots
        self.part = _parts(parents)
        depth = depths(parents)
        self.depth = np.zeros(len(parents), dtype=np.intp) if depth is None else depth
        self.side = sides(heads, placed)
        self.away = _away(heads[roots], heads, _ends(parents, heads) if tips is None else tips)
        self.away[~placed[None] | (self.side * self.side[roots][:, None] < 0)] = np.inf
        self.touch = _TOUCH * float(np.ptp(heads[placed], axis=0).max())
        self.loose = np.ones(len(roots), dtype=bool)

    def tie(self) -> None:
        """Hangs parts until one is left, or none can be hung."""
        while self.loose.sum() > 1 and self._hang_nearest():
            pass

    def _hang_nearest(self) -> bool:
        part, roots = self.part, self.roots
        self.away[part[roots][:, None] == part] = np.inf
        barred = (self.side[part[roots]] == 0)[:, None] & (self.side[part] != 0)
        free = np.where(barred, np.inf, self.away)
        free = free if np.isfinite(free[self.loose].min()) else self.away
        nearest = np.where(self.loose, free.min(axis=1), np.inf)
        if not np.isfinite(nearest.min()):
            return False
        sizes = np.bincount(part, minlength=len(part))
        pick = min(np.flatnonzero(nearest <= nearest.min() + self.touch), key=lambda r: sizes[part[roots[r]]])
        touched = np.flatnonzero(free[pick] <= nearest[pick] + self.touch)
        self._hang(int(pick), int(min(touched, key=lambda j: (-sizes[part[j]], self.depth[j]))))
        return True

    def _hang(self, pick: int, onto: int) -> None:
        root = self.roots[pick]
        hung = self.part == self.part[root]
        self.parents[root] = onto
        self.depth[hung] += self.depth[onto] + 1
        self.part[hung] = self.part[onto]
        self.loose[pick] = False


def sides(heads: Array, placed: Mask) -> Joints:
    """The side of every joint ``[J]``, 1 or -1, in a rig that faces along an axis and is symmetric; 0 in the middle."""
    known = heads[placed]
    size = float(np.ptp(known, axis=0).max())
    best, most = np.zeros(len(heads), dtype=np.intp), 0.0
    for axis in range(3):
        off = heads[:, axis] - np.median(known[:, axis])
        probes = np.flatnonzero(placed)[np.argsort(-np.abs(off[placed]))][:_MOST_PARTS]
        image = heads[probes]
        image[:, axis] -= 2.0 * off[probes]
        apart = np.linalg.norm(image[:, None] - known, axis=-1).min(axis=1)
        weight = np.abs(off[probes])
        matched = float(weight[apart < 2.0 * OFF_PLACE * size].sum())
        if matched > most and matched >= SYMMETRIC * weight.sum():
            best, most = np.sign(off).astype(np.intp) * (np.abs(off) > 0.01 * size), matched
    return best


def depths(parents: Joints) -> Joints | None:
    """How many joints are above each ``[J]``, or None where parents go in a circle."""
    depth, up = np.zeros(len(parents), dtype=np.intp), parents
    for _ in range(len(parents) + 1):
        if not (up >= 0).any():
            return depth
        depth += up >= 0
        up = np.where(up >= 0, parents[up], -1)
    return None


def _largest(parents: Joints, placed: Mask) -> Joints:
    """The roots of the parts ``[R]``, of very many those with most joints."""
    roots = np.flatnonzero(placed & (parents < 0))
    most = max(min(_MOST_PARTS, _MOST_DISTANCES // max(len(parents), 1)), 1)
    if len(roots) <= most:
        return roots
    sizes = np.bincount(_parts(parents), minlength=len(parents))[roots]
    return np.sort(roots[np.argsort(-sizes, kind="stable")][:most])


def _parts(parents: Joints) -> Joints:
    """The root of every joint ``[J]``."""
    part = np.arange(len(parents))
    while True:
        up = np.where(parents[part] >= 0, parents[part], part)
        if np.array_equal(up, part):
            return part
        part = up


def _away(points: Array, starts: Array, ends: Array) -> Array:
    """Distances ``[R, J]`` of points from bones."""
    along = ends - starts
    t = ((points[:, None] - starts) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
    return np.linalg.norm(starts + np.clip(t, 0.0, 1.0)[..., None] * along - points[:, None], axis=-1)


def _ends(parents: Joints, heads: Array) -> Array:
    """Where each joint's bone ends ``[J, 3]`` when tips are not known: at its first child, or where it starts."""
    ends = heads.copy()
    for j in range(len(parents) - 1, -1, -1):
        if parents[j] >= 0:
            ends[parents[j]] = heads[j]
    return ends
