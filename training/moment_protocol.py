# SPDX-License-Identifier: GPL-3.0-or-later
"""cmu-moments: pieces of long takes that training never saw, altered, must find their take and their place in it.

The library is a real one, of all CMU takes; the queries are cut from the takes of the subjects that are kept for tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.library import Library
from hums_engine.search import Hit
from hums_engine.skeleton import INDEX, JOINT_COUNT, PARENTS, TWINS

from . import data
from .fit import KEPT_FOR_TESTS
from .protocols import CONDITIONS

LONG_TAKE_S = 8.0
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


class MomentFigures(NamedTuple):
    """How well pieces find their place.

    Attributes:
        right_first: share of the queries whose first hit is of their take.
        right_in_10: share with their take among the first ten hits.
        median_iou: median over the queries of the temporal intersection over union of the first hit with the piece;
            0 where the take is wrong.
        query_ms: mean time of a search, from the canonical motion to the hits.
    """

    right_first: float
    right_in_10: float
    median_iou: float
    query_ms: float


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
        anchor = PARENTS[joint]
        while anchor > 0 and not motion.valid[anchor]:
            anchor = PARENTS[anchor]
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


def moment_queries(folder: Path, cache: Path, alteration: str, count: int = 200, seed: int = 0) -> list[MomentQuery]:
    """Pieces of the kept takes, the same for every row that is measured.

    Args:
        folder: the data folder.
        cache: where read corpora are kept.
        alteration: a name of `ALTERATIONS`.
        count: how many.
        seed: of the choice of pieces and of what befalls them.
    """
    takes = [take for take in data.load(folder, "cmu", cache) if data.is_left_out(take, KEPT_FOR_TESTS)]
    takes = [take for take in takes if take.motion.duration_s >= LONG_TAKE_S]
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


def measure_moments(library: Library, queries: Sequence[MomentQuery], rerank: bool) -> MomentFigures:
    """Asks a library for every piece, never told whether it is mirrored."""
    begun = time.perf_counter()
    answers = [library.search(q.motion, k=10, scope="moments", rerank=rerank, mirror=True) for q in queries]
    query_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    pairs = list(zip(queries, answers, strict=True))
    right = [[Path(hit.source) == Path(query.source) for hit in hits] for query, hits in pairs]
    overlap = [
        intersection_over_union(query, hits[0]) if one and one[0] else 0.0
        for (query, hits), one in zip(pairs, right, strict=True)
    ]
    return MomentFigures(
        right_first=float(np.mean([one[:1] == [True] for one in right])),
        right_in_10=float(np.mean([any(one) for one in right])),
        median_iou=float(np.median(overlap)),
        query_ms=query_ms,
    )


def intersection_over_union(query: MomentQuery, hit: Hit) -> float:
    """How much of the time that either covers both cover."""
    shared = min(query.end_s, hit.end_s) - max(query.start_s, hit.start_s)
    return max(shared, 0.0) / (max(query.end_s, hit.end_s) - min(query.start_s, hit.start_s))
