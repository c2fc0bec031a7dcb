# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment of a motion with many others at once: dynamic time warping, with the longer one's ends left open.

Müller, "Information Retrieval for Music and Motion" (2007), section 4.4: subsequence DTW with the steps (1,1),
(2,1) and (1,2). They allow half to double speed, which rules out alignments that stand still, and no step stays
within a row, so a row of the table is computed at once for all frames of all candidates.

Frames are compared as poses seen from the body, so an excerpt fits wherever in a take it lies: each is turned to
face -Y and has its hips in the origin. How fast the body travels, rises and turns counts beside the pose. All
candidates are aligned at ten frames a second or less; the best are aligned once more, around the stretch found, at
up to thirty: a tenth of a second is a hand's breadth of a running foot.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import rest_pose
from .moments import TOUCH
from .normalize import FPS, NormalizedMotion
from .skeleton import JOINT_COUNT

LONGEST: Final = 64
"""Frames of a query at most, in the first pass; a longer one is thinned out, and all candidates with it."""
LONGEST_FINE: Final = 128
"""The same in the second pass."""

FEATURES: Final = 3 * JOINT_COUNT + 4
"""Numbers of a frame: three of each joint, velocity, speed of turning."""

_STRIDE: Final = 3  # of the first pass, in frames of the normalised rate
_TRAVEL_S: Final = 0.05
"""A difference in speed of 1 m/s counts as much as joints that are this many metres apart."""
_TURN_ARM: Final = 0.5
"""Metres from the body at which turning is measured as a speed."""
_FASTEST: Final = 10.0  # metres a second; what is faster is a jump in the data, and must not outweigh all else
_STEADY: Final = 2  # frames to either side that a speed is taken over
_MISSING: Final = 0.15
"""Metres by which a candidate is further away that shows none of the query."""
_AGAIN: Final = 1.3
"""A motion is done once more where it is not further away than this, times its best match."""
_HAIR: Final = 0.01
"""Metres that are no difference."""
_STARTS: Final = 2.0**20
"""Frames that a text may have, more than a day's."""
_COST_STEPS: Final = 2.0**20
"""Of a metre, in which costs are counted: 128 frames of 10 m each, and the start, then fit into 53 bits."""
_BATCH_CELLS: Final = 400_000  # of the tables computed at once: bounds the memory to some 30 MB

Array = NDArray[np.float32]


class Frames(NamedTuple):
    """What is compared of a motion.

    Attributes:
        values: ``[T, FEATURES]`` the joints seen from the body, metres, and travel; zero where not known.
        known: ``[FEATURES]`` 1 where the motion has it, else 0.
        step_s: seconds from frame to frame.
    """

    values: Array
    known: Array
    step_s: float

    def thinned(self, stride: int) -> Frames:
        """Every ``stride``-th frame."""
        return Frames(self.values[::stride], self.known, self.step_s * stride)

    def around(self, start_s: float, end_s: float) -> tuple[Frames, float]:
        """The frames from ``start_s`` to ``end_s``, as far as there are any, and the second of the first one."""
        first = max(int(start_s / self.step_s), 0)
        last = math.ceil(end_s / self.step_s)
        return self._replace(values=self.values[first : last + 1]), first * self.step_s


class Match(NamedTuple):
    """Where a candidate is most like the query, and how far they are apart there (metres a joint)."""

    distance: float
    start_s: float
    end_s: float


def coarse_stride(query_frames: int) -> int:
    """Every how manieth frame of a query of so many, and of its candidates, the first pass compares."""
    return max(_STRIDE, -(-query_frames // LONGEST))


def fine_stride(query_frames: int) -> int:
    """The same of the second pass."""
    return max(1, -(-query_frames // LONGEST_FINE))


def frames(motion: NormalizedMotion) -> Frames:
    """A normalised motion, ready to be compared, at its thirty frames a second."""
    joints = np.where(motion.valid[:, None], motion.joints, np.nan).astype(np.float64)
    cosine, sine = _facing(joints)
    root = rest_pose.hips(joints)
    pose = np.nan_to_num(_turned(joints - root[:, None], cosine[:, None], sine[:, None])).reshape(len(joints), -1)
    values = np.concatenate([pose, _travel(root, cosine, sine)], axis=1, dtype=np.float32)
    return Frames(values, known(motion.valid), 1.0 / FPS)


def known(valid: NDArray[np.bool_]) -> Array:
    """Which features ``[FEATURES]`` a motion with these joints ``[22]`` has: 1 or 0."""
    return np.concatenate([np.repeat(valid, 3), np.ones(FEATURES - 3 * JOINT_COUNT)]).astype(np.float32)


def _facing(joints: NDArray[np.float64]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Cosine and sine ``[T]`` of the turn from -Y to where each frame faces."""
    across = rest_pose.lateral(joints)[:, :2]
    length = np.linalg.norm(across, axis=1)
    flat = length > 1e-6  # a figure that lies on its side faces nowhere and is left as it is
    across = np.where(flat[:, None], across / np.maximum(length, 1e-6)[:, None], [1.0, 0.0])
    return across[:, 0], across[:, 1]


def _turned(v: NDArray, cosine: NDArray, sine: NDArray) -> NDArray:
    """Vectors ``[..., 3]`` turned back about the vertical."""
    x, y = v[..., 0], v[..., 1]
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, v[..., 2]], axis=-1)


def _travel(root: NDArray, cosine: NDArray, sine: NDArray) -> NDArray:
    """Velocity seen from the body and speed of turning ``[T, 4]``, as metres that they count for."""
    at = np.arange(len(root))
    before, after = np.maximum(at - _STEADY, 0), np.minimum(at + _STEADY, len(root) - 1)
    seconds = np.maximum(after - before, 1) / FPS
    velocity = _turned(root[after] - root[before], cosine, sine) / seconds[:, None]
    turn = np.arctan2(
        sine[after] * cosine[before] - cosine[after] * sine[before],
        cosine[after] * cosine[before] + sine[after] * sine[before],
    )
    travel = np.column_stack([velocity, _TURN_ARM * turn / seconds])
    return np.clip(travel, -_FASTEST, _FASTEST) * _TRAVEL_S


def match(query: Frames, candidates: Sequence[Frames], limit: int = 1) -> list[list[Match]]:
    """The best matches of a query in each candidate, at most ``limit`` that hardly overlap.

    The shorter of the two is laid whole into the longer one, whose ends are open. Where that is the candidate, it is
    laid in as often as it fits, since it may be one period of what the query does again and again; what finds nothing
    of the query adds to the distance (`_MISSING`).
    """
    found: list[list[Match]] = [[] for _ in candidates]
    for group, shorter in _groups(len(query.values), candidates):
        some = [candidates[i] for i in group]
        patterns, texts = (some, [query] * len(some)) if shorter else ([query] * len(some), some)
        for i, ends in zip(group, align(patterns, texts), strict=True):
            found[i] = [_whole(ends, query, candidates[i])] if shorter else ends.best(limit)
    return found


def _groups(query_frames: int, candidates: Sequence[Frames]) -> Iterator[tuple[list[int], bool]]:
    """Candidates of similar length, and whether they are shorter than the query; bounded in memory."""
    order = sorted(range(len(candidates)), key=lambda i: len(candidates[i].values))
    group: list[int] = []
    for i in order:
        length = len(candidates[i].values)
        first = len(candidates[group[0]].values) if group else length
        mixed = (first < query_frames) != (length < query_frames)
        if group and (mixed or (len(group) + 1) * length * query_frames > _BATCH_CELLS or length > 2 * first + 16):
            yield group, first < query_frames
            group = []
        group.append(i)
    if group:
        yield group, len(candidates[group[0]].values) < query_frames


def _whole(ends: Ends, query: Frames, candidate: Frames) -> Match:
    """The match of a candidate that lies inside the query, once or repeatedly: the further away the less it covers."""
    length_s = len(query.values) * query.step_s
    times = ends.best(len(query.values) // len(candidate.values) + 1)
    absent = times[0].distance + _MISSING
    distance, left = 0.0, 1.0
    for one in times:
        if one.distance <= _AGAIN * times[0].distance + _HAIR:
            share = min((one.end_s - one.start_s + query.step_s) / length_s, left)
            distance, left = distance + share * one.distance, left - share
    return Match(distance + left * absent, 0.0, (len(candidate.values) - 1) * candidate.step_s)


class Ends(NamedTuple):
    """For each frame of a text: how far the pattern is from the stretch that ends there, and where that starts.

    Attributes:
        distance: ``[T]`` metres a joint, infinite where nothing can end.
        start: ``[T]`` frame.
        step_s: seconds from frame to frame.
        nearest: the frame of the least distance.
    """

    distance: Array
    start: NDArray[np.int32]
    step_s: float
    nearest: int

    def best(self, limit: int = 1) -> list[Match]:
        """The stretches that are least far away, nearer than what ends a frame before or after, and hardly overlap.

        The second and the third turn of a motion that repeats itself are matches; the second, begun late, is none.
        """
        if limit == 1:
            end, distance = self.nearest, float(self.distance[self.nearest])
            return [Match(distance, int(self.start[end]) * self.step_s, end * self.step_s)] if distance < np.inf else []
        ends = np.arange(len(self.distance))
        around = np.concatenate([[np.inf], self.distance, [np.inf]])
        distance = np.where((around[:-2] >= around[1:-1]) & (around[1:-1] <= around[2:]), self.distance, np.inf)
        found: list[Match] = []
        while len(found) < limit and np.isfinite(distance).any():
            end = int(np.argmin(distance))
            start = int(self.start[end])
            found.append(Match(float(distance[end]), start * self.step_s, end * self.step_s))
            shared = np.minimum(ends, end) - np.maximum(self.start, start)
            shorter = np.minimum(ends - self.start, end - start)
            distance[(shared > TOUCH * shorter) | (ends == end)] = np.inf
        return found


def align(patterns: Sequence[Frames], texts: Sequence[Frames]) -> list[Ends]:
    """Lays each pattern ``[n, F]`` into its text ``[m, F]``, ``m >= n``, for all pairs at once."""
    costs = _costs(patterns, texts)
    rows = np.array([len(pattern.values) for pattern in patterns])
    last = np.full(costs.shape[1:], np.inf)
    for row, totals in enumerate(_table(costs)):
        done = rows == row + 1
        if done.any():
            last[done] = totals[done]
    reached = np.isfinite(last)
    start = np.where(reached, last, 0.0) % _STARTS
    distance = np.where(reached, (last - start) / (_STARTS * _COST_STEPS) / rows[:, None], np.inf)
    distance, start = distance.astype(np.float32), start.astype(np.int32)
    nearest = distance.argmin(axis=1).tolist()
    return [
        Ends(distance[i, : len(text.values)], start[i, : len(text.values)], text.step_s, nearest[i])
        for i, text in enumerate(texts)
    ]


def _table(costs: Array) -> Iterator[NDArray[np.float64]]:
    """The rows ``[B, m]`` of the tables of ``costs`` ``[n, B, m]``: total cost, and in its last bits where that began.

    A number holds the cost in even steps of a micrometre, times ``_STARTS``, plus the start: the smallest of three
    brings its own start along. All are whole numbers below 2^53, which float64 adds without rounding.
    """
    steps = np.rint(costs.astype(np.float64) * (_COST_STEPS / 2)) * (2 * _STARTS)
    _, batch, length = steps.shape
    total, before, spare = (
        np.full((batch, length + 2), np.inf) for _ in range(3)
    )  # nothing comes from before the start
    total[:, 2:] = steps[0] + np.arange(length)
    way = np.empty((batch, length))
    yield total[:, 2:]
    for cost_before, cost in itertools.pairwise(steps):
        best = np.add(total[:, 1:-1], cost, out=spare[:, 2:])
        np.add(cost[:, 1:], cost[:, :-1], out=way[:, 1:])  # two frames of the text for one of the pattern
        way[:, 1:] *= 0.5
        way[:, 1:] += total[:, 1:-2]
        np.minimum(best[:, 1:], way[:, 1:], out=best[:, 1:])
        np.add(cost_before, cost, out=way)
        way += before[:, 1:-1]
        np.minimum(best, way, out=best)
        total, before, spare = spare, total, before
        yield best


def _costs(patterns: Sequence[Frames], texts: Sequence[Frames]) -> Array:
    """Distances ``[n, B, m]`` of all frames of each pair, metres: root mean square over the joints both have.

    Infinite behind the end of a text, so that shorter ones need no care.
    """
    if all(pattern is patterns[0] for pattern in patterns):
        costs = _against(patterns[0], texts)
    elif all(text is texts[0] for text in texts):
        costs = _against(texts[0], patterns).transpose(2, 1, 0)
    else:
        length = max(len(pattern.values) for pattern in patterns), max(len(text.values) for text in texts)
        costs = np.zeros((length[0], len(texts), length[1]), dtype=np.float32)
        for i, (pattern, text) in enumerate(zip(patterns, texts, strict=True)):
            costs[: len(pattern.values), i, : len(text.values)] = _against(pattern, [text])[:, 0]
    for i, text in enumerate(texts):
        costs[:, i, len(text.values) :] = np.inf
    return costs


def _against(one: Frames, many: Sequence[Frames]) -> Array:
    """Distances ``[n, B, m]`` of the frames of one motion from those of many, by one product of matrices."""
    shared = one.known * np.stack([each.known for each in many])
    joints = np.maximum(shared[:, : 3 * JOINT_COUNT].sum(axis=1, keepdims=True) / 3.0, 1.0)
    weights = shared / np.where(np.arange(shared.shape[1]) < 3 * JOINT_COUNT, joints, np.float32(1.0))
    values = np.zeros((len(many), max(len(each.values) for each in many), weights.shape[1]), dtype=np.float32)
    for row, each in zip(values, many, strict=True):
        row[: len(each.values)] = each.values
    weighted = values * weights[:, None]
    squares = (-2.0 * one.values) @ weighted.reshape(-1, weights.shape[1]).T
    squares = squares.reshape(len(one.values), *values.shape[:2])
    squares += np.einsum("bmf,bmf->bm", values, weighted)
    squares += (one.values * one.values @ weights.T)[:, :, None]
    return np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)
