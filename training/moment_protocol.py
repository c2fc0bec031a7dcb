# SPDX-License-Identifier: GPL-3.0-or-later
"""cmu-moments: pieces of long takes that training never saw, altered, must find their take and their place in it.

The queries are cut from the takes of the subjects that are kept for tests. A row finds the nearest of all windows that
a library of all CMU takes would have; a library finds its hits with all that it does, alignment included.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.library import Library
from hums_engine.moments import windows
from hums_engine.normalize import FPS, NormalizedMotion, nearest_ancestor, normalize
from hums_engine.skeleton import INDEX, JOINT_COUNT, TWINS

from . import data
from .fit import KEPT_FOR_TESTS
from .protocols import CONDITIONS
from .rows import Row

PROTOCOL = "cmu-moments"
QUERIES = 100
LONG_TAKE_S = 8.0
_LOOKED_AT = 10
PIECE_S = (0.5, 4.0)
"""Pieces last so long, evenly spread by ratio."""
_LEGS = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle")]

Alter = Callable[[CanonicalMotion, np.random.Generator], CanonicalMotion]


class MomentQuery(NamedTuple):
    """A piece of a take: the altered motion, and where it came from.

    Attributes:
        motion: what is asked with.
        source: path of the take's file.
        start_s: where the piece begins in the file, seconds.
        end_s: where it ends.
    """

    motion: CanonicalMotion
    source: str
    start_s: float
    end_s: float


class Stretch(NamedTuple):
    """A hit: a stretch of a file, seconds."""

    source: str
    start_s: float
    end_s: float


class MomentFigures(NamedTuple):
    """How well pieces find their place.

    Attributes:
        queries: how many were asked.
        right_first: share of the queries whose first hit is of their take.
        right_in_10: share with their take among the first ten hits.
        median_iou: median over the queries of the temporal intersection over union of the first hit with the piece;
            0 where the take is wrong.
        query_ms: mean time of a search, from the canonical motion to the hits.
    """

    queries: int
    right_first: float
    right_in_10: float
    median_iou: float
    query_ms: float


class MomentResult(NamedTuple):
    """One member of an entry of the table under one alteration.

    Attributes:
        entry: name of the entry; an encoder's library has a name of its own.
        member: which of its seeds.
        alteration: what befell the queries.
        figures: how well they find their place.
    """

    entry: str
    member: int
    alteration: str
    figures: MomentFigures


def _as_it_is(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return motion


def _other_speed(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Half to double speed."""
    return replace(motion, fps=motion.fps * float(2.0 ** random.uniform(-1.0, 1.0)))


def _other_body(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Another rig's proportions: every bone up to 30 % longer or shorter, left as right, the path with the legs."""
    factor = np.exp(random.uniform(np.log(0.7), np.log(1.3), JOINT_COUNT))
    factor = np.sqrt(factor * factor[TWINS])
    positions = motion.positions.astype(np.float64)
    altered = positions * factor[_LEGS].mean()
    for joint in range(1, JOINT_COUNT):
        anchor = nearest_ancestor(joint, motion.valid)
        altered[:, joint] = altered[:, anchor] + factor[joint] * (positions[:, joint] - positions[:, anchor])
    return replace(motion, positions=altered.astype(np.float32))


def _mirrored(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    """Left and right exchanged; the rotations, which no search looks at, are dropped."""
    positions = motion.positions[:, TWINS] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    rotations = np.broadcast_to(quat.IDENTITY.astype(np.float32), motion.rotations.shape)
    return replace(motion, positions=positions, rotations=rotations, valid=motion.valid[TWINS])


def _all_of_them(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    for alter in (_other_body, _mirrored, _other_speed, CONDITIONS["10 mm noise"], CONDITIONS["20 % joints missing"]):
        motion = alter(motion, random)
    return motion


ALTERATIONS: dict[str, Alter] = {
    "as it is": _as_it_is,
    "x0.5 to x2 speed": _other_speed,
    "10 mm noise": CONDITIONS["10 mm noise"],
    "20 % joints missing": CONDITIONS["20 % joints missing"],
    "other proportions": _other_body,
    "mirrored": _mirrored,
    "all of them": _all_of_them,
}


def kept_takes(folder: Path, cache: Path) -> list[data.Take]:
    """The long takes that training never sees.

    Raises:
        ValueError: there are none.
    """
    takes = [take for take in data.load(folder, "cmu", cache) if data.is_left_out(take, KEPT_FOR_TESTS)]
    takes = [take for take in takes if take.motion.duration_s >= LONG_TAKE_S]
    if not takes:
        raise ValueError(
            f"{folder / 'cmu'} has no take of {LONG_TAKE_S:g} s of those kept for tests: {KEPT_FOR_TESTS}."
        )
    return takes


def moment_queries(
    takes: Sequence[data.Take], alteration: str, count: int = QUERIES, seed: int = 0
) -> list[MomentQuery]:
    """Pieces of takes, the same for every row that is measured.

    Args:
        takes: from `kept_takes`.
        alteration: a name of `ALTERATIONS`.
        count: how many.
        seed: of the choice of pieces and of what befalls them.
    """
    random = np.random.default_rng(seed)
    lead_in_s = data.CORPORA["cmu"].lead_in_s
    queries = []
    for i in range(count):
        take = takes[i % len(takes)].motion
        length_s = float(np.exp(random.uniform(*np.log(PIECE_S))))
        start_s = random.uniform(0.0, take.duration_s - length_s)
        motion = ALTERATIONS[alteration](take.cut(start_s, start_s + length_s), random)
        queries.append(MomentQuery(motion, take.source, start_s + lead_in_s, start_s + lead_in_s + length_s))
    return queries


class Windows(NamedTuple):
    """The stretches of all takes that have signatures of their own in a library.

    Attributes:
        motions: ``W`` stretches, normalised.
        sources: path of the file of each.
        times_s: ``[W, 2]`` where each begins and ends in its file.
    """

    motions: list[NormalizedMotion]
    sources: list[str]
    times_s: NDArray[np.float64]


def all_windows(folder: Path, cache: Path) -> Windows:
    """The windows of all CMU takes, and every take as a whole."""
    motions, sources, times_s = [], [], []
    lead_in_s = data.CORPORA["cmu"].lead_in_s
    for take in data.load(folder, "cmu", cache):
        motion = take.motion.resampled(FPS)
        for start_s, end_s in [(0.0, motion.duration_s), *windows(motion.duration_s)]:
            motions.append(normalize(motion.cut(start_s, end_s)))
            sources.append(motion.source)
            times_s.append((start_s + lead_in_s, end_s + lead_in_s))
    return Windows(motions, sources, np.array(times_s))


def ask_row(row: Row, stretches: Windows, queries: Sequence[MomentQuery]) -> MomentFigures:
    """Asks a row for the nearest window to every piece or to its mirror image."""
    begun = time.perf_counter()
    motions = [normalize(query.motion) for query in queries]
    either = np.minimum(*(row(some, stretches.motions) for some in (motions, [one.mirror_image() for one in motions])))
    query_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    answers = []
    for distances in either:
        nearest = np.argsort(distances)[:_LOOKED_AT]
        answers.append([Stretch(stretches.sources[i], *stretches.times_s[i].tolist()) for i in nearest])
    return _figures(queries, answers, query_ms)


def ask_library(library: Library, queries: Sequence[MomentQuery]) -> MomentFigures:
    """Asks a library for every piece, never told whether it is mirrored."""
    begun = time.perf_counter()
    answers = [library.search(query.motion, k=_LOOKED_AT, scope="moments", mirror=True) for query in queries]
    query_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    stretches = [[Stretch(hit.source, hit.start_s, hit.end_s) for hit in hits] for hits in answers]
    return _figures(queries, stretches, query_ms)


def _figures(queries: Sequence[MomentQuery], answers: Sequence[Sequence[Stretch]], query_ms: float) -> MomentFigures:
    right = [
        [Path(hit.source) == Path(query.source) for hit in hits] for query, hits in zip(queries, answers, strict=True)
    ]
    overlap = [
        intersection_over_union(query, hits[0]) if found[:1] == [True] else 0.0
        for query, hits, found in zip(queries, answers, right, strict=True)
    ]
    return MomentFigures(
        queries=len(queries),
        right_first=float(np.mean([found[:1] == [True] for found in right])),
        right_in_10=float(np.mean([any(found) for found in right])),
        median_iou=float(np.median(overlap)),
        query_ms=query_ms,
    )


def intersection_over_union(query: MomentQuery, hit: Stretch) -> float:
    """How much of the time that either covers both cover."""
    shared = min(query.end_s, hit.end_s) - max(query.start_s, hit.start_s)
    return max(shared, 0.0) / (max(query.end_s, hit.end_s) - min(query.start_s, hit.start_s))
