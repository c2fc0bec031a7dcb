# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching a library: candidates by their signatures, put in order by aligning them with the query.

Whole clips are found by their own signatures, and takes that contain the query somewhere by those of their moments:
the signature of a minute's dance says little about the turn in its middle. The nearest of both are
aligned (`dtw`), which gives the score and, where the query is shorter, the stretch.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import dtw
from .canonical import CanonicalMotion
from .catalogue import Catalogue, Stored, Where
from .errors import LibraryError
from .joint_store import BYTES_PER_SECOND, JointStore
from .moments import WINDOWS_S, without_overlaps
from .normalize import FPS, NormalizedMotion, normalize
from .signature_index import SignatureIndex
from .signature_store import row_type
from .vector_index import Ids, Vectors
from .writer import FOLDERS, KINDS, Kind

Scope = Literal["clips", "moments"]

CANDIDATES: Final = 50
"""Clips of either kind of signature that are aligned with the query; more where more results are asked for."""

_MOMENTS_ASKED: Final = 400  # nearest moments, of which many are of the same clips
_ALL_OF: Final = 1_000
_BUDGET_CELLS: Final = 600_000
"""Cells of the alignment tables (some 40 ms) that are filled with further clips where ``CANDIDATES`` leave room: a
small library of up to ``_ALL_OF`` clips is aligned as a whole, so that no signature can miss."""
_STRETCHES: Final = 3  # of one clip among the results of the scope "moments"
_PIECES: Final = 16  # of a long query
_FINE: Final = 24  # matches that are aligned once more at a higher rate
_ROOM_S: Final = 0.3  # by which a match may be off in the first pass
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hit:
    """One result.

    Attributes:
        clip_id: of the clip.
        name: of the clip.
        source: path of its file.
        score: 0 to 100, falling with the distance. After alignment ``100 exp(-d / 0.25 m)``, d the distance of the
            aligned joints (`dtw.score`): 100 the same, 67 at 10 cm, 45 at 20 cm. Without: 100 for equal
            signatures, falling evenly with the angle between them to 0 at a right angle.
        start_s: where the stretch that is like the query begins, seconds.
        end_s: where it ends; the clip's duration if all of it is.
        duration_s: of the whole clip.
        mirrored: the clip is like the query's mirror image.
        tags: of the clip.
    """

    clip_id: int
    name: str
    source: str
    score: float
    start_s: float
    end_s: float
    duration_s: float
    mirrored: bool
    tags: tuple[str, ...]


class _Query(NamedTuple):
    """A query as it is compared: whole, and in pieces of a length that moments have."""

    whole: NormalizedMotion
    pieces: list[NormalizedMotion]
    mirrored: bool

    @classmethod
    def of(cls, motion: CanonicalMotion) -> _Query:
        """A motion to be found."""
        longest = WINDOWS_S[-1]
        whole = normalize(motion)
        if motion.duration_s <= 1.25 * longest:
            return cls(whole, [whole], mirrored=False)
        count = min(math.ceil(2.0 * motion.duration_s / longest), _PIECES)
        starts = np.linspace(0.0, motion.duration_s - longest, count)
        return cls(whole, [normalize(motion.cut(start, start + longest)) for start in starts], mirrored=False)

    def mirror_image(self) -> _Query:
        """The same with left and right exchanged."""
        return _Query(self.whole.mirror_image(), [piece.mirror_image() for piece in self.pieces], mirrored=True)


class _Found(NamedTuple):
    """A stretch of the clip at ``position`` in the snapshot."""

    position: int
    score: float
    start_s: float
    end_s: float
    mirrored: bool


class Snapshot:
    """The clips of one state of the catalogue, and which rows of the signature stores are theirs."""

    def __init__(self, stored: list[Stored]) -> None:
        self.stored = stored
        self.ids: Ids = np.array([one.clip_id for one in stored], dtype=np.int64)
        self.rows: dict[Kind, Ids] = {}
        self._owners: dict[Kind, NDArray[np.intp]] = {}
        numbers = np.array([one[2:] for one in stored], dtype=np.int64).reshape(-1, 3)
        positions = np.arange(len(stored))
        self._put("clips", numbers[:, 0], positions)
        counts = numbers[:, 2]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._put("moments", np.repeat(numbers[:, 1], counts) + within, np.repeat(positions, counts))

    def _put(self, kind: Kind, rows: Ids, owners: NDArray[np.intp]) -> None:
        order = np.argsort(rows, kind="stable")
        self.rows[kind], self._owners[kind] = rows[order], owners[order]

    def owners(self, kind: Kind, rows: Ids) -> NDArray[np.intp]:
        """Positions in ``stored`` of the clips that live rows belong to."""
        return self._owners[kind][np.searchsorted(self.rows[kind], rows)]

    def rows_of(self, kind: Kind, allowed: NDArray[np.bool_] | None) -> Ids:
        """Live rows, only those of the clips at ``allowed`` positions."""
        rows = self.rows[kind]
        return rows if allowed is None else rows[allowed[self._owners[kind]]]


class Searcher:
    """Answers queries on one library; follows it as it changes.

    Args:
        folder: of the library.
        catalogue: of the library.
        joints: of the library.
        encode: signs normalised motions.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        joints: JointStore,
        encode: Callable[[list[NormalizedMotion]], Vectors],
    ) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._joints = joints
        self._encode = encode
        self._guard = threading.Lock()
        self._state: tuple[int, int] | None = None
        self._snapshot = Snapshot([])
        self._indexes: dict[Kind, SignatureIndex] = {}

    def search(
        self, motion: CanonicalMotion, k: int, scope: Scope, where: Where | None, rerank: bool, mirror: bool
    ) -> list[Hit]:
        """The best ``k`` hits; the arguments are those of `Library.search`.

        Raises:
            LibraryError: an unknown filter; or a writer has replaced a file meanwhile, so that asking again helps.
        """
        with self._guard:
            return self._search(motion, k, scope, where, rerank, mirror)

    def _search(
        self, motion: CanonicalMotion, k: int, scope: Scope, where: Where | None, rerank: bool, mirror: bool
    ) -> list[Hit]:
        self._follow()
        allowed = None if where is None else np.isin(self._snapshot.ids, self._catalogue.ids(where))
        query = _Query.of(motion)
        queries = [query, query.mirror_image()] if mirror else [query]
        find = self._aligned if rerank else self._signed
        found = [one for each in queries for one in find(each, k, scope, allowed)]
        found.sort(key=lambda one: -one.score)
        per_clip = 1 if scope == "clips" else _STRETCHES
        return [self._hit(one) for one in _limited(found, per_clip)[:k]]

    def _follow(self) -> None:
        """Takes over what has changed in the library since the last query."""
        state = self._catalogue.state()
        model = self._catalogue.model()
        if state == self._state or model is None:
            return
        with self._catalogue.moment_in_time():
            self._snapshot = Snapshot(self._catalogue.stored())
            for kind in KINDS:
                for name, length in self._catalogue.files(kind).items():
                    index = self._indexes.setdefault(kind, SignatureIndex(model.dimension))
                    count = length // row_type(model.dimension).itemsize
                    path = self._folder / FOLDERS[kind] / name
                    index.follow(path, count, self._folder / FOLDERS["graph"], self._catalogue.graph(kind))
        self._state = state

    def _signed(self, query: _Query, k: int, scope: Scope, allowed: NDArray[np.bool_] | None) -> list[_Found]:
        """What the signatures alone say."""
        found = self._nearest("clips", query, [query.whole], max(k, CANDIDATES), allowed)
        if scope == "moments":
            found += self._nearest("moments", query, [query.whole], _MOMENTS_ASKED, allowed)
        return found

    def _aligned(self, query: _Query, k: int, scope: Scope, allowed: NDArray[np.bool_] | None) -> list[_Found]:
        """The candidates of the signatures, compared with the query frame by frame: all roughly, the best finely."""
        count = max(CANDIDATES, k)
        whole = self._nearest("clips", query, [query.whole], max(count, _ALL_OF), allowed)
        parts = self._nearest("moments", query, query.pieces, _MOMENTS_ASKED, allowed)
        positions = _candidates(whole, parts, count)
        pattern = dtw.frames(query.whole)
        stride = dtw.coarse_stride(len(pattern.values))
        room = _BUDGET_CELLS * stride**2 / len(pattern.values)
        sketches = self._sketches(positions[: self._fitting(positions, room, 2 * count)], stride)
        limit = 1 if scope == "clips" else _STRETCHES
        matches = dtw.match(pattern.thinned(stride), list(sketches.values()), limit)
        found = [(position, one) for position, some in zip(sketches, matches, strict=True) for one in some]
        found.sort(key=lambda pair: pair[1].distance)
        found[:_FINE] = self._refined(pattern, found[:_FINE])
        return [_Found(p, dtw.score(one.distance), one.start_s, one.end_s, query.mirrored) for p, one in found]

    def _fitting(self, positions: list[int], frames: float, least: int) -> int:
        """How many of the first of these clips have no more normalised frames together, ``least`` at any rate."""
        seconds = np.cumsum([self._snapshot.stored[p].joints.length / BYTES_PER_SECOND for p in positions])
        return max(least, int(np.searchsorted(seconds * FPS, frames)))

    def _sketches(self, positions: list[int], stride: int) -> dict[int, dtw.Frames]:
        """The sketches of clips by their position; damaged ones are left out, with a word in the log."""
        sketches = {}
        for position in positions:
            try:
                sketches[position] = self._joints.sketch(self._snapshot.stored[position].joints, stride)
            except LibraryError as error:
                if self._catalogue.state() != self._state:  # not damaged: a writer has just put it elsewhere
                    raise
                _LOG.warning("%s", error)
        return sketches

    def _refined(self, pattern: dtw.Frames, found: list[tuple[int, dtw.Match]]) -> list[tuple[int, dtw.Match]]:
        """Matches aligned once more at a higher rate, around where they lie."""
        stride = dtw.fine_stride(len(pattern.values))
        whole = [self._joints.sketch(self._snapshot.stored[position].joints) for position, _ in found]
        cuts = [
            sketch.around(m.start_s - _ROOM_S, m.end_s + _ROOM_S) for sketch, (_, m) in zip(whole, found, strict=True)
        ]
        fine = dtw.match(pattern.thinned(stride), [cut.thinned(stride) for cut, _ in cuts])
        refined = []
        for (position, rough), (_, offset_s), (one,) in zip(found, cuts, fine, strict=True):
            moved = dtw.Match(one.distance, one.start_s + offset_s, one.end_s + offset_s)
            refined.append((position, min(moved, rough)))
        return refined

    def _nearest(
        self,
        kind: Kind,
        query: _Query,
        motions: list[NormalizedMotion],
        count: int,
        allowed: NDArray[np.bool_] | None,
    ) -> list[_Found]:
        """The nearest signatures of one kind to any of ``motions``, best first."""
        rows_allowed = self._snapshot.rows_of(kind, allowed)
        index = self._indexes.get(kind)
        if index is None or index.store is None or not len(rows_allowed):
            return []
        rows, scores = index.search(self._encode(motions), count, rows_allowed)
        there = np.isfinite(scores)
        rows, scores = rows[there], scores[there]
        order = np.argsort(-scores, kind="stable")
        rows, scores = rows[order], scores[order]
        start_s, end_s = index.store.times(rows)
        columns = (self._snapshot.owners(kind, rows), _angle_score(scores), start_s, end_s)
        found = zip(*(column.tolist() for column in columns), strict=True)
        return [_Found(position, score, start, end, query.mirrored) for position, score, start, end in found]

    def _hit(self, found: _Found) -> Hit:
        clip = self._catalogue.clip(self._snapshot.stored[found.position].clip_id)
        end_s = min(found.end_s, clip.duration_s)
        return Hit(
            clip_id=clip.id,
            name=clip.name,
            source=clip.source,
            score=found.score,
            start_s=min(found.start_s, end_s),
            end_s=end_s,
            duration_s=clip.duration_s,
            mirrored=found.mirrored,
            tags=clip.tags,
        )


def _angle_score(cosine: Vectors) -> NDArray[np.float64]:
    """100 for the same direction, falling evenly with the angle to 0 at a right angle and beyond."""
    angle = np.arccos(np.clip(cosine.astype(np.float64), -1.0, 1.0))
    return 100.0 * np.maximum(1.0 - angle / (np.pi / 2.0), 0.0)


def _candidates(whole: list[_Found], parts: list[_Found], count: int) -> list[int]:
    """Positions of the clips to compare: the best ``count`` of either list first, then the others."""
    of_whole, of_parts = (list(dict.fromkeys(found.position for found in some)) for some in (whole, parts))
    return list(dict.fromkeys(of_whole[:count] + of_parts[:count] + of_parts + of_whole))


def _limited(found: list[_Found], per_clip: int) -> list[_Found]:
    """Of each clip at most ``per_clip`` stretches that do not overlap, in the order given."""
    of_clip: dict[int, list[int]] = defaultdict(list)
    for i, one in enumerate(found):
        of_clip[one.position].append(i)
    kept = set()
    for indices in of_clip.values():
        start_s, end_s = np.array([(found[i].start_s, found[i].end_s) for i in indices]).T
        kept.update(indices[i] for i in without_overlaps(start_s, end_s, per_clip))
    return [one for i, one in enumerate(found) if i in kept]
