# SPDX-License-Identifier: GPL-3.0-or-later
"""What a search finds, and what its score says: several examples, what they must not be like, filters, moments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hums_engine as hums
from hums_engine.calibration import probability
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.encoder import Encoder
from hums_engine.library import Library
from hums_engine.moments import nearest_window, windows
from hums_engine.search import Hit, Scope
from hums_engine.skeleton import INDEX, TWINS
from tests.engine import posed_bvh

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SCOPES: tuple[Scope, Scope] = ("clips", "moments")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """The repository's 49 CMU excerpts, every third a favourite, every fifth tagged."""
    with Library.create(tmp_path_factory.mktemp("samples") / "samples.hums", encoder) as library:
        library.add([SAMPLES], workers=1)
        for clip in library.clips():
            library.set_favourite(clip.id, clip.id % 3 == 0)
            library.set_tags(clip.id, ["fifth"] if clip.id % 5 == 0 else [])
        yield library


def named(library: Library, name: str) -> int:
    (clip,) = library.clips({"name": name})
    return clip.id


def names(hits: list[Hit]) -> list[str]:
    return [hit.name for hit in hits]


def rank(hits: list[Hit], kind: str) -> float:
    """The mean place of the clips whose names begin so."""
    return float(np.mean([place for place, hit in enumerate(hits) if hit.name.startswith(kind)]))


def mirror_image(motion: CanonicalMotion) -> CanonicalMotion:
    flipped = motion.positions[:, TWINS] * np.array([-1, 1, 1], dtype=np.float32)
    return replace(motion, positions=flipped, valid=motion.valid[TWINS])


def assert_same(some: list[Hit], others: list[Hit]) -> None:
    """The same clips with the same scores, in the same order where scores differ by more than the last digits."""
    assert sorted(hit.clip_id for hit in some) == sorted(hit.clip_id for hit in others)
    assert [hit.score for hit in some] == pytest.approx([hit.score for hit in others], abs=1e-3)


# the score


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 3), st.floats(0, 3))
def test_nearer_joints_and_more_alike_signatures_never_score_lower(a: float, b: float, c: float, d: float) -> None:
    (less, more), (near, far) = sorted((a, b)), sorted((c, d))
    assert 0.0 <= probability(less, far) <= probability(more, near) <= 1.0
    assert probability(less) <= probability(more)


def test_a_cosine_that_is_no_number_scores_as_the_opposite() -> None:
    assert probability(np.nan, 0.1) == probability(-1.0, 0.1)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("rerank", [True, False])
def test_the_same_motion_scores_a_hundred_and_another_one_nothing(samples: Library, scope: Scope, rerank: bool) -> None:
    hits = samples.search(named(samples, "cartwheel_49_06"), k=49, scope=scope, rerank=rerank)
    assert (hits[0].name, hits[0].score) == ("cartwheel_49_06", pytest.approx(100.0, abs=0.05))
    assert hits[0].cosine == pytest.approx(1.0, abs=1e-3)
    assert hits[-1].score < 1.0
    assert (hits[0].distance_m is not None) == rerank


def test_the_score_of_a_clip_does_not_depend_on_what_else_is_in_the_library(samples: Library) -> None:
    query = named(samples, "walk_02_01")
    among_all = {hit.name: hit.score for hit in samples.search(query, k=49)}
    alone = samples.search(query, k=49, where={"name": "kick"})
    assert len(alone) == 3
    assert [hit.score for hit in alone] == pytest.approx([among_all[hit.name] for hit in alone], abs=1e-3)


# several examples, and what hits must not be like


def test_several_examples_find_what_each_of_them_is(samples: Library) -> None:
    examples = [named(samples, "walk_02_01"), named(samples, "cartwheel_49_06")]
    assert set(names(samples.search(examples, k=2))) == {"walk_02_01", "cartwheel_49_06"}


@pytest.mark.parametrize("kind", ["box", "drink", "leap", "sword"])
def test_two_examples_that_are_hardly_alike_find_each_other(samples: Library, kind: str) -> None:
    examples = [clip.id for clip in samples.clips({"name": kind})]
    assert {hit.clip_id for hit in samples.search(examples, k=2)} == set(examples)


def test_one_example_in_a_list_asks_what_it_asks_alone(samples: Library) -> None:
    query = named(samples, "jump_13_11")
    assert samples.search([query], k=10) == samples.search(query, k=10)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("rerank", [True, False])
def test_what_hits_must_not_be_like_sinks_with_its_kind(samples: Library, scope: Scope, rerank: bool) -> None:
    query, unwanted = named(samples, "run_09_01"), named(samples, "walk_02_01")
    before = samples.search(query, k=49, scope=scope, rerank=rerank)
    after = samples.search(query, k=49, scope=scope, rerank=rerank, unlike=unwanted)
    assert rank(before, "walk") < 15 < rank(after, "walk")
    assert after[0].name.startswith("run")
    assert {hit.name: hit.score for hit in after}["walk_02_01"] < 1.0


def test_what_is_like_none_of_the_unwanted_keeps_its_score(samples: Library) -> None:
    query, unwanted = named(samples, "cartwheel_49_06"), [named(samples, "drink_13_09"), named(samples, "sit_13_01")]
    before, after = (samples.search(query, k=2, unlike=some) for some in ([], unwanted))
    assert names(before) == names(after)
    assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], abs=1.0)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("limbs", [("shoulder", "elbow", "wrist"), ("knee", "ankle", "foot")])
def test_by_some_joints_only_it_does_not_matter_what_the_others_do(
    samples: Library, scope: Scope, limbs: tuple[str, ...]
) -> None:
    walk, kick = (samples.motion(named(samples, name)).cut(0.2, 1.8) for name in ("walk_07_04", "kick_11_01"))
    joints = [joint for joint in INDEX if joint.endswith(limbs)]
    others = [INDEX[joint] for joint in INDEX if joint not in joints and not joint.endswith(("pelvis", "hip"))]
    count = min(walk.frame_count, kick.frame_count)
    mixed = replace(walk, positions=walk.positions[:count].copy(), rotations=walk.rotations[:count])
    mixed.positions[:, others] += (kick.positions[:count] - kick.positions[:count, :1])[:, others]
    mixed.positions[:, others] -= (walk.positions[:count] - walk.positions[:count, :1])[:, others]
    found = samples.search(mixed, k=49, scope=scope, joints=joints)
    assert found[0].name == "walk_07_04"
    with_all = next(hit.score for hit in samples.search(mixed, k=49, scope=scope) if hit.name == "walk_07_04")
    assert with_all + 10 < found[0].score


def test_a_joint_that_no_body_has_is_refused(samples: Library) -> None:
    for joints, told in ((["tail"], "There is no joint 'tail'"), ([], "There are no joints to compare")):
        with pytest.raises(hums.LibraryError, match=told):
            samples.search(1, joints=joints)


def test_a_text_is_looked_for_in_names_and_in_tags(samples: Library) -> None:
    found = samples.clips({"text": "FIF"})
    assert found == samples.clips({"tags": "fifth"})
    assert {clip.name for clip in samples.clips({"text": "walk"})} == {
        clip.name for clip in samples.clips({"name": "walk"})
    }


def test_a_search_without_a_motion_is_refused(samples: Library) -> None:
    with pytest.raises(hums.LibraryError, match="no motion to search with"):
        samples.search([])


# filters

FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["walk", "_0", "K", "13_", "nothing"]),
        "tags": st.sampled_from(["fifth", []]),
        "favourite": st.sampled_from([True, "no"]),
        "min_duration_s": st.sampled_from([1.3, 3.0]),
        "max_duration_s": st.sampled_from([2.9, 6.0]),
        "fps": st.sampled_from([30, [120, 24]]),
        "max_fps": st.sampled_from([60, 240]),
        "rig": st.sampled_from(["cmu", "mixamo"]),
    },
)


@settings(max_examples=25, deadline=None)
@given(FILTERS, st.integers(1, 49), st.sampled_from(SCOPES), st.booleans())
def test_a_filtered_search_finds_what_an_unfiltered_one_finds_of_those_clips(
    samples: Library, where: dict[str, Any], query: int, scope: Scope, rerank: bool
) -> None:
    allowed = {clip.id for clip in samples.clips(where)}
    everything = samples.search(query, k=49, scope=scope, rerank=rerank)
    filtered = samples.search(query, k=49, scope=scope, rerank=rerank, where=where)
    restricted = [hit for hit in everything if hit.clip_id in allowed]
    if scope == "clips" or rerank:
        assert_same(filtered, restricted)
    else:  # only the nearest moments have a say, and more of them can be of the few clips
        scores = {hit.clip_id: hit.score for hit in restricted}
        assert scores.keys() == {hit.clip_id for hit in filtered}
        assert all(hit.score >= scores[hit.clip_id] - 1e-3 for hit in filtered)


def test_a_filter_costs_a_searched_graph_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 30, seconds=1.2)
    monkeypatch.setattr("hums_engine.writer.GRAPH_FROM", 20)
    library.add([tmp_path / "mocap"])
    assert list((library.path / "graphs").iterdir())
    for clip in library.clips()[::5]:
        everything = library.search(clip.id, k=30, rerank=False)
        some = library.search(clip.id, k=30, rerank=False, where={"name": "walk"})
        assert_same(some, [hit for hit in everything if "walk" in hit.name])
        assert len(some) == 10


# mirrored twins


@pytest.mark.parametrize("name", ["kick_10_01", "wave_13_26", "basketball_06_02"])
@pytest.mark.parametrize("scope", SCOPES)
def test_the_mirror_image_of_a_take_finds_it_and_says_so(samples: Library, name: str, scope: Scope) -> None:
    take = samples.motion(named(samples, name))
    best = samples.search(mirror_image(take), k=1, scope=scope, mirror=True)[0]
    assert (best.name, best.mirrored, best.score) == (name, True, pytest.approx(100.0, abs=0.1))
    assert not samples.search(take, k=1, scope=scope, mirror=True)[0].mirrored


# moments


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 200), st.floats(0, 1), st.floats(0, 1))
def test_the_window_told_for_a_stretch_is_the_one_that_covers_it_best(duration: float, a: float, b: float) -> None:
    duration = float(np.float32(duration))
    start, end = sorted((a * duration, b * duration))
    all_windows = np.concatenate([[[0.0, duration]], windows(duration)])
    common = np.minimum(all_windows[:, 1], end) - np.maximum(all_windows[:, 0], start)
    share = common / np.maximum(np.maximum(all_windows[:, 1], end) - np.minimum(all_windows[:, 0], start), 1e-9)
    (row,) = nearest_window(np.array([duration]), np.array([start]), np.array([end]))
    assert share[row + 1] >= share.max() - 0.02


@pytest.fixture(scope="module")
def long_takes(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """A walk of 18 steps in 20 s, a single step of it, a minute of waving, and ten minutes of many things."""
    folder = tmp_path_factory.mktemp("long")
    posed_bvh.write(folder / "mocap" / "long_walk.bvh", posed_bvh.walk, seconds=20.0)
    posed_bvh.write(folder / "mocap" / "one_step.bvh", posed_bvh.walk, seconds=1.0)
    posed_bvh.write(folder / "mocap" / "waving.bvh", posed_bvh.wave, seconds=60.0)
    posed_bvh.write(folder / "mocap" / "parade.bvh", lambda t: posed_bvh.parade(t, 7.0), seconds=600.0, fps=30.0)
    with Library.create(folder / "long.hums", encoder) as library:
        library.add([folder / "mocap"], workers=1)
        yield library


def test_a_step_is_found_at_each_repetition_of_a_long_walk(long_takes: Library) -> None:
    period_s = 1.0 / (0.9 * 1.2)
    take = long_takes.motion(named(long_takes, "long_walk"))
    hits = long_takes.search(take.cut(5.0, 5.0 + period_s), scope="moments")
    (walk,) = [hit for hit in hits if hit.name == "long_walk"]
    starts = np.sort([walk.start_s, *(one.start_s for one in walk.others)])
    assert 20 <= len(starts) <= 22
    np.testing.assert_allclose(np.diff(starts)[1:-1], period_s, atol=0.17)
    assert all(walk.score >= one.score >= walk.score / 2 for one in walk.others)
    assert [one.score for one in walk.others] == sorted((one.score for one in walk.others), reverse=True)


def test_a_walk_of_several_steps_finds_a_single_step(long_takes: Library) -> None:
    steps = long_takes.motion(named(long_takes, "long_walk")).cut(3.0, 8.0)
    hits = {hit.name: hit for hit in long_takes.search(steps)}
    assert hits["one_step"].distance_m is not None
    assert hits["one_step"].distance_m < 0.05
    assert hits["one_step"].score > 50 > hits["waving"].score


@pytest.mark.parametrize("start_s", [9.4, 154.1, 301.2])
@pytest.mark.parametrize("length_s", [0.3, 1.0, 60.0])
def test_short_and_long_moments_of_ten_minutes_are_found_at_their_second(
    long_takes: Library, start_s: float, length_s: float
) -> None:
    take = long_takes.motion(named(long_takes, "parade"))
    best = long_takes.search(take.cut(start_s, start_s + length_s), k=1, scope="moments")[0]
    places = [(best.start_s, best.end_s), *((one.start_s, one.end_s) for one in best.others)]
    assert best.name == "parade"
    assert best.score > 90
    error = min(abs(a - start_s) + abs(b - start_s - length_s) for a, b in places)
    assert error < (0.25 if length_s < 10 else 2.5)


def test_stretches_of_a_clip_hardly_overlap(long_takes: Library) -> None:
    take = long_takes.motion(named(long_takes, "parade"))
    for hit in long_takes.search(take.cut(30.0, 31.5), scope="moments", mirror=True):
        places = sorted([(hit.start_s, hit.end_s), *((one.start_s, one.end_s) for one in hit.others)])
        assert all(a[1] - b[0] <= 0.5 * min(a[1] - a[0], b[1] - b[0]) + 0.1 for a, b in itertools.pairwise(places))


def test_a_hit_of_the_scope_clips_stands_for_the_whole_clip_alone(long_takes: Library) -> None:
    query = canonicalize(hums.load(SAMPLES / "walk_02_01.bvh"))
    assert all(hit.others == () for hit in long_takes.search(query))
