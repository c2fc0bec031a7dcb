# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hums_engine import quat, rotation_modes
from tests.engine.reference_body import wandering

MODES = ("QUATERNION", "AXIS_ANGLE", *rotation_modes.EULER_ORDERS)


def tumbling(seed: int, frames: int = 200) -> np.ndarray:
    """A smooth tumble of two bones through every orientation ``[T, 2, 4]``."""
    rng = np.random.default_rng(seed)
    axes = quat.unit(rng.normal(size=(3, 2, 3)))
    turns = [quat.from_axis_angle(a, np.linspace(0, rng.uniform(2, 7), frames)[:, None]) for a in axes]
    return quat.mul(turns[0], quat.mul(turns[1], turns[2]))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_channel_values_hold_the_same_rotation_in_every_mode(mode: str, seed: int) -> None:
    q = tumbling(seed)
    back = rotation_modes.to_quaternions(rotation_modes.from_quaternions(q, mode), mode)
    assert np.degrees(quat.angle(q, back)).max() < 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_a_smooth_tumble_has_no_jumps_between_frames(mode: str) -> None:
    q = tumbling(seed=4, frames=4000)
    steps = np.abs(np.diff(rotation_modes.from_quaternions(q, mode), axis=0))
    assert np.median(steps.max(axis=-1)) < 0.05
    assert steps.max() < 1.0, "only near gimbal lock may a channel move fast, and it never jumps by half a turn"


def test_blenders_xyz_turns_about_x_first() -> None:
    q = rotation_modes.to_quaternions([np.pi / 2, 0.0, np.pi / 2], "XYZ")
    assert np.allclose(quat.rotate(q, [0.0, 1.0, 0.0]), [0.0, 0.0, 1.0])
    assert np.allclose(quat.rotate(q, [0.0, 0.0, 1.0]), [1.0, 0.0, 0.0])


def test_a_bone_at_rest_for_a_while_keeps_the_axis_of_its_last_turn() -> None:
    q = quat.from_axis_angle([0.0, 0.0, 1.0], np.array([0.5, 0.2, 0.0, 0.0, 0.3]))
    values = rotation_modes.from_quaternions(q, "AXIS_ANGLE")
    assert np.allclose(values[:, 1:], [0.0, 0.0, 1.0])
    assert np.allclose(values[:, 0], [0.5, 0.2, 0.0, 0.0, 0.3])


def test_angles_at_gimbal_lock_are_still_the_rotation() -> None:
    q = quat.from_euler(np.array([[0.3, np.pi / 2, 0.7]] * 3), "ZYX")
    for mode in rotation_modes.EULER_ORDERS:
        back = rotation_modes.to_quaternions(rotation_modes.from_quaternions(q, mode), mode)
        assert np.degrees(quat.angle(q, back)).max() < 0.05


def test_a_rotation_within_locked_angles_keeps_them_and_turns_about_the_others() -> None:
    turns = wandering().rotations[:, 4].astype(np.float64)
    still = quat.from_euler(np.array([0.3, 0.2, 0.1]), "ZYX")  # z, y, x
    made = rotation_modes.locked_angles(turns, [0, 2], still)
    angles, free = (rotation_modes.from_quaternions(q, "XYZ") for q in (made, turns))
    np.testing.assert_allclose(angles[:, [0, 2]], np.tile([0.1, 0.3], (len(turns), 1)), atol=1e-9)
    np.testing.assert_allclose(angles[:, 1], free[:, 1], atol=1e-9)


@pytest.mark.parametrize("components", [[1, 3], [0], [2]])
def test_a_rotation_within_locked_components_keeps_them_and_stays_a_rotation(components: list[int]) -> None:
    turns = -wandering().rotations[:, 4].astype(np.float64)
    still = quat.normalize(np.array([1.0, 0.1, -0.2, 0.05]))
    made = rotation_modes.locked_components(turns, components, still)
    np.testing.assert_allclose(made[:, components], np.tile(still[components], (len(turns), 1)))
    np.testing.assert_allclose(np.linalg.norm(made, axis=-1), 1.0)
    assert (np.sum(made[1:] * made[:-1], axis=-1) > 0.9).all()


def test_a_hinge_is_left_of_a_rotation_with_two_locked_components() -> None:
    hinge = quat.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.linspace(0.0, 2.0, 20))
    swing = quat.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.4 * np.sin(np.arange(20.0)))
    made = rotation_modes.locked_components(quat.mul(swing, hinge), [1, 3], quat.IDENTITY)
    np.testing.assert_allclose(made, hinge, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_one_frame_alone_has_channels_too(mode: str) -> None:
    turn = tumbling(3)[50:51]
    back = rotation_modes.to_quaternions(rotation_modes.from_quaternions(turn, mode), mode)
    assert quat.angle(back, turn).max() < 1e-6
