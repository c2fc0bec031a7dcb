# SPDX-License-Identifier: GPL-3.0-or-later
"""VectorIndex: nearest signatures by row number, whoever finds them; and the exact search in plain numpy.

Rows are numbered in the order they came, and none is ever taken out: which of them may be found is said with each
search, so what is deleted or filtered out needs no work here.
"""

from __future__ import annotations

from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

RowNumbers = NDArray[np.int64]
Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]

NOBODY: Final = -1
"""The row that fills a result where fewer than ``k`` vectors were allowed; its score is minus infinity."""

_BLOCK_ROWS: Final = 65_536  # bounds the memory of one product to some 16 MB for a batch of 64 queries
_FEW: Final = 0.1  # share of rows below which picking them out is faster than comparing all


def unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Vectors ``[N, D]`` at unit length; one of no length stays as it is."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


class VectorIndex(Protocol):
    """Vectors of unit length. The score of two vectors is their cosine, 1 for the same direction."""

    dimension: int

    def __len__(self) -> int:
        """How many vectors there are."""
        ...

    def add(self, vectors: Vectors) -> None:
        """Takes in ``vectors`` ``[N, dimension]`` under the next ``N`` row numbers."""
        ...

    def search(self, vectors: Vectors, k: int, allowed: Mask | None = None) -> tuple[RowNumbers, Vectors]:
        """The ``k`` nearest of each query, best first.

        Args:
            vectors: ``[Q, dimension]`` float32 of unit length.
            k: how many for each query.
            allowed: which row numbers may be found, those beyond its end may not; None for all.

        Returns:
            Row numbers ``[Q, k]`` and scores ``[Q, k]``; those with fewer than ``k`` hits end in ``NOBODY``.
        """
        ...


class ExactIndex:
    """Compares the query with every vector: always right, and fast enough for tens of thousands.

    Args:
        dimension: of the vectors.
        first: the number of its first row.
    """

    def __init__(self, dimension: int, first: int = 0) -> None:
        self.dimension: Final = dimension
        self._first: Final = first
        self._matrix: Vectors = np.empty((0, dimension), dtype=np.float32)
        self._count = 0  # rows in use: the matrix is longer, so that adding does not copy it each time

    @classmethod
    def of(cls, vectors: Vectors) -> Self:
        """An index of ``vectors`` ``[N, dimension]``, which it takes over as they lie."""
        index = cls(vectors.shape[1])
        index._matrix, index._count = vectors, len(vectors)
        return index

    def __len__(self) -> int:
        """How many vectors there are."""
        return self._count

    @property
    def matrix(self) -> Vectors:
        """All vectors ``[N, dimension]``, a view."""
        return self._matrix[: self._count]

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        stop = self._count + len(vectors)
        if stop > len(self._matrix):
            longer = np.empty((max(stop, 2 * self._count if self._count else 0), self.dimension), dtype=np.float32)
            longer[: self._count] = self.matrix
            self._matrix = longer
        self._matrix[self._count : stop] = vectors
        self._count = stop

    def search(self, vectors: Vectors, k: int, allowed: Mask | None = None) -> tuple[RowNumbers, Vectors]:
        """See `VectorIndex.search`."""
        allowed = None if allowed is None else self._own(allowed)
        wanted = self._count if allowed is None else int(np.count_nonzero(allowed))
        if allowed is None or wanted == self._count:
            return self._among_all(vectors, k, None)
        if wanted > _FEW * self._count:
            return self._among_all(vectors, k, allowed)
        return self._among(vectors, k, np.flatnonzero(allowed))

    def _own(self, allowed: Mask) -> Mask:
        """The part ``[N]`` of a mask that is about the rows here."""
        own = allowed[self._first : self._first + self._count]
        return np.pad(own, (0, self._count - len(own))) if len(own) < self._count else own

    def _among_all(self, vectors: Vectors, k: int, allowed: Mask | None) -> tuple[RowNumbers, Vectors]:
        found = no_hits(len(vectors), k)
        for start in range(0, self._count, _BLOCK_ROWS):
            block = slice(start, min(start + _BLOCK_ROWS, self._count))
            scores = vectors @ self._matrix[block].T
            rows = np.arange(block.start, block.stop) + self._first
            if allowed is not None:
                scores[:, ~allowed[block]] = -np.inf
                rows = np.where(allowed[block], rows, NOBODY)
            found = best_of(*found, rows, scores)
        return found

    def _among(self, vectors: Vectors, k: int, rows: NDArray[np.intp]) -> tuple[RowNumbers, Vectors]:
        found = no_hits(len(vectors), k)
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            found = best_of(*found, block + self._first, vectors @ self._matrix[block].T)
        return found


def no_hits(queries: int, k: int) -> tuple[RowNumbers, Vectors]:
    """The result of a search that found nothing: row numbers and scores ``[queries, k]``."""
    return np.full((queries, k), NOBODY, dtype=np.int64), np.full((queries, k), -np.inf, dtype=np.float32)


def best_of(
    rows: RowNumbers, scores: Vectors, more_rows: RowNumbers, more_scores: Vectors
) -> tuple[RowNumbers, Vectors]:
    """The best of two results, best first, as many as the first one holds.

    Args:
        rows: ``[Q, k]`` found so far.
        scores: ``[Q, k]`` theirs.
        more_rows: ``[M]`` or ``[Q, M]`` further ones.
        more_scores: ``[Q, M]`` theirs.
    """
    k = rows.shape[1]
    more_rows = np.broadcast_to(more_rows, more_scores.shape)
    if more_scores.shape[1] > k > 0:
        top = np.argpartition(-more_scores, k - 1, axis=1)[:, :k]
        more_rows, more_scores = np.take_along_axis(more_rows, top, 1), np.take_along_axis(more_scores, top, 1)
    all_rows, all_scores = np.concatenate([rows, more_rows], axis=1), np.concatenate([scores, more_scores], axis=1)
    order = np.argsort(-all_scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(all_rows, order, 1), np.take_along_axis(all_scores, order, 1)
