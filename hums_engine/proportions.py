# SPDX-License-Identifier: GPL-3.0-or-later
"""A source's pose on a body of other proportions: what must give so that the whole looks the same.

Copied limb by limb, directions are right and the whole is not: wide hips swing feet over the floor that stood in the
source, a short trunk of one bone leans elsewhere, a leg without a knee follows the thigh alone. Here the pelvis, the
trunk and the height of the hips give way a little, and the long bones keep their directions.

Turns are ``[T, 22, 4]`` in the world, from the rig's rest pose; positions are the rig's unless they are the source's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose, skeleton, two_bones
from .in_between_bones import Bends
from .normalize import leg_length
from .rest_pose import LIMBS
from .skeleton import INDEX, PARENTS
from .smoothing import smoothed

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_PELVIS: Final = INDEX["pelvis"]
_ANKLES: Final = [INDEX["left_ankle"], INDEX["right_ankle"]]
_SPINE: Final = [INDEX[name] for name in ("spine1", "spine2", "spine3")]
_CHEST: Final = [*_SPINE, INDEX["left_collar"], INDEX["right_collar"]]
_STRIDE_S: Final = 0.35
"""Standard deviation of the window over which a stride's sway averages out."""
_STEP_S: Final = 0.08
_MOST_SWAY: Final = 0.8
_SWAY_FADES: Final = (np.radians(30.0), np.radians(60.0))
_MOST_LEAN: Final = np.radians(20.0)
_MOST_GIVEN: Final = 0.05
"""In leg lengths: how far the hips give in height."""


def posed(turns: Array, rest: Array, bends: Bends | None = None) -> Array:
    """Joints ``[T, 22, 3]`` of a figure whose bones are turned, seen from between its hips; NaN where it has none.

    Args:
        turns: ``[T, 22, 4]``.
        rest: ``[22, 3]`` its joints at rest, NaN where missing.
        bends: what is between joints of the trunk (`in_between_bones.bends`); None: nothing.
    """
    joints = np.full((len(turns), skeleton.JOINT_COUNT, 3), np.nan)
    joints[:, _PELVIS] = quat.rotate(turns[:, _PELVIS], rest[_PELVIS] - rest_pose.hips(rest))
    for joint in range(1, skeleton.JOINT_COUNT):
        above = carrier(joint, rest)
        joints[:, joint] = joints[:, above]
        for part, offset in (bends or {}).get(joint, ((0.0, rest[joint] - rest[above]),)):
            turned = (
                quat.slerp(turns[:, above], turns[:, joint], np.full(len(turns), part)) if part else turns[:, above]
            )
            joints[:, joint] += quat.rotate(turned, offset)
    return joints


def carrier(joint: int, rest: Array) -> int:
    """The nearest joint above ``joint`` that the figure has."""
    above = int(PARENTS[joint])
    while above > 0 and not np.isfinite(rest[above]).all():
        above = int(PARENTS[above])
    return above


def size(source: Array, rest: Array, floor: float) -> float:
    """How many times as large as the source ``[T, 22, 3]`` a rig is, by the legs, or what else both have.

    Args:
        source: ``[T, 22, 3]``, NaN where missing.
        rest: ``[22, 3]`` the rig at rest.
        floor: height that the rig stands on.
    """
    source_leg, own_leg = leg_length(source), leg_length(rest)
    if not np.isfinite(own_leg):  # no knees or no feet: how high the hips are, over a foot of usual height
        own_leg = (rest_pose.hips(rest)[2] - floor) / (1.0 + skeleton.REFERENCE[_ANKLES[0], 2] / skeleton.LEG_LENGTH)
    known = np.isfinite(source_leg) and np.isfinite(own_leg) and source_leg > 0 and own_leg > 0
    return float(own_leg / source_leg) if known else 1.0


def with_hands_reaching(turns: Array, source: Array, rest: Array, bends: Bends, ratio: float) -> Array:
    """Arms bent so that hands are where the source's are, seen from the hips and at the rig's size, if in reach."""
    arms = np.array([limb for limb in LIMBS if limb not in rest_pose.LEGS])
    if not (np.isfinite(rest[arms]).all() and np.isfinite(source[:, arms[:, 2]]).all()):
        return turns
    joints = posed(turns, rest, bends)
    shoulder, elbow, wrist = (joints[:, arms[:, i]] for i in range(3))
    wanted = ratio * (source[:, arms[:, 2]] - rest_pose.hips(source)[:, None])
    upper, fore = two_bones.reach(shoulder, elbow, wrist, wanted)
    result = turns.copy()
    result[:, arms[:, 0]] = quat.mul(upper, turns[:, arms[:, 0]])
    result[:, arms[:, 1]] = quat.mul(fore, turns[:, arms[:, 1]])
    return result


def with_whole_limbs(turns: Array, source: Array, rest: Array) -> Array:
    """Limbs of one bone turned as the whole limb of the source is, from hip to ankle, not as its thigh alone."""
    turns = turns.copy()
    for upper, lower, end in LIMBS:
        if np.isfinite(rest[upper]).all() and not np.isfinite(rest[[lower, end]]).any():
            aim = quat.between(source[:, lower] - source[:, upper], source[:, end] - source[:, upper])
            turns[:, upper] = np.where(np.isfinite(aim), quat.mul(np.nan_to_num(aim), turns[:, upper]), turns[:, upper])
    return turns


def with_own_sway(turns: Array, source: Array, rest: Array, ratio: float, fps: float, anchor: int) -> Array:
    """The pelvis swaying about its course only as far as its width allows for hips on the source's tracks.

    On hips twice as wide as the source's, the same swing of a stride would move the feet that stand.
    """
    theirs, own = float(np.median(_hip_width(source))) * ratio, float(_hip_width(rest))
    if not (np.isfinite(theirs) and np.isfinite(own) and own > 0):
        return turns
    away = (np.arange(len(turns)) - anchor) / fps / _STRIDE_S
    share = min(1.0 - theirs / own, _MOST_SWAY) * (1.0 - np.exp(-(away**2)))
    across = quat.rotate(turns[:, _PELVIS], rest_pose.across(rest, "hip"))
    course = quat.unit(smoothed(across, _STRIDE_S * fps) * [1.0, 1.0, 0.0])
    off = quat.angle(quat.between(across, course), quat.IDENTITY)
    fade = np.clip((_SWAY_FADES[1] - off) / (_SWAY_FADES[1] - _SWAY_FADES[0]), 0.0, 1.0)
    wanted = across + (share * fade)[:, None] * (course - across)
    result = turns.copy()
    result[:, _PELVIS] = quat.mul(quat.between(across, wanted), turns[:, _PELVIS])
    return result


def _hip_width(points: Array) -> Array:
    """Distance ``[...]`` between the hips."""
    return np.linalg.norm(points[..., INDEX["left_hip"], :] - points[..., INDEX["right_hip"], :], axis=-1)


def with_source_lean(turns: Array, source: Array, rest: Array, bends: Bends) -> Array:
    """The trunk bent at its lowest bone so that the shoulders are where the source's are, seen from the hips."""
    spine = [j for j in _SPINE if np.isfinite(rest[j]).all()]
    pair = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    if not (np.isfinite(rest[pair]).all() and np.isfinite(source[:, pair]).all()):
        return turns
    joints = posed(turns, rest, bends)
    top = joints[:, pair].mean(axis=1)
    base = joints[:, spine[0]] if spine else np.zeros_like(top)
    toward = rest_pose.trunk_direction(source)
    ahead = np.sum(base * toward, axis=-1)
    reach = ahead**2 - np.sum(base**2, axis=-1) + np.sum((top - base) ** 2, axis=-1)
    wanted = toward * (ahead + np.sqrt(np.maximum(reach, 0.0)))[:, None]
    lean = quat.between(top - base, wanted - base)
    angle = quat.angle(lean, quat.IDENTITY)
    lean = quat.slerp(quat.IDENTITY, lean, np.minimum(1.0, _MOST_LEAN / np.maximum(angle, 1e-9)))
    bent = _CHEST if spine else [_PELVIS, *_CHEST]  # a trunk of one bone leans as a whole
    result = turns.copy()
    result[:, bent] = quat.mul(lean[:, None], turns[:, bent])
    return result


def height_given(short: Array, standing: Mask, leg: float, fps: float) -> Array:
    """How far the hips give in height ``[T]`` so that feet which stand are on the floor, without a jerk.

    Args:
        short: ``[T, 2]`` how far each ankle should be above where it is.
        standing: ``[T, 2]`` which feet stand.
        leg: length of the rig's legs, metres.
        fps: frames a second.
    """
    some = standing.any(axis=1)
    if not some.any():
        return np.zeros(len(short))
    mean = np.where(standing, short, 0.0).sum(axis=1) / np.maximum(standing.sum(axis=1), 1)
    frames = np.arange(len(short))
    given = smoothed(np.interp(frames, frames[some], mean[some])[:, None], _STEP_S * fps)[:, 0]
    return np.clip(given, -_MOST_GIVEN * leg, _MOST_GIVEN * leg)
