# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of a retargeted motion against its source, on joint positions alone.

All take canonical joints ``[T, 22, 3]`` in metres, Z up, NaN where missing, source and target at the same frames.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hums_engine import quat, rest_pose
from hums_engine.normalize import leg_length
from hums_engine.skeleton import INDEX

Array = NDArray[np.float64]

LEG_M = 0.9
"""Speeds and heights are given for legs scaled to this length, so that small rigs do not look better."""

_PLANTED_M_S = 0.15
_PLANTED_HEIGHT = 0.04


class Measures(NamedTuple):
    """What a person would see go wrong, in degrees, per cent of the leg, centimetres and centimetres a second."""

    limb_mean_deg: float
    limb_p95_deg: float
    trunk_deg: float
    foot_deg: float
    path_ground_pct: float
    path_height_pct: float
    slide_cm_s: float
    source_slide_cm_s: float
    above_floor_cm: float
    below_floor_cm: float


def measure(source: Array, target: Array, rest: Array, fps: float) -> Measures:
    """Compares a target's joints with the source's.

    Args:
        source: ``[T, 22, 3]``.
        target: ``[T, 22, 3]`` at the same frames, turned and placed as the rig was.
        rest: ``[22, 3]`` the target at rest, standing on its floor.
        fps: frames a second.
    """
    source = _facing(source, target)
    limbs = np.concatenate([_angles(source, target, a, b) for u, m, e in rest_pose.LIMBS for a, b in ((u, m), (m, e))])
    feet = np.concatenate([_angles(source, target, INDEX[f"{s}_ankle"], INDEX[f"{s}_foot"]) for s in ("left", "right")])
    ground, height = _path_errors(source, target)
    above, below = _floor_errors(target, rest)
    planted = _planted(source, fps)
    return Measures(
        limb_mean_deg=float(np.nanmean(limbs)),
        limb_p95_deg=float(np.nanpercentile(limbs, 95)),
        trunk_deg=float(np.nanmean(_degrees(rest_pose.trunk_direction(source), rest_pose.trunk_direction(target)))),
        foot_deg=float(np.nanmean(feet)) if np.isfinite(feet).any() else float("nan"),
        path_ground_pct=ground,
        path_height_pct=height,
        slide_cm_s=_slide(target, planted, fps),
        source_slide_cm_s=_slide(source, planted, fps),
        above_floor_cm=above,
        below_floor_cm=below,
    )


def _facing(source: Array, target: Array) -> Array:
    """The source turned about the vertical so that it faces as the target does in the first frame."""
    turn = quat.mul(rest_pose.heading(target[0]), quat.inv(rest_pose.heading(source[0])))
    return quat.rotate(turn, source)


def _degrees(a: Array, b: Array) -> Array:
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def _angles(source: Array, target: Array, start: int, end: int) -> Array:
    return _degrees(source[:, end] - source[:, start], target[:, end] - target[:, start])


def _path_errors(source: Array, target: Array) -> tuple[float, float]:
    """Root-mean-square distance of the hips' paths over the ground and in height, per cent of the target's leg."""
    leg = leg_length(target)
    a, b = rest_pose.hips(source) * (leg / leg_length(source)), rest_pose.hips(target)
    off = (b - b[0]) - (a - a[0])
    ground, height = np.hypot(off[:, 0], off[:, 1]), off[:, 2]
    return tuple(float(np.sqrt(np.mean(e**2)) / leg * 100) for e in (ground, height))  # type: ignore[return-value]


def _feet(joints: Array) -> Array:
    return joints[:, [INDEX["left_ankle"], INDEX["right_ankle"]]]


def _planted(source: Array, fps: float) -> NDArray[np.bool_]:
    """When each ankle ``[T - 1, 2]`` of the source stands: low and slow, for legs of 0.9 m."""
    feet = _feet(source) * (LEG_M / leg_length(source))
    low = feet[1:, :, 2] < np.percentile(feet[..., 2].min(axis=1), 5) + _PLANTED_HEIGHT
    return low & (np.linalg.norm(np.diff(feet, axis=0), axis=-1) * fps < _PLANTED_M_S)


def _slide(joints: Array, planted: NDArray[np.bool_], fps: float) -> float:
    """Mean speed over the ground of planted ankles, cm/s for legs of 0.9 m; NaN where none stands."""
    feet = _feet(joints) * (LEG_M / leg_length(joints))
    speed = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * fps * 100
    return float(speed[planted].mean()) if planted.any() else float("nan")


def _floor_errors(target: Array, rest: Array) -> tuple[float, float]:
    """How far the lowest standing ankle hangs above or sinks below its height at rest, cm for legs of 0.9 m."""
    lowest = np.percentile(_feet(target)[..., 2].min(axis=1), 5)
    off = float(lowest - _feet(rest[None])[..., 2].mean()) * (LEG_M / leg_length(target)) * 100
    return max(off, 0.0), max(-off, 0.0)
