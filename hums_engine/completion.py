# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion: where the joints that were not seen are likely to be, by those that were.

A body's joints move together: an elbow is somewhere between shoulder and wrist. Poses are taken for normally
distributed as the figure itself has them, from under its hips and along its heading; then what is missing has its
conditional mean (Bishop, "Pattern Recognition and Machine Learning", 2006, equation 2.81), which is linear in what
is seen. An encoder is given completed motions; alignment keeps to what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose
from .normalize import NormalizedMotion

Array = NDArray[np.float64]

_FLAT = np.array([1.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Poses:
    """How poses are distributed.

    Attributes:
        mean: ``[66]`` metres, coordinates of the 22 joints.
        covariance: ``[66, 66]`` square metres, positive definite.
    """

    mean: Array
    covariance: Array

    def complete(self, motion: NormalizedMotion) -> NormalizedMotion:
        """The motion with all joints, the missing ones where they are likely to be."""
        if motion.valid.all():
            return motion
        seen = np.repeat(motion.valid, 3)
        weights = _weights(self, motion.valid.tobytes())
        local, place, heading = own_frame(motion)
        given = local[:, motion.valid].reshape(len(local), -1)
        guessed = self.mean[~seen] + (given - self.mean[seen]) @ weights
        joints = motion.joints.copy()
        joints[:, ~motion.valid] = quat.rotate(heading, guessed.reshape(len(local), -1, 3)) + place
        return NormalizedMotion(joints, np.ones_like(motion.valid))


@lru_cache(maxsize=64)  # most clips of a library lack the same joints
def _weights(poses: Poses, valid: bytes) -> Array:
    """What each coordinate that is seen says of each that is not ``[seen, unseen]``: their conditional mean."""
    seen = np.repeat(np.frombuffer(valid, dtype=np.bool_), 3)
    return np.linalg.solve(poses.covariance[np.ix_(seen, seen)], poses.covariance[np.ix_(seen, ~seen)])


def own_frame(motion: NormalizedMotion) -> tuple[Array, Array, Array]:
    """A motion as the figure has it in each frame.

    Not along the trunk: with a shoulder missing it points elsewhere, and all that is known would be seen askew.

    Returns:
        Joints ``[T, 22, 3]`` from the floor under the hips, facing -Y, NaN where missing; that place ``[T, 1, 3]``; and
        the turn ``[T, 1, 4]`` from facing -Y to the heading.
    """
    joints = np.where(motion.valid[:, None], motion.joints.astype(np.float64), np.nan)
    place = (rest_pose.hips(joints) * _FLAT)[:, None]
    heading = rest_pose.heading(joints)[:, None]
    return quat.rotate(quat.inv(heading), joints - place), place, heading
