# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip blends into what is there, and out of it, without a jump and the short way round."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import blending, quat, rotation_modes
from tests.engine.reference_body import wandering


def test_weights_rise_from_nothing_to_all_and_fall_again() -> None:
    share = blending.weights(21, 5, 10)
    assert share[0] == share[-1] == 0.0
    np.testing.assert_allclose(share[5:11], 1.0)
    assert (np.diff(share[:6]) > 0).all()
    assert (np.diff(share[10:]) < 0).all()
    assert share[1] < 1 / 5 - 0.05, "slow at first: no kink where the blend begins"


def test_without_a_blend_all_of_the_clip_is_seen() -> None:
    np.testing.assert_array_equal(blending.weights(4, 0, 0), 1.0)
    np.testing.assert_array_equal(blending.weights(1, 0, 0), 1.0)


def test_blends_longer_than_the_clip_still_begin_and_end_with_what_is_there() -> None:
    share = blending.weights(6, 20, 20)
    assert share[0] == share[-1] == 0.0
    assert 0.0 < share.max() < 1.0


def test_rotations_blend_along_the_shorter_way_whatever_their_signs() -> None:
    there, clip = (wandering(30, seed).rotations[:, 18].astype(np.float64) for seed in (1, 2))
    flipped = clip * np.where(np.arange(30) % 3 == 0, -1.0, 1.0)[:, None]
    share = blending.weights(30, 10, 10)
    blended = blending.rotations(there, flipped, share)
    assert (np.sum(blended[1:] * blended[:-1], axis=-1) > 0).all()
    whole = quat.angle(there, clip)
    np.testing.assert_allclose(quat.angle(there, blended), share * whole, atol=1e-6)
    np.testing.assert_allclose(quat.angle(blended, clip), (1 - share) * whole, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "factor", "offset"),
    [
        ("QUATERNION", -1.0, [0.0, 0.0, 0.0, 0.0]),
        ("AXIS_ANGLE", 1.0, [4 * np.pi, 0.0, 0.0, 0.0]),
        ("AXIS_ANGLE", -1.0, [-2 * np.pi, 0.0, 0.0, 0.0]),
        ("XYZ", 1.0, [0.0, -2 * np.pi, 0.0]),
        ("ZXY", 1.0, [2 * np.pi, 0.0, 6 * np.pi]),
    ],
)
def test_a_seam_changes_numbers_but_no_pose_and_leaves_no_turn_between(
    mode: str, factor: float, offset: list[float]
) -> None:
    turns = wandering(20).rotations[:, 16].astype(np.float64)
    values = rotation_modes.from_quaternions(turns, mode)
    away = values * factor + offset
    joined = blending.seam(away[0], values[0], mode).join(away)
    np.testing.assert_allclose(joined, values, atol=1e-9)


def test_a_location_has_no_seam() -> None:
    values = np.array([9.0, -9.0, 0.5])
    np.testing.assert_array_equal(blending.seam(values, np.zeros(3), "").join(values), values)
