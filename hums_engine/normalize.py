# SPDX-License-Identifier: GPL-3.0-or-later
"""Normalisation: what the encoder and the alignment see of a motion.

Rate, place, heading and body size say nothing about which motion it is, so they are taken out: 30 frames a
second, origin under the hips at the start, facing -Y at the start, every bone of the reference body's length
(DeepHuMS, section 3: "bone-length normalised"), and the path scaled by the length of the legs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose, skeleton
from .canonical import CanonicalMotion
from .errors import MappingError
from .skeleton import INDEX, PARENTS, REFERENCE, TWINS

FPS: Final = 30.0
"""Frames a second of a normalised motion."""

_HEADING_S: Final = 0.25
_COINCIDENT: Final = 0.03
"""In leg lengths: joints nearer than this to the one they hang on lie on it; a sensor adds a centimetre of noise."""

_ON_ROOT: Final = np.isin(np.arange(len(PARENTS)), [INDEX[name] for name in ("pelvis", "left_hip", "right_hip")])

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class NormalizedMotion(NamedTuple):
    """A motion at one rate, heading, place and body size.

    Attributes:
        joints: ``[T, 22, 3]`` float32 metres of the reference body, 30 fps; zero where not valid.
        valid: ``[22]`` bool.
    """

    joints: NDArray[np.float32]
    valid: Mask

    def mirror_image(self) -> NormalizedMotion:
        """The motion seen in a mirror: left is right."""
        return NormalizedMotion(self.joints[:, TWINS] * np.array([-1, 1, 1], dtype=np.float32), self.valid[TWINS])


def normalize(motion: CanonicalMotion) -> NormalizedMotion:
    """Takes rate, place, heading and body size out of a motion.

    Raises:
        MappingError: neither hips nor pelvis are there, so nothing can be placed.
    """
    valid = motion.valid
    joints = np.where(valid[:, None], motion.positions_at(FPS).astype(np.float64), np.nan)
    root = rest_pose.hips(joints)
    if not np.isfinite(root).all():
        raise MappingError("The hips are missing in this motion: it cannot be compared with others.")
    turn = quat.inv(_start_heading(joints))
    joints, root = quat.rotate(turn, joints), quat.rotate(turn, root)
    scale = leg_scale(joints)
    path = (root - [root[0, 0], root[0, 1], _floor(joints, root)]) * scale
    valid = _apart(joints, root, valid, scale)
    body = _reference_sized(joints, root, valid)
    joints = np.where(valid[:, None], body + path[:, None], 0.0)
    return NormalizedMotion(joints.astype(np.float32), valid)


def leg_length(joints: Array) -> float:
    """Thigh plus shin in the unit of ``joints`` ``[..., 22, 3]``, the median over frames; NaN without legs."""
    lengths = [
        np.linalg.norm(joints[..., b, :] - joints[..., a, :], axis=-1)
        + np.linalg.norm(joints[..., c, :] - joints[..., b, :], axis=-1)
        for a, b, c in rest_pose.LEGS
    ]
    known = [float(np.median(length)) for length in lengths if np.isfinite(length).all()]
    return float(np.mean(known)) if known else float("nan")


def leg_scale(joints: Array) -> float:
    """How much larger the reference body is than that of ``joints`` ``[..., 22, 3]``, by the legs or else the trunk."""
    legs = leg_length(joints)
    if np.isfinite(legs) and legs > 0:
        return skeleton.LEG_LENGTH / legs
    trunk = float(np.median(np.linalg.norm(_trunk(joints), axis=-1)))
    reference = float(np.linalg.norm(_trunk(REFERENCE)))
    return reference / trunk if np.isfinite(trunk) and trunk > 0 else 1.0


def _trunk(joints: Array) -> Array:
    return rest_pose.middle(joints, "shoulder") - rest_pose.hips(joints)


def _start_heading(joints: Array) -> Array:
    """The heading ``[4]`` over the first quarter second, which is steadier than that of one noisy frame."""
    first = joints[: max(1, round(_HEADING_S * FPS))]
    forward = quat.cross(rest_pose.lateral(first), rest_pose.UP).mean(axis=0)
    return rest_pose.about_vertical(rest_pose.FORWARD, forward)


def _floor(joints: Array, root: Array) -> float:
    """Height of the floor: the lowest that ankles come (a low percentile, since a sensor's point may dip).

    Not the toes where there are any: many sources have none, and how high an ankle is over them is a matter of shoes.
    """
    for name in ("ankle", "foot"):
        feet = joints[:, [INDEX[f"{side}_{name}"] for side in ("left", "right")], 2]
        if np.isfinite(feet).any():
            lowest = np.nanmin(np.where(np.isfinite(feet), feet, np.inf), axis=1)
            return float(np.percentile(lowest, 2))
    return float(root[:, 2].min())


def _apart(joints: Array, root: Array, valid: Mask, scale: float) -> Mask:
    """``valid`` ``[22]`` without the joints that lie on the one they hang on.

    Some converters put neck and collar bones onto the chest. Such a bone points nowhere, so it cannot be given the
    reference body's length, and all that hangs on it would be too low. Pelvis and hips may be near the root.
    """
    valid = valid.copy()
    nearest = _COINCIDENT * skeleton.LEG_LENGTH / scale
    while True:  # what hung on a joint that is left out hangs on the one above, and may lie on that
        hanging = np.flatnonzero(valid & ~_ON_ROOT)
        bones = joints[:, hanging] - _starts(joints, root, _anchors(valid))[:, hanging]
        coincident = hanging[np.median(np.linalg.norm(bones, axis=-1), axis=0) < nearest]
        if not len(coincident):
            return valid
        valid[coincident[0]] = False


def _starts(joints: Array, root: Array, anchors: NDArray[np.intp]) -> Array:
    """Where ``[T, 22, 3]`` the bone of each joint begins: at its anchor, or at the root."""
    return np.where(anchors[:, None] > 0, joints[:, np.maximum(anchors, 0)], root[:, None])


def _anchors(valid: Mask) -> NDArray[np.intp]:
    """The joint ``[22]`` that each hangs on: the nearest ancestor that is there; 0 or less stands for the root."""
    return np.array([nearest_ancestor(j, valid) for j in range(len(PARENTS))])


def nearest_ancestor(joint: int, valid: Mask) -> int:
    """The nearest ancestor that is there; 0 or less stands for the root."""
    anchor = int(PARENTS[joint])
    while anchor > 0 and not valid[anchor]:
        anchor = int(PARENTS[anchor])
    return anchor


def _reference_sized(joints: Array, root: Array, valid: Mask) -> Array:
    """Joints ``[T, 22, 3]`` about the root with every bone at the reference body's length, NaN where not valid.

    A joint hangs on its nearest ancestor that is there; the hips hang on the root.
    """
    anchors = _anchors(valid)
    reference_starts = _starts(REFERENCE[None], rest_pose.hips(REFERENCE)[None], anchors)[0]
    lengths = np.linalg.norm(REFERENCE - reference_starts, axis=-1)
    body = quat.unit(joints - _starts(joints, root, anchors)) * lengths[:, None]
    for j, anchor in enumerate(anchors):
        if anchor > 0:
            body[:, j] += body[:, anchor]
    body[:, ~valid] = np.nan
    return body
