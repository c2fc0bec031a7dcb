# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit quaternions as arrays ``[..., 4]``, w first, right-handed, active rotations.

Free functions over arrays with leading batch dimensions; every function broadcasts. ``mul(a, b)``
turns by ``b`` first and then by ``a``, like the product of their matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

IDENTITY: Array = np.array([1.0, 0.0, 0.0, 0.0])


def mul(a: ArrayLike, b: ArrayLike) -> Array:
    """Hamilton product ``[..., 4]``: the rotation ``b`` followed by the rotation ``a``."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    aw, ax, ay, az = (a[..., i] for i in range(4))
    bw, bx, by, bz = (b[..., i] for i in range(4))
    return _side_by_side(
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def _side_by_side(*parts: Array) -> Array:
    """The components ``[...]`` as ``[..., n]``. In memory they stay apart: what is done with them next is faster so."""
    whole = np.stack(parts)
    return whole.transpose(*range(1, whole.ndim), 0)


def cross(a: Array, b: Array) -> Array:
    """The cross product ``[..., 3]``, in a third of the time that `numpy.cross` takes for a thousand vectors."""
    (ax, ay, az), (bx, by, bz) = ((v[..., 0], v[..., 1], v[..., 2]) for v in (a, b))
    return _side_by_side(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def inv(q: ArrayLike) -> Array:
    """The inverse rotation ``[..., 4]`` (the conjugate: quaternions here are of unit length)."""
    return np.asarray(q, dtype=np.float64) * np.array([1.0, -1.0, -1.0, -1.0])


def normalize(q: ArrayLike) -> Array:
    """``q`` at unit length ``[..., 4]``; a zero quaternion becomes the identity."""
    q = np.asarray(q, dtype=np.float64)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(length > 1e-12, q / np.maximum(length, 1e-12), IDENTITY)


def rotate(q: ArrayLike, v: ArrayLike) -> Array:
    """The vectors ``v`` ``[..., 3]`` turned by ``q`` ``[..., 4]``."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(v, dtype=np.float64)
    axis, w = q[..., 1:], q[..., :1]
    t = 2.0 * cross(axis, v)
    return v + w * t + cross(axis, t)


def from_axis_angle(axis: ArrayLike, angle: ArrayLike) -> Array:
    """The turn by ``angle`` ``[...]`` radians about the unit ``axis`` ``[..., 3]``."""
    half = np.asarray(angle, dtype=np.float64)[..., None] / 2.0
    xyz = np.sin(half) * np.asarray(axis, dtype=np.float64)
    w = np.broadcast_to(np.cos(half), (*xyz.shape[:-1], 1))
    return np.concatenate([w, xyz], axis=-1)


def from_euler(angles: ArrayLike, order: str) -> Array:
    """Turns about the moving axes, first letter outermost, as BVH channels are listed.

    Args:
        angles: ``[..., n]`` radians, one per letter of ``order``.
        order: axis letters such as ``"ZXY"``, of any length (odd channel lists are legal BVH).

    Returns:
        ``[..., 4]``: the product of the single turns in the order given (``Rz @ Rx @ Ry``).
    """
    angles = np.asarray(angles, dtype=np.float64)
    result = np.broadcast_to(IDENTITY, (*angles.shape[:-1], 4))
    for i, letter in enumerate(order.upper()):
        result = mul(result, from_axis_angle(np.eye(3)["XYZ".index(letter)], angles[..., i]))
    return np.array(result)


def from_matrix(m: ArrayLike) -> Array:
    """Rotation matrices ``[..., 3, 3]`` as quaternions ``[..., 4]`` (w >= 0).

    Uses the largest of the four candidates, so it is stable at every angle (Shepperd 1978).
    """
    m = np.asarray(m, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squares = np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], axis=-1)
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    s0, s1, s2, s3 = np.moveaxis(squares, -1, 0)
    candidates = np.stack(
        [
            np.stack([s0, wx, wy, wz], axis=-1),
            np.stack([wx, s1, xy, xz], axis=-1),
            np.stack([wy, xy, s2, yz], axis=-1),
            np.stack([wz, xz, yz, s3], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(squares, axis=-1)[..., None, None]
    q = normalize(np.take_along_axis(candidates, best, axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0, -q, q)


def to_matrix(q: ArrayLike) -> Array:
    """Quaternions ``[..., 4]`` as rotation matrices ``[..., 3, 3]`` acting on column vectors."""
    return np.stack([rotate(q, axis) for axis in np.eye(3)], axis=-1)


def between(a: ArrayLike, b: ArrayLike) -> Array:
    """The shortest turn ``[..., 4]`` that takes the direction ``a`` ``[..., 3]`` to ``b``.

    Opposite directions turn half a circle about an arbitrary axis square to ``a``. Vectors need not
    be of unit length; a zero vector gives the identity.
    """
    a, b = unit(a), unit(b)
    a, b = np.broadcast_arrays(a, b)
    w = 1.0 + np.sum(a * b, axis=-1, keepdims=True)
    q = np.concatenate([w, cross(a, b)], axis=-1)
    smallest = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
    half_turn = np.concatenate([np.zeros_like(w), unit(cross(a, smallest))], axis=-1)
    some_zero = (np.abs(a).sum(-1, keepdims=True) == 0) | (np.abs(b).sum(-1, keepdims=True) == 0)
    return np.where(some_zero, IDENTITY, np.where(w < 1e-8, half_turn, normalize(q)))


def slerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> Array:
    """Between ``a`` and ``b`` ``[..., 4]`` at ``t`` ``[...]`` in 0..1, along the shorter way."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    t = np.asarray(t, dtype=np.float64)[..., None]
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b, dot = np.where(dot < 0, -b, b), np.abs(dot)
    angle = np.arccos(np.clip(dot, 0.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    wa = np.where(near, 1.0 - t, np.sin((1.0 - t) * angle) / safe)
    wb = np.where(near, t, np.sin(t * angle) / safe)
    return normalize(wa * a + wb * b)


def unroll(q: ArrayLike) -> Array:
    """``q`` ``[T, ..., 4]`` with signs flipped so that no step along the first axis is the long way.

    ``q`` and ``-q`` are the same rotation, but a curve that jumps between them interpolates
    through a full turn. The sign of a frame is the product of the signs of the steps before it.
    """
    q = np.asarray(q, dtype=np.float64)
    if len(q) < 2:
        return q.copy()
    steps = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones_like(steps[:1]), np.cumprod(steps, axis=0)])
    return q * signs[..., None]


def unit(v: ArrayLike) -> Array:
    """The vectors ``v`` ``[..., 3]`` at unit length; a vector shorter than 1e-12 becomes zero."""
    v = np.asarray(v, dtype=np.float64)
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.where(length > 1e-12, v / np.maximum(length, 1e-12), 0.0)


def angle(a: ArrayLike, b: ArrayLike) -> Array:
    """The angle ``[...]`` in radians, 0 to pi, between the rotations ``a`` and ``b`` ``[..., 4]``."""
    difference = mul(inv(a), b)
    # by the arc tangent: the arc cosine loses half the digits at small angles
    return 2.0 * np.arctan2(np.linalg.norm(difference[..., 1:], axis=-1), np.abs(difference[..., 0]))
