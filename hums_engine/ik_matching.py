# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching IK to FK: where the controls of a limb must be for it to reach the pose that its bones are turned to.

A control that holds an end (hand, foot, toes) moves with its joint as it does at rest. A pole stands beside the limb,
at an angle about the line from the limb's root to its end that is the rig's own: measured once, it is the same in any
pose, since the solver turns the limb about that line until a fixed direction of it meets the pole. How far an upper arm
or a thigh is twisted beyond that, a pole cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import quat
from .retarget import without_scale

Array = NDArray[np.float64]

STILL: Final = -1
_STRAIGHT: Final = 0.001
"""In limb lengths: a middle joint nearer to the line tells little of the limb's side; its upper bone's turn helps."""


@dataclass(frozen=True, eq=False)
class End:
    """A control that holds a joint.

    Attributes:
        bone: its place among the rig's bones.
        joint: the canonical joint that it moves with.
        carrier: the canonical joint that its parents move with, `STILL` where they stay.
        rest: ``[4, 4]`` its matrix at rest, in the armature's space.
    """

    bone: int
    joint: int
    carrier: int
    rest: Array


@dataclass(frozen=True, eq=False)
class Pole:
    """A control that tells which way an elbow or a knee points.

    Attributes:
        bone: its place among the rig's bones.
        limb: the canonical joints of the limb's root, middle and end.
        carrier: the canonical joint that its parents move with, `STILL` where they stay.
        rest: ``[4, 4]`` its matrix at rest, in the armature's space.
        root: ``[3]`` where the limb's root rests there.
        distance: how far it stands from the line from the limb's root to its end.
        angle: radians about the line from root to end, from the middle joint to the pole.
    """

    bone: int
    limb: tuple[int, int, int]
    carrier: int
    rest: Array
    root: Array
    distance: float
    angle: float = 0.0


def from_rest(joints: Array, turns: Array, rest: Array, world: Array) -> Array:
    """What joints did to all that they carry since rest, in an armature's space: ``[..., J, 4, 4]``.

    Args:
        joints: ``[..., J, 3]`` where they are in the world.
        turns: ``[..., J, 4]`` their turns from rest, in the world.
        rest: ``[J, 3]`` where they rest in the world.
        world: ``[4, 4]`` matrix of the armature.
    """
    moved = np.zeros((*turns.shape[:-1], 4, 4))
    moved[..., :3, :3] = quat.to_matrix(turns)
    moved[..., :3, 3] = joints - quat.rotate(turns, rest)
    moved[..., 3, 3] = 1.0
    return np.linalg.inv(world) @ moved @ world


def carrier(moved: Array, joints: Array, rest: Array, size: float, alike: float) -> int | None:
    """The joint that a control's parents moved with, `STILL` where they stayed, None where it is neither.

    Args:
        moved: ``[4, 4]`` what its parents did to the control since rest.
        joints: ``[J, 4, 4]`` what the joints did to what they carry, NaN where there is none.
        rest: ``[3]`` where the control rests.
        size: of the figure, in the units of ``rest``.
        alike: radians, and parts of the figure's size, that count as the same.
    """
    known = np.concatenate([joints, np.eye(4)[None]])
    off = np.linalg.norm(known[..., :3, :3] @ rest + known[..., :3, 3] - moved[:3, :3] @ rest - moved[:3, 3], axis=-1)
    turned = np.linalg.norm(known[..., :3, :3] - moved[:3, :3], axis=(-2, -1)) / np.sqrt(2.0)
    wrong = np.nan_to_num(np.maximum(off / size, turned), nan=np.inf)
    best = int(np.argmin(wrong))
    if wrong[best] > alike:
        return None
    return STILL if best == len(joints) else best


def place_end(end: End, moved: Array) -> tuple[Array, Array]:
    """Pose locations ``[..., 3]`` and rotations ``[..., 4]`` of a control that holds its joint.

    Args:
        end: the control.
        moved: ``[..., J, 4, 4]`` what the joints did since rest.
    """
    channels = _own(end.rest, _carried(moved, end.carrier)) @ moved[..., end.joint, :, :] @ end.rest
    turns = quat.from_matrix(without_scale(channels[..., :3, :3].reshape(-1, 3, 3)))
    return channels[..., :3, 3], turns.reshape(*channels.shape[:-2], 4)


def place_pole(pole: Pole, rest: Array, moved: Array) -> Array:
    """Pose locations ``[..., 3]`` of a pole for limbs as they are bent.

    Args:
        pole: the control.
        rest: ``[J, 3]`` where the joints rest, in the armature's space.
        moved: ``[..., J, 4, 4]`` what they did since.
    """
    root, middle, end = (moved[..., j, :3, :3] @ rest[j] + moved[..., j, :3, 3] for j in pole.limb)
    along = quat.unit(end - root)
    bent = quat.rotate(
        quat.from_axis_angle(along, np.full(along.shape[:-1], pole.angle)), _beside(middle - root, along)
    )
    turn = moved[..., pole.limb[0], :3, :3]
    carried = quat.unit(_beside((turn @ (pole.rest[:3, 3] - pole.root)[:, None])[..., 0], along))
    length = np.linalg.norm(end - middle, axis=-1, keepdims=True) + np.linalg.norm(
        middle - root, axis=-1, keepdims=True
    )
    level = root + np.sum((middle - root) * along, axis=-1, keepdims=True) * along
    place = level + pole.distance * quat.unit(bent + _STRAIGHT * length * carried)
    own = _own(pole.rest, _carried(moved, pole.carrier))
    return (own[..., :3, :3] @ place[..., None])[..., 0] + own[..., :3, 3]


def pole_angle(root: Array, middle: Array, end: Array, pole: Array) -> float:
    """The angle about the line from ``root`` to ``end`` ``[3]`` from the middle joint to the pole, radians."""
    along = quat.unit(end - root)
    start, aim = _beside(middle - root, along), _beside(pole - root, along)
    return float(np.arctan2(np.cross(start, aim) @ along, start @ aim))


def _beside(way: Array, along: Array) -> Array:
    """The part of ``way`` ``[..., 3]`` that is square to the unit direction ``along``."""
    return way - np.sum(way * along, axis=-1, keepdims=True) * along


def _carried(moved: Array, joint: int) -> Array:
    return np.broadcast_to(np.eye(4), (*moved.shape[:-3], 4, 4)) if joint == STILL else moved[..., joint, :, :]


def _own(rest: Array, carried: Array) -> Array:
    """From the armature's space to the axes that a bone's channels are told in ``[..., 4, 4]``."""
    return np.linalg.inv(carried @ rest)
