# SPDX-License-Identifier: GPL-3.0-or-later
"""Alignment: the same motion is found wherever, whenever and however fast it happens in another."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hums_engine import dtw, quat, warping
from hums_engine.normalize import NormalizedMotion
from hums_engine.skeleton import JOINT_COUNT, REFERENCE

FPS = 30


def swinging(seconds: float, rate: float = 1.0, seed: int = 0) -> NormalizedMotion:
    """A body that moves every limb in its own way and travels along a curve; ``rate`` is its tempo."""
    t = np.arange(round(seconds * FPS) + 1)[:, None] / FPS * rate
    rng = np.random.default_rng(seed)
    tempo, phase = rng.uniform(0.3, 1.7, (2, JOINT_COUNT, 3))
    joints = REFERENCE + 0.15 * np.sin(2 * np.pi * tempo * t[..., None] + 7 * phase)
    turn = quat.from_axis_angle([0, 0, 1], 0.6 * t[:, 0])
    path = np.column_stack([np.sin(t), -np.cos(t), np.zeros_like(t)])
    moved = quat.rotate(turn[:, None], joints) + path[:, None]
    return NormalizedMotion(moved.astype(np.float32), np.ones(JOINT_COUNT, dtype=np.bool_))


def placed(motion: NormalizedMotion, degrees: float, where: tuple[float, float]) -> NormalizedMotion:
    turned = quat.rotate(quat.from_axis_angle([0, 0, 1], np.radians(degrees)), motion.joints) + [*where, 0.0]
    return motion._replace(joints=turned.astype(np.float32))


def cut(motion: NormalizedMotion, start_s: float, end_s: float) -> NormalizedMotion:
    return motion._replace(joints=motion.joints[round(start_s * FPS) : round(end_s * FPS) + 1])


def one_match(query: NormalizedMotion, candidate: NormalizedMotion) -> dtw.Match:
    (found,) = dtw.match(dtw.frames(query), [dtw.frames(candidate)])
    return found.best


def test_a_motion_is_at_no_distance_from_itself() -> None:
    motion = swinging(3.0)
    found = one_match(motion, motion)
    assert found.distance < 1e-3
    assert (found.start_s, found.end_s) == (0.0, pytest.approx(3.0))


@pytest.mark.parametrize("degrees", [0, 57, 180, -100])
@pytest.mark.parametrize("start_s", [0.0, 4.3, 7.5])
def test_an_excerpt_is_found_where_it_was_cut_wherever_it_is_placed(degrees: float, start_s: float) -> None:
    take = swinging(10.0)
    excerpt = placed(cut(take, start_s, start_s + 2.0), degrees, (3.0, -40.0))
    found = one_match(excerpt, take)
    assert found.start_s == pytest.approx(start_s, abs=0.07)
    assert found.end_s == pytest.approx(start_s + 2.0, abs=0.07)
    assert found.distance < 0.01


@pytest.mark.parametrize("rate", [0.6, 1.0, 1.7])
def test_a_slower_or_faster_performance_is_found_at_its_place(rate: float) -> None:
    take = swinging(12.0)
    performed = cut(swinging(10.0, rate), 2.4 / rate, 4.8 / rate)
    found = one_match(performed, take)
    assert found.start_s == pytest.approx(2.4, abs=0.15)
    assert found.end_s == pytest.approx(4.8, abs=0.15)
    assert found.distance < 0.5 * one_match(performed, swinging(12.0, seed=5)).distance


def test_joints_that_either_lacks_do_not_count() -> None:
    take = swinging(6.0)
    excerpt = cut(take, 2.0, 4.0)
    some = np.ones(JOINT_COUNT, dtype=np.bool_)
    some[[7, 10, 15, 20]] = False
    lacking = NormalizedMotion(np.where(some[:, None], excerpt.joints, np.float32(0.0)), some)
    assert one_match(lacking, take).distance < 3e-3
    assert one_match(take, lacking).distance == pytest.approx(one_match(take, excerpt).distance, abs=0.01)


def test_a_candidate_shorter_than_the_query_is_further_away_the_less_it_shows() -> None:
    query = swinging(6.0)
    distances = [one_match(query, cut(query, 1.0, 1.0 + seconds)).distance for seconds in (1.0, 2.5, 4.0, 5.0)]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] == pytest.approx(0.15 * (1.0 - 31 / 181), abs=0.01)


def test_several_matches_of_one_take_do_not_overlap() -> None:
    phrase = swinging(2.0)
    take = phrase._replace(joints=np.concatenate([phrase.joints] * 4))
    (found,) = dtw.match(dtw.frames(phrase), [dtw.frames(take)])
    times = sorted((one.start_s, one.end_s) for one in found.stretches(4))
    assert len(times) == 4
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))
    np.testing.assert_allclose([start for start, _ in times], [0, 61 / 30, 122 / 30, 183 / 30], atol=0.1)


def test_a_walk_on_the_spot_differs_from_a_walk() -> None:
    walk = swinging(4.0)
    still = walk._replace(joints=walk.joints - walk.joints[:, :1] + walk.joints[:1, :1])
    assert 0.02 < one_match(walk, still).distance < 0.2


def test_candidates_of_any_length_are_matched_together_as_they_are_alone() -> None:
    query = swinging(2.0, seed=1)
    candidates = [
        swinging(seconds, seed=seed) for seed, seconds in enumerate((0.5, 9.0, 2.0, 1.9, 40.0, 2.1, 0.0, 5.0))
    ]
    pattern = dtw.frames(query).thinned(2)
    texts = [dtw.frames(candidate).thinned(2) for candidate in candidates]
    together = [found.best for found in dtw.match(pattern, texts)]
    alone = [found.best for text in texts for found in dtw.match(pattern, [text])]
    np.testing.assert_allclose(np.array(together), np.array(alone), atol=1e-4)


def test_a_single_frame_finds_its_like() -> None:
    take = swinging(5.0)
    found = one_match(cut(take, 3.0, 3.0), take)
    assert found.start_s == pytest.approx(found.end_s)


def slow_subsequence_dtw(costs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Müller's recursion written down cell by cell: the cost of the best stretch that ends at each frame, its start."""
    n, m = costs.shape
    total = np.full((n, m), np.inf)
    start = np.zeros((n, m), dtype=int)
    for j in range(m):
        total[0, j], start[0, j] = costs[0, j], j
    for i in range(1, n):
        for j in range(1, m):
            steps: list[tuple[int, int, Callable[[], float]]] = [
                (1, 1, lambda i=i, j=j: costs[i, j]),
                (1, 2, lambda i=i, j=j: (costs[i, j - 1] + costs[i, j]) / 2),
                (2, 1, lambda i=i, j=j: costs[i - 1, j] + costs[i, j]),
            ]
            for di, dj, cost in steps:
                if i >= di and j >= dj and total[i - di, j - dj] + cost() < total[i, j]:
                    total[i, j], start[i, j] = total[i - di, j - dj] + cost(), start[i - di, j - dj]
    return total[-1], start[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 9), st.integers(0, 2**32 - 1))
def test_rows_at_once_give_what_the_recursion_gives_cell_by_cell(rows: list[int], more: int, seed: int) -> None:
    halves = np.random.default_rng(seed).integers(0, 2**20, (max(rows), max(rows) + more, len(rows)))
    totals = warping.totals(halves.astype(np.float32), np.array(rows))
    for pair, n in enumerate(rows):
        cost, start = slow_subsequence_dtw(2.0 * halves[:n, :, pair])
        distance, begins = warping.parted(totals[:, pair])
        np.testing.assert_array_equal(distance * warping.STEPS, cost)
        reached = np.isfinite(cost)
        np.testing.assert_array_equal(begins[reached], start[reached])


def test_frames_are_as_far_apart_as_the_joints_that_both_show() -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal((3, 1, dtw.FEATURES)).astype(np.float32)
    known = np.ones((3, dtw.FEATURES), dtype=np.float32)
    known[1, : 3 * 5] = known[2, 3 * 20 : 3 * 22] = 0.0
    query, *candidates = (dtw.Frames(v * k, k, 1.0) for v, k in zip(values, known, strict=True))
    for candidate, found in zip(candidates, dtw.match(query, candidates), strict=True):
        squares = np.square(query.values[0] - candidate.values[0]) * candidate.known
        joints = candidate.known[: 3 * JOINT_COUNT].sum() / 3
        expected = np.sqrt(squares[: 3 * JOINT_COUNT].sum() / joints + squares[3 * JOINT_COUNT :].sum())
        assert found.best.distance == pytest.approx(expected, rel=1e-5)
