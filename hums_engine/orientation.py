# SPDX-License-Identifier: GPL-3.0-or-later
"""Orientations of the canonical joints from their positions alone.

Sensors and many data sets give points, not rotations. A direction fixes a bone but for its twist; the twist
comes from the body: hips and shoulders span the trunk, and knees and elbows are hinges, so the plane of a bent
limb tells how its bones are turned. A straight limb keeps the twist of the least turn from the trunk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose, skeleton
from .rest_pose import LEFT, LIMBS, UP
from .skeleton import INDEX

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Where the hinge axis (upper bone x lower bone, when the limb bends) points in the reference pose.
_HINGES = {INDEX["left_hip"]: LEFT, INDEX["right_hip"]: LEFT, INDEX["left_shoulder"]: -UP, INDEX["right_shoulder"]: UP}
_SURE_BEND = np.sin(np.radians(25.0))

# Joints that follow others where the source lacks them: (joint, neighbour, neighbour, part of the way).
_FOLLOW = (
    ("spine3", "neck", "pelvis", 0.3),
    ("spine1", "pelvis", "spine3", 1 / 3),
    ("spine2", "pelvis", "spine3", 2 / 3),
    ("head", "neck", "spine3", 0.0),
    ("neck", "spine3", "head", 0.5),
    *((f"{s}_collar", "spine3", "spine3", 0.0) for s in ("left", "right")),
    *((f"{s}_shoulder", f"{s}_collar", "spine3", 0.0) for s in ("left", "right")),
    *((f"{s}_elbow", f"{s}_shoulder", "spine3", 0.0) for s in ("left", "right")),
    *((f"{s}_wrist", f"{s}_elbow", "spine3", 0.0) for s in ("left", "right")),
    *((f"{s}_hip", "pelvis", "pelvis", 0.0) for s in ("left", "right")),
    *((f"{s}_knee", f"{s}_hip", "pelvis", 0.0) for s in ("left", "right")),
    *((f"{s}_ankle", f"{s}_knee", "pelvis", 0.0) for s in ("left", "right")),
    *((f"{s}_foot", f"{s}_ankle", "pelvis", 0.0) for s in ("left", "right")),
)


def from_positions(positions: Array, valid: Mask) -> Array:
    """World rotations from the reference pose, seen from joint positions.

    Args:
        positions: ``[T, 22, 3]`` Z up, any unit; NaN where a joint is missing.
        valid: ``[22]`` which joints are there.

    Returns:
        ``[T, 22, 4]`` rotations, w first.
    """
    rotations = np.tile(quat.IDENTITY, (*positions.shape[:2], 1))
    pelvis, chest = _trunk_ends(positions, valid)
    for name, part in (("pelvis", 0.0), ("spine1", 1 / 3), ("spine2", 2 / 3), ("spine3", 1.0)):
        rotations[:, INDEX[name]] = quat.slerp(pelvis, chest, np.full(len(positions), part))
    for name in ("left_collar", "right_collar"):
        rotations[:, INDEX[name]] = chest
    rotations[:, [INDEX["neck"], INDEX["head"]]] = _head(positions, valid, chest)[:, None]
    for upper, lower, end in LIMBS:
        trunk = pelvis if upper in (INDEX["left_hip"], INDEX["right_hip"]) else chest
        rotations[:, upper], rotations[:, lower] = _limb(positions, valid, trunk, (upper, lower, end))
        rotations[:, end] = rotations[:, lower]
    for side in ("left", "right"):
        ankle, ball = INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]
        rotations[:, ankle] = _aim(rotations[:, ankle], positions, valid, ankle, ball)
        rotations[:, ball] = rotations[:, ankle]
    return rotations


def fill_missing(rotations: Array, known: Mask) -> Array:
    """``rotations`` ``[T, 22, 4]`` with each unknown joint following its neighbours ``known`` ``[22]``."""
    rotations, known = rotations.copy(), known.copy()
    if not known[INDEX["pelvis"]]:
        rotations[:, INDEX["pelvis"]] = quat.IDENTITY
        known[INDEX["pelvis"]] = True
    for name, first, second, part in _FOLLOW:
        joint, a, b = INDEX[name], INDEX[first], INDEX[second]
        if known[joint]:
            continue
        a, b = (a if known[a] else b), (b if known[b] else a)
        source = INDEX["pelvis"] if not known[a] else a
        other = source if not known[b] else b
        rotations[:, joint] = quat.slerp(rotations[:, source], rotations[:, other], np.full(len(rotations), part))
        known[joint] = True
    return rotations


def _trunk_ends(positions: Array, valid: Mask) -> tuple[Array, Array]:
    """Rotations ``[T, 4]`` of pelvis and chest: up along the trunk, across along hips and shoulders."""
    up = rest_pose.trunk_direction(positions)
    hips, shoulders = (_across(positions, valid, name) for name in ("hip", "shoulder"))
    hips, shoulders = (hips if hips is not None else shoulders), (shoulders if shoulders is not None else hips)
    if hips is None or shoulders is None:
        upright = quat.between(np.broadcast_to(UP, up.shape), up)
        return upright, upright
    return _frame(hips, up), _frame(shoulders, up)


def _across(positions: Array, valid: Mask, name: str) -> Array | None:
    left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
    return quat.unit(positions[:, left] - positions[:, right]) if valid[left] and valid[right] else None


def _frame(across: Array, up: Array) -> Array:
    """The rotation ``[T, 4]`` that takes +X to ``across`` and +Z as near to ``up`` as it can."""
    back = quat.unit(quat.cross(up, across))
    return quat.from_matrix(np.stack([across, back, quat.cross(across, back)], axis=-1))


def _head(positions: Array, valid: Mask, chest: Array) -> Array:
    """Rotation ``[T, 4]`` of the head: chest plus the swing of neck-to-head from its mean in the chest's frame.

    Where a head joint sits over the neck differs from rig to rig, so only its movement is told.
    """
    neck, head = INDEX["neck"], INDEX["head"]
    if not (valid[neck] and valid[head]):
        return chest
    direction = quat.unit(positions[:, head] - positions[:, neck])
    usual = quat.unit(quat.rotate(quat.inv(chest), direction).mean(axis=0))
    return quat.mul(quat.between(quat.rotate(chest, usual), direction), chest)


def _limb(positions: Array, valid: Mask, trunk: Array, limb: tuple[int, int, int]) -> tuple[Array, Array]:
    """Rotations ``[T, 4]`` of the two long bones of a limb, twisted so that its hinge lies across its plane."""
    upper, lower, end = limb
    first = _aim(trunk, positions, valid, upper, lower)
    if not valid[list(limb)].all():
        return first, _aim(first, positions, valid, lower, end)
    bone, shin = (
        quat.unit(positions[:, lower] - positions[:, upper]),
        quat.unit(positions[:, end] - positions[:, lower]),
    )
    normal = quat.cross(bone, shin)
    bend = np.linalg.norm(normal, axis=-1)
    hinge = quat.rotate(first, _HINGES[upper])
    twist = np.arctan2(np.sum(quat.cross(hinge, normal) * bone, axis=-1), np.sum(hinge * normal, axis=-1))
    first = quat.mul(quat.from_axis_angle(bone, twist * np.clip(bend / _SURE_BEND, 0.0, 1.0)), first)
    return first, _aim(first, positions, valid, lower, end)


def _aim(start: Array, positions: Array, valid: Mask, joint: int, toward: int) -> Array:
    """``start`` ``[T, 4]`` plus the least turn that points the reference bone along ``joint -> toward``."""
    if not (valid[joint] and valid[toward]):
        return start
    reference = skeleton.REFERENCE[toward] - skeleton.REFERENCE[joint]
    return quat.mul(quat.between(quat.rotate(start, reference), positions[:, toward] - positions[:, joint]), start)
