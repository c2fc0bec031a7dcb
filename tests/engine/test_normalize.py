# SPDX-License-Identifier: GPL-3.0-or-later
"""Normalisation takes out what says nothing about the motion: rate, place, heading and body size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.errors import MappingError
from hums_engine.normalize import FPS, normalize
from hums_engine.skeleton import INDEX, JOINT_COUNT
from tests.engine.reference_body import wandering

MOTION = wandering(frames=90)
SEEN = normalize(MOTION).joints


def test_heading_place_and_size_leave_no_trace() -> None:
    turn = quat.from_axis_angle([0.0, 0.0, 1.0], 2.2)
    moved = quat.rotate(turn, MOTION.positions) * 1.7 + [3.0, -8.0, 0.4]
    np.testing.assert_allclose(normalize(replace(MOTION, positions=moved.astype(np.float32))).joints, SEEN, atol=2e-3)


def test_the_frame_rate_leaves_no_trace_but_interpolation() -> None:
    fast = normalize(MOTION.resampled(120.0))
    assert fast.joints.shape == SEEN.shape
    np.testing.assert_allclose(fast.joints, SEEN, atol=2e-3)


def test_a_motion_lasts_as_many_frames_as_its_seconds_at_thirty() -> None:
    slow = replace(MOTION, fps=10.0)
    assert len(normalize(slow).joints) == round(slow.duration_s * FPS) + 1


def test_long_arms_and_short_arms_make_the_same_motion() -> None:
    longer = MOTION.positions.copy()
    for side in ("left", "right"):
        shoulder, elbow, wrist = (INDEX[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist"))
        fore = longer[:, wrist] - longer[:, elbow]
        longer[:, elbow] += 0.4 * (longer[:, elbow] - longer[:, shoulder])
        longer[:, wrist] = longer[:, elbow] + 1.5 * fore
    np.testing.assert_allclose(normalize(replace(MOTION, positions=longer)).joints, SEEN, atol=1e-4)


def test_a_missing_joint_is_zero_and_said_to_be_missing_and_moves_no_other() -> None:
    valid = np.ones(JOINT_COUNT, dtype=bool)
    valid[[INDEX["left_wrist"], INDEX["spine2"], INDEX["head"]]] = False
    found = normalize(replace(MOTION, valid=valid))
    assert (found.valid == valid).all()
    assert not found.joints[:, ~valid].any()
    limbs = [INDEX[n] for n in ("left_elbow", "right_wrist", "left_ankle", "right_ankle")]
    np.testing.assert_allclose(found.joints[:, limbs], SEEN[:, limbs], atol=0.06)


def test_a_source_without_toes_stands_as_high_as_one_with_them() -> None:
    valid = np.ones(JOINT_COUNT, dtype=bool)
    valid[[INDEX["left_foot"], INDEX["right_foot"]]] = False
    np.testing.assert_allclose(normalize(replace(MOTION, valid=valid)).joints[:, valid], SEEN[:, valid], atol=1e-6)


def test_one_frame_is_a_motion_too() -> None:
    assert normalize(MOTION.cut(1.0, 1.0)).joints.shape == (1, JOINT_COUNT, 3)


def test_a_motion_without_hips_is_refused_in_a_sentence() -> None:
    valid = np.ones(JOINT_COUNT, dtype=bool)
    valid[[INDEX["pelvis"], INDEX["left_hip"], INDEX["right_hip"]]] = False
    with pytest.raises(MappingError, match="hips are missing"):
        normalize(replace(MOTION, valid=valid))


def test_a_cut_lasts_from_start_to_end_in_seconds() -> None:
    cut: CanonicalMotion = MOTION.cut(0.5, 1.5)
    assert cut.duration_s == pytest.approx(1.0)
    np.testing.assert_array_equal(cut.positions[0], MOTION.positions[15])


def test_joints_that_a_converter_put_onto_the_chest_count_as_missing_and_lower_no_arm() -> None:
    positions = MOTION.positions.copy()
    collars = [INDEX["left_collar"], INDEX["right_collar"]]
    positions[:, collars] = positions[:, [INDEX["spine3"]]]
    found = normalize(replace(MOTION, positions=positions))
    assert not found.valid[collars].any()
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    np.testing.assert_allclose(found.joints[:, shoulders], SEEN[:, shoulders], atol=0.06)


def test_joints_on_the_chest_count_as_missing_in_a_noisy_capture_too() -> None:
    positions = MOTION.positions.copy()
    above = [INDEX[name] for name in ("neck", "left_collar", "right_collar")]
    positions[:, above] = positions[:, [INDEX["spine3"]]]
    positions += np.random.default_rng(0).normal(0.0, 0.01, positions.shape).astype(np.float32)
    found = normalize(replace(MOTION, positions=positions))
    assert not found.valid[above].any()
    wrists = [INDEX["left_wrist"], INDEX["right_wrist"]]
    assert np.linalg.norm(found.joints[:, wrists] - SEEN[:, wrists], axis=-1).mean() < 0.1


@pytest.mark.parametrize("hip", ["left_hip", "right_hip"])
def test_a_body_with_one_hip_missing_stands_as_high_though_its_pelvis_sits_elsewhere(hip: str) -> None:
    positions = MOTION.positions.copy()
    positions[:, INDEX["pelvis"]] = positions[:, INDEX["spine1"]]
    valid = np.ones(JOINT_COUNT, dtype=bool)
    valid[INDEX[hip]] = False
    found = normalize(replace(MOTION, positions=positions, valid=valid))
    ends = [INDEX[n] for n in ("left_ankle", "right_ankle", "left_wrist", "right_wrist", "head")]
    assert np.abs(found.joints[:, ends, 2] - SEEN[:, ends, 2]).max() < 0.1
