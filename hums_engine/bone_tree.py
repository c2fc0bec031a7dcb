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

from .errors import MappingError
from .loose_parts import depths, joined
from .mirror_image import mirror_image

Array = NDArray[np.float64]

_MAX_POSES = 24
_SEEN_ENOUGH = 0.3  # share of the poses in which a joint must be seen
_MOST_JOINTS = 0.7  # share of the joints that poses must show to tell more than the rest pose
_LIKE = 0.2  # difference of like lengths, to the longer one: captured bodies differ by up to 10 %
_SLACK = 0.01  # of the tree's size, added to it for short bones
_ONE_PLACE = 0.004  # of the tree's size: joints nearer than this are one station
_HEAP = 0.2  # extent of a rest pose to that of the poses, below which it has everything in one place


@dataclass(frozen=True, eq=False)
class BoneTree:
    """A skeleton's structure and shape.

    Attributes:
        parents: ``[J]``, -1 for the one root and for joints that are not placed.
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
        """Length of the longest way between two joints of the tree: about twice a figure's leg and trunk."""
        longest = 0.0
        for j in self.order:
            ways = sorted((self.reach[c] + self.lengths[c] for c in self.children[j]), reverse=True)
            longest = max(longest, sum(ways[:2]))
        return longest

    @cached_property
    def mirrored(self) -> Array | None:
        """Where every joint's mirror image is at rest ``[J, 3]``; None without a symmetric rest pose."""
        return mirror_image(self) if self.has_rest else None

    def alike(self, a: int, b: int) -> bool:
        """Whether two joints are about equally far from their parents."""
        la, lb = self.lengths[a], self.lengths[b]
        return bool(abs(la - lb) <= _LIKE * max(la, lb) + _SLACK * self.size)

    def longest_children(self, joint: int, most: int) -> list[int]:
        """The joint's children that reach farthest from it, at most so many, in the order of the skeleton."""
        children = self.children[joint]
        if len(children) <= most:
            return list(children)
        return sorted(sorted(children, key=lambda c: -(self.reach[c] + self.lengths[c]))[:most])

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

    def stations(self, path: Sequence[int]) -> list[int]:
        """A path without joints that stand where the one before them stands: the first of each place is kept."""
        kept: list[int] = []
        for j in path:
            if not kept or self.apart(j, kept[-1]) > _ONE_PLACE * self.size:
                kept.append(j)
        return kept

    def apart(self, a: int, b: int) -> float:
        """The largest distance between two joints over the views."""
        return float(np.linalg.norm(self.views[:, a] - self.views[:, b], axis=-1).max())


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

    Raises:
        MappingError: the parents are not those of a skeleton.
    """
    parents = _checked(np.asarray(parents, dtype=np.intp))
    views, placed, has_rest = _views(rest, poses)
    if len(views) == 0 or not placed.any():
        return None
    parents = _skip_unplaced(parents, placed)
    known_tips = np.asarray(tips, dtype=np.float64) if tips is not None and has_rest and len(views) == 1 else None
    whole, placed = joined(parents, views[0], known_tips, placed)
    return BoneTree(whole, views, known_tips, placed, tied=(parents < 0) & (whole >= 0), has_rest=has_rest)


def _checked(parents: NDArray[np.intp]) -> NDArray[np.intp]:
    if np.any(parents >= len(parents)) or np.any(parents < -1) or depths(parents) is None:
        raise MappingError(
            "This skeleton's bones are parents of each other in a circle, or of bones that are not there."
        )
    return parents


def _views(
    rest: NDArray[np.floating] | None, poses: NDArray[np.floating] | None
) -> tuple[Array, NDArray[np.bool_], bool]:
    """Views ``[V, J, 3]``, which joints ``[J]`` are seen in them, and whether the rest pose is the first."""
    still, at_rest = _seen_poses(None if rest is None else np.asarray(rest, dtype=np.float64)[None])
    posed, seen = _seen_poses(poses)
    if not len(posed) or (len(still) and seen.sum() < _MOST_JOINTS * at_rest.sum()):
        return still, at_rest, len(still) > 0
    if not len(still) or not at_rest[seen].all() or _is_heap(still[0, seen], posed[:, seen]):
        return posed, seen, False
    return np.concatenate([still, posed]), seen, True


def _seen_poses(poses: NDArray[np.floating] | None) -> tuple[Array, NDArray[np.bool_]]:
    """Some poses spread over the motion ``[V, J, 3]``, and which joints ``[J]`` are seen often enough in them."""
    if poses is None or not len(poses):
        return np.empty((0, 0, 3)), np.zeros(0, dtype=bool)
    shots = np.asarray(poses, dtype=np.float64)
    shots = shots[np.linspace(0, len(shots) - 1, min(len(shots), _MAX_POSES)).astype(np.intp)]
    seen = np.asarray(np.isfinite(shots).all(axis=-1))
    return _bridged(shots, seen), np.asarray(seen.mean(axis=0) >= _SEEN_ENOUGH)


def _bridged(shots: Array, seen: NDArray[np.bool_]) -> Array:
    """Poses with joints that are not seen left where they were seen last, or first."""
    frames = np.where(seen, np.arange(len(shots))[:, None], -1)
    last = np.maximum.accumulate(frames, axis=0)
    first = np.argmax(seen, axis=0)
    take = np.where(last < 0, first, last)
    return np.nan_to_num(shots[take, np.arange(shots.shape[1])])


def _is_heap(rest: Array, poses: Array) -> bool:
    """Whether the rest pose has everything in one place (files that keep offsets in their channels)."""
    if rest.size == 0:
        return True
    return bool(np.ptp(rest, axis=0).max() < _HEAP * np.median(np.ptp(poses, axis=1).max(axis=-1)))


def _skip_unplaced(parents: NDArray[np.intp], placed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Parents with joints that have no position taken out of the chains."""
    result = parents.copy()
    for j in np.flatnonzero(placed):
        while result[j] >= 0 and not placed[result[j]]:
            result[j] = parents[result[j]]
    return np.where(placed, result, -1)
