# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of a retargeted motion against its source, on joint positions and bone turns alone.

All take canonical joints ``[T, 22, 3]`` in metres, Z up, NaN where missing, source and target at the same frames, and
turns ``[T, 22, 4]`` in the world: of the source from the reference pose, of the target from its own rest pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hums_engine import quat, rest_pose, skeleton
from hums_engine.normalize import leg_length
from hums_engine.skeleton import INDEX

Array = NDArray[np.float64]

LEG_M = 0.9
"""Speeds and heights are given for legs scaled to this length, so that small rigs do not look better."""

_PLANTED_M_S = 0.15
_PLANTED_HEIGHT = 0.04
_FOOT = 1.0 + skeleton.REFERENCE[INDEX["left_ankle"], 2] / skeleton.LEG_LENGTH
_FLIP = np.radians(45.0)
_FORWARD = rest_pose.FORWARD
_SIDES = ("left", "right")


class Measures(NamedTuple):
    """What a person would see go wrong, in degrees, per cent of the leg, centimetres and centimetres a second.

    Feet are compared as they stand: by how far each is turned from flat on the floor. Where a rig's sole is drawn at
    another slope between ankle and ball than the source's, the same directions would be a foot on tiptoe.
    """

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
    knee_twist_deg: float
    flips: float


@dataclass(frozen=True, eq=False)
class Performance:
    """Joints ``[T, 22, 3]`` over time, and the turns ``[T, 22, 4]`` of the bones that leave them from ``rest``."""

    joints: Array
    turns: Array
    rest: Array


def measure(source: Performance, target: Performance, fps: float) -> Measures:
    """Compares a target with its source.

    Args:
        source: what was played; its rest pose is the reference pose.
        target: at the same frames, turned and placed as the rig was, its rest pose standing on its floor.
        fps: frames a second.
    """
    turn = quat.mul(rest_pose.heading(target.joints[0]), quat.inv(rest_pose.heading(source.joints[0])))
    joints = quat.rotate(turn, source.joints)
    limbs = np.concatenate([_limb(joints, target, limb) for limb in rest_pose.LIMBS])
    trunks = (rest_pose.trunk_direction(posed) for posed in (joints, target.joints))
    ground, height = _path_errors(joints, target)
    above, below = _floor_errors(target)
    planted = _planted(joints, fps)
    return Measures(
        limb_mean_deg=float(np.nanmean(limbs)),
        limb_p95_deg=float(np.nanpercentile(limbs, 95)),
        trunk_deg=float(np.nanmean(_degrees(*trunks))),
        foot_deg=float(np.nanmean(_feet_apart(quat.mul(turn, source.turns), target))),
        path_ground_pct=ground,
        path_height_pct=height,
        slide_cm_s=_slide(target.joints, leg_of(target), planted, fps),
        source_slide_cm_s=_slide(joints, leg_length(joints), planted, fps),
        above_floor_cm=above,
        below_floor_cm=below,
        knee_twist_deg=_knee_twist(target) - _knee_twist(source),
        flips=max(0.0, _flips(target) - _flips(source)),
    )


def _degrees(a: Array, b: Array) -> Array:
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def _limb(source: Array, target: Performance, limb: tuple[int, int, int]) -> Array:
    """Degrees between the directions of a limb's two bones.

    A leg of one bone, which hangs straight down at rest, is compared with the way from hip to ankle; an arm of one
    bone, whose end no joint marks, is not compared.
    """
    upper, middle, end = limb
    if np.isfinite(target.joints[0, [middle, end]]).all():
        pairs = ((upper, middle), (middle, end))
        return np.concatenate(
            [_degrees(source[:, b] - source[:, a], target.joints[:, b] - target.joints[:, a]) for a, b in pairs]
        )
    if limb not in rest_pose.LEGS:
        return np.empty(0)
    return _degrees(source[:, end] - source[:, upper], quat.rotate(target.turns[:, upper], -rest_pose.UP))


def _feet_apart(turns: Array, target: Performance) -> Array:
    """Degrees between the source's and the target's feet, each as turned from flat."""
    found = []
    for side in _SIDES:
        ankle, ball = INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]
        direction = target.rest[ball] - target.rest[ankle]
        ahead = direction if np.isfinite(direction).all() else quat.rotate(rest_pose.heading(target.rest), _FORWARD)
        flat = quat.unit(ahead * [1.0, 1.0, 0.0])
        found.append(_degrees(quat.rotate(turns[:, ankle], _FORWARD), quat.rotate(target.turns[:, ankle], flat)))
    return np.concatenate(found)


def _path_errors(source: Array, target: Performance) -> tuple[float, float]:
    """Root-mean-square distance of the hips' paths over the ground and in height, per cent of the target's leg."""
    leg = leg_of(target)
    a, b = rest_pose.hips(source) * (leg / leg_length(source)), rest_pose.hips(target.joints)
    off = (b - b[0]) - (a - a[0])
    ground, height = np.hypot(off[:, 0], off[:, 1]), off[:, 2]
    return tuple(float(np.sqrt(np.mean(e**2)) / leg * 100) for e in (ground, height))  # type: ignore[return-value]


def leg_of(figure: Performance) -> float:
    """Length of the legs; of a figure without knees and feet, how high its hips rest over a foot of usual height."""
    leg = leg_length(figure.joints)
    return leg if np.isfinite(leg) else float(rest_pose.hips(figure.rest)[2]) / _FOOT


def _feet(joints: Array) -> Array:
    return joints[:, [INDEX["left_ankle"], INDEX["right_ankle"]]]


def _planted(source: Array, fps: float) -> NDArray[np.bool_]:
    """When each ankle ``[T - 1, 2]`` of the source stands: low and slow, for legs of 0.9 m."""
    feet = _feet(source) * (LEG_M / leg_length(source))
    low = feet[1:, :, 2] < np.percentile(feet[..., 2].min(axis=1), 5) + _PLANTED_HEIGHT
    return low & (np.linalg.norm(np.diff(feet, axis=0), axis=-1) * fps < _PLANTED_M_S)


def _slide(joints: Array, leg: float, planted: NDArray[np.bool_], fps: float) -> float:
    """Mean speed over the ground of planted ankles, cm/s for legs of 0.9 m; NaN where none stands."""
    feet = _feet(joints) * (LEG_M / leg)
    speed = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * fps * 100
    return float(speed[planted].mean()) if planted.any() else float("nan")


def _floor_errors(target: Performance) -> tuple[float, float]:
    """How far the lowest standing ankle hangs above or sinks below its height at rest, cm for legs of 0.9 m."""
    lowest = np.percentile(_feet(target.joints)[..., 2].min(axis=1), 5)
    off = float(lowest - _feet(target.rest[None])[..., 2].mean()) * (LEG_M / leg_of(target)) * 100
    return (max(off, 0.0), max(-off, 0.0)) if np.isfinite(off) else (off, off)


def _knee_twist(figure: Performance) -> float:
    """Degrees, in the mean, by which shins are turned about their own axis against their thighs."""
    twists = []
    for side in _SIDES:
        knee, ankle = INDEX[f"{side}_knee"], INDEX[f"{side}_ankle"]
        local = quat.mul(quat.inv(figure.turns[:, INDEX[f"{side}_hip"]]), figure.turns[:, knee])
        along = quat.unit(figure.rest[ankle] - figure.rest[knee])
        twists.append(2 * np.arctan2(np.abs(np.sum(local[:, 1:] * along, axis=-1)), np.abs(local[:, 0])))
    return float(np.degrees(np.mean(twists)))


def _flips(figure: Performance) -> int:
    """How often a bone turns by more than 45 degrees from one frame to the next."""
    return int((quat.angle(figure.turns[1:], figure.turns[:-1]) > _FLIP).sum())
