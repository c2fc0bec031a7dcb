# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of like limbs in a skeleton without names, and where their joints are.

A figure's legs and arms are two chains each that fork at one joint and have bones of like lengths. Within such
a pair, the root, middle and end joint (hip, knee, ankle) are the three stations whose proportions and
straightness fit a limb best: twist bones lie on the line between two of them, knees bend, hands fan out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from . import quat
from .bone_tree import BoneTree

Array = NDArray[np.float64]

# Shares of the tree's size (the longest way between two joints).
_SHORTEST = 0.12  # a chain shorter than this is no limb
_OFF_MIRROR = 0.04  # how far twins may stand from each other's mirror images
_TOUCHING = 1e-4  # closer joints stand in one place

# What bounds the work on skeletons with thousands of bones; no limb comes near.
_CHILDREN = 24
_LONGEST_WAY = 24
_PATHS_A_PAIR = 8

_UNJOINTED = 4.0  # cost of a limb of one bone
_EVEN = 0.03  # logarithm of the ratio of two steps that twist bones, spaced by a tool, stay below
_STIFF = 0.3  # radians: a joint that never bends more is none
_MOST_FOLDED = 1.9  # radians between upper and lower part; what is folded more goes back to a twist bone
_ENOUGH_VIEWS = 6  # poses from which on that can be said
_SHORT_STEP = 0.85  # of the bone before: an end bone is shorter
_LONG_STEP = 0.09  # of the way from the fork: a shorter one is part of the hand


@dataclass(frozen=True, eq=False)
class LimbPair:
    """Two like chains.

    Attributes:
        fork: the joint that carries both.
        way: ``[2, N]`` all joints of both from the fork outwards.
        chains: ``[2, K]`` the first of those that stand in one place: the stations.
        length: of the longer chain, from the fork.
        share: the length, to that of the longest way that begins with the same two bones.
        unlike: how much the bones' lengths differ from one chain to the other, to the length.
        places: ``[V, 2, K or K + 1, 3]`` where the stations are; the last is the tip of the last bone where known.
    """

    fork: int
    way: NDArray[np.intp]
    chains: NDArray[np.intp]
    length: float
    share: float
    unlike: float
    places: Array


@dataclass(frozen=True)
class Limb:
    """A reading of a pair as legs or arms: which stations are the root, middle and end joint.

    Attributes:
        pair: the chains.
        at: stations of hip, knee, ankle or shoulder, elbow, wrist; -1 where the chain is too short.
        found: ``[3, 2]`` the joints there, -1 where missing.
        cost: how far it is from a usual limb, 0 is a perfect one.
    """

    pair: LimbPair
    at: tuple[int, int, int]
    found: NDArray[np.intp]
    cost: float

    def joints(self, place: int) -> NDArray[np.intp]:
        """Both joints ``[2]`` of a place: 0 the root, 1 the middle, 2 the end; -1 where missing."""
        return self.found[place]

    def places(self, place: int) -> Array:
        """Where both joints of a place are ``[V, 2, 3]``; of a missing one, where the limb ends."""
        station = self.at[place]
        return self.pair.places[:, :, station if station >= 0 else -1]


@dataclass(frozen=True)
class Proportions:
    """What a limb usually looks like, each as (logarithm's middle, its deviation) where lengths compare.

    Attributes:
        halves: upper part to lower part.
        width: half the distance between the two roots, to the limb's length.
        lead: way from the fork to the limb's root, to the limb's length: more than this costs.
        beyond: way from the end joint to the tip (foot, hand), to the limb's length: more than this costs.
        fans: whether the end fans out (fingers).
    """

    halves: tuple[float, float]
    width: tuple[float, float]
    lead: float
    beyond: float
    fans: bool


LEGS = Proportions(halves=(0.0, 0.3), width=(np.log(0.13), 0.7), lead=0.25, beyond=0.6, fans=False)
ARMS = Proportions(halves=(0.1, 0.3), width=(np.log(0.36), 0.45), lead=0.6, beyond=0.55, fans=True)


def limb_pairs(tree: BoneTree) -> list[LimbPair]:
    """All pairs of like chains that are long enough to be limbs, longest first."""
    pairs: list[LimbPair] = []
    shortest = _SHORTEST * tree.size
    for fork in tree.order:
        long = [c for c in tree.longest_children(fork, _CHILDREN) if tree.reach[c] + tree.lengths[c] >= shortest]
        for a, b in combinations(long, 2):
            if _alike(tree, a, b):
                pairs.extend(p for p in _pairs_from(tree, fork, a, b) if p.length >= shortest)
    return sorted(pairs, key=lambda p: -p.length)


def _pairs_from(tree: BoneTree, fork: int, a: int, b: int) -> list[LimbPair]:
    """The longest pairs of chains that begin with two joints."""
    ways = sorted(((_length(tree, way), way) for way in _ways(tree, a, b)), reverse=True)[:_PATHS_A_PAIR]
    return [_pair(tree, fork, way, length, ways[0][0]) for length, way in ways]


def _alike(tree: BoneTree, a: int, b: int) -> bool:
    """Whether two joints can be each other's twins: like lengths, and mirror images where the rig is symmetric."""
    return tree.alike(a, b) and (tree.mirrored is None or _off_mirror(tree, a, b) < _OFF_MIRROR * tree.size)


def _off_mirror(tree: BoneTree, a: int, b: int) -> float:
    """Distance of a joint from the mirror image of another."""
    image = tree.mirrored
    return 0.0 if image is None else float(np.linalg.norm(image[a] - tree.views[0, b]))


def _ways(tree: BoneTree, a: int, b: int) -> list[list[tuple[int, int]]]:
    """All ways on from two joints, each as far as both sides stay alike."""
    found: list[list[tuple[int, int]]] = []
    waiting = [[(a, b)]]
    while waiting:
        way = waiting.pop()
        onward = _partners(tree, *way[-1]) if len(way) < _LONGEST_WAY else []
        waiting.extend([*way, pair] for pair in onward)
        if not onward:
            found.append(way)
    return found


def _partners(tree: BoneTree, a: int, b: int) -> list[tuple[int, int]]:
    """Children of ``a`` with the children of ``b`` that are their likes, the likest first."""
    costs = sorted(
        (_unlikeness(tree, a, b, x, y), x, y)
        for x in tree.longest_children(a, _CHILDREN)
        for y in tree.longest_children(b, _CHILDREN)
        if _alike(tree, x, y)
    )
    found: list[tuple[int, int]] = []
    used: set[int] = set()
    for _, x, y in costs:
        if x not in used and y not in used:
            found.append((x, y))
            used |= {x, y}
    return found


def _unlikeness(tree: BoneTree, a: int, b: int, x: int, y: int) -> float:
    """How far two children are from being mirror images: lengths, what hangs below, where they stand."""
    lengths = abs(tree.lengths[x] - tree.lengths[y]) + 0.5 * abs(tree.reach[x] - tree.reach[y])
    if tree.mirrored is not None:
        return float(lengths) + _off_mirror(tree, x, y)
    first = tree.views[0]
    across = abs(np.linalg.norm(first[x] - first[b]) - np.linalg.norm(first[y] - first[a]))
    return float(lengths + across)


def _length(tree: BoneTree, way: list[tuple[int, int]]) -> float:
    return max(float(tree.lengths[list(chain)].sum()) for chain in zip(*way, strict=True))


def _pair(tree: BoneTree, fork: int, way: list[tuple[int, int]], length: float, longest: float) -> LimbPair:
    """The two chains of a way, with places where both stand still taken once."""
    kept = set(tree.stations([a for a, _ in way]))
    chains = np.array([pair for pair in way if pair[0] in kept], dtype=np.intp).T
    both = np.array(way, dtype=np.intp).T
    places = tree.views[:, chains]
    if tree.tips is not None:
        places = np.concatenate([places, tree.tips[None, chains[:, -1:]]], axis=2)
    apart = float(np.abs(np.diff(tree.lengths[both], axis=0)).sum())
    return LimbPair(fork, both, chains, length, length / max(longest, 1e-12), apart / max(length, 1e-12), places)


def best_limb(tree: BoneTree, pair: LimbPair, usual: Proportions) -> Limb:
    """The reading of a pair that fits the usual proportions best."""
    count = pair.chains.shape[1]
    triples = [t for t in combinations(range(pair.places.shape[2]), 3) if t[1] < count]
    if triples:
        costs = _Costs(tree, pair, usual).of(np.array(triples, dtype=np.intp))
        best = int(np.argmin(costs))
        at, cost = triples[best], float(costs[best])
    else:
        at, cost = (0, 1 if count == 2 else -1, -1), _UNJOINTED
    found = [_joints_at(tree, pair, k, hand=usual.fans and place == 2) for place, k in enumerate(at)]
    return Limb(pair, at, np.array(found, dtype=np.intp), cost)


def _joints_at(tree: BoneTree, pair: LimbPair, station: int, hand: bool) -> list[int]:
    """Both joints of a station: the last of several in one place, as riggers put groups above what they move.

    An end site is none to move, and a hand is what carries its fingers.
    """
    if not 0 <= station < pair.chains.shape[1]:
        return [-1, -1]
    found: list[int] = []
    for way, first in zip(pair.way.tolist(), pair.chains[:, station].tolist(), strict=True):
        joint = first
        for following in way[way.index(first) + 1 :]:
            if not _same_place(tree, first, following) or (hand and len(tree.children[joint]) > 1):
                break
            if tree.tips is None and not tree.children[following]:
                break
            joint = following
        found.append(joint)
    return found


class _Costs:
    """The terms that tell a limb's joints in a pair of chains of ``K`` stations.

    Each is about half the squared number of deviations from what limbs usually are, so they add up like the
    logarithm of a likelihood. The weights were set on rigs of many makers and tried on made-up ones.
    """

    def __init__(self, tree: BoneTree, pair: LimbPair, usual: Proportions) -> None:
        self.usual = usual
        self.places = pair.places
        self.by_pair = 2.0 * (1.0 - pair.share) + 10.0 * pair.unlike
        count = pair.chains.shape[1]
        steps = np.linalg.norm(np.diff(self.places, axis=2), axis=-1)
        first = np.linalg.norm(self.places[:, :, 0] - tree.views[:, None, pair.fork], axis=-1)
        step = np.median(np.concatenate([first[..., None], steps], axis=-1), axis=0).mean(axis=0)
        self.run = np.cumsum(step)
        self.width = 0.5 * np.median(np.linalg.norm(self.places[:, 0] - self.places[:, 1], axis=-1), axis=0)
        self.fan = np.minimum(*(_fan(tree, chain) for chain in pair.chains))
        self.tied = np.cumsum(tree.tied[pair.chains].any(axis=0))
        self.turns = _turns(self.places)
        self.bends = self._bends()
        self.straight = np.clip(1.0 - self.bends / 0.3, 0.0, 1.0)
        self.series = self._series()
        self.rigid = (self.turns.max(axis=(0, 1)) < _STIFF) & (len(self.turns) >= _ENOUGH_VIEWS)
        has_tip = self.places.shape[2] > count
        bare = not any(tree.children[j] for j in pair.chains[:, -1])
        self.nothing_after = count if has_tip else count - 1 if bare else count
        self.stub = count - 1 if has_tip and bare and count > 2 and _is_stub(step[:count]) else count + 1

    def of(self, triples: NDArray[np.intp]) -> Array:
        """Cost of each triple of stations ``[N, 3]``, ``[N]``."""
        i, j, k = triples.T
        upper, lower = self.run[j] - self.run[i], self.run[k] - self.run[j]
        limb = np.maximum(upper + lower, 1e-9)
        beyond = (self.run[-1] - self.run[k]) / limb
        cost = _odd(upper / np.maximum(lower, 1e-9), self.usual.halves) + _odd(self.width[i] / limb, self.usual.width)
        cost += 3.0 * np.maximum(self.run[i] / limb - self.usual.lead, 0.0)
        cost += 3.0 * np.maximum(beyond - self.usual.beyond, 0.0)
        cost += 25.0 * (self._slack(i, j) + self._slack(j, k)) + 0.4 * (k - i - 2) + 3.0 * self._fold(i, j, k)
        cost += 2.0 * self.series[i] + 1.0 * self.series[j] + 1.0 * self.series[k] - 1.5 * self._mobility(j)
        return cost + self._beginning(i) + self._ending(k, limb) + self.by_pair

    def _bends(self) -> Array:
        """Angle ``[K]`` between the way into each station and the way on, small steps on overlooked; 0 at both ends."""
        count = len(self.run)
        far = [
            next((n for n in range(k + 1, count) if self.run[n] - self.run[k] > 0.06 * self.run[-1]), k)
            for k in range(count)
        ]
        into = np.diff(self.places, axis=2, prepend=self.places[:, :, :1])
        onward = self.places[:, :, far] - self.places
        size = np.linalg.norm(into, axis=-1) * np.linalg.norm(onward, axis=-1)
        cosine = np.where(size > 1e-12, (into * onward).sum(-1) / np.maximum(size, 1e-12), 1.0)
        return np.median(np.arccos(np.clip(cosine, -1.0, 1.0)), axis=(0, 1))

    def _beginning(self, i: NDArray[np.intp]) -> Array:
        """Cost of the root joint ``[N]``: limbs do not begin where they never bend, nor legs amid a straight way."""
        first = i > 0
        if self.usual.fans:
            return 2.0 * (first & self.rigid[i])
        return np.where(first, 2.0 * np.maximum(self.straight[i], self.rigid[i]), 0.0)

    def _series(self) -> Array:
        """Which stations ``[K]`` are amid evenly spaced ones on a straight line, as twist bones are: 0 to 1."""
        steps = np.maximum(np.diff(self.run, prepend=0.0), 1e-9)
        even = np.abs(np.log(steps[1:] / steps[:-1])) < _EVEN
        return self.straight * np.concatenate([even, [False]]) * (np.arange(len(steps)) > 0)

    def _slack(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> Array:
        """How much longer the way between two stations is than the straight line ``[N]``, in the worst view."""
        chord = np.linalg.norm(self.places[:, :, b] - self.places[:, :, a], axis=-1)
        steps = np.linalg.norm(np.diff(self.places, axis=2), axis=-1)
        run = np.concatenate([np.zeros_like(steps[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)
        way = np.maximum(run[..., b] - run[..., a], 1e-9)
        return np.max(1.0 - chord / way, axis=(0, 1))

    def _fold(self, i: NDArray[np.intp], j: NDArray[np.intp], k: NDArray[np.intp]) -> Array:
        """How far a limb is folded up beyond what joints do at rest ``[N]``, radians, in the straightest view."""
        into, onward = (self.places[:, :, b] - self.places[:, :, a] for a, b in ((i, j), (j, k)))
        cosine = (quat.unit(into) * quat.unit(onward)).sum(-1)
        return np.maximum(np.arccos(np.clip(cosine, -1.0, 1.0)).min(axis=(0, 1)) - _MOST_FOLDED, 0.0)

    def _mobility(self, j: NDArray[np.intp]) -> Array:
        """How much a station bends over the views ``[N]``, 0 to 1: knees and elbows do, twist bones do not."""
        return np.clip(self.turns.std(axis=0).mean(axis=0)[j] / 0.15, 0.0, 1.0)

    def _ending(self, k: NDArray[np.intp], limb: Array) -> Array:
        """Cost of the end joint ``[N]``: feet turn off the shin, hands fan out, and both are shorter than the limb."""
        cost = np.zeros(len(k))
        onward = np.append(np.diff(self.run), 0.0)[k]
        cost += 4.0 * np.maximum(onward / limb - 0.35, 0.0)
        cost += np.where(k >= self.nothing_after, 1.0, 0.0) + 0.5 * self.tied[np.minimum(k, len(self.tied) - 1)]
        if not self.usual.fans:
            return cost - 1.5 * np.clip(self.bends[k], 0.0, 1.0)
        for fingers, gain in ((3, 2.5), (2, 1.5)):
            fans = np.flatnonzero(self.fan >= fingers)
            if len(fans):
                return cost + np.where(k == fans[0], -gain, 0.5 * gain)
        return cost + 0.5 * np.maximum(self.nothing_after - 2 - k, 0) + 1.5 * (k >= self.stub)


def _is_stub(steps: Array) -> bool:
    """Whether the last of some steps is an end bone's: shorter than the one before, or out of a series of twists."""
    last, *before = np.log(np.maximum(steps[:-4:-1], 1e-9))
    short = last - before[0] < np.log(_SHORT_STEP)
    ends_series = len(before) > 1 and abs(before[0] - before[1]) < _EVEN < abs(last - before[0])
    return bool(short or ends_series) and abs(last - before[0]) > _EVEN


def _fan(tree: BoneTree, chain: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many chains of two or more bones leave each station ``[K]``: fingers do, twist bones do not.

    Chains that begin together, a good step beyond the joint that carries them, leave from where they begin.
    """
    fan = np.zeros(len(chain), dtype=np.intp)
    for k, joint in enumerate(chain):
        chains = [c for c in tree.children[joint] if tree.children[c]]
        onward = int(chain[k + 1]) if k + 1 < len(chain) else -1
        together = 0
        if onward in chains and tree.lengths[onward] > _LONG_STEP * tree.lengths[chain[: k + 1]].sum():
            together = sum(c != onward and _same_place(tree, c, onward) for c in chains)
        fan[k] += len(chains) - together
        if together:
            fan[k + 1] += together
    return fan


def _same_place(tree: BoneTree, a: int, b: int) -> bool:
    return tree.apart(a, b) < _TOUCHING * tree.size


def _turns(places: Array) -> Array:
    """Angle between the ways into and out of each station ``[V, 2, K]``, radians; 0 at both ends."""
    steps = np.diff(places, axis=2)
    unit = steps / np.maximum(np.linalg.norm(steps, axis=-1, keepdims=True), 1e-12)
    angles = np.arccos(np.clip((unit[:, :, 1:] * unit[:, :, :-1]).sum(-1), -1.0, 1.0))
    return np.pad(angles, ((0, 0), (0, 0), (1, 1)))


def _odd(ratio: Array, usual: tuple[float, float]) -> Array:
    """Half the squared deviations of a ratio from the usual one, on the logarithm's scale, at most 8."""
    return np.minimum(0.5 * ((np.log(np.maximum(ratio, 1e-6)) - usual[0]) / usual[1]) ** 2, 8.0)
