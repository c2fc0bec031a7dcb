# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which Blender's channels hold a rotation, as quaternions and back.

A pose bone is keyed in its own mode: quaternion, axis and angle, or Euler angles in one of six orders. Blender's
mode ``"XYZ"`` turns about X first, and its angles stand in the order x, y, z in every mode.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import quat

Array = NDArray[np.float64]

EULER_ORDERS: Final = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
_GIMBAL: Final = 1e-7
_NO_AXIS: Final = 1e-9


def channels(mode: str) -> tuple[str, int]:
    """The property that holds a rotation in ``mode`` and its number of values."""
    if mode == "QUATERNION":
        return "rotation_quaternion", 4
    return ("rotation_axis_angle", 4) if mode == "AXIS_ANGLE" else ("rotation_euler", 3)


def to_quaternions(values: ArrayLike, mode: str) -> Array:
    """Channel values ``[..., 4]`` or ``[..., 3]`` (radians) as unit quaternions ``[..., 4]``."""
    values = np.asarray(values, dtype=np.float64)
    if mode == "QUATERNION":
        return quat.normalize(values)
    if mode == "AXIS_ANGLE":
        return quat.from_axis_angle(quat.unit(values[..., 1:]), values[..., 0])
    return quat.from_euler(values[..., [_AXIS[letter] for letter in reversed(mode)]], mode[::-1])


def from_quaternions(q: ArrayLike, mode: str) -> Array:
    """Rotations over time ``[T, ..., 4]`` as channel values without jumps between frames.

    Returns:
        ``[T, ..., 4]`` (quaternion, or angle and axis) or ``[T, ..., 3]`` (Euler angles), radians.
    """
    q = quat.unroll(quat.normalize(q))
    if mode == "QUATERNION":
        return q
    return _axis_angles(q) if mode == "AXIS_ANGLE" else _eulers(q, mode)


def locked_angles(q: Array, axes: list[int], still: Array) -> Array:
    """Rotations over time ``[T, 4]`` with the Euler angles (XYZ) about some axes as in the rotation ``still`` ``[4]``.

    It is what Blender's tools make of a bone in quaternions whose rotation is locked about ``axes`` (0 to 2).
    """
    angles = from_quaternions(q, "XYZ")
    angles[:, axes] = from_quaternions(still[None], "XYZ")[0, axes]
    return quat.unroll(to_quaternions(angles, "XYZ"))


def locked_components(q: Array, components: list[int], still: Array) -> Array:
    """Rotations over time ``[T, 4]`` with some components as in the rotation ``still`` ``[4]``.

    The others stay in proportion. It is what Blender's tools make of a bone in quaternions whose components (0 to 3:
    w, x, y, z) are locked each. With two of x, y and z at zero what is left is the turn about the third: a hinge.
    """
    q = quat.unroll(np.where(np.sum(q[:1] * still, axis=-1, keepdims=True) < 0, -q, q))
    free = np.setdiff1d(np.arange(4), components)
    left = np.sqrt(max(1.0 - float(np.sum(still[components] ** 2)), 0.0))
    length = np.linalg.norm(q[:, free], axis=-1, keepdims=True)
    made = np.tile(still, (len(q), 1))
    made[:, free] = np.where(length > _NO_AXIS, q[:, free] * left / np.maximum(length, _NO_AXIS), still[free])
    return made


_AXIS: Final = {"X": 0, "Y": 1, "Z": 2}


def _axis_angles(q: Array) -> Array:
    """Angle and axis ``[T, ..., 4]``; the axis keeps its side, and stays where there is no turn to tell it by."""
    sine = np.linalg.norm(q[..., 1:], axis=-1)
    axis = _held(q[..., 1:] / np.maximum(sine, _NO_AXIS)[..., None], sine > _NO_AXIS)
    turned = np.where(np.sum(axis[1:] * axis[:-1], axis=-1) < 0, -1.0, 1.0)
    side = np.concatenate([np.ones(sine.shape)[:1], np.cumprod(turned, axis=0)])
    axis = axis * side[..., None]
    angle = 2.0 * np.arctan2(np.sum(q[..., 1:] * axis, axis=-1), q[..., 0])
    return np.concatenate([np.unwrap(angle, axis=0)[..., None], axis], axis=-1)


def _held(axis: Array, known: NDArray[np.bool_]) -> Array:
    """``axis`` ``[T, ..., 3]`` with the last known one in frames without; +Y before the first."""
    frames = np.arange(len(axis)).reshape(-1, *[1] * (known.ndim - 1))
    last = np.maximum.accumulate(np.where(known, frames, -1), axis=0)
    held = np.take_along_axis(axis, np.maximum(last, 0)[..., None], axis=0)
    return np.where((last >= 0)[..., None], held, [0.0, 1.0, 0.0])


def _eulers(q: Array, mode: str) -> Array:
    """Euler angles ``[T, ..., 3]`` in radians, of the two solutions the one nearer to the frame before.

    After Shoemake, "Euler Angle Conversion" (Graphics Gems IV): angles (a, b, c) and (a + pi, pi - b, c + pi) are
    one rotation. Whether a step is shorter between like or unlike solutions does not depend on which one the
    frame before took, so the choice over time is the parity of the unlike steps so far.
    """
    first = _euler_solution(quat.to_matrix(q), mode)
    middle = _AXIS[mode[1]]
    second = first + np.pi
    second[..., middle] = np.pi - first[..., middle]
    like = np.abs(_wrapped(first[1:] - first[:-1])).sum(axis=-1)
    unlike = np.abs(_wrapped(second[1:] - first[:-1])).sum(axis=-1)
    changes = np.concatenate([np.zeros(first.shape[:-1])[:1], unlike < like])
    takes_second = np.cumsum(changes, axis=0) % 2 == 1
    return np.unwrap(np.where(takes_second[..., None], second, first), axis=0)


def _euler_solution(m: Array, mode: str) -> Array:
    """One of the two solutions ``[..., 3]`` for rotation matrices ``[..., 3, 3]``."""
    i, j, k = (_AXIS[letter] for letter in mode)
    side = 1.0 if (j - i) % 3 == 1 else -1.0
    cosine = np.hypot(m[..., i, i], m[..., j, i])
    free = cosine > _GIMBAL
    angles = np.empty(m.shape[:-1])
    angles[..., i] = np.where(
        free, np.arctan2(side * m[..., k, j], m[..., k, k]), np.arctan2(-side * m[..., j, k], m[..., j, j])
    )
    angles[..., j] = np.arctan2(-side * m[..., k, i], cosine)
    angles[..., k] = np.where(free, np.arctan2(side * m[..., j, i], m[..., i, i]), 0.0)
    return angles


def _wrapped(angle: Array) -> Array:
    """The same turn in -pi..pi."""
    return (angle + np.pi) % (2.0 * np.pi) - np.pi
