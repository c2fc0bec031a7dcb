# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from hums_engine import screen

# An eye at y = -10 that looks along +y, 90 degrees wide: x to the right, z up.
PERSPECTIVE = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1.02, 0, 8.0], [0, 1, 0, 10]], dtype=np.float64)
FLAT = np.array([[0.1, 0, 0, 0], [0, 0, 0.1, 0], [0, 0.01, 0, 0], [0, 0, 0, 1]], dtype=np.float64)


def test_what_is_straight_ahead_is_in_the_middle_and_what_is_behind_is_not_seen() -> None:
    seen = screen.project(PERSPECTIVE, np.array([[0, 0, 0], [5, 0, 0], [0, -20, 0]]), (200, 100))
    assert seen[0] == pytest.approx([100, 50, 10])
    assert seen[1] == pytest.approx([150, 50, 10])
    assert np.isnan(seen[2]).all()


def test_without_perspective_depth_still_tells_near_from_far() -> None:
    near, far = screen.project(FLAT, np.array([[1, 0, 1], [1, 5, 1]]), (200, 200))
    assert near[:2] == pytest.approx(far[:2])
    assert near[2] < far[2]


def test_the_nearest_of_segments_is_found_with_its_depth() -> None:
    starts = np.array([[0, 0, 1], [0, 50, 7], [np.nan] * 3])
    ends = np.array([[100, 0, 3], [100, 50, 7], [np.nan] * 3])
    assert screen.nearest_segment(np.array([50.0, 10.0]), starts, ends) == pytest.approx((10.0, 2.0))
    assert screen.nearest_segment(np.array([120.0, 50.0]), starts, ends) == pytest.approx((20.0, 7.0))
    assert screen.nearest_segment(np.array([0.0, 0.0]), starts[2:], ends[2:])[0] == np.inf


def test_a_ray_meets_the_floor_ahead_of_it_and_not_at_the_horizon() -> None:
    above = np.array([1.0, 2.0, 3.0])
    assert screen.on_floor(above, np.array([0.0, 3.0, -3.0]), 100.0) == pytest.approx([1, 5, 0])
    assert screen.on_floor(above, np.array([0.0, 1.0, 0.0]), 100.0) is None
    assert screen.on_floor(above, np.array([0.0, 1.0, 1.0]), 100.0) is None
    assert screen.on_floor(above, np.array([0.0, 1.0, -0.01]), 100.0) is None


def test_the_point_of_a_ray_nearest_to_another_is_square_to_it() -> None:
    nearest = screen.nearest_on_ray(np.array([5.0, -9.0, 1.0]), np.array([0.0, 2.0, 0.0]), np.array([0.0, 3.0, 0.0]))
    assert nearest == pytest.approx([5, 3, 1])
