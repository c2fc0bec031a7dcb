# SPDX-License-Identifier: GPL-3.0-or-later
"""Screen: from the world to pixels and back, for what is drawn over a 3D view and what is under the mouse there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEEPEST = 1e-3


def project(perspective: Array, points: NDArray[np.floating], size: tuple[int, int]) -> Array:
    """Points of the world as the eye sees them.

    Args:
        perspective: ``[4, 4]`` from the world to clip space, as OpenGL has it.
        points: ``[..., 3]``.
        size: width and height of the picture, pixels.

    Returns:
        ``[..., 3]``: pixels from the lower left, and the distance from the eye (in a view without perspective, any
        number that grows with it); NaN for points behind the eye.
    """
    clip = points.astype(np.float64) @ perspective[:, :3].T + perspective[:, 3]
    w = clip[..., 3:]
    ahead = w > 1e-9
    seen = clip[..., :3] / np.where(ahead, w, np.nan)
    pixels = (seen[..., :2] * 0.5 + 0.5) * np.array(size, dtype=np.float64)
    flat = np.allclose(perspective[3, :3], 0.0)
    return np.concatenate([pixels, seen[..., 2:] if flat else np.where(ahead, w, np.nan)], axis=-1)


def nearest_segment(point: Array, starts: Array, ends: Array) -> tuple[float, float]:
    """How far a point ``[2]`` is from the nearest of segments on the screen, and how far that is from the eye.

    Args:
        point: pixels.
        starts: ``[N, 3]`` as `project` returns them.
        ends: ``[N, 3]``.

    Returns:
        Pixels, infinite if none is seen; and the depth of the nearest point.
    """
    way = ends - starts
    square = np.maximum((way[:, :2] ** 2).sum(axis=1), 1e-12)
    part = np.clip(((point - starts[:, :2]) * way[:, :2]).sum(axis=1) / square, 0.0, 1.0)
    nearest = starts + part[:, None] * way
    away = np.linalg.norm(nearest[:, :2] - point, axis=1)
    away = np.where(np.isfinite(away), away, np.inf)
    if not np.isfinite(away).any():
        return float("inf"), float("inf")
    best = int(np.argmin(away))
    return float(away[best]), float(nearest[best, 2])


def on_floor(origin: Array, direction: Array, farthest: float) -> Array | None:
    """Where a ray meets the plane z = 0, ``[3]``; None where it runs beside it, away from it, or too far.

    Args:
        origin: ``[3]`` metres.
        direction: ``[3]`` of any length.
        farthest: metres along the ray.
    """
    direction = direction / np.linalg.norm(direction)
    if abs(direction[2]) < _STEEPEST:
        return None
    along = -origin[2] / direction[2]
    return origin + along * direction if 0.0 <= along <= farthest else None


def nearest_on_ray(origin: Array, direction: Array, point: Array) -> Array:
    """The point ``[3]`` nearest to ``point`` of the line through ``origin`` along ``direction``, each ``[3]``."""
    direction = direction / np.linalg.norm(direction)
    return origin + float((point - origin) @ direction) * direction
