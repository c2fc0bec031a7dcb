# SPDX-License-Identifier: GPL-3.0-or-later
"""cmu-moments on a small corpus: a right answer is known, so a right row must score it and a wrong one must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hums_engine.encoder import SHIPPED_MODEL, Encoder
from hums_engine.library import Library
from hums_engine.normalize import normalize
from hums_engine.skeleton import INDEX
from tests.engine import posed_bvh
from training.cli import main
from training.entries import baselines, model_entry
from training.evaluate import new_evaluation
from training.fit import KEPT_FOR_TESTS
from training.measure_moments import measure_moments
from training.moment_protocol import (
    ALTERATIONS,
    MomentQuery,
    Stretch,
    all_windows,
    ask_library,
    ask_row,
    intersection_over_union,
    kept_takes,
    moment_queries,
)
from training.provenance import TrainingData
from training.report import markdown
from training.rows import mean_and_deviation

from .synthetic_motions import swinging


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with CMU's: one long take of the gymnast who is kept for tests, and others."""
    folder = tmp_path_factory.mktemp("corpora")
    posed_bvh.write(folder / "cmu" / "49_01.bvh", posed_bvh.parade, seconds=20.0)
    posed_bvh.write(folder / "cmu" / "02_01.bvh", lambda t: posed_bvh.walk(t, speed=0.5, swing=15.0), seconds=9.0)
    posed_bvh.write(folder / "cmu" / "02_02.bvh", lambda t: posed_bvh.wave(t, rate=0.7, raised=20.0), seconds=9.0)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_queries_are_pieces_of_the_kept_takes_alone_and_the_same_each_time(corpus: Path, cache: Path) -> None:
    queries = moment_queries(kept_takes(corpus, cache), "as it is", count=12)
    assert {Path(query.source).name for query in queries} == {"49_01.bvh"}
    lengths = [query.end_s - query.start_s for query in queries]
    assert 0.4 < min(lengths) < max(lengths) < 4.1
    for query, length in zip(queries, lengths, strict=True):
        assert query.motion.duration_s == pytest.approx(length, abs=0.05)
    again = moment_queries(kept_takes(corpus, cache), "as it is", count=12)
    assert [query[1:] for query in again] == [query[1:] for query in queries]


def test_windows_find_the_pieces_that_were_cut_from_them(corpus: Path, cache: Path) -> None:
    stretches = all_windows(corpus, cache)
    queries = moment_queries(kept_takes(corpus, cache), "as it is", count=20)
    good = ask_row(mean_and_deviation, stretches, queries)
    assert good.right_first > 0.8
    assert 0.25 < good.median_iou <= 1.0
    same = np.arange(len(stretches.motions), dtype=np.float32)
    blind = ask_row(lambda some, _: np.tile(same, (len(some), 1)), stretches, queries)
    assert blind.right_first < 0.2, "what finds the same for every query is wrong about most"


def test_a_library_finds_the_place_that_windows_miss_by_half_their_length(
    corpus: Path, cache: Path, tmp_path: Path
) -> None:
    queries = moment_queries(kept_takes(corpus, cache), "as it is", count=12)
    with Library.create(tmp_path / "moments.hums", Encoder()) as library:
        library.add([corpus / "cmu"])
        found = ask_library(library, queries)
    assert found.right_first == 1.0
    assert found.median_iou > 0.85


def test_the_table_has_windows_of_every_row_a_library_of_the_first_and_a_line_for_what_is_left_out(
    corpus: Path, cache: Path
) -> None:
    cheap = [entry for entry in baselines() if entry.name in ("mean and deviation", "exact DTW")]
    unfair = model_entry("knows them", [SHIPPED_MODEL])._replace(learnt=TrainingData(("cmu",), ()))
    fair = unfair._replace(name="ours", learnt=TrainingData(("cmu",), KEPT_FOR_TESTS))
    evaluation = new_evaluation([fair, unfair, *cheap])
    measure_moments(evaluation, corpus, cache, queries=4)
    assert not evaluation.failures
    assert {(result.entry, result.alteration) for result in evaluation.moments} == {
        (row, alteration) for row in ("ours", "ours, in a library", "mean and deviation") for alteration in ALTERATIONS
    }
    text = markdown(evaluation)
    assert "4 queries of each kind" in text
    assert "| ours, in a library | 1.000 |" in text
    assert "knows them is not in cmu-moments: it was trained on those who ask." in text
    assert "exact DTW is not in cmu-moments: it takes too long." in text


def test_a_folder_without_the_kept_takes_is_told_in_a_line(tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "cmu" / "02_01.bvh", posed_bvh.walk, seconds=9.0)
    evaluation = new_evaluation(baselines())
    measure_moments(evaluation, tmp_path, tmp_path / "cache")
    assert "no take of 8 s of those kept for tests" in evaluation.failures[0]


def test_where_all_that_was_asked_for_is_left_out_the_reason_is_told(
    corpus: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--data", str(corpus), "--cache", str(cache)]
    tiny = ["corpora=cmu", "leave_out=", "steps=2", "batch=8", "pool=20", "neighbours=4", "longest=30", "blocks=1"]
    settings = [word for setting in tiny for word in ("--set", setting)]
    assert main(["fit", str(tmp_path / "run"), "--recipe", "signature", *place, *settings]) == 0
    asked = ["--protocol", "cmu-moments", "--no-baselines", "--no-pictures", "--out", str(tmp_path / "out")]
    assert main(["evaluate", str(tmp_path / "run"), *asked, *place]) == 2
    assert "Nothing could be measured. run is not in cmu-moments: it was trained on" in capsys.readouterr().err


def test_overlap_is_what_both_cover_over_what_either_covers() -> None:
    query = MomentQuery(swinging(1, 1), "a.bvh", 1.0, 3.0)
    assert intersection_over_union(query, Stretch("a.bvh", 2.0, 4.0)) == pytest.approx(1 / 3)
    assert intersection_over_union(query, Stretch("a.bvh", 3.5, 4.0)) == 0.0
    assert intersection_over_union(query, Stretch("a.bvh", 1.0, 3.0)) == 1.0


def test_another_body_makes_the_same_motion_once_it_is_normalised() -> None:
    motion = swinging(3, 1)
    other = ALTERATIONS["other proportions"](motion, np.random.default_rng(0))
    thighs = [
        np.linalg.norm(m.positions[0, INDEX["left_knee"]] - m.positions[0, INDEX["left_hip"]]) for m in (motion, other)
    ]
    assert abs(thighs[0] - thighs[1]) > 0.02, "it is another body"
    gap = np.linalg.norm(normalize(other).joints - normalize(motion).joints, axis=-1)
    assert np.median(gap) < 0.08


def test_a_mirrored_piece_has_its_left_hand_where_the_right_one_was() -> None:
    motion = swinging(3, 1)
    other = ALTERATIONS["mirrored"](motion, np.random.default_rng(0))
    left, right = INDEX["left_wrist"], INDEX["right_wrist"]
    np.testing.assert_allclose(other.positions[:, left], motion.positions[:, right] * [-1, 1, 1], atol=1e-6)
