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
from hums_engine.subspace import Subspace
from hums_engine.vector_index import NOBODY, ExactIndex, VectorIndex

DIMENSION = 64
FILLED = 24


def unit_vectors(count: int, seed: int, dimension: int = DIMENSION, filled: int = FILLED) -> NDArray[np.float32]:
    """Vectors in clusters that fill some of their dimensions, as signatures do."""
    centres = np.random.default_rng(0).standard_normal((20, dimension))
    axes = np.random.default_rng(7).standard_normal((filled, dimension))
    rng = np.random.default_rng(seed)
    spread = rng.standard_normal((count, filled)) @ axes / np.sqrt(filled)
    vectors = (centres @ axes.T @ axes / dimension)[rng.integers(0, 20, count)] + 0.7 * spread
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)).astype(np.float32)


@pytest.fixture(scope="module")
def many() -> NDArray[np.float32]:
    return unit_vectors(6000, seed=1)


@pytest.fixture(scope="module")
def queries() -> NDArray[np.float32]:
    return unit_vectors(40, seed=2)


@pytest.fixture(scope="module")
def graph(many: NDArray[np.float32]) -> HnswIndex:
    index = HnswIndex(Subspace.of(many[::3]))
    for rows in np.array_split(np.arange(len(many)), 4):  # beyond its first capacity
        index.add(many[rows])
    return index


@pytest.fixture(scope="module")
def exact(many: NDArray[np.float32]) -> ExactIndex:
    index = ExactIndex(DIMENSION)
    for rows in np.array_split(np.arange(len(many)), 4):
        index.add(many[rows])
    return index


def recall(found: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """The share of the right rows that were found."""
    found, right = np.where(found == NOBODY, -2, found), np.where(right == NOBODY, -3, right)
    hits = [len(np.intersect1d(a, b)) for a, b in zip(found, right, strict=True)]
    return sum(hits) / max(int((right >= 0).sum()), 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(1, 12), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_the_exact_index_finds_what_sorting_all_would(count: int, k: int, first: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, query = unit_vectors(count, seed, 8, 8), unit_vectors(3, seed + 1, 8, 8)
    allowed = rng.random(int(rng.integers(0, first + count + 9))) < rng.choice([0.05, 0.6, 1.0])
    index = ExactIndex(8, first)
    index.add(vectors[: count // 2])
    index.add(vectors[count // 2 :])
    found, scores = index.search(query, k, allowed)
    left = np.flatnonzero(allowed[first : first + count])
    cosines = query @ vectors[left].T
    order = np.argsort(-cosines, axis=1)[:, :k]
    hits = order.shape[1]
    assert len(index) == count
    np.testing.assert_array_equal(found[:, :hits], left[order] + first)
    np.testing.assert_allclose(scores[:, :hits], np.take_along_axis(cosines, order, 1), atol=1e-6)
    assert (found[:, hits:] == NOBODY).all()
    assert (scores[:, hits:] == -np.inf).all()


def test_the_graph_finds_what_the_exact_index_finds(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32]
) -> None:
    found, scores = graph.search(queries, 10)
    right, right_scores = exact.search(queries, 10)
    assert recall(found, right) >= 0.99
    np.testing.assert_allclose(scores[:, 0], right_scores[:, 0], atol=1e-4)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.5, 0.95, 1.0])
def test_a_filter_costs_the_graph_no_recall(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32], share: float
) -> None:
    allowed = np.random.default_rng(3).random(6000) < share
    found, _ = graph.search(queries, 10, allowed)
    right, _ = exact.search(queries, 10, allowed)
    assert allowed[found[found != NOBODY]].all()
    assert recall(found, right) >= 0.99 or not allowed.any()


def test_rows_that_came_after_a_mask_are_not_found(graph: HnswIndex, many: NDArray[np.float32]) -> None:
    found, _ = graph.search(many[5000:5040], 3, np.ones(5000, dtype=np.bool_))
    assert (found[found != NOBODY] < 5000).all()
    assert (found != NOBODY).all()


def test_what_is_nearest_and_not_allowed_hides_nothing_behind_it(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32]
) -> None:
    allowed = np.ones(6000, dtype=np.bool_)
    allowed[exact.search(queries, 60)[0].ravel()] = False
    assert recall(graph.search(queries, 10, allowed)[0], exact.search(queries, 10, allowed)[0]) >= 0.99


def test_asking_for_more_than_there_is_gives_what_there_is() -> None:
    two = unit_vectors(2, 5)
    indexes: list[VectorIndex] = [ExactIndex(DIMENSION), HnswIndex(Subspace.of(two))]
    for index in indexes:
        assert (index.search(two, 3)[0] == NOBODY).all()
        index.add(two)
        found, scores = index.search(two, 3)
        assert found.tolist() == [[0, 1, NOBODY], [1, 0, NOBODY]]
        np.testing.assert_allclose(scores[:, 0], 1.0, atol=1e-4)


def test_a_subspace_is_as_large_as_what_it_must_hold() -> None:
    assert Subspace.of(unit_vectors(2000, 3)).axes.shape == (DIMENSION, 32)
    assert Subspace.of(unit_vectors(2000, 3, filled=DIMENSION)).axes.shape == (DIMENSION, DIMENSION)


def test_a_subspace_knows_what_it_does_not_hold() -> None:
    subspace = Subspace.of(unit_vectors(2000, 3))
    other = np.random.default_rng(1).standard_normal((50, DIMENSION)).astype(np.float32)
    assert subspace.holds(unit_vectors(100, 4))
    assert not subspace.holds(other / np.linalg.norm(other, axis=1, keepdims=True))


def test_a_saved_graph_answers_as_before_whatever_its_folder_is_called(
    graph: HnswIndex, queries: NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "Bewegungen 動き 🕺.graph"
    graph.save(path)
    read = HnswIndex.load(path)
    read.connect(path)
    np.testing.assert_array_equal(read.search(queries, 10)[0], graph.search(queries, 10)[0])
    read.add(queries[:1])
    assert read.search(queries[:1], 1)[0].tolist() == [[6000]]


def test_a_saved_graph_takes_a_quarter_of_a_kilobyte_a_row(graph: HnswIndex, tmp_path: Path) -> None:
    graph.save(tmp_path / "graph")
    assert (tmp_path / "graph").stat().st_size < 250 * len(graph)


def test_before_its_graph_is_read_all_vectors_are_compared(
    graph: HnswIndex, exact: ExactIndex, queries: NDArray[np.float32], tmp_path: Path
) -> None:
    graph.save(tmp_path / "graph")
    read = HnswIndex.load(tmp_path / "graph")
    assert not read.is_connected
    assert recall(read.search(queries, 10)[0], exact.search(queries, 10)[0]) >= 0.99
    read.connect(tmp_path / "graph")
    assert read.is_connected


@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "something else"])
def test_a_damaged_graph_is_refused_in_a_sentence(graph: HnswIndex, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "graph"
    if damage != "missing":
        graph.save(path)
        data = path.read_bytes()
        path.write_bytes({"empty": b"", "cut off": data[: len(data) // 2], "something else": b"PK nonsense"}[damage])
    with pytest.raises(LibraryError, match="hums verify --repair"):
        HnswIndex.load(path)


@pytest.mark.parametrize("name", ["links", "head", "label", "levels", "upper", "enterpoint_node", "max_level"])
def test_a_graph_that_leads_out_of_itself_is_refused(graph: HnswIndex, tmp_path: Path, name: str) -> None:
    path = tmp_path / "graph"
    graph.save(path)
    index = HnswIndex.load(path)
    with np.load(path) as archive:
        arrays = {key: archive[key].copy() for key in archive.files}
    arrays[name][...] = np.iinfo(arrays[name].dtype).max
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(LibraryError, match="hums verify --repair"):
        index.connect(tmp_path / "wrong.npz")
    assert index.search(unit_vectors(1, 1), 3)[0].shape == (1, 3)
