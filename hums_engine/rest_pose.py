# SPDX-License-Identifier: GPL-3.0-or-later
"""The rest pose of a rig, and how it differs from the reference pose.

A rig may rest in a T-pose, an A-pose or with hanging arms, and face anywhere. Its rotations say how a frame
differs from *that* pose, so copying them from one rig to another carries the difference of the rest poses
along. Here the difference is found once per rig: for each joint the turn that takes the reference pose's bone
to the rest pose's bone. Source rotations times the source's turn are rotations from the reference pose, which
every rig understands; times the inverse of the target's turn they are the target's own.

What is matched differs by part of the body, because rigs place their joints differently:

- upper arms, forearms, thighs and shins point somewhere, so their directions are matched, with the least twist;
- trunk joints sit at different depths in different rigs, so the trunk leans as a whole (hips to neck);
- neck, head and collar bones point wherever the rigger liked: a figure at rest looks straight ahead;
- a foot stands flat at rest whatever the slope from ankle to ball is: only its turn about the vertical counts.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from . import quat, skeleton
from .skeleton import INDEX

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

UP = np.array([0.0, 0.0, 1.0])
FORWARD = np.array([0.0, -1.0, 0.0])
LEFT = np.array([1.0, 0.0, 0.0])

LIMBS = tuple(
    (INDEX[f"{side}_{upper}"], INDEX[f"{side}_{lower}"], INDEX[f"{side}_{end}"])
    for side in ("left", "right")
    for upper, lower, end in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)
"""Upper joint, middle joint and end of the four limbs."""

LEGS = tuple(limb for limb in LIMBS if limb[2] in (INDEX["left_ankle"], INDEX["right_ankle"]))
BETWEEN = {"hip": ("pelvis",), "shoulder": ("neck", "spine3")}
"""Joints between two of a pair, the better first."""
HALF_HIPS = 0.2
"""How far a hip is from the middle, in lengths of a thigh: 0.15 to 0.24 in the corpora that we measured."""

_TRUNK = [INDEX[n] for n in ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar")]
_STEEP = np.cos(np.radians(25.0))
_STANDING_TRUNK = np.cos(np.radians(50.0))
_STRAIGHTER = 1e-6
_STANDING_LEG = np.cos(np.radians(60.0))


def middle(points: Array, name: str) -> Array:
    """The point ``[..., 3]`` midway between the left and right joint ``name``; one alone stands for both."""
    pair = points[..., [INDEX[f"left_{name}"], INDEX[f"right_{name}"]], :]
    seen = np.isfinite(pair)
    count = seen.sum(axis=-2)
    return np.where(count > 0, np.where(seen, pair, 0.0).sum(axis=-2) / np.maximum(count, 1), np.nan)


def hips(points: Array) -> Array:
    """The point ``[..., 3]`` midway between the hips, on which rigs agree: they put the pelvis anywhere above it.

    Where a hip is missing, as far inward from the other as bodies have it, along the line of the shoulders; where that
    is not known, the pelvis, or the hip that is there.
    """
    left, right, pelvis = (points[..., INDEX[name], :] for name in ("left_hip", "right_hip", "pelvis"))
    found = (left + right) / 2
    if np.isfinite(found).all():
        return found
    inward = across(points, "shoulder") * (HALF_HIPS * _leg_bone(points))[..., None]
    for instead in (left - inward, right + inward, pelvis, left, right):
        found = np.where(np.isfinite(found), found, instead)
    return found


def _leg_bone(points: Array) -> Array:
    """Mean length ``[...]`` of the thighs and shins that are there, NaN without any."""
    bones = np.stack([points[..., b, :] - points[..., a, :] for leg in LEGS for a, b in pairwise(leg)], axis=-2)
    lengths = np.linalg.norm(bones, axis=-1)
    seen = np.isfinite(lengths)
    total, count = np.where(seen, lengths, 0.0).sum(axis=-1), seen.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def across(points: Array, name: str) -> Array:
    """Unit direction ``[..., 3]`` from the right to the left ``"hip"`` or ``"shoulder"``, NaN where it is not known.

    One of them and the trunk between them tell it too.
    """
    left, right = (points[..., INDEX[f"{side}_{name}"], :] for side in ("left", "right"))
    found = left - right
    if np.isfinite(found).all():
        return quat.unit(found)
    for middle_name in BETWEEN[name]:
        between = points[..., INDEX[middle_name], :]
        for instead in (left - between, between - right):
            found = np.where(np.isfinite(found), found, instead)
    return quat.unit(found)


def lateral(points: Array) -> Array:
    """Unit direction ``[..., 3]`` from the figure's right to its left, over hips and shoulders together."""
    return quat.unit(np.nan_to_num(across(points, "hip")) + np.nan_to_num(across(points, "shoulder")))


def heading(points: Array) -> Array:
    """The turn ``[..., 4]`` about the vertical that takes -Y to where the figure faces.

    Args:
        points: ``[..., 22, 3]`` joints, NaN where missing.

    Returns:
        The identity where the figure has no horizontal facing (lying on its side).
    """
    forward = quat.cross(lateral(points), UP)
    return about_vertical(FORWARD, forward)


def about_vertical(start: Array, end: Array) -> Array:
    """The turn ``[..., 4]`` about +Z that brings ``start`` ``[..., 3]`` over ``end``, both seen from above."""
    flat = np.array([1.0, 1.0, 0.0])
    angle = np.arctan2(end[..., 1], end[..., 0]) - np.arctan2(start[..., 1], start[..., 0])
    some = np.linalg.norm(end * flat, axis=-1) > 1e-6
    return quat.from_axis_angle(UP, np.where(some, angle, 0.0))


def trunk_direction(points: Array) -> Array:
    """Unit direction ``[..., 3]`` from between the hips to between the shoulders (or the neck)."""
    top = middle(points, "shoulder")
    top = np.where(np.isfinite(top), top, points[..., INDEX["neck"], :])
    return quat.unit(np.nan_to_num(top - hips(points)))


def tilt(rest: Array, axes: Array) -> Array:
    """The turn ``[4]`` by which a rig's object lies off the vertical, as under a tilted parent.

    A figure is made upright along one of its object's axes. The identity where it stands no straighter without.

    Args:
        rest: ``[22, 3]`` joints of the rig at rest in the world, NaN where missing.
        axes: ``[3, 3]`` the object's axes in the world, one a column, of any length.
    """
    whole = quat.unit(middle(rest, "shoulder") - middle(rest, "ankle"))
    body = whole if np.isfinite(whole).all() else trunk_direction(rest)
    directions = quat.unit(np.concatenate([axes.T, -axes.T]))
    found = quat.between(UP, directions[int(np.argmax(directions @ body))])
    return found if quat.rotate(quat.inv(found), body) @ UP > body @ UP + _STRAIGHTER else quat.IDENTITY


def is_standing(rest: Array, valid: Mask) -> bool:
    """Whether ``rest`` ``[22, 3]`` is a pose that a body can stand in: trunk up, legs down, arms anywhere.

    Some files rest with all bones along one axis; their rest pose says nothing about how a body hangs on it.
    """
    if trunk_direction(rest) @ UP < _STANDING_TRUNK:
        return False
    legs = [limb for limb in LEGS if valid[list(limb)].all()]
    arms = [limb for limb in LIMBS if limb not in LEGS and valid[list(limb)].all()]
    legs_hang = all(quat.unit(rest[end] - rest[upper]) @ -UP > _STANDING_LEG for upper, _, end in legs)
    arms_apart = all(np.linalg.norm(rest[end] - rest[upper]) > 1e-9 for upper, _, end in arms)
    return bool(legs_hang and arms_apart and np.linalg.norm(lateral(rest)) > 0.5)


def from_reference(rest: Array, valid: Mask) -> Array:
    """The turns from the reference pose to a rest pose, in the world.

    Args:
        rest: ``[22, 3]`` canonical joints of the rig at rest, Z up, any unit; NaN where missing.
        valid: ``[22]`` which joints the rig has.

    Returns:
        ``[22, 4]``: each turns a bone of the reference pose into the rig's rest pose.
    """
    yaw = heading(rest)
    turns = np.tile(yaw, (skeleton.JOINT_COUNT, 1))
    trunk = quat.mul(quat.between(quat.rotate(yaw, UP), trunk_direction(rest)), yaw)
    turns[_TRUNK] = trunk
    for upper, lower, end in LIMBS:
        turns[upper] = _aimed(yaw, rest, valid, upper, lower)
        turns[lower] = _aimed(turns[upper], rest, valid, lower, end)
        turns[end] = turns[lower]
    for side in ("left", "right"):
        turns[[INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]]] = _foot(yaw, rest, valid, side)
    return turns


def _aimed(start: Array, rest: Array, valid: Mask, joint: int, toward: int) -> Array:
    """``start`` ``[4]`` plus the least turn that points the bone ``joint -> toward`` as it rests."""
    if not (valid[joint] and valid[toward]):
        return start
    reference = skeleton.REFERENCE[toward] - skeleton.REFERENCE[joint]
    return quat.mul(quat.between(quat.rotate(start, reference), rest[toward] - rest[joint]), start)


def _foot(yaw: Array, rest: Array, valid: Mask, side: str) -> Array:
    ankle, ball = INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]
    if not (valid[ankle] and valid[ball]):
        return yaw
    direction = quat.unit(rest[ball] - rest[ankle])
    if abs(direction @ UP) > _STEEP:  # it hangs like a dancer's: not a foot that stands
        return _aimed(yaw, rest, valid, ankle, ball)
    return about_vertical(FORWARD, direction)
