# SPDX-License-Identifier: GPL-3.0-or-later
"""Soles of shoes stay out of the floor while feet roll, also where the shoe goes on beyond the bones."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import quat, rest_pose, soles
from hums_engine.skeleton import INDEX, JOINT_COUNT, REFERENCE

ANKLE, BALL = INDEX["left_ankle"], INDEX["left_foot"]
TIPS = {INDEX[f"{side}_foot"]: REFERENCE[INDEX[f"{side}_foot"]] + [0.0, -0.06, 0.0] for side in ("left", "right")}
FLOOR = float(REFERENCE[BALL, 2]) - 0.03
SLACK = 0.002


def shoe() -> np.ndarray:
    """Points ``[K, 3]`` of the left shoe: heel, below the ball, and a tip beyond the toes."""
    heel, below, tip = REFERENCE[ANKLE] + [0.0, 0.06, 0.0], REFERENCE[BALL].copy(), TIPS[BALL] + [0.0, -0.04, 0.0]
    return np.stack([heel, below, below + [0.0, -0.01, 0.0], tip]) * [1.0, 1.0, 0.0] + [0.0, 0.0, FLOOR]


def pitched(degrees: float, up_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Turns ``[T, 22, 4]`` with the left foot so far toes down, and joints ``[T, 22, 3]`` with its ankle raised."""
    turns = np.tile(quat.IDENTITY, (30, JOINT_COUNT, 1))
    turns[:, [ANKLE, BALL]] = quat.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.radians(degrees))
    joints = np.tile(REFERENCE, (30, 1, 1))
    joints[:, ANKLE, 2] += up_m
    return turns, joints


def lowest(turns: np.ndarray, joints: np.ndarray) -> float:
    """How high the shoe's lowest point is over the floor."""
    foot, toes = shoe()[:2], shoe()[2:]
    ball = joints[:, ANKLE] + quat.rotate(turns[:, ANKLE], REFERENCE[BALL] - REFERENCE[ANKLE])
    of_foot = joints[:, None, ANKLE] + quat.rotate(turns[:, None, ANKLE], foot - REFERENCE[ANKLE])
    of_toes = ball[:, None] + quat.rotate(turns[:, None, BALL], toes - REFERENCE[BALL])
    return float(min(of_foot[..., 2].min(), of_toes[..., 2].min())) - FLOOR


@pytest.mark.parametrize(("degrees", "up_m"), [(45.0, 0.07), (20.0, 0.035), (-5.0, 0.0), (0.0, 0.0)])
def test_neither_heel_nor_toes_of_a_shoe_go_into_the_floor(degrees: float, up_m: float) -> None:
    turns, joints = pitched(degrees, up_m)
    kept = soles.out_of_the_floor(turns, joints, REFERENCE, TIPS, shoe(), SLACK, 30.0)
    assert lowest(kept, joints) > -SLACK - 1e-3
    if degrees:
        assert lowest(turns, joints) < -2 * SLACK
    assert quat.angle(kept[:, ANKLE], turns[:, ANKLE]).max() < np.radians(6.1)


def test_a_foot_well_above_the_floor_is_left_as_it_is() -> None:
    turns, joints = pitched(60.0, 0.3)
    for skin in (None, shoe()):
        kept = soles.out_of_the_floor(turns, joints, REFERENCE, TIPS, skin, SLACK, 30.0)
        assert quat.angle(kept, turns).max() < 1e-6


def test_what_is_not_near_a_foot_is_no_sole() -> None:
    cape = shoe() + [0.0, 0.5, 0.0]
    ground = shoe() - [0.0, 0.0, 1.0]
    for other in (cape, ground):
        foot, toes = soles.parts(REFERENCE[ANKLE], REFERENCE[BALL], TIPS[BALL], other)
        np.testing.assert_array_equal(foot.points, REFERENCE[BALL][None])
        np.testing.assert_array_equal(toes.points, TIPS[BALL][None])


def test_a_figure_whose_legs_cannot_bend_stands_on_its_soles() -> None:
    """Legs of one bone, 0.1 m wide feet; hips that give by 0.05 m as on bent knees would sink them in the floor."""
    rest = REFERENCE.copy()
    rest[[INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle", "foot")]] = np.nan
    corners = np.array([[x, y, 0.0] for side in (0.09, -0.09) for x in (side - 0.05, side + 0.05) for y in (-0.1, 0.1)])
    turns = np.tile(quat.IDENTITY, (20, JOINT_COUNT, 1))
    hips = np.tile(rest_pose.hips(rest) - [0.0, 0.0, 0.05], (20, 1))
    standing = np.ones(20, dtype=bool)
    assert soles.sunk(hips, turns, rest, corners, 0.0, standing) == pytest.approx(0.05)
    turns[:, INDEX["left_hip"]] = quat.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.3)
    assert soles.sunk(hips, turns, rest, corners, 0.0, standing) == pytest.approx(0.05, abs=0.02)
    assert soles.sunk(hips, turns, rest, corners + [0.0, 0.0, 0.5], 0.0, standing) == 0.0
