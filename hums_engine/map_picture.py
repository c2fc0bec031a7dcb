# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's map as a small figure: joints that were found as filled dots, missing ones hollow, all in plain numpy.

The colours stand on light and on dark ground, for there is none in the picture. The figure is seen from the front, so
its left limbs, which are warm, are at the viewer's right.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .skeleton import JOINTS, PARENTS

Array = NDArray[np.float64]

_LEFT: Final = (0.91, 0.44, 0.26)
_RIGHT: Final = (0.22, 0.55, 0.80)
_MIDDLE: Final = (0.58, 0.58, 0.60)
# Where the joints stand, x to the viewer's right and y up, from 0 to 1: spread, so that no dot covers another.
_MIDDLES: Final = {
    "pelvis": 0.5, "spine1": 0.575, "spine2": 0.65, "spine3": 0.725, "neck": 0.82, "head": 0.91
}  # fmt: skip
_SIDES: Final = {
    "collar": (0.075, 0.785), "shoulder": (0.165, 0.765), "elbow": (0.255, 0.625), "wrist": (0.335, 0.485),
    "hip": (0.085, 0.445), "knee": (0.105, 0.275), "ankle": (0.12, 0.105), "foot": (0.185, 0.06),
}  # fmt: skip
_BONE: Final = 0.009  # half the width of a line, to the picture's
_DOT: Final = 0.026
_RING: Final = 0.007
_GAP: Final = 0.008
_CHOSEN: Final = 1.5  # size of the chosen joint's dot to the others'
_FAINT: Final = 0.35


def draw(valid: NDArray[np.bool_], chosen: str = "", size: int = 256) -> NDArray[np.float32]:
    """The picture ``[size, size, 4]``, 0 to 1, as Blender holds previews: alpha premultiplied, the lowest row first.

    Args:
        valid: ``[22]`` which joints were found.
        chosen: a joint that stands out, or empty.
        size: width and height, pixels.
    """
    places = _places()
    picture = np.zeros((size, size, 4))
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            ends = places[[parent, joint]]
            part, pixels = _window(picture, ends, _BONE)
            strength = 1.0 if valid[joint] and valid[parent] else _FAINT
            _paint(part, _cover(_from_line(pixels, *ends) - _BONE, size) * strength, _MIDDLE)
    for joint, place in enumerate(places):
        radius = _DOT * (_CHOSEN if JOINTS[joint] == chosen else 1.0)
        part, pixels = _window(picture, place[None], radius + _GAP)
        away = np.linalg.norm(pixels - place, axis=-1)
        part[..., 3] *= 1.0 - _cover(away - radius - _GAP, size)
        shape = away - radius if valid[joint] else np.abs(away - radius + _RING) - _RING
        _paint(part, _cover(shape, size), _hue(JOINTS[joint]))
    picture[..., :3] *= picture[..., 3:]
    return picture.astype(np.float32)


def _window(picture: Array, points: Array, margin: float) -> tuple[Array, Array]:
    """The part of a picture about some points, as a view of it, and where its pixels' middles are ``[H, W, 2]``."""
    size = len(picture)
    low = np.floor((points.min(axis=0) - margin) * size - 1.0).astype(np.intp).clip(0, size)
    high = np.ceil((points.max(axis=0) + margin) * size + 1.0).astype(np.intp).clip(0, size)
    columns, rows = ((np.arange(low[axis], high[axis]) + 0.5) / size for axis in (0, 1))
    return picture[low[1] : high[1], low[0] : high[0]], np.stack(np.meshgrid(columns, rows), axis=-1)


def _places() -> Array:
    """Where the joints are ``[22, 2]``, from the lower left corner."""
    places = {joint: (0.5, y) for joint, y in _MIDDLES.items()}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        places |= {f"{side}_{joint}": (0.5 + sign * x, y) for joint, (x, y) in _SIDES.items()}
    return np.array([places[joint] for joint in JOINTS])


def _from_line(pixels: Array, start: Array, end: Array) -> Array:
    along = end - start
    t = np.clip(((pixels - start) @ along) / max(float(along @ along), 1e-12), 0.0, 1.0)
    return np.linalg.norm(pixels - start - t[..., None] * along, axis=-1)


def _cover(outside: Array, size: int) -> Array:
    """How much of each pixel lies inside, 0 to 1, from its distance to the outline."""
    return np.clip(0.5 - outside * size, 0.0, 1.0)


def _paint(part: Array, cover: Array, colour: tuple[float, float, float]) -> None:
    alpha = cover + part[..., 3] * (1.0 - cover)
    share = np.where(alpha > 0.0, cover / np.maximum(alpha, 1e-9), 0.0)[..., None]
    part[..., :3] = part[..., :3] * (1.0 - share) + np.array(colour) * share
    part[..., 3] = alpha


def _hue(joint: str) -> tuple[float, float, float]:
    return _LEFT if joint.startswith("left") else _RIGHT if joint.startswith("right") else _MIDDLE
