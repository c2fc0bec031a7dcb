# SPDX-License-Identifier: GPL-3.0-or-later
"""VectorIndex: nearest signatures by id, whoever finds them; and the exact search in plain numpy."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

NOBODY: Final = -1
"""The id that fills a result row where fewer than ``k`` vectors were allowed; its score is minus infinity."""

_BLOCK_ROWS: Final = 65_536  # bounds the memory of one product to some 16 MB for a batch of 64 queries


class VectorIndex(Protocol):
    """Vectors of unit length by id. The score of two vectors is their cosine, 1 for the same direction."""

    dimension: int

    def __len__(self) -> int:
        """How many vectors can be found."""
        ...

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Takes in ``vectors`` ``[N, dimension]`` under ``ids`` ``[N]``; an id must be new."""
        ...

    def remove(self, ids: Ids) -> None:
        """Makes ``ids`` unfindable; ids that are not there are passed over."""
        ...

    def search(self, vectors: Vectors, k: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        """The ``k`` nearest of each query, best first.

        Args:
            vectors: ``[Q, dimension]`` float32 of unit length.
            k: how many for each query.
            allowed: only these ids may be found; None for all.

        Returns:
            Ids ``[Q, k]`` and scores ``[Q, k]``; rows with fewer than ``k`` hits end in ``NOBODY``.
        """
        ...


class ExactIndex:
    """Compares the query with every vector: always right, and fast enough for tens of thousands.

    Vectors lie in one growing float32 matrix; a removed one keeps its row until the index is made anew.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension: Final = dimension
        self._ids: Ids = np.empty(0, dtype=np.int64)
        self._matrix: Vectors = np.empty((0, dimension), dtype=np.float32)
        self._live: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self._count = 0  # rows in use: the arrays are longer, so that adding does not copy them each time

    def __len__(self) -> int:
        """How many vectors can be found."""
        return int(np.count_nonzero(self._live[: self._count]))

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        stop = self._count + len(ids)
        if stop > len(self._ids):
            self._grow(max(stop, 2 * self._count))
        rows = slice(self._count, stop)
        self._ids[rows], self._matrix[rows], self._live[rows] = ids, vectors, True
        self._count = stop

    def _grow(self, capacity: int) -> None:
        self._ids = _extended(self._ids, capacity)
        self._matrix = _extended(self._matrix, capacity)
        self._live = _extended(self._live, capacity)

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        rows = slice(self._count)
        self._live[rows] &= ~np.isin(self._ids[rows], ids)

    def search(self, vectors: Vectors, k: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        """See `VectorIndex.search`."""
        findable = self._live[: self._count]
        if allowed is not None:
            findable = findable & np.isin(self._ids[: self._count], allowed)
        rows = np.flatnonzero(findable)
        ids, scores = no_hits(len(vectors), k)
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            found = vectors @ self._rows(block).T
            ids, scores = best_of(ids, scores, self._ids[block], found)
        return ids, scores

    def _rows(self, rows: NDArray[np.intp]) -> Vectors:
        """The vectors of ``rows``, in order; a view where they lie side by side, since most searches take all."""
        first, last = rows[0], rows[-1]
        return self._matrix[first : last + 1] if last - first + 1 == len(rows) else self._matrix[rows]


def no_hits(queries: int, k: int) -> tuple[Ids, Vectors]:
    """The result of a search that found nothing: ids and scores ``[queries, k]``."""
    return np.full((queries, k), NOBODY, dtype=np.int64), np.full((queries, k), -np.inf, dtype=np.float32)


def best_of(ids: Ids, scores: Vectors, more_ids: Ids, more_scores: Vectors) -> tuple[Ids, Vectors]:
    """The best of two results, best first, as many as the first one holds.

    Args:
        ids: ``[Q, k]`` found so far.
        scores: ``[Q, k]`` theirs.
        more_ids: ``[M]`` or ``[Q, M]`` further ones.
        more_scores: ``[Q, M]`` theirs.
    """
    k = ids.shape[1]
    more_ids = np.broadcast_to(more_ids, more_scores.shape)
    if more_scores.shape[1] > k > 0:
        top = np.argpartition(-more_scores, k - 1, axis=1)[:, :k]
        more_ids, more_scores = np.take_along_axis(more_ids, top, 1), np.take_along_axis(more_scores, top, 1)
    all_ids, all_scores = np.concatenate([ids, more_ids], axis=1), np.concatenate([scores, more_scores], axis=1)
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(all_ids, order, 1), np.take_along_axis(all_scores, order, 1)


def _extended(array: NDArray[np.generic], capacity: int) -> NDArray:
    """``array`` with room for ``capacity`` rows, the new ones empty."""
    longer = np.zeros((capacity, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer
