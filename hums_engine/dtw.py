# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment of a motion with many others at once: dynamic time warping, with the longer one's ends left open.

The steps (`warping`) allow half to double speed, which rules out alignments that stand still.

Frames are compared as poses seen from the body, so an excerpt fits wherever in a take it lies: each is turned to
face -Y and has its hips in the origin. How fast the body travels, rises and turns counts beside the pose. All
candidates are aligned at ten frames a second or less; the best are aligned once more, around the stretch found, at
up to thirty: a tenth of a second is a hand's breadth of a running foot.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import rest_pose, warping
from .half_precision import single
from .moments import TOUCH, without_overlaps
from .normalize import FPS, NormalizedMotion
from .scratch import Scratch
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
_BATCH_CELLS: Final = 400_000  # of the tables computed at once: bounds the memory to some 30 MB

_SCRATCH: Final = Scratch()

Array = NDArray[np.float32]


class Frames(NamedTuple):
    """What is compared of a motion.

    Attributes:
        values: ``[T, FEATURES]`` the joints seen from the body, metres, and travel; zero where not known. In half
            precision as long as they lie in a library.
        known: ``[FEATURES]`` 1 where the motion has it, else 0.
        step_s: seconds from frame to frame.
    """

    values: NDArray[np.floating]
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

    def later(self, seconds: float) -> Match:
        """The same match in a candidate that begins so much earlier."""
        return Match(self.distance, self.start_s + seconds, self.end_s + seconds)


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


class Ends(NamedTuple):
    """How well a pattern fits a text, by the frame of the text where it ends.

    Attributes:
        totals: ``[T]`` of the warping table.
        rows: frames of the pattern.
        step_s: seconds from frame to frame.
    """

    totals: NDArray[np.float64]
    rows: int
    step_s: float

    def best(self, limit: int) -> list[Match]:
        """The stretches that are least far away, nearer than what ends a frame before or after, and hardly overlap.

        The second and the third turn of a motion that repeats itself are matches; the second, begun late, is none.
        """
        distance, start = warping.parted(self.totals)
        ends = np.flatnonzero(_is_dip(distance))
        ends = ends[np.argsort(distance[ends], kind="stable")]
        ends = ends[without_overlaps(start[ends], ends, limit)]
        columns = distance[ends] / self.rows, start[ends] * self.step_s, ends * self.step_s
        return [Match(*one) for one in np.column_stack(columns).tolist()]


class Found(NamedTuple):
    """Where a query and a candidate are alike.

    Attributes:
        best: the best match.
        ends: all places in the candidate; None where it is the candidate that lies in the query.
    """

    best: Match
    ends: Ends | None

    def stretches(self, limit: int) -> list[Match]:
        """At most ``limit`` matches that hardly overlap, best first."""
        return [self.best] if self.ends is None or limit == 1 else self.ends.best(limit)


def match(query: Frames, candidates: Sequence[Frames]) -> list[Found]:
    """Where a query is like each candidate.

    The shorter of the two is laid whole into the longer one, whose ends are open. Where that is the candidate, it is
    laid in as often as it fits, since it may be one period of what the query does again and again; what finds nothing
    of the query adds to the distance (`_MISSING`).
    """
    found: dict[int, Found] = {}
    for group, shorter in _groups(len(query.values), candidates):
        some = [candidates[i] for i in group]
        found.update(zip(group, (_covering if shorter else _containing)(query, some), strict=True))
    return [found[i] for i in range(len(candidates))]


def _groups(query_frames: int, candidates: Sequence[Frames]) -> Iterator[tuple[list[int], bool]]:
    """Candidates of similar length, and whether they are shorter than the query; bounded in memory."""
    lengths = [len(candidate.values) for candidate in candidates]
    group: list[int] = []
    for i in sorted(range(len(candidates)), key=lengths.__getitem__):
        first = lengths[group[0]] if group else lengths[i]
        mixed = (first < query_frames) != (lengths[i] < query_frames)
        full = (len(group) + 1) * lengths[i] * query_frames > _BATCH_CELLS
        if group and (mixed or full or lengths[i] > 2 * first + 16):
            yield group, first < query_frames
            group = []
        group.append(i)
    if group:
        yield group, lengths[group[0]] < query_frames


def _containing(query: Frames, candidates: Sequence[Frames]) -> list[Found]:
    """A query that is laid into candidates."""
    rows = len(query.values)
    totals = warping.totals(_costs(query, candidates), np.full(len(candidates), rows))
    ends = totals.argmin(axis=0)
    distance, start = warping.parted(totals[ends, np.arange(len(ends))])
    columns = distance / rows, start * query.step_s, ends * query.step_s
    return [
        Found(Match(*best), Ends(some, rows, query.step_s))
        for best, some in zip(np.column_stack(columns).tolist(), totals.T, strict=True)
    ]


def _covering(query: Frames, candidates: Sequence[Frames]) -> list[Found]:
    """Candidates that are laid into a query: the further away the less of it they cover."""
    rows = np.array([len(candidate.values) for candidate in candidates])
    costs = _costs(query, candidates).transpose(1, 0, 2)
    distance, start = warping.parted(warping.totals(costs, rows))
    covered, left = _covered(distance / rows, start, len(query.values) // rows + 1)
    distance = covered + left * ((distance / rows).min(axis=0) + _MISSING)
    return [
        Found(Match(far, 0.0, (length - 1) * query.step_s), None)
        for far, length in zip(distance.tolist(), rows.tolist(), strict=True)
    ]


def _covered(
    distance: NDArray[np.float64], start: NDArray[np.intp], times: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lays each of some patterns into a text again and again, as long as that does not become worse.

    Args:
        distance: ``[m, B]`` of the pattern from what ends at each frame of the text.
        start: ``[m, B]`` where that begins.
        times: ``[B]`` how often at most.

    Returns:
        The distances of what is covered, times its shares of the text, and the share ``[B]`` that is left.
    """
    pairs, frames = np.arange(len(times)), np.arange(len(distance))[:, None]
    worst = _AGAIN * distance.min(axis=0) + _HAIR
    open_ends = np.where(_is_dip(distance), distance, np.inf)
    covered, left = np.zeros(len(times)), np.ones(len(times))
    for time in range(times.max()):
        end = open_ends.argmin(axis=0)
        begin, far = start[end, pairs], open_ends[end, pairs]
        fits = (far <= worst) & (time < times)
        if not fits.any():
            break
        share = np.where(fits, np.minimum((end - begin + 1) / len(distance), left), 0.0)
        covered, left = covered + share * np.where(fits, far, 0.0), left - share
        shared = np.minimum(frames, end) - np.maximum(start, begin)
        open_ends[(shared > TOUCH * np.minimum(frames - start, end - begin)) | (frames == end)] = np.inf
    return covered, left


def _is_dip(distance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where distances ``[T, ...]`` are finite and no greater than those before and after."""
    edge = np.full_like(distance[:1], np.inf)
    around = np.concatenate([edge, distance, edge])
    return (around[:-2] >= distance) & (distance <= around[2:]) & np.isfinite(distance)


def _costs(query: Frames, candidates: Sequence[Frames]) -> warping.Costs:
    """Costs ``[q, c, B]`` of the frames of a query and those of each candidate, by one product of matrices.

    Root mean squares over the joints that both have, from ``|x - y|^2 = |x|^2 - 2 x y + |y|^2`` with their weights.
    """
    lengths = np.array([len(candidate.values) for candidate in candidates])
    shared = query.known * np.stack([candidate.known for candidate in candidates])
    joints = np.maximum(shared[:, : 3 * JOINT_COUNT].sum(axis=1, keepdims=True) / 3.0, 1.0)
    weights = shared / np.where(np.arange(FEATURES) < 3 * JOINT_COUNT, joints, np.float32(1.0))
    texts = _stacked(candidates, lengths)
    weighted = np.multiply(texts, weights, out=_SCRATCH.array("weighted", texts.shape, np.float32))
    text_squares = np.einsum("cbf,cbf->cb", texts, weighted)
    text_squares[np.arange(len(texts))[:, None] >= lengths] = np.inf
    squares = _SCRATCH.array("squares", (len(query.values), text_squares.size), np.float32)
    np.matmul(-2.0 * query.values, weighted.reshape(-1, FEATURES).T, out=squares)
    squares = squares.reshape(-1, *text_squares.shape)
    squares += text_squares
    squares += (query.values * query.values @ weights.T)[:, None]
    return warping.costs(squares)


def _stacked(candidates: Sequence[Frames], lengths: NDArray[np.intp]) -> Array:
    """The values of candidates, ``[c, B, FEATURES]``, zero behind their ends."""
    shape = int(lengths.max()), len(candidates), FEATURES
    stored = all(candidate.values.dtype == np.float16 for candidate in candidates)
    values = _SCRATCH.array("values", shape, np.float16 if stored else np.float32)
    for i, (candidate, length) in enumerate(zip(candidates, lengths.tolist(), strict=True)):
        values[:length, i] = candidate.values
        values[length:, i] = 0.0
    return single(values, _SCRATCH.array("texts", shape, np.float32)) if stored else values
