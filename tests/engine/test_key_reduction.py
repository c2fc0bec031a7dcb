# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer keys keep every frame within the error that was named."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import quat, rotation_modes
from hums_engine.key_reduction import between, reduce_rotation, reduce_vector
from tests.engine.reference_body import wandering

MODES = ("QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE")


def swinging(frames: int = 240) -> np.ndarray:
    """Rotations ``[T, 4]`` of an elbow of a body that moves all the time, with the trembling of a capture."""
    rotations = wandering(frames).rotations[:, 18].astype(np.float64)
    noise = 0.002 * np.random.default_rng(2).normal(size=(frames, 3))
    return quat.mul(rotations, quat.from_axis_angle(quat.unit(noise), np.linalg.norm(noise, axis=-1)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("most_deg", [0.5, 3.0])
def test_no_frame_is_farther_off_than_allowed_and_keys_are_few(mode: str, smooth: bool, most_deg: float) -> None:
    values = rotation_modes.from_quaternions(swinging(), mode)
    kept = reduce_rotation(values, mode, np.radians(most_deg), smooth)
    truth = rotation_modes.to_quaternions(values, mode)
    off = quat.angle(rotation_modes.to_quaternions(between(values, kept), mode), truth)
    assert np.degrees(off).max() <= most_deg
    assert len(kept.frames) < len(values) / 4
    assert (kept.frames[0], kept.frames[-1]) == (0, len(values) - 1)


def test_a_looser_bound_and_curves_instead_of_lines_need_fewer_keys() -> None:
    values = swinging()
    count = {
        (deg, smooth): len(reduce_rotation(values, "QUATERNION", np.radians(deg), smooth).frames)
        for deg in (0.5, 2.0)
        for smooth in (False, True)
    }
    assert count[2.0, False] < count[0.5, False]
    assert count[2.0, True] < count[2.0, False]
    assert count[0.5, True] < count[0.5, False]


@pytest.mark.parametrize("smooth", [False, True])
def test_a_path_stays_within_millimetres(smooth: bool) -> None:
    path = wandering(200).positions[:, 0].astype(np.float64)
    kept = reduce_vector(path, 0.002, smooth)
    assert np.linalg.norm(between(path, kept) - path, axis=-1).max() <= 0.002
    assert len(kept.frames) < 50


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("smooth", [False, True])
def test_what_stands_still_or_is_short_needs_its_ends_alone(frames: int, smooth: bool) -> None:
    still = np.tile([0.3, -1.0, 2.0], (frames, 1))
    kept = reduce_vector(still, 1e-6, smooth)
    assert list(kept.frames) == sorted({0, frames - 1})


def test_a_bound_of_nothing_keeps_every_frame_of_a_trembling_curve() -> None:
    values = swinging(50)
    assert len(reduce_rotation(values, "QUATERNION", 0.0, smooth=False).frames) == 50
