# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment of a motion with many others at once: dynamic time warping, with the longer one's ends left open.

Müller, "Information Retrieval for Music and Motion" (2007), section 4.4: subsequence DTW with the steps (1,1),
(2,1) and (1,2). They allow half to double speed, which rules out alignments that stand still, and no step stays
within a row, so a row of the table is computed at once for all frames of all candidates.

Frames are compared as poses seen from the body, so an excerpt fits wherever in a take it lies: each is turned to
face -Y and stands with its hips over the origin. How fast the body travels and turns counts beside the pose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose
from .joint_store import SKETCH_FPS
from .normalize import NormalizedMotion
from .skeleton import JOINT_COUNT

LONGEST: Final = 64
"""Frames of a query at most; a longer one, and all candidates with it, is thinned out."""

_TRAVEL_S: Final = 0.05
"""A difference in speed of 1 m/s counts as much as joints that are this many metres apart."""
_TURN_ARM: Final = 0.5
"""Metres from the body at which turning is measured as a speed."""
_SCORE_SCALE: Final = 0.25
_BATCH_CELLS: Final = 400_000  # of the tables computed at once: bounds the memory to some 30 MB

Array = NDArray[np.float32]


class Frames(NamedTuple):
    """What is compared of a motion.

    Attributes:
        values: ``[T, F]`` poses seen from the body, metres, and travel; zero where not known.
        known: ``[F]`` 1 where the motion has it, else 0.
        step_s: seconds from frame to frame.
    """

    values: Array
    known: Array
    step_s: float


class Match(NamedTuple):
    """Where a candidate is most like the query, and how far they are apart there (metres a joint)."""

    distance: float
    start_s: float
    end_s: float


def frames(sketch: NormalizedMotion, stride: int = 1) -> Frames:
    """Every ``stride``-th frame of a sketch (ten normalised poses a second), ready to be compared."""
    joints = np.where(sketch.valid[:, None], sketch.joints[::stride].astype(np.float64), np.nan)
    step_s = stride / SKETCH_FPS
    upright = quat.inv(rest_pose.heading(joints))
    root = rest_pose.hips(joints) * [1.0, 1.0, 0.0]
    pose = quat.rotate(upright[:, None], joints - root[:, None])
    travel = _travel(root, upright, step_s) * _TRAVEL_S
    values = np.concatenate([np.nan_to_num(pose).reshape(len(pose), -1), travel], axis=1)
    known = np.concatenate([np.repeat(sketch.valid, 3), np.ones(travel.shape[1])])
    return Frames(values.astype(np.float32), known.astype(np.float32), step_s)


def _travel(root: NDArray[np.float64], upright: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Speed sideways and forwards, and of turning at arm's length, ``[T, 3]`` metres a second."""
    if len(root) < 2:
        return np.zeros((len(root), 3))
    velocity = quat.rotate(upright, np.gradient(root, step_s, axis=0))[:, :2]
    heading = np.unwrap(2.0 * np.arctan2(-upright[:, 3], upright[:, 0]))
    return np.column_stack([velocity, np.gradient(heading, step_s) * _TURN_ARM])


def stride_for(sketch_frames: int) -> int:
    """How far a query of so many frames must be thinned out to be short enough."""
    return max(1, -(-sketch_frames // LONGEST))


def score(distance: float) -> float:
    """0 to 100 for a distance in metres: 100 for the same, 82 at 5 cm, 67 at 10 cm, 45 at 20 cm; always falling."""
    return 100.0 * float(np.exp(-distance / _SCORE_SCALE))


def match(query: Frames, candidates: Sequence[Frames], limit: int = 1) -> list[list[Match]]:
    """The best matches of a query in each candidate, at most ``limit`` that do not overlap.

    The shorter of the two is laid whole into the longer one, whose ends are open. Where that is the candidate,
    the rest of the query finds nothing, and each missing part of it adds to the distance (`_MISSING`).
    """
    found: list[list[Match]] = [[] for _ in candidates]
    for group, shorter in _groups(len(query.values), candidates):
        some = [candidates[i] for i in group]
        patterns, texts = (some, [query] * len(some)) if shorter else ([query] * len(some), some)
        for i, ends in zip(group, align(patterns, texts), strict=True):
            found[i] = [_whole(ends, query, candidates[i])] if shorter else ends.best(limit)
    return found


class Ends(NamedTuple):
    """For each frame of a candidate: how far the pattern is from the stretch that ends there, and its start.

    Attributes:
        distance: ``[T]`` metres a joint, infinite where nothing can end.
        start: ``[T]`` frame.
        step_s: seconds from frame to frame.
    """

    distance: Array
    start: NDArray[np.int32]
    step_s: float

    def best(self, limit: int = 1) -> list[Match]:
        """The stretches that are least far away and do not overlap."""
        distance = self.distance.copy()
        found: list[Match] = []
        while len(found) < limit and np.isfinite(distance).any():
            end = int(np.argmin(distance))
            start = int(self.start[end])
            found.append(Match(float(distance[end]), start * self.step_s, end * self.step_s))
            ends = np.arange(len(distance))
            distance[((self.start < end) & (ends > start)) | (ends == end)] = np.inf
        return found


def align(patterns: Sequence[Frames], texts: Sequence[Frames]) -> list[Ends]:
    """Lays each pattern ``[n, F]`` into its text ``[m, F]``, ``m >= n``, for all pairs at once."""
    costs = _costs(patterns, texts)
    rows = np.array([len(pattern.values) for pattern in patterns])
    distance = np.full((len(texts), costs.shape[2]), np.inf, dtype=np.float32)
    start = np.zeros(distance.shape, dtype=np.int32)
    for row, (total, begun) in enumerate(_table(costs)):
        done = rows == row + 1
        distance[done], start[done] = total[done] / (row + 1), begun[done]
    return [
        Ends(distance[i, : len(text.values)], start[i, : len(text.values)], text.step_s) for i, text in enumerate(texts)
    ]


def _table(costs: Array) -> Iterator[tuple[Array, NDArray[np.int32]]]:
    """The rows of the alignment tables of ``costs`` ``[B, n, m]``: total ``[B, m]`` and the start that it came from."""
    total = costs[:, 0]
    start = np.broadcast_to(np.arange(costs.shape[2], dtype=np.int32), total.shape)
    before, start_before = np.full_like(total, np.inf), start
    yield total, start
    for i in range(1, costs.shape[1]):
        cost, cost_before = costs[:, i], costs[:, i - 1]
        ways = np.stack(
            [
                _shifted(total, 1) + cost,
                _shifted(total, 2) + (_shifted(cost, 1) + cost) / 2,  # two frames of the text for one of the pattern
                _shifted(before, 1) + cost_before + cost,
            ]
        )
        starts = np.stack([_shifted(start, 1), _shifted(start, 2), _shifted(start_before, 1)])
        way = np.argmin(ways, axis=0)[None]
        before, start_before = total, start
        total, start = np.take_along_axis(ways, way, 0)[0], np.take_along_axis(starts, way, 0)[0]
        yield total, start


def _shifted(row: NDArray, by: int) -> NDArray:
    """``row`` ``[B, m]`` moved ``by`` frames to the right; nothing comes from before the start."""
    moved = np.full_like(row, np.inf) if row.dtype.kind == "f" else np.zeros_like(row)
    moved[:, by:] = row[:, :-by]
    return moved


def _costs(patterns: Sequence[Frames], texts: Sequence[Frames]) -> Array:
    """Distances ``[B, n, m]`` of all frames of each pair, metres: root mean square over the joints both have.

    Infinite behind the end of a text, so that shorter ones need no care.
    """
    shared = np.stack([pattern.known * text.known for pattern, text in zip(patterns, texts, strict=True)])
    joints = np.maximum(shared[:, : 3 * JOINT_COUNT].sum(axis=1, keepdims=True) / 3.0, 1.0)
    weights = np.sqrt(shared / np.where(np.arange(shared.shape[1]) < 3 * JOINT_COUNT, joints, 1.0)).astype(np.float32)
    a, b = _padded(patterns, weights), _padded(texts, weights)
    squares = (a * a).sum(-1)[:, :, None] + (b * b).sum(-1)[:, None, :] - 2.0 * (a @ b.transpose(0, 2, 1))
    costs = np.sqrt(np.maximum(squares, 0.0))
    for cost, text in zip(costs, texts, strict=True):
        cost[:, len(text.values) :] = np.inf
    return costs


def _padded(motions: Sequence[Frames], weights: Array) -> Array:
    padded = np.zeros((len(motions), max(len(m.values) for m in motions), weights.shape[1]), dtype=np.float32)
    for row, motion, weight in zip(padded, motions, weights, strict=True):
        row[: len(motion.values)] = motion.values * weight
    return padded


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


_MISSING: Final = 0.15
"""Metres by which a candidate is further away that shows none of the query."""


def _whole(ends: Ends, query: Frames, candidate: Frames) -> Match:
    """The match of a candidate that lies inside the query: all of it, and the further away the less it covers."""
    (best,) = ends.best()
    covered = (best.end_s - best.start_s + query.step_s) / (len(query.values) * query.step_s)
    end_s = (len(candidate.values) - 1) * candidate.step_s
    return Match(best.distance + _MISSING * (1.0 - min(covered, 1.0)), 0.0, end_s)
