# SPDX-License-Identifier: GPL-3.0-or-later
"""SignatureIndex: nearest rows of one signature store, by its search graph where there is one, else by comparing all.

The graph covers the rows that were there when it was built; those appended since are compared one by one. It is read
in the background, and its vectors are all compared meanwhile. So a library answers at once, also while its graph is
behind, missing or damaged.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Final

from .errors import LibraryError
from .hnsw_index import HnswIndex
from .records import Graph
from .signature_store import SignatureStore
from .vector_index import ExactIndex, Mask, RowNumbers, Vectors, best_of
from .writer import load_graph

_LOG: Final = logging.getLogger(__name__)


class SignatureIndex:
    """The rows of a store; see `VectorIndex.search`. It follows the store as that grows or is replaced."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._name = ""
        self._graph_name = ""
        self._graph: HnswIndex | None = None
        self._tail = ExactIndex(dimension)
        self._count = 0  # rows taken in so far
        self.store: SignatureStore | None = None

    def follow(self, path: Path, count: int, graph_folder: Path, graph: Graph | None) -> None:
        """Takes in what has been appended since the last call, or everything if the file is another one."""
        graph_name = graph.name if graph else ""
        if path.name != self._name or graph_name != self._graph_name or count < self._count:
            self._name, self._graph_name = path.name, graph_name
            self._graph = load_graph(graph_folder / graph.name, graph) if graph else None
            self._count = len(self._graph) if self._graph else 0
            self._tail = ExactIndex(self._dimension, self._count)
            if self._graph:
                threading.Thread(target=_connect, args=(self._graph, graph_folder / graph_name), daemon=True).start()
        self.store = SignatureStore(path, self._dimension, count)
        for _, rows in self.store.blocks(self._count):
            self._tail.add(rows.vectors)
        self._count = count

    def search(self, vectors: Vectors, k: int, allowed: Mask) -> tuple[RowNumbers, Vectors]:
        """The ``k`` nearest of the ``allowed`` rows; see `VectorIndex.search`."""
        if self._graph is None:
            return self._tail.search(vectors, k, allowed)
        found = self._graph.search(vectors, k, allowed)
        return best_of(*self._tail.search(vectors, k, allowed), *found) if len(self._tail) else found


def _connect(index: HnswIndex, path: Path) -> None:
    """Reads the graph; where that fails, all its vectors go on being compared."""
    try:
        index.connect(path)
    except (LibraryError, MemoryError) as error:
        _LOG.warning("%s", error)
