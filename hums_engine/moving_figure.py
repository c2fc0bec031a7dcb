# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving figures: a motion prepared to be drawn again and again as a small body of round strokes.

What the eye sees of each frame is worked out once (`MovingFigure`); to draw any number of figures takes a few
operations on arrays (`strokes`): what is far comes first, and each limb has an edge that parts it from what it passes
in front of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import skeleton, viewing
from .canonical import CanonicalMotion

Array = NDArray[np.float32]

FPS: Final = 30.0
"""Frames a second of a prepared figure."""
HEAD: Final = skeleton.JOINT_COUNT
"""Index of the middle of the head, which is drawn beyond the joint of that name."""
POINT_COUNT: Final = HEAD + 1

_LONGEST_FRAMES: Final = 3600
"""Two minutes: of a longer motion the rest is not shown."""
_PARTS: Final = (*viewing.LIMBS, "head")
_TABLE: Final = [
    (_PARTS.index(limb), skeleton.INDEX[near], skeleton.INDEX[far], radius_near, radius_far)
    for limb, bones in viewing.LIMBS.items()
    for near, far, radius_near, radius_far in bones
] + [(_PARTS.index("head"), HEAD, HEAD, viewing.HEAD_RADIUS, viewing.HEAD_RADIUS)]
_LIMB: Final = np.array([row[0] for row in _TABLE])
_NEAR: Final = np.array([row[1] for row in _TABLE])
_FAR: Final = np.array([row[2] for row in _TABLE])
_RADII: Final = np.array([row[3:] for row in _TABLE], dtype=np.float32)
_SIDE: Final = np.array(
    [(_PARTS[limb].startswith("left") * 1) + (_PARTS[limb].startswith("right") * 2) for limb in _LIMB]
)
_MEMBERS: Final = (np.arange(len(_PARTS))[:, None] == _LIMB) / np.bincount(_LIMB)[:, None]
STROKE_COUNT: Final = len(_TABLE)

_BODY_DEPTH: Final = 0.4
"""Metres of the reference body over which strokes fade from near to far."""


@dataclass(frozen=True, eq=False)
class MovingFigure:
    """A motion as the eye sees it, the figure staying where it is.

    Attributes:
        points: ``[T, 23, 3]`` joints and head at 30 frames a second: to the right, up, and toward the eye, in metres of
            the reference body from the ground under the hips.
        shown: ``[STROKE_COUNT]`` which strokes the source has joints for.
        telling: the frame that shows best what happens.
        box: half the width that the figure ever takes, how deep it reaches, and how high, metres.
    """

    points: Array
    shown: NDArray[np.bool_]
    telling: int
    box: tuple[float, float, float]

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return (len(self.points) - 1) / FPS

    @property
    def byte_count(self) -> int:
        """What it takes in memory."""
        return self.points.nbytes

    def frame(self, time_s: float) -> int:
        """The frame ``time_s`` seconds after the first, as far as there is one."""
        return min(max(round(time_s * FPS), 0), len(self.points) - 1)


class Strokes(NamedTuple):
    """Round-ended strokes of one or more figures, in the order in which they are painted.

    Attributes:
        ends: ``[M, 4]`` x and y of either end.
        radii: ``[M, 2]`` at either end.
        side: ``[M]`` 0 in the middle of the body, 1 on its left, 2 on its right.
        fade: ``[M]`` 0 near the eye to 1 far from it.
        edge: ``[M]`` whether it only parts what is painted on it from what lies behind.
        figure: ``[M]`` which figure it is of.
    """

    ends: Array
    radii: Array
    side: NDArray[np.intp]
    fade: Array
    edge: NDArray[np.bool_]
    figure: NDArray[np.intp]


def prepare(motion: CanonicalMotion) -> MovingFigure:
    """Works out what the eye sees of a motion.

    Args:
        motion: of at least one valid joint.
    """
    valid = motion.valid
    positions = np.nan_to_num(motion.positions_at(FPS)[:_LONGEST_FRAMES].astype(np.float64))
    positions = viewing.centred(positions, valid)
    size = viewing.body_size(positions, valid)
    floor = positions[:, valid, 2].min() if valid.any() else 0.0
    ground = positions[:, 0] * [1.0, 1.0, 0.0] + [0.0, 0.0, floor]
    axes = viewing.eye(viewing.facing(positions, valid))
    seen = (positions - ground[:, None]) @ axes.T / size
    points = with_head(seen, valid)
    across, upward = float(np.abs(points[..., 0]).max()), points[..., 1]
    return MovingFigure(
        points=points.astype(np.float32),
        shown=drawable(valid),
        telling=telling_frame(points),
        box=(across + viewing.HEAD_RADIUS, float(upward.min()), float(upward.max()) + viewing.HEAD_RADIUS),
    )


def with_head(joints: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Joints ``[T, 22, 3]`` with the middle of the head behind them ``[T, 23, 3]``; gaps are filled from above."""
    chain = [max(viewing.present(j, valid), 0) for j in range(skeleton.JOINT_COUNT)]
    top = chain[skeleton.INDEX["head"]]
    base = max(viewing.present(int(skeleton.PARENTS[top]), valid), 0) if top else 0
    lift = joints[:, top] - joints[:, base]
    bone = np.linalg.norm(skeleton.REFERENCE[top] - skeleton.REFERENCE[base]) if top else 1.0
    head = joints[:, top] + lift / bone * viewing.HEAD_LIFT
    return np.concatenate([joints[:, chain], head[:, None]], axis=1)


def drawable(valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which strokes ``[STROKE_COUNT]`` can be drawn of a figure with these joints ``[22]``."""
    known = np.append(valid, valid[skeleton.INDEX["neck"]] | valid[skeleton.INDEX["head"]])
    rooted = np.array([near == HEAD or viewing.present(int(near), valid) >= 0 for near in _NEAR])
    return known[_FAR] & rooted


def telling_frame(points: NDArray[np.floating]) -> int:
    """The frame of ``points`` ``[T, 23, 3]`` whose pose is furthest from the usual: the height of a jump, the kick."""
    pose = points - points[:, :1]
    return int(np.argmax(np.linalg.norm(pose - np.median(pose, axis=0), axis=-1).sum(axis=-1)))


def strokes(points: Array, shown: NDArray[np.bool_], scale: Array, edge: float) -> Strokes:
    """The strokes of figures, ready to be painted one after another.

    Args:
        points: ``[N, 23, 3]`` joints and head on the screen, pixels; the third is how near they are, in metres of the
            reference body.
        shown: ``[N, STROKE_COUNT]``.
        scale: ``[N]`` pixels to a metre of the reference body.
        edge: pixels by which the edge of a limb stands out; 0 for none.
    """
    count = len(points)
    depth = (points[:, _NEAR, 2] + points[:, _FAR, 2]) / 2.0
    nearness = np.clip((depth - points[:, :1, 2]) / _BODY_DEPTH, -1.0, 1.0)
    order = _painting_order(depth, 2 if edge else 1)
    stroke = order % STROKE_COUNT
    is_edge = order >= STROKE_COUNT
    row = np.arange(count)[:, None]
    ends = np.concatenate([points[row, _NEAR[stroke], :2], points[row, _FAR[stroke], :2]], axis=-1)
    radii = _RADII[stroke] * scale[:, None, None] + (is_edge * np.float32(edge))[..., None]
    kept = shown[row, stroke]
    return Strokes(
        ends=ends[kept],
        radii=radii[kept].astype(np.float32),
        side=_SIDE[stroke[kept]],
        fade=(0.5 - 0.5 * nearness[row, stroke])[kept].astype(np.float32),
        edge=is_edge[kept],
        figure=np.broadcast_to(row, stroke.shape)[kept],
    )


def _painting_order(depth: Array, layers: int) -> NDArray[np.intp]:
    """Strokes ``[N, layers * STROKE_COUNT]``, far limbs first; a limb's edges (the second layer) before its strokes."""
    rank = np.argsort(np.argsort(depth @ _MEMBERS.T, axis=1), axis=1)[:, _LIMB]
    return np.argsort(np.concatenate([2 * rank + 1 - layer for layer in range(layers)], axis=1), axis=1, kind="stable")
