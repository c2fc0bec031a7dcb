# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way is up and how long a unit is are told from the figure, whatever it does and whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hums_engine.formats import axes
from hums_engine.formats.axes import Landmarks, landmarks, length_unit, stature, to_blender, to_motion, up_axis
from hums_engine.quat import from_axis_angle, rotate
from tests.engine.bvh_text import joints_of, person, posed, standing

NAMES = [joint.name if joint.channels else "tip" for joint in joints_of(person())]
NAMELESS = [f"bone{number}" for number in range(len(NAMES))]
REST: NDArray[np.float64] = np.array(posed(person(), standing(person())[0].tolist()))  # centimetres, Y up
PARENTS = np.array([-1, 0, 1, 2, 1, 4, 1, 6, 0, 8, 9, 0, 11, 12])


def walking(frames: int = 40) -> NDArray[np.float64]:
    """The person at rest, carried 3 m along z and bobbing by 4 cm."""
    t = np.linspace(0, 1, frames)[:, None]
    path = np.concatenate([20 * np.sin(5 * t), 2 * np.sin(20 * t), 300 * t], axis=1)
    return REST + path[:, None]


def lying(frames: int = 40) -> NDArray[np.float64]:
    """The person on the back along z, away from the origin, rolling a metre to the side on the floor."""
    flat = rotate(from_axis_angle([1, 0, 0], np.pi / 2), REST) + [0, 10, 200]
    return flat + np.linspace([0, 0, 0], [100, 0, 0], frames)[:, None]


def z_up(points: NDArray[np.float64]) -> axes.Points:
    return to_blender(points, "Y")


SIDEWAYS = rotate(from_axis_angle([0, 0, 1], -np.pi / 2), REST)  # a rest pose along x, as of some exporters


@pytest.mark.parametrize(("names", "figure"), [(NAMES, walking()), (NAMES, lying()), (NAMELESS, walking())])
def test_a_figure_is_told_to_be_y_up_or_z_up(names: list[str], figure: NDArray[np.float64]) -> None:
    marks = landmarks(names)
    assert up_axis(figure, REST, marks) == "Y"
    assert up_axis(z_up(figure), z_up(REST), marks) == "Z"


@pytest.mark.parametrize("rest", [REST, SIDEWAYS, None])
def test_a_walk_is_told_whatever_the_rest_pose_is(rest: NDArray[np.float64] | None) -> None:
    marks = landmarks(NAMES)
    assert up_axis(walking(), rest, marks) == "Y"
    assert up_axis(z_up(walking()), None if rest is None else z_up(rest), marks) == "Z"


def test_a_root_turned_instead_of_the_axes_is_seen_through() -> None:
    assert up_axis(z_up(walking()), REST, landmarks(NAMES)) == "Z"
    assert up_axis(z_up(REST)[None], REST, landmarks(NAMES)) == "Z"
    assert up_axis(walking(), z_up(REST), landmarks(NAMES)) == "Y"


def test_a_single_standing_frame_is_enough() -> None:
    assert up_axis(REST[None], REST, landmarks(NAMES)) == "Y"
    assert up_axis(z_up(REST)[None], z_up(REST), landmarks(NAMES)) == "Z"


def test_what_tells_nothing_is_y_up() -> None:
    assert up_axis(np.zeros((1, 3, 3)), np.zeros((3, 3)), Landmarks([], [])) == "Y"
    assert up_axis(np.full((2, 3, 3), np.nan), None, Landmarks([0], [1])) == "Y"


def test_turning_the_axes_keeps_left_and_right_and_distances() -> None:
    turned = to_blender(np.eye(3), "Y")
    np.testing.assert_array_equal(turned, [[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert np.linalg.det(turned) == pytest.approx(1.0)


@pytest.mark.parametrize("names", [NAMES, NAMELESS])
def test_stature_is_measured_along_the_bones_whatever_the_pose(names: list[str]) -> None:
    marks = landmarks(names)
    tall = stature(REST[None], PARENTS, marks)
    assert 150 < tall < 190
    assert stature(lying(), PARENTS, marks) == pytest.approx(tall)
    moved = walking()
    moved[::3, 5] = np.nan
    assert stature(moved, PARENTS, marks) == pytest.approx(tall, rel=0.01)


@pytest.mark.parametrize(
    ("height", "unit"),
    [
        (170, "cm"), (1.7, "m"), (67, "in"), (30, "in/0.45"), (1700, "mm"), (17, "dm"),
        (1.0, "m"), (100, "cm"), (2.4, "m"), (240, "cm"), (40, "in"), (0.4, "m"), (6.0, "m"), (0.0, "cm"),
    ],
)  # fmt: skip
def test_a_unit_is_that_in_which_the_figure_is_most_like_a_person(height: float, unit: str) -> None:
    assert length_unit(height).name == unit


@pytest.mark.parametrize("height", [1e-9, 1e-3, 0.1, 5.0, 500.0, 1e6, 1e30, float("nan")])
def test_dwarfs_and_giants_are_read_too(height: float) -> None:
    assert length_unit(height).metres > 0


@pytest.mark.parametrize("unit", axes.UNITS)
def test_the_same_person_comes_out_the_same_from_every_unit(unit: axes.Unit) -> None:
    tall = 0.01 / unit.metres
    motion = to_motion(walking() * tall, None, REST * tall, PARENTS, NAMES, 30.0)
    assert motion.unit == unit.name
    np.testing.assert_allclose(motion.positions, z_up(walking()) * 0.01, atol=1e-5)


def test_toes_and_end_sites_do_not_count_as_ankles() -> None:
    names = ["Hips", "LeftFoot", "LeftToeBase", "LeftFoot_end", "Head", "HeadTop_End", "Neck"]
    assert landmarks(names) == Landmarks(heads=[4, 5, 6], ankles=[1])
    assert landmarks(["hip", "lToe", "head"]) == Landmarks(heads=[2], ankles=[1])
