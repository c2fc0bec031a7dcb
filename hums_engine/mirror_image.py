# SPDX-License-Identifier: GPL-3.0-or-later
"""The plane about which a rig is symmetric at rest, found without knowing where left and right are."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .bone_tree import BoneTree

Array = NDArray[np.float64]

# Shares of the tree's size (the longest way between two joints).
OFF_PLACE = 0.015  # how far from a mirror image a joint may stand and still be met by it
_OFF_TWIN = 0.04  # the same for the twins between which a plane lies
_WIDE = 0.06  # a rig that nowhere reaches this far off the plane is a line, and symmetric about many

SYMMETRIC = 0.6  # share of a rig, weighted by the distance from the plane, that must meet its mirror image
_FLAT = 0.1  # second to first singular value of a rig that is more than a line

# What bounds the work on skeletons with thousands of bones.
_PLANES = 16
_CHILDREN = 24
_PROBES = 300


class _Plane(NamedTuple):
    """A plane between two like chains: their distance, its normal, a point of it, and the twins ``[N, 2]``."""

    distance: float
    normal: Array
    point: Array
    twins: NDArray[np.intp]


def mirror_image(tree: BoneTree) -> Array | None:
    """Where every joint's mirror image is in the first view ``[J, 3]``, or None where that is not symmetric."""
    places = tree.views[0]
    spread = np.linalg.svd(places[tree.placed] - places[tree.placed].mean(axis=0), compute_uv=False)
    if len(spread) < 2 or spread[1] < _FLAT * spread[0]:
        return None
    best, most = None, 0.0
    for plane in _planes(tree):
        off = (places - plane.point) @ plane.normal
        image = places - 2.0 * off[:, None] * plane.normal
        matched = _matched(tree, image, np.abs(off), plane.twins)
        if matched > most:
            best, most = image, matched
    return best


def twin(heads: Array, tips: Array, bone: int) -> int:
    """The bone that mirrors another about the plane x = 0 of a rig's own space, as Blender mirrors; -1 for none.

    Args:
        heads: ``[B, 3]`` where bones begin.
        tips: ``[B, 3]`` where they end.
        bone: the bone; one that lies in the plane has no twin.
    """
    ends = np.concatenate([heads, tips], axis=1)
    image = ends[bone] * [-1.0, 1.0, 1.0, -1.0, 1.0, 1.0]
    limit = OFF_PLACE * float(np.ptp(ends.reshape(-1, 3), axis=0).max())
    if np.linalg.norm(image - ends[bone]) < 2.0 * limit:
        return -1
    apart = np.linalg.norm(ends - image, axis=1)
    return int(np.argmin(apart)) if apart.min() < limit else -1


def _matched(tree: BoneTree, image: Array, off: Array, twins: NDArray[np.intp]) -> float:
    """How well a mirror image meets the rig, 0 where it does not; hands and feet, far out, count most."""
    places = tree.views[0]
    if np.linalg.norm(image[twins[:, 0]] - places[twins[:, 1]], axis=-1).max() > _OFF_TWIN * tree.size:
        return 0.0
    beside = np.flatnonzero(tree.placed & (off > 0.01 * tree.size))
    beside = beside[np.argsort(-off[beside])]
    others, beside = beside[: 2 * _PROBES], beside[:_PROBES]
    if not len(beside) or off[beside[0]] < _WIDE * tree.size:
        return 0.0
    apart = np.linalg.norm(image[beside][:, None] - places[others][None], axis=-1).min(axis=1)
    matched = float(off[beside][apart < OFF_PLACE * tree.size].sum())
    return matched if matched >= SYMMETRIC * off[beside].sum() else 0.0


def _planes(tree: BoneTree) -> list[_Plane]:
    """Planes between like siblings, the widest apart first."""
    places = tree.views[0]
    found: list[_Plane] = []
    for parent in tree.order:
        for a, b in combinations(tree.longest_children(parent, _CHILDREN), 2):
            twins = np.array(_like_ways(tree, a, b), dtype=np.intp).reshape(-1, 2)
            apart = (places[twins[:, 0]] - places[twins[:, 1]]).sum(axis=0)
            length = float(np.linalg.norm(apart))
            if length > 0.02 * tree.size:
                found.append(_Plane(length, apart / length, places[twins[-1]].mean(axis=0), twins))
    return sorted(found, key=lambda plane: -plane.distance)[:_PLANES]


def _like_ways(tree: BoneTree, a: int, b: int) -> list[tuple[int, int]]:
    """Two joints and what is farthest below them, as long as lengths stay alike."""
    ways: list[tuple[int, int]] = []
    while tree.alike(a, b):
        ways.append((a, b))
        if not tree.children[a] or not tree.children[b]:
            break
        a, b = (max(tree.children[j], key=lambda c: tree.reach[c] + tree.lengths[c]) for j in (a, b))
    return ways
