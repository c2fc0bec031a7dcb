# SPDX-License-Identifier: GPL-3.0-or-later
"""How poses are distributed is learnt from whatever joints the training motions have."""

from __future__ import annotations

import numpy as np

from hums_engine.normalize import NormalizedMotion, normalize
from hums_engine.skeleton import INDEX, REFERENCE
from training.motion_set import MotionSet
from training.pose_statistics import poses_of

from .synthetic_motions import swinging


def motions(*missing: str) -> list[NormalizedMotion]:
    found = []
    for kind in range(6):
        motion = normalize(swinging(kind, 0, frames=60))
        valid = motion.valid.copy()
        valid[[INDEX[name] for name in missing]] = False
        found.append(NormalizedMotion(np.where(valid[:, None], motion.joints, 0.0).astype(np.float32), valid))
    return found


def test_training_motions_without_a_joint_are_completed_with_it() -> None:
    known = poses_of(MotionSet.of(motions(), []))
    (query,) = motions("left_elbow")[2:3]
    error = known.complete(query).joints - motions()[2].joints
    assert np.linalg.norm(error[:, INDEX["left_elbow"]], axis=-1).mean() < 0.03


def test_a_joint_that_some_motions_lack_is_learnt_from_the_others() -> None:
    poses = poses_of(MotionSet.of(motions()[:3] + motions("head")[3:], []))
    whole = poses_of(MotionSet.of(motions()[:3], []))
    head = 3 * INDEX["head"] + np.arange(3)
    np.testing.assert_allclose(poses.mean[head], whole.mean[head], atol=1e-6)
    assert np.linalg.eigvalsh(poses.covariance).min() > 0


def test_a_joint_that_no_motion_has_is_where_the_reference_pose_has_it() -> None:
    poses = poses_of(MotionSet.of(motions("right_foot"), []))
    np.testing.assert_allclose(poses.mean.reshape(-1, 3)[INDEX["right_foot"]], REFERENCE[INDEX["right_foot"]])
    completed = poses.complete(motions("right_foot")[0])
    assert np.isfinite(completed.joints).all()
