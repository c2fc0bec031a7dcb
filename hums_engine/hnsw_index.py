# SPDX-License-Identifier: GPL-3.0-or-later
"""HnswIndex: approximate nearest signatures for large libraries; the one door to hnswlib.

Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
Small World graphs" (2018), in the subspace that the signatures fill. The reduced vectors stand beside the graph: while
the graph is still being read, where hnswlib is missing, and for a filter that leaves little, they are all compared.

hnswlib is not safe for use from several threads at once, fails where too few results are left, on Windows writes
nothing to a path beyond ASCII, and its files repeat every vector: all that ends here. A graph is kept in NumPy's
archive format without pickles: the reduced vectors in 16-bit steps, and of the arrays that hnswlib hands out for
copying, the links without the places that are not in use.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from .errors import LibraryError, MissingDependencyError
from .subspace import Subspace, packed, unpacked
from .vector_index import NOBODY, ExactIndex, Mask, RowNumbers, Vectors, best_of, no_hits

_LINKS: Final = 16
_BUILD_WIDTH: Final = 200
_SEARCH_WIDTH: Final = 200
_COMPARE_ALL: Final = 0.02
"""Share of the rows: with fewer allowed than this, or than ``_COMPARE_ALL_BELOW``, comparing each is as fast as walking
the graph, and exact."""
_COMPARE_ALL_BELOW: Final = 4_000
_COUNT_BITS: Final = 0xFFFF  # of a row's head in hnswlib's first level


class HnswIndex:
    """A graph over vectors of unit length; see `VectorIndex` for the methods.

    Args:
        subspace: that holds the vectors; `Subspace.of` some of them.
        capacity: how many to make room for at first; it grows by itself.

    Raises:
        MissingDependencyError: hnswlib is not installed.
    """

    def __init__(self, subspace: Subspace, capacity: int = 1024) -> None:
        self.dimension: Final = len(subspace.axes)
        self._subspace: Final = subspace
        self._exact: Final = ExactIndex(subspace.axes.shape[1])
        self._lock = threading.Lock()
        self._graph: Any = _hnswlib().Index(space="ip", dim=self._exact.dimension)
        self._graph.init_index(max_elements=max(capacity, 1), M=_LINKS, ef_construction=_BUILD_WIDTH)

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._exact)

    @property
    def is_connected(self) -> bool:
        """Whether it has its graph, and need not compare all."""
        return self._graph is not None

    def holds(self, vectors: Vectors) -> bool:
        """Whether the subspace is right for vectors ``[N, dimension]``, too."""
        return self._subspace.holds(vectors)

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`; some 0.15 ms a vector, shared among the processor's cores. Not before `connect`."""
        reduced = self._subspace.reduced(vectors)
        with self._lock:
            first = len(self._exact)
            self._exact.add(reduced)
            if len(self._exact) > self._graph.max_elements:
                self._graph.resize_index(max(len(self._exact), 2 * self._graph.max_elements))
            if len(reduced):
                self._graph.add_items(reduced, first + np.arange(len(reduced)))

    def search(self, vectors: Vectors, k: int, allowed: Mask | None = None) -> tuple[RowNumbers, Vectors]:
        """See `VectorIndex.search`. A filter costs time, not recall: the graph is asked for more until it is met."""
        reduced = vectors @ self._subspace.axes
        wanted = len(self) if allowed is None else int(np.count_nonzero(allowed[: len(self)]))
        with self._lock:
            few = max(_COMPARE_ALL_BELOW, _COMPARE_ALL * len(self), k)
            found = None if self._graph is None or wanted <= few else self._walk(reduced, k, allowed, wanted)
            return self._exact.search(reduced, k, allowed) if found is None else found

    def _walk(self, reduced: Vectors, k: int, allowed: Mask | None, wanted: int) -> tuple[RowNumbers, Vectors] | None:
        """Walks the graph for more and more neighbours until ``k`` of each query's are allowed; None if that fails."""
        asked = k
        while asked <= len(self) // 8:
            found = self._neighbours(reduced, asked)
            if found is None:
                return None
            rows, scores = found
            good = np.ones(rows.shape, dtype=np.bool_) if allowed is None else _picked(allowed, rows)
            if asked == k and good.all():
                return found
            if good.sum(axis=1).min() >= k:
                scores = np.where(good, scores, np.float32(-np.inf))
                return best_of(*no_hits(len(rows), k), np.where(good, rows, NOBODY), scores)
            asked = max(2 * asked, int(1.2 * k * len(self) / wanted))
        return None

    def _neighbours(self, reduced: Vectors, k: int) -> tuple[RowNumbers, Vectors] | None:
        """The graph's ``k`` nearest, or None where its walk reaches fewer."""
        self._graph.set_ef(max(_SEARCH_WIDTH, k + k // 2))
        try:
            rows, distances = self._graph.knn_query(reduced, k=k, num_threads=1)
        except RuntimeError:  # "Cannot return the results in a contiguous 2D array"
            return None
        return rows.astype(np.int64), (1.0 - distances).astype(np.float32)

    # on disk

    def save(self, path: Path) -> None:
        """Writes vectors and graph to ``path``, which must not be in use.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            (state,) = self._graph.__getstate__()
            arrays = _without_vectors(state, len(self._exact))
            with path.open("wb") as file:
                np.savez(file, axes=self._subspace.axes, vectors=packed(self._exact.matrix), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads vectors that `save` wrote, which are all compared until `connect`.

        The caller has checked that no byte has changed.

        Raises:
            LibraryError: the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                axes, vectors = archive["axes"], archive["vectors"]
            index = cls.__new__(cls)
            index.dimension, index._subspace = len(axes), Subspace(axes)  # pyright: ignore - set once, here
            index._exact = ExactIndex.of(unpacked(vectors))  # pyright: ignore
            index._lock, index._graph = threading.Lock(), None
        except _DAMAGED as error:
            raise _damaged(path) from error
        return index

    def connect(self, path: Path) -> None:
        """Reads the graph over the vectors that `load` read, if hnswlib is installed.

        Raises:
            LibraryError: the file is missing or damaged.
        """
        if not is_installed():
            return
        kind = _hnswlib().Index
        try:
            with np.load(path, allow_pickle=False) as archive:
                state = _with_vectors({name: archive[name] for name in archive.files}, self._exact.matrix)
            graph = kind.__new__(kind)
            graph.__setstate__((state,))
        except _DAMAGED as error:
            raise _damaged(path) from error
        with self._lock:
            self._graph = graph


_DAMAGED: Final = (OSError, ValueError, KeyError, RuntimeError, EOFError, IndexError, zipfile.BadZipFile)


def _damaged(path: Path) -> LibraryError:
    return LibraryError(f"The search index {path.name} is damaged; mend it with: hums verify --repair.")


def _picked(allowed: Mask, rows: RowNumbers) -> Mask:
    """Which of ``rows`` are allowed; those beyond the end of the mask are not."""
    inside = rows < len(allowed)
    return inside & allowed[np.where(inside, rows, 0)] if len(allowed) else inside


def _first_level(links: int, dimension: int) -> np.dtype:
    """A row of hnswlib, in the level that holds all: number of links, links, vector, label."""
    return np.dtype([("head", "<u4"), ("links", "<u4", (links,)), ("vector", "<f4", (dimension,)), ("label", "<u8")])


def _without_vectors(state: Mapping[str, Any], count: int) -> dict[str, Any]:
    """What `_with_vectors` makes hnswlib's state of."""
    kind = _first_level(state["max_M0"], state["dim"])
    rows = state["data_level0"].view(kind)[:count]
    used = np.arange(state["max_M0"]) < (rows["head"] & _COUNT_BITS)[:, None]
    small = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
    return small | {
        "head": rows["head"].astype(np.uint8),
        "links": rows["links"][used],
        "label": rows["label"].astype(np.uint32),
        "levels": state["element_levels"][:count].astype(np.uint8),
        "upper": state["link_lists"].view("<u4"),
    }


def _with_vectors(saved: Mapping[str, NDArray], vectors: Vectors) -> dict[str, Any]:
    """The state of a graph of hnswlib.

    Raises:
        ValueError: it does not fit together: hnswlib would follow a wrong link out of its memory.
    """
    state: dict[str, Any] = {name: value.item() for name, value in saved.items() if not value.ndim}
    count, width = len(vectors), state["max_M0"]
    head, label, levels, upper = saved["head"], saved["label"], saved["levels"].astype(np.int32), saved["upper"]
    heads = upper.reshape(-1, 1 + state["max_M"])
    sound = (
        (len(head), len(label), len(levels), len(heads)) == (count, count, count, levels.sum())
        and head.max(initial=0) <= width
        and max(saved["links"].max(initial=0), heads[:, 1:].max(initial=0), label.max(initial=0)) < count
        and heads[:, 0].max(initial=0) <= state["max_M"]
        and (state["dim"], state["cur_element_count"]) == (vectors.shape[1], count)
        and 0 <= state["enterpoint_node"] < count
        and levels[state["enterpoint_node"]] == state["max_level"]
    )
    if not sound:
        raise ValueError
    kind = _first_level(width, vectors.shape[1])
    rows = np.zeros(count, dtype=kind)
    links = np.zeros((count, width), dtype=np.uint32)
    links[np.arange(width) < head[:, None]] = saved["links"]
    rows["head"], rows["links"], rows["vector"], rows["label"] = head, links, vectors[label], label
    return state | {
        "max_elements": count,
        "data_level0": rows.view(np.int8),
        "label_lookup_external": label.astype(np.uint64),
        "label_lookup_internal": np.arange(count, dtype=np.uint32),
        "element_levels": levels,
        "link_lists": upper.view(np.int8),
    }


def is_installed() -> bool:
    """Whether graphs can be built and walked here."""
    try:
        _hnswlib()
    except MissingDependencyError:
        return False
    return True


def _hnswlib() -> Any:  # noqa: ANN401 - a module
    try:
        import hnswlib  # noqa: PLC0415 - loads on first use: numpy alone is needed to import the engine
    except ImportError as error:
        raise MissingDependencyError(
            "The fast search of large libraries needs hnswlib; install it with: pip install 'hums[run]'."
        ) from error
    return hnswlib
