# SPDX-License-Identifier: GPL-3.0-or-later
"""HnswIndex: approximate nearest signatures for large libraries; the one door to hnswlib.

Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
Small World graphs" (2018). hnswlib is not safe for use from several threads at once, fails where too few
results are left, and on Windows writes nothing to a path beyond ASCII: all that ends here. A graph is kept as
the arrays that hnswlib hands out for copying, in NumPy's archive format without pickles.
"""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from .errors import LibraryError, MissingDependencyError
from .vector_index import NOBODY, Ids, Vectors, best_of, no_hits

_LINKS: Final = 16
_BUILD_WIDTH: Final = 200
_SEARCH_WIDTH: Final = 200
_COMPARE_ALL_BELOW: Final = 2_000
"""With fewer allowed ids than this, comparing each is faster than walking the graph, and exact."""
_BLOCK_ROWS: Final = 16_384


class HnswIndex:
    """A graph over vectors of unit length; see `VectorIndex` for the methods.

    Args:
        dimension: of the vectors.
        capacity: how many to make room for at first; it grows by itself.

    Raises:
        MissingDependencyError: hnswlib is not installed.
    """

    def __init__(self, dimension: int, capacity: int = 1024) -> None:
        graph = _hnswlib().Index(space="ip", dim=dimension)
        graph.init_index(max_elements=max(capacity, 1), M=_LINKS, ef_construction=_BUILD_WIDTH)
        self._hold(graph, dimension, np.empty(0, dtype=np.int64))

    def _hold(self, graph: Any, dimension: int, ids: Ids) -> None:  # noqa: ANN401 - hnswlib has no types
        self.dimension = dimension
        self._graph = graph
        self._ids = ids  # those that can be found, ascending
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many vectors can be found."""
        return len(self._ids)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex.add`; about a millisecond a vector, shared among the processor's cores."""
        if not len(ids):
            return
        with self._lock:
            needed = self._graph.element_count + len(ids)
            if needed > self._graph.max_elements:
                self._graph.resize_index(max(needed, 2 * self._graph.max_elements))
            self._graph.add_items(vectors, ids)
            self._ids = np.union1d(self._ids, ids)

    def remove(self, ids: Ids) -> None:
        """See `VectorIndex.remove`."""
        with self._lock:
            gone = np.intersect1d(self._ids, ids)
            for i in gone.tolist():
                self._graph.mark_deleted(i)
            self._ids = np.setdiff1d(self._ids, gone)

    def search(self, vectors: Vectors, k: int, allowed: Ids | None = None) -> tuple[Ids, Vectors]:
        """See `VectorIndex.search`. A filter costs time, not recall: the graph is asked for more until it is met."""
        with self._lock:
            wanted = self._ids if allowed is None else np.intersect1d(self._ids, allowed)
            if len(wanted) <= max(_COMPARE_ALL_BELOW, k):
                return self._compare(vectors, k, wanted)
            return self._walk(vectors, k, wanted)

    def _walk(self, vectors: Vectors, k: int, wanted: Ids) -> tuple[Ids, Vectors]:
        """Walks the graph for more and more neighbours until ``k`` of each query's are wanted."""
        asked = k
        while asked <= len(self._ids) // 4:
            found = self._neighbours(vectors, asked)
            if found is None:
                break
            good = np.isin(found[0], wanted)
            if good.sum(axis=1).min() >= k:
                scores = np.where(good, found[1], np.float32(-np.inf))
                return best_of(*no_hits(len(vectors), k), np.where(good, found[0], NOBODY), scores)
            asked = max(2 * asked, int(1.2 * k * len(self._ids) / len(wanted)))
        return self._compare(vectors, k, wanted)

    def _neighbours(self, vectors: Vectors, k: int) -> tuple[Ids, Vectors] | None:
        """The graph's ``k`` nearest, or None where its walk reaches fewer."""
        self._graph.set_ef(max(_SEARCH_WIDTH, 2 * k))
        try:
            ids, distances = self._graph.knn_query(vectors, k=k, num_threads=1)
        except RuntimeError:  # "Cannot return the results in a contiguous 2D array"
            return None
        return ids.astype(np.int64), (1.0 - distances).astype(np.float32)

    def _compare(self, vectors: Vectors, k: int, wanted: Ids) -> tuple[Ids, Vectors]:
        """Every wanted one, exactly."""
        found = no_hits(len(vectors), k)
        for start in range(0, len(wanted), _BLOCK_ROWS):
            block = wanted[start : start + _BLOCK_ROWS]
            rows = np.asarray(self._graph.get_items(block), dtype=np.float32)
            found = best_of(*found, block, vectors @ rows.T)
        return found

    def save(self, path: Path) -> None:
        """Writes the graph to ``path``, which must not be in use.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            (state,) = self._graph.__getstate__()
            with path.open("wb") as file:
                np.savez(file, findable=self._ids, **state)

    @classmethod
    def load(cls, path: Path) -> HnswIndex:
        """Reads a graph that `save` wrote; the caller has checked that no byte has changed.

        Raises:
            LibraryError: the file is missing or damaged.
            MissingDependencyError: hnswlib is not installed.
        """
        kind = _hnswlib().Index
        try:
            with np.load(path, allow_pickle=False) as archive:
                state = {name: archive[name] if archive[name].ndim else archive[name].item() for name in archive.files}
            ids = state.pop("findable")
            graph = kind.__new__(kind)
            graph.__setstate__((state,))
        except (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
            raise LibraryError(
                f"The search index {path.name} is damaged; mend it with: hums verify --repair."
            ) from error
        index = cls.__new__(cls)
        index._hold(graph, int(state["dim"]), ids)
        return index


def _hnswlib() -> Any:  # noqa: ANN401 - a module
    try:
        import hnswlib  # noqa: PLC0415 - loads on first use: numpy alone is needed to import the engine
    except ImportError as error:
        raise MissingDependencyError(
            "The fast search of large libraries needs hnswlib; install it with: pip install 'hums[run]'."
        ) from error
    return hnswlib
