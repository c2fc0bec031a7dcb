# SPDX-License-Identifier: GPL-3.0-or-later
"""Orientations found from points alone point every bone right and bend hinges about their axes."""

from __future__ import annotations

import numpy as np

from hums_engine import orientation, quat
from hums_engine.motion import forward_kinematics
from hums_engine.rest_pose import LIMBS
from hums_engine.skeleton import INDEX, JOINT_COUNT, PARENTS, REFERENCE
from tests.engine.reference_body import OFFSETS, wandering

EVERY = np.ones(JOINT_COUNT, dtype=bool)


def test_long_bones_point_where_the_joints_say() -> None:
    motion = wandering()
    rotations = orientation.from_positions(motion.positions.astype(np.float64), EVERY)
    for upper, lower, end in LIMBS:
        for a, b in ((upper, lower), (lower, end)):
            told = quat.rotate(rotations[:, a], quat.unit(REFERENCE[b] - REFERENCE[a]))
            seen = quat.unit(motion.positions[:, b] - motion.positions[:, a])
            assert np.abs(told - seen).max() < 1e-5


def test_the_reference_pose_itself_is_no_rotation() -> None:
    rotations = orientation.from_positions(REFERENCE[None].copy(), EVERY)
    assert np.degrees(quat.angle(rotations, quat.IDENTITY)).max() < 3.0


def test_a_thigh_turned_about_its_own_axis_is_seen_by_the_bent_knee() -> None:
    turn, bend = 0.5, 1.2
    local = np.tile(quat.IDENTITY, (1, JOINT_COUNT, 1))
    local[0, INDEX["left_hip"]] = quat.from_axis_angle([0, 0, 1], turn)
    local[0, INDEX["left_knee"]] = quat.from_axis_angle([1, 0, 0], bend)
    world, positions = forward_kinematics(local, OFFSETS, PARENTS)
    found = orientation.from_positions(positions, EVERY)
    for joint in ("left_hip", "left_knee"):
        assert np.degrees(quat.angle(found[0, INDEX[joint]], world[0, INDEX[joint]])) < 3.0


def test_missing_joints_give_finite_rotations() -> None:
    motion = wandering()
    positions = motion.positions.astype(np.float64)
    for joint in range(1, JOINT_COUNT):
        valid = EVERY.copy()
        valid[joint] = False
        lacking = positions.copy()
        lacking[:, joint] = np.nan
        assert np.isfinite(orientation.from_positions(lacking, valid)).all()
