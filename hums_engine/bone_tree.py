# SPDX-License-Identifier: GPL-3.0-or-later
"""A skeleton as a tree without names: one root, lengths, and several views of where the joints are.

Everything that finds a figure by its shape works on this. Joints without any position are left out, and loose
parts (bones that no parent ties to the rest) are hung on whatever they touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MAX_POSES = 24
_LIKE = 0.2
_SLACK = 0.01
_SYMMETRIC = 0.6
_WIDE = 0.06
_FLAT = 0.1
_OFF_TWIN = 0.04
_OFF_PLACE = 0.015
_PLANES = 16


@dataclass(frozen=True, eq=False)
class BoneTree:
    """A skeleton's structure and shape.

    Attributes:
        parents: ``[J]``, -1 for the one root and for joints that have no position.
        views: ``[V, J, 3]`` where the joints are: at rest (first, where there is a rest pose), then posed.
        tips: ``[J, 3]`` where bones end, known where the rest pose is the only view; else None.
        placed: ``[J]`` bool, which joints have a position at all.
        tied: ``[J]`` bool, which joints were hung on their parents here because they had none.
        has_rest: whether the first view is the rest pose.
    """

    parents: NDArray[np.intp]
    views: Array
    tips: Array | None
    placed: NDArray[np.bool_]
    tied: NDArray[np.bool_]
    has_rest: bool

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The children of every joint."""
        below: list[list[int]] = [[] for _ in self.parents]
        for j, parent in enumerate(self.parents):
            if parent >= 0:
                below[parent].append(j)
        return tuple(tuple(c) for c in below)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All placed joints, parents first."""
        found = [int(j) for j in np.flatnonzero(self.placed & (self.parents < 0))]
        for j in found:
            found.extend(self.children[j])
        return tuple(found)

    @cached_property
    def lengths(self) -> Array:
        """Distance of every joint to its parent ``[J]``, the median over the views; 0 for a root."""
        to = np.maximum(self.parents, 0)
        apart = np.median(np.linalg.norm(self.views - self.views[:, to], axis=-1), axis=0)
        return np.where(self.parents >= 0, apart, 0.0)

    @cached_property
    def reach(self) -> Array:
        """Length of the longest way down from every joint ``[J]``."""
        reach = np.zeros(len(self.parents))
        for j in reversed(self.order):
            if self.parents[j] >= 0:
                reach[self.parents[j]] = max(reach[self.parents[j]], reach[j] + self.lengths[j])
        return reach

    @cached_property
    def size(self) -> float:
        """Length of the longest way between two joints of the tree: about the height of a figure."""
        longest = 0.0
        for j in self.order:
            ways = sorted(
                (self.reach[c] + self.lengths[c] for c in self.children[j]),
                reverse=True,
            )
            longest = max(longest, sum(ways[:2]))
        return longest

    @cached_property
    def mirrored(self) -> Array | None:
        """Where every joint's mirror image is at rest ``[J, 3]``; None without a symmetric rest pose."""
        places = self.views[0]
        spread = np.linalg.svd(places[self.placed] - places[self.placed].mean(axis=0), compute_uv=False)
        if not self.has_rest or len(spread) < 2 or spread[1] < _FLAT * spread[0]:
            return None
        best, most = None, 0.0
        for normal, point, twins in self._mirror_planes():
            off = (places - point) @ normal
            image = places - 2.0 * off[:, None] * normal
            if np.linalg.norm(image[twins[:, 0]] - places[twins[:, 1]], axis=-1).max() > _OFF_TWIN * self.size:
                continue
            beside = self.placed & (np.abs(off) > 0.01 * self.size)
            apart = np.linalg.norm(image[beside][:, None] - places[beside][None], axis=-1).min(axis=1, initial=np.inf)
            weight = np.abs(off[beside])  # far out counts most: hands and feet tell a tilted plane from the true one
            matched = float(weight[apart < _OFF_PLACE * self.size].sum())
            wide = bool(weight.max(initial=0.0) > _WIDE * self.size)
            if wide and matched > most and matched >= _SYMMETRIC * weight.sum():
                best, most = image, matched
        return best

    def _mirror_planes(self) -> list[tuple[Array, Array, NDArray[np.intp]]]:
        """Planes between like siblings, as normal, point and the twins ``[N, 2]`` they are between; widest first."""
        places = self.views[0]
        found: list[tuple[float, Array, Array, NDArray[np.intp]]] = []
        for parent in self.order:
            for a, b in combinations(self.children[parent], 2):
                twins = np.array(self._like_ways(a, b), dtype=np.intp).reshape(-1, 2)
                apart = (places[twins[:, 0]] - places[twins[:, 1]]).sum(axis=0)
                length = float(np.linalg.norm(apart))
                if length > 0.02 * self.size:
                    found.append((length, apart / length, places[twins[-1]].mean(axis=0), twins))
        return [plane[1:] for plane in sorted(found, key=lambda f: -f[0])[:_PLANES]]

    def _like_ways(self, a: int, b: int) -> list[tuple[int, int]]:
        """Two joints and what is farthest below them, as long as lengths stay alike."""
        ways: list[tuple[int, int]] = []
        while self.alike(a, b):
            ways.append((a, b))
            if not self.children[a] or not self.children[b]:
                break
            a, b = (max(self.children[j], key=lambda c: self.reach[c] + self.lengths[c]) for j in (a, b))
        return ways

    def alike(self, a: int, b: int) -> bool:
        """Whether two joints are about equally far from their parents."""
        la, lb = self.lengths[a], self.lengths[b]
        return abs(la - lb) <= _LIKE * max(la, lb) + _SLACK * self.size

    def ancestors(self, joint: int) -> list[int]:
        """The joint and everything above it, up to the root."""
        chain = [joint]
        while self.parents[chain[-1]] >= 0:
            chain.append(int(self.parents[chain[-1]]))
        return chain

    def meeting(self, a: int, b: int) -> int:
        """The lowest joint that carries both ``a`` and ``b``."""
        above = set(self.ancestors(a))
        return next(j for j in self.ancestors(b) if j in above)

    def below(self, joint: int) -> list[int]:
        """The joint and everything under it."""
        found = [joint]
        for j in found:
            found.extend(self.children[j])
        return found


def build(
    parents: NDArray[np.intp],
    rest: NDArray[np.floating] | None,
    tips: NDArray[np.floating] | None,
    poses: NDArray[np.floating] | None,
) -> BoneTree | None:
    """Makes the tree of a skeleton, or None where no joint has a position.

    Args:
        parents: ``[J]``, -1 for roots, any number of them.
        rest: ``[J, 3]`` rest positions, or None.
        tips: ``[J, 3]`` ends of bones at rest, or None.
        poses: ``[T, J, 3]`` posed positions with NaN where not seen, or None.
    """
    views, placed, has_rest = _views(rest, poses)
    if len(views) == 0 or not placed.any():
        return None
    parents = _skip_unplaced(np.asarray(parents, dtype=np.intp), placed)
    known_tips = np.asarray(tips, dtype=np.float64) if tips is not None and has_rest and len(views) == 1 else None
    joined = _join_loose_parts(parents, views[0], known_tips, placed)
    return BoneTree(
        joined,
        views,
        known_tips,
        placed,
        tied=(parents < 0) & (joined >= 0),
        has_rest=has_rest,
    )


def _views(
    rest: NDArray[np.floating] | None, poses: NDArray[np.floating] | None
) -> tuple[Array, NDArray[np.bool_], bool]:
    """Views ``[V, J, 3]`` in which every joint of ``placed`` ``[J]`` is seen, and whether rest is the first."""
    shots: list[Array] = []
    if rest is not None:
        shots.append(np.asarray(rest, dtype=np.float64))
    if poses is not None and len(poses):
        shots.extend(_clearest(np.asarray(poses, dtype=np.float64)))
    if not shots:
        return np.empty((0, 0, 3)), np.empty(0, dtype=bool), False
    seen = np.asarray(np.isfinite(np.stack(shots)).all(axis=-1))
    placed = seen.any(axis=0) & (seen.mean(axis=0) >= 0.5)
    whole = [int(i) for i in np.flatnonzero(seen[:, placed].all(axis=1))]
    if rest is not None and len(whole) > 1 and whole[0] == 0 and _is_heap(shots[0], shots[1:]):
        whole = whole[1:]
    views = np.nan_to_num(np.stack([shots[i] for i in whole])) if whole else np.empty((0, len(placed), 3))
    return views, placed, rest is not None and whole[:1] == [0]


def _clearest(poses: Array) -> Array:
    """Poses spread over the motion, those that show most joints where there is a choice."""
    seen = np.isfinite(poses).all(axis=-1).sum(axis=1)
    whole = np.flatnonzero(seen == seen.max())
    return poses[whole[np.linspace(0, len(whole) - 1, min(len(whole), _MAX_POSES)).astype(np.intp)]]


def _is_heap(rest: Array, poses: list[Array]) -> bool:
    """Whether the rest pose has everything in one place (files that keep offsets in their channels)."""
    return bool(np.ptp(rest, axis=0).max() < 0.2 * np.median([np.ptp(p, axis=0).max() for p in poses]))


def _skip_unplaced(parents: NDArray[np.intp], placed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Parents with joints that have no position taken out of the chains."""
    result = parents.copy()
    for j in range(len(parents)):
        while result[j] >= 0 and not placed[result[j]]:
            result[j] = parents[result[j]]
    return np.where(placed, result, -1)


def _join_loose_parts(
    parents: NDArray[np.intp],
    heads: Array,
    tips: Array | None,
    placed: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Parents with every loose part hung on the bone it touches, nearest first, the smaller on the larger.

    Parts that begin in the figure's middle hang on each other only, and none hangs on the other side: a trunk
    does not hang on a leg, nor one leg on the other.
    """
    parents = parents.copy()
    roots = np.flatnonzero(placed & (parents < 0))
    if len(roots) < 2:
        return parents
    part, depth = _parts(parents), _depths(parents)
    side = _sides(heads, placed)
    away = _away(heads[roots], heads, _ends(parents, heads) if tips is None else tips)
    away[~placed[None] | (side * side[roots][:, None] < 0)] = np.inf
    touch = 1e-3 * float(np.ptp(heads[placed], axis=0).max())
    loose = np.ones(len(roots), dtype=bool)
    while loose.sum() > 1:
        away[part[roots][:, None] == part] = np.inf
        barred = (side[part[roots]] == 0)[:, None] & (side[part] != 0)
        free = np.where(barred, np.inf, away)
        free = free if np.isfinite(free[loose].min()) else away
        sizes = np.bincount(part, minlength=len(part))
        nearest = np.where(loose, free.min(axis=1), np.inf)
        if not np.isfinite(nearest.min()):
            break
        pick = min(
            np.flatnonzero(nearest <= nearest.min() + touch),
            key=lambda r: sizes[part[roots[r]]],
        )
        onto = min(
            np.flatnonzero(free[pick] <= nearest[pick] + touch),
            key=lambda j: (-sizes[part[j]], depth[j]),
        )
        parents[roots[pick]] = onto
        hung = part == part[roots[pick]]
        depth[hung] += depth[onto] + 1
        part[hung] = part[onto]
        loose[pick] = False
    return parents


def _sides(heads: Array, placed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The side of every joint ``[J]``, 1 or -1, in a rig that faces along an axis and is symmetric; 0 in the middle."""
    known = heads[placed]
    size = float(np.ptp(known, axis=0).max())
    best, most = np.zeros(len(heads), dtype=np.intp), 0.0
    for axis in range(3):
        off = heads[:, axis] - np.median(known[:, axis])
        image = known.copy()
        image[:, axis] -= 2.0 * off[placed]
        apart = np.linalg.norm(image[:, None] - known, axis=-1).min(axis=1)
        weight = np.abs(off[placed])
        matched = float(weight[apart < 2.0 * _OFF_PLACE * size].sum())
        if matched > most and matched >= _SYMMETRIC * weight.sum():
            best, most = (
                np.sign(off).astype(np.intp) * (np.abs(off) > 0.01 * size),
                matched,
            )
    return best


def _away(points: Array, starts: Array, ends: Array) -> Array:
    """Distances ``[R, J]`` of points from bones."""
    along = ends - starts
    t = ((points[:, None] - starts) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
    return np.linalg.norm(starts + np.clip(t, 0.0, 1.0)[..., None] * along - points[:, None], axis=-1)


def _parts(parents: NDArray[np.intp]) -> NDArray[np.intp]:
    """The root of every joint ``[J]``."""
    part = np.arange(len(parents))
    while True:
        up = np.where(parents[part] >= 0, parents[part], part)
        if np.array_equal(up, part):
            return part
        part = up


def _depths(parents: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many joints are above each ``[J]``."""
    depth, up = np.zeros(len(parents), dtype=np.intp), parents
    while (up >= 0).any():
        depth += up >= 0
        up = np.where(up >= 0, parents[up], -1)
    return depth


def _ends(parents: NDArray[np.intp], heads: Array) -> Array:
    """Where each joint's bone ends ``[J, 3]`` when tips are not known: at its first child, or where it starts."""
    ends = heads.copy()
    for j in range(len(parents) - 1, -1, -1):
        if parents[j] >= 0:
            ends[parents[j]] = heads[j]
    return ends


def stations(tree: BoneTree, path: Sequence[int]) -> list[int]:
    """A path without joints that stand where the one before them stands: the first of each place is kept."""
    kept: list[int] = []
    for j in path:
        if not kept or np.linalg.norm(tree.views[:, j] - tree.views[:, kept[-1]], axis=-1).max() > 0.004 * tree.size:
            kept.append(j)
    return kept
