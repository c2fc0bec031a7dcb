# SPDX-License-Identifier: GPL-3.0-or-later
"""Spines of other counts bend along their bones, and twist is spread along limbs."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import in_between_bones, quat
from hums_engine.skeleton import INDEX, JOINT_COUNT

NO_JOINTS = np.full(JOINT_COUNT, -1, dtype=np.intp)


def about_x(degrees: float) -> np.ndarray:
    return np.tile(quat.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.radians(degrees)), (3, 1))


def degrees_of(turn: np.ndarray) -> float:
    return float(np.degrees(quat.angle(turn, quat.IDENTITY)).max())


def test_bones_between_two_spine_joints_share_the_bend_evenly() -> None:
    joints = NO_JOINTS.copy()
    joints[[INDEX["pelvis"], INDEX["spine1"], INDEX["spine3"]]] = [0, 1, 4]
    heads = np.array([[0.0, 0.0, 0.1 * k] for k in range(5)])
    turns = {0: about_x(0), 1: about_x(0), 4: about_x(60)}
    found = in_between_bones.spread(np.array([-1, 0, 1, 2, 3]), heads, joints, turns)
    assert sorted(found) == [2, 3]
    assert degrees_of(found[2]) == pytest.approx(20.0)
    assert degrees_of(found[3]) == pytest.approx(40.0)


def arm(*twist_bones: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parents, heads and joints of a collar, an upper arm, a forearm with leaves along it, and a hand."""
    along = [0.0, 0.1, 0.4, 0.7, *(0.4 + 0.3 * part for part in twist_bones)]
    joints = NO_JOINTS.copy()
    joints[[INDEX[f"left_{n}"] for n in ("collar", "shoulder", "elbow", "wrist")]] = range(4)
    return np.array([-1, 0, 1, 2, *(2 for _ in twist_bones)]), np.array([[x, 0.0, 1.4] for x in along]), joints


def test_twist_bones_of_a_forearm_take_as_much_of_the_hands_twist_as_they_are_far_along() -> None:
    turns = {0: about_x(0), 1: about_x(0), 2: about_x(10), 3: about_x(90)}
    found = in_between_bones.spread(*arm(0.25, 0.75), turns)
    assert degrees_of(found[4]) == pytest.approx(10 + 20)
    assert degrees_of(found[5]) == pytest.approx(10 + 60)
    assert 2 not in found, "the forearm itself stays as the source has it"


def test_a_forearm_without_twist_bones_takes_half_the_hands_twist() -> None:
    found = in_between_bones.spread(*arm(), {0: about_x(0), 1: about_x(0), 2: about_x(0), 3: about_x(80)})
    assert degrees_of(found[2]) == pytest.approx(40.0)


def test_a_twist_is_told_without_jumps_beyond_half_a_circle() -> None:
    wound = np.radians(np.linspace(0, 300, 40))
    axis = np.array([0.0, 0.6, 0.8])
    told = in_between_bones.twist_about(axis, quat.unroll(quat.from_axis_angle(axis, wound)))
    np.testing.assert_allclose(np.diff(told), np.diff(wound), atol=1e-9)
