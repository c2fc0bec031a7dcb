# SPDX-License-Identifier: GPL-3.0-or-later
"""The search graph of a library: built and grown in steps that can be stopped, and never needed for an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hums_engine.encoder import Encoder
from hums_engine.indexing import IndexProgress
from hums_engine.library import Library
from hums_engine.signature_store import Rows, SignatureStore, pack_rows
from tests.engine import posed_bvh

BLOCK = 16


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs from thirty rows on, in steps of sixteen."""
    monkeypatch.setattr("hums_engine.writer.GRAPH_FROM", 30)
    monkeypatch.setattr("hums_engine.writer._GRAPH_SLACK", 0)
    monkeypatch.setattr("hums_engine.signature_store._BLOCK_ROWS", BLOCK)


def answers(library: Library) -> list[list[int]]:
    return [[hit.clip_id for hit in library.search(clip.id, k=5, rerank=False)] for clip in library.clips()]


def graph_rows(library: Library) -> int:
    """How many moments the saved graph covers."""
    graph = library._catalogue.graph("moments")
    return graph.rows if graph else 0


@pytest.mark.usefixtures("small_steps")
def test_building_a_graph_is_told_and_can_be_stopped_and_goes_on_next_time(library: Library, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 6, seconds=6.0)
    told: list[str] = []

    def until_one_step_is_built(progress: IndexProgress) -> bool:
        if progress.current.startswith("search graph"):
            told.append(progress.current)
        return len(told) < 2

    report = library.add([tmp_path / "mocap"], progress=until_one_step_is_built)
    assert report.cancelled
    assert report.added == 6
    assert graph_rows(library) == BLOCK
    stopped = answers(library)
    moments = library.info().moments
    assert told == [f"search graph: {done} of {moments} signatures" for done in (0, BLOCK)]
    assert not library.add().cancelled
    assert graph_rows(library) == moments
    assert answers(library) == stopped
    assert library.verify().sound


@pytest.mark.usefixtures("small_steps")
def test_a_graph_that_is_damaged_is_named_and_all_is_found_without_it(
    library: Library, encoder: Encoder, tmp_path: Path
) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 6, seconds=6.0)
    library.add([tmp_path / "mocap"])
    before = answers(library)
    library.close()
    (path,) = (library.path / "graphs").iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with Library.open(library.path, encoder=encoder) as again:
        assert answers(again) == before
        assert again.verify().problems == [f"{path.name}: the search graph is damaged"]
        assert again.verify(repair=True).sound
        assert answers(again) == before


@pytest.mark.usefixtures("small_steps")
def test_clips_that_are_taken_out_are_found_no_more_and_hide_no_others(library: Library, tmp_path: Path) -> None:
    for name in ("kept", "gone"):
        posed_bvh.write_several(tmp_path / name, 5, seconds=5.0)
    library.add([tmp_path / "kept", tmp_path / "gone"])
    library.search(1)
    library.remove([tmp_path / "gone"])
    left = {clip.id for clip in library.clips()}
    for clip in library.clips():
        assert {hit.clip_id for hit in library.search(clip.id, k=10, scope="moments")} == left


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1, width=16), min_size=4, max_size=4))
def test_half_precision_is_read_as_numpy_reads_it(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows"
    vectors = np.array([values], dtype=np.float32)
    path.write_bytes(pack_rows(Rows(vectors, np.zeros(1, np.float32), np.ones(1, np.float32))))
    read = SignatureStore(path, 4, 1).read(slice(0, 1)).vectors
    length = np.linalg.norm(vectors.astype(np.float64))
    np.testing.assert_allclose(read, vectors / max(length, 1e-12), rtol=1e-6)
