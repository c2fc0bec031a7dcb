# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the nearest vectors: the exact index is right, and the graph finds what the exact one finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hums_engine.errors import LibraryError
from hums_engine.hnsw_index import HnswIndex
from hums_engine.vector_index import NOBODY, ExactIndex, VectorIndex

DIMENSION = 64


def unit_vectors(count: int, seed: int, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Vectors in clusters, as signatures are."""
    centres = np.random.default_rng(0).standard_normal((20, dimension))
    rng = np.random.default_rng(seed)
    vectors = centres[rng.integers(0, 20, count)] + 0.7 * rng.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def many() -> NDArray[np.float32]:
    return unit_vectors(6000, seed=1)


@pytest.fixture(scope="module")
def queries() -> NDArray[np.float32]:
    return unit_vectors(40, seed=2)


@pytest.fixture(scope="module")
def graph(many: NDArray[np.float32]) -> HnswIndex:
    """Ids are seven times the row, so that a row taken for an id shows."""
    index = HnswIndex(DIMENSION)
    for rows in np.array_split(np.arange(len(many)), 4):  # beyond its first capacity
        index.add(7 * rows, many[rows])
    return index


@pytest.fixture(scope="module")
def exact(many: NDArray[np.float32]) -> ExactIndex:
    index = ExactIndex(DIMENSION)
    for rows in np.array_split(np.arange(len(many)), 4):
        index.add(7 * rows, many[rows])
    return index


def recall(found: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """The share of the right ids that were found."""
    found, right = np.where(found == NOBODY, -2, found), np.where(right == NOBODY, -3, right)
    hits = [len(np.intersect1d(a, b)) for a, b in zip(found, right, strict=True)]
    return sum(hits) / max(int((right >= 0).sum()), 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_exact_index_finds_what_sorting_all_would(count: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, query = unit_vectors(count, seed, 8), unit_vectors(3, seed + 1, 8)
    ids = rng.permutation(1000)[:count].astype(np.int64)
    removed, allowed = ids[rng.random(count) < 0.3], ids[rng.random(count) < 0.6]
    index = ExactIndex(8)
    index.add(ids[: count // 2], vectors[: count // 2])
    index.add(ids[count // 2 :], vectors[count // 2 :])
    index.remove(removed)
    found, scores = index.search(query, k, allowed)
    left = np.isin(ids, allowed) & ~np.isin(ids, removed)
    cosines = query @ vectors[left].T
    order = np.argsort(-cosines, axis=1)[:, :k]
    hits = order.shape[1]
    assert len(index) == count - len(removed)
    np.testing.assert_array_equal(found[:, :hits], ids[left][order])
    np.testing.assert_allclose(scores[:, :hits], np.take_along_axis(cosines, order, 1), atol=1e-6)
    assert (found[:, hits:] == NOBODY).all()
    assert (scores[:, hits:] == -np.inf).all()


def test_the_graph_finds_what_the_exact_index_finds(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32]
) -> None:
    found, scores = graph.search(queries, 10)
    right, right_scores = exact.search(queries, 10)
    assert recall(found, right) >= 0.98
    np.testing.assert_allclose(scores[:, 0], right_scores[:, 0], atol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.95])
def test_a_filter_costs_the_graph_no_recall(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32], share: float
) -> None:
    allowed = 7 * np.flatnonzero(np.random.default_rng(3).random(6000) < share)
    found, _ = graph.search(queries, 10, allowed)
    right, _ = exact.search(queries, 10, allowed)
    assert set(found[found != NOBODY].tolist()) <= set(allowed.tolist())
    assert recall(found, right) >= 0.98 or not len(allowed)


@pytest.mark.parametrize("kind", [ExactIndex, HnswIndex])
def test_removed_vectors_are_found_no_more(kind: type[ExactIndex | HnswIndex], many: NDArray[np.float32]) -> None:
    index: VectorIndex = kind(DIMENSION)
    index.add(np.arange(3000), many[:3000])
    index.remove(np.arange(0, 3000, 2))
    index.remove(np.array([4, 99_999]))
    found, _ = index.search(many[:20], 5)
    assert len(index) == 1500
    assert (found % 2 == 1).all()
    np.testing.assert_array_equal(index.search(many[1:20:2], 1)[0][:, 0], np.arange(1, 20, 2))


@pytest.mark.parametrize("kind", [ExactIndex, HnswIndex])
def test_asking_for_more_than_there_is_gives_what_there_is(kind: type[ExactIndex | HnswIndex]) -> None:
    index: VectorIndex = kind(DIMENSION)
    assert (index.search(unit_vectors(2, 5), 3)[0] == NOBODY).all()
    index.add(np.array([5, 6]), unit_vectors(2, 5))
    found, scores = index.search(unit_vectors(2, 5), 3)
    assert found.tolist() == [[5, 6, NOBODY], [6, 5, NOBODY]]
    np.testing.assert_allclose(scores[:, 0], 1.0, atol=1e-5)


def test_a_saved_graph_answers_as_before_whatever_its_folder_is_called(
    graph: HnswIndex, queries: NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "Bewegungen 動き 🕺.graph"
    graph.save(path)
    read = HnswIndex.load(path)
    np.testing.assert_array_equal(read.search(queries, 10)[0], graph.search(queries, 10)[0])
    read.add(np.array([3]), queries[:1])
    assert read.search(queries[:1], 1)[0].tolist() == [[3]]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "something else"])
def test_a_damaged_graph_is_refused_in_a_sentence(graph: HnswIndex, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "graph"
    if damage != "missing":
        graph.save(path)
        data = path.read_bytes()
        path.write_bytes({"empty": b"", "cut off": data[: len(data) // 2], "something else": b"PK nonsense"}[damage])
    with pytest.raises(LibraryError, match="hums verify --repair"):
        HnswIndex.load(path)
