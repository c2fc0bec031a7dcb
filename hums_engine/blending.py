# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending a clip with what a rig does already: eased weights, rotations on the sphere, and seams without a jump.

``q`` and ``-q`` are one rotation, and so are angles a full turn apart, but a curve between them goes the long way
round. `seam` finds what brings one side of a cut to the other side's numbers without changing any pose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat

Array = NDArray[np.float64]


def weights(count: int, blend_in: int, blend_out: int) -> Array:
    """How much of the clip is seen at each of its frames ``[count]``: 0 at its ends, 1 in its middle, eased between.

    Args:
        count: frames of the clip.
        blend_in: frames from none of the clip to all of it; 0 begins with all of it.
        blend_out: frames from all of it to none at its last frame.

    Where the two meet, both count: the product of the two ramps.
    """
    frames = np.arange(count, dtype=np.float64)
    rising = frames / blend_in if blend_in > 0 else np.ones(count)
    falling = frames[::-1] / blend_out if blend_out > 0 else np.ones(count)
    return _eased(rising) * _eased(falling)


def _eased(x: Array) -> Array:
    """0 to 1 with no speed at either end: the smooth step 3x^2 - 2x^3."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def rotations(there: Array, clip: Array, share: Array) -> Array:
    """From rotations ``there`` ``[T, 4]`` to those of a clip ``[T, 4]``, along the shorter way, without sign flips.

    Args:
        there: what the rig does without the clip.
        clip: what the clip does.
        share: ``[T]`` weights of the clip.
    """
    return quat.unroll(quat.slerp(there, clip, share))


def vectors(there: Array, clip: Array, share: Array) -> Array:
    """From values ``there`` ``[T, C]`` to those of a clip ``[T, C]``, in a straight line."""
    return there + share[:, None] * (clip - there)


class Seam(NamedTuple):
    """What brings channel values to other numbers for the same pose: ``values * factor + offset``."""

    factor: float
    offset: Array

    def join(self, values: Array) -> Array:
        """``values`` ``[..., C]`` with the other numbers."""
        return values * self.factor + self.offset


def seam(values: Array, beside: Array, mode: str) -> Seam:
    """How to bring ``values`` ``[C]`` of a rotation to the numbers nearest to ``beside`` ``[C]``.

    Args:
        values: channels at the cut, on the side that is to change.
        beside: channels at the cut, on the side that stays.
        mode: Blender's rotation mode; for what is no rotation nothing changes.
    """
    still = np.zeros_like(values)
    if mode == "QUATERNION":
        return Seam(-1.0 if values @ beside < 0 else 1.0, still)
    if mode == "AXIS_ANGLE":  # the angle alone may gain a turn; angle and axis turned round are the same rotation
        ways = [Seam(factor, np.eye(4)[0] * _turns(factor * values, beside)) for factor in (1.0, -1.0)]
        return min(ways, key=lambda way: float(np.linalg.norm(way.join(values) - beside)))
    return Seam(1.0, _turns(values, beside) if len(mode) == 3 else still)


def _turns(values: Array, beside: Array) -> Array:
    """The full turns, in radians, that bring angles nearest to others."""
    return 2.0 * np.pi * np.round((beside - values) / (2.0 * np.pi))
