# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed solution of a limb of two bones: an arm or a leg that reaches for a place."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import quat

Array = NDArray[np.float64]

_REACH: Final = 0.9995
"""A limb is never stretched straight: its joint would pop on the way there."""


def reach(hip: Array, knee: Array, ankle: Array, target: Array) -> tuple[Array, Array]:
    """Turns of both bones that bring the limb's end to its target, the joint between them staying on its side.

    Args:
        hip: ``[..., 3]`` where the limb hangs; it stays.
        knee: ``[..., 3]`` the joint between.
        ankle: ``[..., 3]`` its end.
        target: ``[..., 3]`` where the end should be; out of reach, the limb points there.

    Returns:
        World turns of the upper and of the lower bone ``[..., 4]``, to be applied after the bones' own.
    """
    upper = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    lower = np.linalg.norm(ankle - knee, axis=-1, keepdims=True)
    to_target = target - hip
    distance = np.clip(
        np.linalg.norm(to_target, axis=-1, keepdims=True), np.abs(upper - lower) + 1e-6, (upper + lower) * _REACH
    )
    ahead = quat.unit(to_target)
    cosine = np.clip((upper**2 + distance**2 - lower**2) / np.maximum(2 * upper * distance, 1e-9), -1.0, 1.0)
    new_knee = hip + upper * (cosine * ahead + np.sqrt(1 - cosine**2) * _knee_side(hip, knee, ankle, ahead))
    thigh = quat.between(knee - hip, new_knee - hip)
    shin = quat.between(ankle - knee, hip + distance * ahead - new_knee)
    return thigh, shin


def _knee_side(hip: Array, knee: Array, ankle: Array, ahead: Array) -> Array:
    """Unit direction ``[..., 3]`` square to ``ahead`` in which the knee points, carried along with the leg."""
    along = quat.unit(ankle - hip)
    side = (knee - hip) - np.sum((knee - hip) * along, axis=-1, keepdims=True) * along
    carried = quat.rotate(quat.between(along, ahead), side)
    return quat.unit(carried - np.sum(carried * ahead, axis=-1, keepdims=True) * ahead)
