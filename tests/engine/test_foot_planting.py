# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted feet stay where they stand, and a leg bends to reach a place without changing its length."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import foot_planting, quat, two_bones

RNG = np.random.default_rng(5)


def test_a_leg_reaches_its_target_and_keeps_its_lengths_and_its_knee_in_front() -> None:
    hip = RNG.normal(size=(50, 3))
    knee, ankle = hip + [0.0, -0.05, -0.42], hip + [0.0, 0.0, -0.8]
    target = ankle + RNG.uniform(-0.12, 0.12, (50, 3)) + [0, 0, 0.2]
    thigh, shin = two_bones.reach(hip, knee, ankle, target)
    new_knee = hip + quat.rotate(thigh, knee - hip)
    np.testing.assert_allclose(new_knee + quat.rotate(shin, ankle - knee), target, atol=1e-6)
    middle = (hip + target) / 2
    assert ((new_knee - middle)[:, 1] < 0).all()


def test_out_of_reach_the_leg_points_at_the_target() -> None:
    hip, knee, ankle = np.zeros((1, 3)), np.array([[0, -0.1, -0.4]]), np.array([[0, 0, -0.8]])
    target = np.array([[0.0, 0.0, -3.0]])
    thigh, shin = two_bones.reach(hip, knee, ankle, target)
    end = quat.rotate(thigh, knee) + quat.rotate(shin, ankle - knee)
    assert np.abs(end[0, :2]).max() < 1e-6
    assert end[0, 2] < -0.8


def test_a_foot_that_drifts_while_it_stands_is_held_and_nothing_jumps() -> None:
    fps, frames = 60.0, 240
    t = np.arange(frames) / fps
    swing = np.clip(np.sin(2 * np.pi * t), 0, None)
    ankles = np.zeros((frames, 2, 3))
    ankles[:, 0, 2] = 0.08 + 0.2 * swing
    ankles[:, 0, 0] = np.cumsum(swing) * 0.02 + 0.05 * t
    ankles[:, 1, 2] = 0.08
    standing = foot_planting.stands(ankles, fps, leg=0.9)
    assert standing[:, 1].all()
    assert 0.3 < standing[:, 0].mean() < 0.7
    held = foot_planting.planted(ankles, ankles[..., 2], standing)
    for start, stop in foot_planting.runs(standing[:, 0]):
        assert np.ptp(held[start:stop, 0, 0]) < 1e-9
    step = np.abs(np.diff(held[:, 0, 0])).max()
    assert step < np.abs(np.diff(ankles[:, 0, 0])).max() * 1.5


def test_a_flying_or_missing_foot_never_stands() -> None:
    high = np.cumsum(np.full((30, 2, 3), 0.1), axis=0)
    assert not foot_planting.stands(high, 30.0, 0.9).any()
    assert not foot_planting.stands(np.full((30, 2, 3), np.nan), 30.0, 0.9).any()


@pytest.mark.parametrize(("strays", "gives"), [(0.01, 0.0), (0.06, 0.03)])
def test_hips_give_way_only_where_legs_would_bend_too_far(strays: float, gives: float) -> None:
    frames, fps = 120, 30.0
    ankles = np.zeros((frames, 2, 3))
    ankles[..., 1] = strays * np.sin(np.linspace(0, 4 * np.pi, frames))[:, None]
    given = foot_planting.ground_given(ankles, np.ones((frames, 2), dtype=bool), leg=1.0, fps=fps)
    assert np.abs(given).max() == pytest.approx(gives, abs=0.008)
    assert np.ptp((ankles[..., :2] + given[:, None])[..., 1]) < 2 * 0.02 + 0.02
