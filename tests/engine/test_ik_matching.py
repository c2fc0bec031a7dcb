# SPDX-License-Identifier: GPL-3.0-or-later
"""IK controls are put where a turned limb is."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import ik_matching, quat
from hums_engine.ik_matching import STILL, End, Pole

REST = np.array([[0.0, 0.0, 1.0], [0.3, 0.02, 1.0], [0.6, 0.0, 1.0]])
WORLD = np.array([[0.0, -2.0, 0.0, 5.0], [2.0, 0.0, 0.0, 1.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture
def moved() -> np.ndarray:
    """Twenty poses of an arm ``[20, 3, 4, 4]``: shoulder, elbow and hand turned at random, the whole carried off."""
    dice = np.random.default_rng(3)
    turns = quat.normalize(dice.normal(size=(20, 3, 4)))
    joints = np.empty((20, 3, 3))
    joints[:, 0] = dice.normal(size=(20, 3))
    for joint in (1, 2):
        joints[:, joint] = joints[:, joint - 1] + quat.rotate(turns[:, joint - 1], REST[joint] - REST[joint - 1])
    placed = joints @ WORLD[:3, :3].T + WORLD[:3, 3]
    turn = quat.from_matrix(WORLD[:3, :3] / 2.0)
    found = ik_matching.from_rest(placed, quat.mul(quat.mul(turn, turns), quat.inv(turn)), _in_world(REST), WORLD)
    assert np.allclose(_at(found, REST), joints), "what joints did is told in the armature's space"
    return found


def _in_world(points: np.ndarray) -> np.ndarray:
    return points @ WORLD[:3, :3].T + WORLD[:3, 3]


def _at(moved: np.ndarray, rest: np.ndarray) -> np.ndarray:
    return (moved[..., :3, :3] @ rest[..., None])[..., 0] + moved[..., :3, 3]


@pytest.mark.parametrize("carrier", [STILL, 0])
def test_an_end_control_moves_with_its_joint_whatever_carries_it(moved: np.ndarray, carrier: int) -> None:
    rest = np.eye(4)
    rest[:3, :3] = quat.to_matrix(quat.normalize([0.2, 0.5, -0.3, 0.8]))
    rest[:3, 3] = REST[2] + [0.05, 0.0, 0.0]
    places, turns = ik_matching.place_end(End(0, 2, carrier, rest), moved)
    basis = np.tile(np.eye(4), (len(moved), 1, 1))
    basis[:, :3, :3], basis[:, :3, 3] = quat.to_matrix(turns), places
    above = np.eye(4) if carrier == STILL else moved[:, carrier]
    assert np.allclose(above @ rest @ basis, moved[:, 2] @ rest)


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5])
def test_a_pole_stands_at_the_rig_s_own_angle_beside_the_limb(moved: np.ndarray, angle: float) -> None:
    rest = np.eye(4)
    rest[:3, 3] = [0.3, 0.5, 1.0]
    pole = Pole(0, (0, 1, 2), STILL, rest, REST[0], 0.5, angle)
    places = ik_matching.place_pole(pole, REST, moved) + rest[:3, 3]
    joints = _at(moved, REST)
    for (root, middle, end), place in zip(joints, places, strict=True):
        if np.linalg.norm(np.cross(quat.unit(end - root), middle - root)) > 0.1:
            off = ik_matching.pole_angle(root, middle, end, place) - angle
            assert abs((off + np.pi) % (2.0 * np.pi) - np.pi) < np.radians(1.0)


def test_the_carrier_of_a_control_is_found_or_told_to_be_unknown(moved: np.ndarray) -> None:
    place = np.array([0.5, 0.1, 0.9])
    assert ik_matching.carrier(moved[0, 1], moved[0], place, 1.0, 0.01) == 1
    assert ik_matching.carrier(np.eye(4), moved[0], place, 1.0, 0.01) == STILL
    assert ik_matching.carrier(moved[1, 1], moved[0], place, 1.0, 0.01) is None
