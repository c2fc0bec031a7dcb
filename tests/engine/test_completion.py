# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that were not seen are put where the seen ones say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.completion import Poses, own_frame
from hums_engine.encoder import Encoder
from hums_engine.normalize import NormalizedMotion, normalize
from hums_engine.skeleton import INDEX, JOINT_COUNT, REFERENCE

from .reference_body import wandering

COORDINATES = JOINT_COUNT * 3


def without(motion: NormalizedMotion, *names: str) -> NormalizedMotion:
    valid = motion.valid.copy()
    valid[[INDEX[name] for name in names]] = False
    return NormalizedMotion(np.where(valid[:, None], motion.joints, 0.0).astype(np.float32), valid)


def poses_with_wrists_tied_to_elbows() -> Poses:
    """A distribution in which each wrist is moved as far as its elbow is, and all else moves alone."""
    parts = np.eye(COORDINATES)
    for side in ("left", "right"):
        wrist, elbow = (3 * INDEX[f"{side}_{name}"] + np.arange(3) for name in ("wrist", "elbow"))
        parts[wrist, elbow] = 1.0
        parts[wrist, wrist] = 1e-4
    return Poses(REFERENCE.ravel(), parts @ parts.T)


def test_a_motion_with_all_joints_stays_as_it_is() -> None:
    motion = normalize(wandering(40))
    assert poses_with_wrists_tied_to_elbows().complete(motion) is motion


def test_what_depends_on_seen_joints_is_where_they_say() -> None:
    still = NormalizedMotion(np.tile(REFERENCE, (10, 1, 1)).astype(np.float32), np.ones(JOINT_COUNT, dtype=bool))
    place = np.array([*((REFERENCE[INDEX["left_hip"]] + REFERENCE[INDEX["right_hip"]])[:2] / 2), 0.0])
    raised = still.joints.copy()
    raised[:, [INDEX["left_wrist"], INDEX["left_elbow"]]] += [0.1, 0.2, 0.3]
    poses = replace(poses_with_wrists_tied_to_elbows(), mean=(REFERENCE - place).ravel())
    completed = poses.complete(without(NormalizedMotion(raised, still.valid), "left_wrist"))
    assert completed.valid.all()
    np.testing.assert_allclose(completed.joints, raised, atol=1e-4)


def test_seen_joints_are_not_moved(samples: list[CanonicalMotion], encoder: Encoder) -> None:
    assert encoder.poses is not None
    for motion in map(normalize, samples):
        partly = without(motion, "left_elbow", "right_knee", "neck")
        completed = encoder.poses.complete(partly)
        np.testing.assert_array_equal(completed.joints[:, partly.valid], motion.joints[:, partly.valid])
        assert np.isfinite(completed.joints).all()


def test_place_and_heading_do_not_matter(encoder: Encoder) -> None:
    assert encoder.poses is not None
    motion = without(normalize(wandering(30)), "left_elbow", "right_ankle")
    turn, place = quat.from_axis_angle([0, 0, 1], 2.0), np.array([3.0, -1.0, 0.0])
    moved = np.where(motion.valid[:, None], quat.rotate(turn, motion.joints) + place, 0.0)
    there = encoder.poses.complete(NormalizedMotion(moved.astype(np.float32), motion.valid)).joints
    here = encoder.poses.complete(motion).joints
    np.testing.assert_allclose(there, quat.rotate(turn, here) + place, atol=1e-3)


@pytest.mark.parametrize(
    ("names", "within_m"),
    [
        (("left_elbow",), 0.1),
        (("right_knee",), 0.1),
        (("spine3",), 0.05),
        (("left_hip", "left_shoulder"), 0.08),
    ],
)
def test_the_shipped_model_knows_where_a_body_has_its_joints(
    samples: list[CanonicalMotion], encoder: Encoder, names: tuple[str, ...], within_m: float
) -> None:
    assert encoder.poses is not None
    missing = [INDEX[name] for name in names]
    errors = [
        np.linalg.norm(encoder.poses.complete(without(m, *names)).joints[:, missing] - m.joints[:, missing], axis=-1)
        for m in map(normalize, samples)
        if m.valid[missing].all()
    ]
    assert np.concatenate(errors).mean() < within_m


def test_the_frame_of_a_figure_is_over_the_floor_under_its_hips() -> None:
    local, place, heading = own_frame(normalize(wandering(20)))
    assert local.shape == (20, JOINT_COUNT, 3)
    assert place.shape == (20, 1, 3)
    assert heading.shape == (20, 1, 4)
    hips = (local[:, INDEX["left_hip"]] + local[:, INDEX["right_hip"]]) / 2
    np.testing.assert_allclose(hips[:, :2], 0.0, atol=1e-6)
