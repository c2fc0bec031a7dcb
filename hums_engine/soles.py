# SPDX-License-Identifier: GPL-3.0-or-later
"""Soles that stay out of the floor while feet roll over it.

Bones tell where ball and toes are, and not how far a shoe goes on below, ahead and behind. Where the skin is known, the
outline of each foot as seen from the side is read off it; else the ends of its bones stand for it. A foot gives a
little at the ankle, toes bend for the rest.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat, rest_pose
from .rest_pose import UP
from .skeleton import INDEX
from .smoothing import smoothed

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FEET: Final = tuple((INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]) for side in ("left", "right"))
_HIPS: Final = [INDEX["left_hip"], INDEX["right_hip"]]
_PELVIS: Final = INDEX["pelvis"]
_FLAT: Final = np.array([1.0, 1.0, 0.0])
_MOST_LIFT: Final = np.radians(6.0)
_MOST_BEND: Final = np.radians(65.0)
_BESIDE: Final = 0.6
"""In lengths of the foot: how far from the line from ankle to toes its skin may be, seen from above."""
_BELOW: Final = 0.3
_CORNERS: Final = 12
_SOLE: Final = 0.15
"""How much of the height of the hips is sole, of a figure without feet."""
_JERK_S: Final = 0.04


class Sole(NamedTuple):
    """Points of a part of the foot at rest that may touch the floor.

    Attributes:
        points: ``[K, 3]``.
        lowest: how low they may come.
    """

    points: Array
    lowest: float


def out_of_the_floor(
    turns: Array, joints: Array, rest: Array, tips: dict[int, Array], skin: Array | None, slack: float, fps: float
) -> Array:
    """Turns ``[T, 22, 4]`` with no foot in the floor.

    Args:
        turns: ``[T, 22, 4]`` from rest, in the world.
        joints: ``[T, 22, 3]`` where they bring the joints.
        rest: ``[22, 3]`` the joints at rest, NaN where missing.
        tips: where the toes of each ball that the rig has end at rest.
        skin: ``[V, 3]`` points of the figure's skin at rest; None: it is not known.
        slack: metres by which a sole may be in the floor.
        fps: frames a second.
    """
    result = turns.copy()
    for ankle, ball in _FEET:
        if not np.isfinite(rest[[ankle, ball]]).all():
            continue
        foot, toes = parts(rest[ankle], rest[ball], tips[ball], skin)
        side = quat.rotate(turns[:, ankle], quat.unit(np.cross(rest[ball] - rest[ankle], UP)))
        up, down = _limits(foot, rest[ankle], joints[:, ankle], turns[:, ankle], side, slack)
        angle = np.where(up > 0.0, up, -np.clip(down, 0.0, np.maximum(-up, 0.0)))
        lift = _turn(side, np.clip(angle, -_MOST_LIFT, _MOST_LIFT), fps)
        result[:, ankle] = quat.mul(lift, turns[:, ankle])
        start = joints[:, ankle] + quat.rotate(result[:, ankle], rest[ball] - rest[ankle])
        carried = quat.mul(lift, turns[:, ball])
        up, _ = _limits(toes, rest[ball], start, carried, side, slack)
        result[:, ball] = quat.mul(_turn(side, np.clip(up, 0.0, _MOST_BEND), fps), carried)
    return result


def sunk(hips: Array, turns: Array, rest: Array, skin: Array, floor: float, standing: Mask) -> float:
    """How far a figure with legs of one bone, which cannot bend them, is in the floor while it stands, in the median.

    Args:
        hips: ``[T, 3]`` where it is between its hips.
        turns: ``[T, 22, 4]`` from rest, in the world.
        rest: ``[22, 3]`` its joints at rest, NaN where missing.
        skin: ``[V, 3]`` points of its skin at rest.
        floor: height of the floor that it stands on at rest.
        standing: ``[T]`` when it stands.
    """
    between = rest_pose.hips(rest)
    low = skin[skin[:, 2] < floor + _SOLE * (between[2] - floor)]
    if not (np.isfinite(rest[_HIPS]).all() and len(low) and standing.any()):
        return 0.0
    nearest = np.argmin(np.linalg.norm((low[:, None] - rest[_HIPS]) * _FLAT, axis=-1), axis=1)
    forward = quat.rotate(rest_pose.heading(rest), rest_pose.FORWARD)
    lowest = np.full(len(hips), np.inf)
    for leg in np.unique(nearest):
        hip, sole = _HIPS[leg], low[nearest == leg]
        points = np.concatenate([_outline(sole, forward), _outline(sole, quat.cross(UP, forward))])
        place = hips + quat.rotate(turns[:, _PELVIS], rest[hip] - between)
        heights = (place[:, None] + quat.rotate(turns[:, None, hip], points - rest[hip]))[..., 2]
        lowest = np.minimum(lowest, heights.min(axis=1))
    return float(floor - np.median(lowest[standing]))


def parts(ankle: Array, ball: Array, tip: Array, skin: Array | None) -> tuple[Sole, Sole]:
    """The soles of a foot and of its toes at rest, where ankle, ball and the toes' tip are ``[3]``."""
    near = np.empty((0, 3)) if skin is None else _of_foot(skin, ankle, tip, float(min(ball[2], tip[2])))
    ahead = quat.unit((ball - ankle) * _FLAT)
    of_toes = (near - ball) @ ahead > 0.0
    lowest = near[:, 2].min(initial=np.inf)
    return tuple(  # type: ignore[return-value]
        Sole(_outline(part, ahead), lowest) if len(part) else Sole(end[None], float(end[2]))
        for part, end in ((near[~of_toes], ball), (near[of_toes], tip))
    )


def _of_foot(skin: Array, ankle: Array, tip: Array, lowest: float) -> Array:
    """The points ``[K, 3]`` of a figure's skin that are a foot's, below its ankle and not far below its bones."""
    way = (tip - ankle) * _FLAT
    length = max(float(np.linalg.norm(way)), 1e-9)
    low = skin[(skin[:, 2] < ankle[2]) & (skin[:, 2] > lowest - _BELOW * length)]
    along = np.clip((low - ankle) @ way / length**2, 0.0, 1.0)
    beside = np.linalg.norm((low - ankle - along[:, None] * way) * _FLAT, axis=-1)
    return low[beside < _BESIDE * length]


def _outline(points: Array, ahead: Array) -> Array:
    """Of points ``[K, 3]`` those that are outermost ahead, below and behind."""
    angles = np.linspace(0.0, np.pi, _CORNERS)[:, None]
    outward = np.cos(angles) * ahead - np.sin(angles) * UP
    return points[np.unique(np.argmax(points @ outward.T, axis=0))]


def _limits(sole: Sole, pivot: Array, place: Array, turns: Array, side: Array, slack: float) -> tuple[Array, Array]:
    """Radians ``[T]`` by which a part must be turned toes up for what is ahead, and toes down for what is behind.

    Below zero: how much room there is.

    Args:
        sole: the part's.
        pivot: ``[3]`` the joint that it turns about, at rest.
        place: ``[T, 3]`` where that is.
        turns: ``[T, 4]`` of the part from rest.
        side: ``[T, 3]`` unit direction to the right of the foot.
        slack: metres by which it may be in the floor.
    """
    off = quat.rotate(turns[:, None], sole.points - pivot)
    short = sole.lowest - slack - place[:, None, 2]
    ahead = quat.unit(quat.cross(UP, side))[:, None]
    forward = np.sum(off * ahead, axis=-1)
    needed = [_elevation_short(sign * forward, off[..., 2], short) for sign in (1.0, -1.0)]
    front = (sole.points - pivot) @ quat.cross(UP, quat.rotate(quat.inv(turns[0]), side[0])) >= 0.0
    return tuple(  # type: ignore[return-value]
        np.max(angles[:, some], axis=1, initial=-np.pi) for angles, some in zip(needed, (front, ~front), strict=True)
    )


def _elevation_short(forward: Array, height: Array, lowest: Array) -> Array:
    """Radians ``[T, K]`` by which points must rise about their pivot to be as high as ``lowest``."""
    length = np.maximum(np.hypot(forward, height), 1e-9)
    angle = np.arcsin(np.clip(lowest / length, -1.0, 1.0)) - np.arctan2(height, forward)
    return np.where(height < lowest, np.maximum(angle, 0.0), np.minimum(angle, 0.0))


def _turn(side: Array, angle: Array, fps: float) -> Array:
    """The turn ``[T, 4]`` by angles ``[T]`` about the foot's right, without a jerk."""
    return quat.from_axis_angle(side, smoothed(angle[:, None], _JERK_S * fps)[:, 0])
