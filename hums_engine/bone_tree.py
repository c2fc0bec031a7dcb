# SPDX-License-Identifier: GPL-3.0-or-later
"""A skeleton as a tree without names: one root, lengths, and several views of where the joints are.

Everything that finds a figure by its shape works on this. Joints without any position are left out, and loose
parts (bones that no parent ties to the rest) are hung on whatever they touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MAX_POSES = 24


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
            ways = sorted((self.reach[c] + self.lengths[c] for c in self.children[j]), reverse=True)
            longest = max(longest, sum(ways[:2]))
        return longest

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
    return BoneTree(joined, views, known_tips, placed, tied=(parents < 0) & (joined >= 0), has_rest=has_rest)


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
    seen = np.isfinite(np.stack(shots)).all(axis=-1)
    placed = seen.any(axis=0) & (seen.mean(axis=0) >= 0.5)
    whole = [i for i, ok in enumerate(seen) if ok[placed].all()]
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
    parents: NDArray[np.intp], heads: Array, tips: Array | None, placed: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Parents with every loose part hung on the joint it touches, nearest first, the smaller on the larger."""
    parents = parents.copy()
    part = _parts(parents)
    roots = [int(j) for j in np.flatnonzero(placed & (parents < 0))]
    starts, ends = _segments(parents, heads, tips)
    while len(roots) > 1:
        ties = [_nearest_tie(r, part, parents, placed, heads, starts, ends) for r in roots]
        sizes = [int((part == part[r]).sum()) for r in roots]
        loose = min(range(len(roots)), key=lambda i: (round(ties[i][0], 6), sizes[i]))
        root, onto = roots.pop(loose), ties[loose][1]
        parents[root] = onto
        part[part == part[root]] = part[onto]
    return parents


def _parts(parents: NDArray[np.intp]) -> NDArray[np.intp]:
    """The root of every joint ``[J]``."""
    part = np.arange(len(parents))
    while True:
        up = np.where(parents[part] >= 0, parents[part], part)
        if np.array_equal(up, part):
            return part
        part = up


def _segments(parents: NDArray[np.intp], heads: Array, tips: Array | None) -> tuple[Array, Array]:
    """Where each joint's bone starts and ends ``[J, 3]``: at its tip, or its first child, or itself."""
    if tips is not None:
        return heads, tips
    ends = heads.copy()
    for j in range(len(parents) - 1, -1, -1):
        if parents[j] >= 0:
            ends[parents[j]] = heads[j]
    return heads, ends


def _nearest_tie(
    root: int,
    part: NDArray[np.intp],
    parents: NDArray[np.intp],
    placed: NDArray[np.bool_],
    heads: Array,
    starts: Array,
    ends: Array,
) -> tuple[float, int]:
    """Distance to, and index of, the bone outside the root's own part that passes nearest to the root.

    Of bones that pass equally near, the one of the largest part counts, and there the one nearest to its root.
    """
    along = ends - starts
    t = np.clip(((heads[root] - starts) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12), 0.0, 1.0)
    away = np.linalg.norm(starts + t[:, None] * along - heads[root], axis=-1)
    away[(part == part[root]) | ~placed] = np.inf
    touching = np.flatnonzero(away <= away.min() + 1e-3 * np.ptp(heads[placed], axis=0).max())
    sizes = np.bincount(part, minlength=len(part))[part[touching]]
    nearest = min(zip(-sizes, (_depth(parents, int(j)) for j in touching), touching, strict=True))[2]
    return float(away[nearest]), int(nearest)


def _depth(parents: NDArray[np.intp], joint: int) -> int:
    depth = 0
    while parents[joint] >= 0:
        joint, depth = int(parents[joint]), depth + 1
    return depth


def stations(tree: BoneTree, path: Sequence[int]) -> list[int]:
    """A path without joints that stand where the one before them stands: the first of each place is kept."""
    kept: list[int] = []
    for j in path:
        if not kept or np.linalg.norm(tree.views[:, j] - tree.views[:, kept[-1]], axis=-1).max() > 0.004 * tree.size:
            kept.append(j)
    return kept
