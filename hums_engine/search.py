# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching a library: candidates by their signatures, put in order by how probably they are the same action.

Whole clips are found by their own signatures, and takes that contain the query somewhere by those of their moments:
the signature of a minute's dance says little about the turn in its middle. The nearest of both are
aligned (`matching`), which gives the stretch; the distance there and the signatures give the score (`calibration`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .calibration import probability
from .canonical import CanonicalMotion
from .catalogue import Catalogue
from .clip_filters import Where
from .joint_store import JointStore, Location
from .matching import Matcher, Matches, firsts, unaligned
from .moments import LONG_S, nearest_window, pieces, without_overlaps
from .normalize import NormalizedMotion
from .query import Query, SignedQuery
from .records import Clip
from .signature_index import SignatureIndex
from .signature_store import row_type
from .vector_index import Mask, RowNumbers, Vectors, unit
from .writer import FOLDERS, KINDS, Kind

Scope = Literal["clips", "moments"]

CANDIDATES: Final = 50
"""Clips that are aligned with the query, half of them for either kind of signature, and of a small library that many of
either kind; more where more results are asked for."""

_MOMENTS_ASKED: Final = 400  # nearest moments, of which many are of the same clips
_ALL_OF: Final = 200
"""A library of so many clips is small: as many of them are aligned as there is time for."""
_STRETCHES: Final = 100  # of one clip in the scope "moments"
_FINE: Final = 16  # clips at least whose matches are aligned once more at a higher rate
_SPARE: Final = 4  # more of them than are asked for: some may come in
_FINE_STRETCHES: Final = 3  # of such a clip
_WHOLE: Final = 0.8  # share of a clip from which its own signature speaks for a stretch
_AS_LIKELY: Final = 0.5
"""Further stretches of a clip are told that have at least this share of the best one's score."""


@dataclass(frozen=True)
class Stretch:
    """One of several places in a clip.

    Attributes:
        start_s: where it begins, seconds.
        end_s: where it ends.
        score: as that of a `Hit`.
        mirrored: it is like the query's mirror image.
    """

    start_s: float
    end_s: float
    score: float
    mirrored: bool


@dataclass(frozen=True)
class Hit:
    """One result: a clip, and where in it.

    Attributes:
        clip_id: of the clip.
        name: of the clip.
        source: path of its file.
        score: 0 to 100: how probable it is, in percent, that this is the same action as the query, calibrated on
            labelled motion (docs/search.md). 100 for the same motion; rises with the likeness of the signatures and
            falls with the distance of the aligned joints. The whole clip's signature counts in the scope "clips",
            that of the stretch in the scope "moments".
        start_s: where the stretch that is like the query begins, seconds.
        end_s: where it ends; the clip's duration if all of it is.
        duration_s: of the whole clip.
        mirrored: the stretch is like the query's mirror image.
        tags: of the clip.
        cosine: of the signatures, 1 for the same direction.
        distance_m: of the aligned joints, metres a joint; None where nothing was aligned.
        others: further stretches of the clip, best first, in the scope "moments": those that do not overlap and are
            at least half as probable.
        favourite: whether the clip is marked.
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
    cosine: float = 1.0
    distance_m: float | None = None
    others: tuple[Stretch, ...] = ()
    favourite: bool = False


class _Found(NamedTuple):
    """A stretch of the clip at ``position`` in the snapshot; see `Hit`."""

    position: int
    score: float
    cosine: float
    distance: float
    start_s: float
    end_s: float
    mirrored: bool


class Snapshot:
    """The clips of one state of the catalogue, and which rows of the signature stores are theirs.

    Args:
        rows: what `Catalogue.rows` gives.
    """

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self.ids, self.signature_row, self.moment_row, self.moment_count = np.ascontiguousarray(rows.T)
        positions, counts = np.arange(len(rows)), self.moment_count
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._owners: dict[Kind, NDArray[np.intp]] = {
            "clips": _owners(self.signature_row, positions),
            "moments": _owners(np.repeat(self.moment_row, counts) + within, np.repeat(positions, counts)),
        }
        self._live: dict[Kind, Mask] = {kind: owners >= 0 for kind, owners in self._owners.items()}

    def owners(self, kind: Kind, rows: RowNumbers) -> NDArray[np.intp]:
        """Positions of the clips that live rows belong to."""
        return self._owners[kind][rows]

    def rows_of(self, kind: Kind, allowed: Mask | None) -> Mask:
        """Which rows are live, and of the clips at ``allowed`` positions."""
        live = self._live[kind]
        return live if allowed is None or not len(live) else live & allowed[self._owners[kind]]


def _owners(rows: NDArray[np.int64], positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """The position that each row belongs to, -1 where to none any more."""
    owners = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.intp)
    owners[rows] = positions
    return owners


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
        self._snapshot = Snapshot(np.empty((0, 4), dtype=np.int64))
        self._indexes: dict[Kind, SignatureIndex] = {}

    def search(
        self,
        like: Sequence[CanonicalMotion],
        unlike: Sequence[CanonicalMotion],
        k: int,
        scope: Scope,
        where: Where | None,
        rerank: bool,
        mirror: bool,
        joints: Collection[str] | None = None,
    ) -> list[Hit]:
        """The best ``k`` hits; the arguments are those of `Library.search`.

        Raises:
            LibraryError: an unknown filter or joint; or a writer has replaced a file meanwhile, so that asking again
                helps.
            MappingError: a motion of the query has no hips.
        """
        query = Query.of(like, unlike, joints)
        with self._guard:
            self._follow()
            allowed = None if where is None else np.isin(self._snapshot.ids, self._catalogue.ids(where))
            if not (np.any(allowed) if allowed is not None else len(self._snapshot.ids)):
                return []
            find = self._aligned if rerank else self._signed
            asked = [query, query.mirror_image()] if mirror else [query]
            found = [one for each in asked for one in find(SignedQuery.of(each, self._encode), k, scope, allowed)]
            return self._hits(_grouped(found, 1 if scope == "clips" else _STRETCHES)[:k])

    def _follow(self) -> None:
        """Takes over what has changed in the library since the last query."""
        state = self._catalogue.state()
        model = self._catalogue.model()
        if state == self._state or model is None:
            return
        with self._catalogue.moment_in_time():
            self._snapshot = Snapshot(self._catalogue.rows())
            for kind in KINDS:
                for name, length in self._catalogue.files(kind).items():
                    index = self._indexes.setdefault(kind, SignatureIndex(model.dimension))
                    count = length // row_type(model.dimension).itemsize
                    path = self._folder / FOLDERS[kind] / name
                    index.follow(path, count, self._folder / FOLDERS["graph"], self._catalogue.graph(kind))
        self._state = state

    def _signed(self, asked: SignedQuery, k: int, scope: Scope, allowed: Mask | None) -> list[_Found]:
        """What the signatures alone say."""
        found = self._nearest("clips", asked.seek, max(k, CANDIDATES), allowed)
        if scope == "moments":
            more = self._nearest("moments", asked.seek_pieces, _MOMENTS_ASKED, allowed)
            found = np.concatenate([found, more])
        return self._judged(asked, found, scope)

    def _aligned(self, asked: SignedQuery, k: int, scope: Scope, allowed: Mask | None) -> list[_Found]:
        """The candidates of the signatures, compared with the query frame by frame: all roughly, the best finely."""
        count = max(CANDIDATES, k)
        small = len(self._snapshot.ids) <= _ALL_OF
        whole = self._nearest("clips", asked.seek, _ALL_OF if small else count, allowed)
        parts = self._nearest("moments", asked.seek_pieces, _MOMENTS_ASKED, allowed)
        positions = _candidates(whole, parts, count) if small else _candidates(whole, parts, -(-count // 2))[:count]
        matcher = Matcher(self._joints, self._places, lambda: self._catalogue.state() == self._state)
        found = matcher.match(asked.query, positions, 2 * count if small else count)
        likely, _ = self._likely(asked, found, scope, matcher)
        found = firsts(found[np.argsort(-likely, kind="stable")])[: max(_FINE, k + _SPARE)]
        if scope == "moments":
            found = matcher.stretches(found, _STRETCHES)
        fine = _first_of_each(found, _FINE_STRETCHES)
        found = np.concatenate([matcher.refined(asked.query, found[fine]), found[~fine]])
        return self._judged(asked, found, scope, matcher)

    def _judged(self, asked: SignedQuery, found: Matches, scope: Scope, matcher: Matcher | None = None) -> list[_Found]:
        """Stretches with their scores."""
        likely, cosine = self._likely(asked, found, scope, matcher)
        return [
            _Found(position, 100.0 * score, along, distance, start_s, end_s, asked.query.mirrored)
            for (position, _, distance, start_s, end_s), score, along in zip(
                found.tolist(), likely.tolist(), cosine.tolist(), strict=True
            )
        ]

    def _likely(
        self, asked: SignedQuery, found: Matches, scope: Scope, matcher: Matcher | None
    ) -> tuple[NDArray[np.float64], Vectors]:
        """How probably ``[N]`` stretches are like the query and like nothing that they must be unlike; the cosines."""
        vectors = self._signatures(found, scope)
        cosine = vectors @ asked.like[0]
        likely = probability(cosine, None if matcher is None else found["distance"])
        if len(asked.unlike) and len(likely):
            distances = None if matcher is None else matcher.distances(asked.query.unlike, found)
            likely *= 1.0 - probability(vectors @ asked.unlike.T, distances).max(axis=1)
        return likely, cosine

    def _signatures(self, found: Matches, scope: Scope) -> Vectors:
        """The signatures ``[N, D]`` that speak for stretches: in the scope "moments" of what covers them best."""
        clips, moments = (self._indexes[kind].store for kind in KINDS)
        assert clips is not None  # there is a clip, or nothing would have been found
        rows = self._snapshot.signature_row[found["position"]]
        vectors = clips.read(rows).vectors
        if scope == "moments" and moments is not None:
            duration_s = clips.times(rows)[1].astype(np.float64)
            number = nearest_window(duration_s, found["start_s"], found["end_s"])
            inside = (number >= 0) & (number < self._snapshot.moment_count[found["position"]])
            rows = self._snapshot.moment_row[found["position"][inside]] + number[inside]
            vectors[inside] = moments.read(rows).vectors
            length_s = found["end_s"] - found["start_s"]
            for i in np.flatnonzero((length_s > LONG_S) & (length_s < _WHOLE * duration_s)):
                start_s, end_s = pieces(float(found["start_s"][i]), float(found["end_s"][i])).T
                number = nearest_window(np.full(len(start_s), duration_s[i]), start_s, end_s)
                rows = self._snapshot.moment_row[found["position"][i]] + number
                vectors[i] = unit(moments.read(rows).vectors.mean(axis=0, keepdims=True))[0]
        return vectors

    def _nearest(self, kind: Kind, vectors: Vectors, count: int, allowed: Mask | None) -> Matches:
        """What the nearest signatures of one kind to any of ``vectors`` ``[Q, D]`` stand for, best first."""
        index = self._indexes.get(kind)
        if index is None or index.store is None:
            return unaligned(*np.empty((3, 0)))
        rows, cosines = index.search(vectors, count, self._snapshot.rows_of(kind, allowed))
        there = np.isfinite(cosines)
        rows = rows[there][np.argsort(-cosines[there], kind="stable")]
        return unaligned(self._snapshot.owners(kind, rows), *index.store.times(rows))

    def _places(self, positions: list[int]) -> list[Location]:
        """Where the joints of clips lie.

        Raises:
            LibraryError: a clip is there no longer.
        """
        return self._catalogue.locations(self._snapshot.ids[positions].tolist())

    def _hits(self, groups: list[list[_Found]]) -> list[Hit]:
        ids = self._snapshot.ids[[group[0].position for group in groups]].tolist() if groups else []
        return [self._hit(clip, group) for clip, group in zip(self._catalogue.clips_of(ids), groups, strict=True)]

    @staticmethod
    def _hit(clip: Clip, group: list[_Found]) -> Hit:
        best, *others = (
            one._replace(start_s=min(one.start_s, clip.duration_s), end_s=min(one.end_s, clip.duration_s))
            for one in group
        )
        return Hit(
            clip_id=clip.id,
            name=clip.name,
            source=clip.source,
            score=best.score,
            start_s=best.start_s,
            end_s=best.end_s,
            duration_s=clip.duration_s,
            mirrored=best.mirrored,
            tags=clip.tags,
            favourite=clip.favourite,
            cosine=best.cosine,
            distance_m=best.distance if np.isfinite(best.distance) else None,
            others=tuple(Stretch(one.start_s, one.end_s, one.score, one.mirrored) for one in others),
        )


def _candidates(whole: Matches, parts: Matches, count: int) -> list[int]:
    """Positions of the clips to compare: the best ``count`` of either list first, then the others."""
    of_whole, of_parts = (firsts(some)["position"].tolist() for some in (whole, parts))
    return list(dict.fromkeys(of_whole[:count] + of_parts[:count] + of_parts + of_whole))


def _first_of_each(found: Matches, count: int) -> NDArray[np.bool_]:
    """Which of the stretches are among the nearest ``count`` of their clip."""
    order = np.lexsort((found["distance"], found["position"]))
    position = found["position"][order]
    place = np.arange(len(order)) - np.searchsorted(position, position)
    chosen = np.empty(len(order), dtype=np.bool_)
    chosen[order] = place < count
    return chosen


def _grouped(found: list[_Found], limit: int) -> list[list[_Found]]:
    """The stretches of each clip, at most ``limit`` that do not overlap, best first; and so the clips."""
    groups: dict[int, list[_Found]] = {}
    for one in sorted(found, key=lambda one: -one.score):
        group = groups.setdefault(one.position, [])
        if not group or one.score >= _AS_LIKELY * group[0].score:
            group.append(one)
    return [_apart(group, limit) for group in groups.values()]


def _apart(group: list[_Found], limit: int) -> list[_Found]:
    """At most ``limit`` of the stretches of a clip, best first, that hardly overlap."""
    if len(group) == 1 or limit == 1:
        return group[:1]
    start_s, end_s = np.array([(one.start_s, one.end_s) for one in group]).T
    return [group[i] for i in without_overlaps(start_s, end_s, limit)]
