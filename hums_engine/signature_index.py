# SPDX-License-Identifier: GPL-3.0-or-later
"""SignatureIndex: nearest rows of one signature store, by its search graph where there is one, else by comparing all.

The graph covers the rows that were there when it was built; those appended since are compared one by one. So a
library answers at once while its graph is behind, missing or damaged.
"""

from __future__ import annotations

from pathlib import Path

from .catalogue import Graph
from .errors import MissingDependencyError
from .hnsw_index import HnswIndex
from .signature_store import SignatureStore
from .vector_index import ExactIndex, Ids, Vectors, best_of
from .writer import load_graph


class SignatureIndex:
    """The rows of a store; see `VectorIndex.search`. It follows the store as that grows or is replaced."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._name = ""
        self._graph_name = ""
        self._graph: HnswIndex | None = None
        self._exact = ExactIndex(dimension)
        self._count = 0  # rows taken in so far
        self.store: SignatureStore | None = None

    def follow(self, path: Path, count: int, graph_folder: Path, graph: Graph | None) -> None:
        """Takes in what has been appended since the last call, or everything if the file is another one."""
        graph_name = graph.name if graph else ""
        if path.name != self._name or graph_name != self._graph_name or count < self._count:
            self._name, self._graph_name = path.name, graph_name
            self._graph = _loaded(graph_folder, graph)
            self._exact = ExactIndex(self._dimension)
            self._count = graph.rows if graph and self._graph else 0
        self.store = SignatureStore(path, self._dimension, count)
        for numbers, rows in self.store.blocks(self._count):
            self._exact.add(numbers, rows.vectors)
        self._count = count

    def search(self, vectors: Vectors, k: int, allowed: Ids) -> tuple[Ids, Vectors]:
        """The ``k`` nearest of the ``allowed`` rows; see `VectorIndex.search`."""
        found = self._exact.search(vectors, k, allowed)
        return found if self._graph is None else best_of(*found, *self._graph.search(vectors, k, allowed))


def _loaded(folder: Path, graph: Graph | None) -> HnswIndex | None:
    try:
        return load_graph(folder / graph.name, graph) if graph else None
    except MissingDependencyError:
        return None
