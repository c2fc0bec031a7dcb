# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way is up in a file and how long its unit is, told from the figure itself.

Motion files say neither. Most are Y up and in centimetres, but exporters write what their program uses. A figure
tells: its head is above its feet, its lowest point stays on a floor, and it is about as tall as a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..motion import Motion

UpAxis = Literal["Y", "Z"]
Points = NDArray[np.floating]


class Unit(NamedTuple):
    """A unit of length: what a person calls it and how many metres it is."""

    name: str
    metres: float


METRE: Final = Unit("m", 1.0)
CENTIMETRE: Final = Unit("cm", 0.01)
INCH: Final = Unit("in", 0.0254)
# The skeletons of CMU and HDM05 count inches times 0.45, and conversions of them kept the numbers.
CMU_UNIT: Final = Unit("in/0.45", 0.0254 / 0.45)
UNITS: Final = (CENTIMETRE, METRE, INCH, CMU_UNIT, Unit("mm", 0.001), Unit("dm", 0.1))
"""The units considered, the likelier first."""

_ADULT: Final = (1.2, 2.1)  # metres
_FIGURE: Final = (0.8, 2.6)  # children, dwarfs and giants
_ANKLE_HEIGHT: Final = 1.06  # stature over the bones from the head joint to the ankles
_SPAN_OF_BONES: Final = 0.72  # stature over the longest way along the bones, from a finger tip to a toe tip
_SAMPLES: Final = 64  # frames looked at: a figure does not change its size or its floor

_HEAD: Final = re.compile(r"head|skull|neck", re.IGNORECASE)
_FOOT: Final = re.compile(r"foot|feet|ankle|heel|toe", re.IGNORECASE)
_BEYOND_ANKLE: Final = re.compile(r"toe|_end|nub|tip|ball", re.IGNORECASE)


class Landmarks(NamedTuple):
    """Indices of the joints by which a figure is measured; empty where names do not tell them."""

    heads: list[int]
    ankles: list[int]


def landmarks(names: Sequence[str]) -> Landmarks:
    """The joints whose names speak of a head or neck, and of feet; toes and end sites only where there is no ankle."""
    feet = [j for j, name in enumerate(names) if _FOOT.search(name)]
    ankles = [j for j in feet if not _BEYOND_ANKLE.search(names[j])]
    return Landmarks([j for j, name in enumerate(names) if _HEAD.search(name)], ankles or feet)


def to_motion(
    positions: Points,
    rotations: Points | None,
    rest: Points | None,
    parents: NDArray[np.intp],
    names: Sequence[str],
    fps: float,
    unit: Unit | None = None,
    up: UpAxis | None = None,
) -> Motion:
    """A Motion from joints in the axes and the unit of a file; both are told from the figure where it says neither.

    Args:
        positions: ``[T, J, 3]`` in the file's axes and unit; NaN where a joint is not seen.
        rotations: ``[T, J, 4]`` local rotations relative to rest, in the file's axes, or None.
        rest: ``[J, 3]`` joints at rest, in the file's axes and unit, or None.
        parents: ``[J]``, parents first, -1 for a root.
        names: the ``J`` joints.
        fps: frames a second.
        unit: the unit where the file states it.
        up: the axis that is up where the file states it.
    """
    sample = positions[np.unique(np.linspace(0, len(positions) - 1, _SAMPLES).astype(int))]
    marks = landmarks(names)
    up = up or up_axis(sample, rest, marks)
    unit = unit or length_unit(stature(sample, parents, marks))
    return Motion(
        positions=to_blender(positions, up) * unit.metres,
        rotations=None if rotations is None else turn_to_blender(rotations, up),
        rest_positions=None if rest is None else to_blender(rest, up) * unit.metres,
        parents=parents,
        joint_names=names,
        fps=fps,
        unit=unit.name,
        up=up,
    )


def to_blender(vectors: Points, up: UpAxis) -> Points:
    """``[..., 3]`` from Y up, facing +Z, to Blender's Z up, facing -Y: (x, y, z) becomes (x, -z, y); Z up stays.

    A figure that faces elsewhere is not turned.
    """
    turned = np.empty(vectors.shape, vectors.dtype)  # in C order, whatever order the reader worked in
    turned[..., 0] = vectors[..., 0]
    turned[..., 1] = vectors[..., 1] if up == "Z" else -vectors[..., 2]
    turned[..., 2] = vectors[..., 2] if up == "Z" else vectors[..., 1]
    return turned


def turn_to_blender(rotations: Points, up: UpAxis) -> Points:
    """Quaternions ``[..., 4]`` in Blender's axes: the axis of each is turned like a vector."""
    turned = np.empty(rotations.shape, rotations.dtype)
    turned[..., 0], turned[..., 1:] = rotations[..., 0], to_blender(rotations[..., 1:], up)
    return turned


def up_axis(posed: Points, rest: Points | None, marks: Landmarks) -> UpAxis:
    """Whether a figure is Y up or Z up, by a vote of what speaks for either.

    A rest pose stands upright (but some exporters rest along x, and some turn the root by 90 degrees instead of the
    axes), posed people mostly do (but may lie), and there is a floor. Without a clear majority for Z it is Y, as
    nearly all files are.

    Args:
        posed: ``[S, J, 3]`` some frames; NaN where a joint is not seen.
        rest: ``[J, 3]`` or None.
        marks: the joints by which the figure is measured.
    """
    for_y = 1.0 + _upright_vote(posed, marks) + _floor_vote(posed)
    if rest is not None:
        for_y += _upright_vote(rest[None], marks)
    return "Y" if for_y >= 0 else "Z"


def _upright_vote(figure: Points, marks: Landmarks) -> float:
    """2 where the head is above the feet along y in the frames ``[S, J, 3]``, -2 along z; half a point by extent."""
    if marks.heads and marks.ankles:
        spine = _mean(figure[:, marks.heads], 1) - _mean(figure[:, marks.ankles], 1)
        spine = spine / np.maximum(np.linalg.norm(spine, axis=-1, keepdims=True), 1e-9)
        _, y, z = _mean(spine, 0)
        return 2.0 if y > max(z + 0.3, 0.5) else -2.0 if z > max(y + 0.3, 0.5) else 0.0
    _, y, z = _mean(_highest(figure) + _highest(-figure), 0)
    return 0.5 if y > 1.5 * z else -0.5 if z > 1.5 * y else 0.0


def _floor_vote(posed: Points) -> float:
    """2 where the frames ``[S, J, 3]`` have a floor square to y, -2 square to z.

    A moving figure's lowest joint varies far less in height than sideways; one that keeps its place stands on zero.
    """
    lowest = -_highest(-posed)
    size = np.max(_mean(_highest(posed) - lowest, 0))
    _, y, z = np.sqrt(_mean((lowest - _mean(lowest, 0)) ** 2, 0))
    if max(y, z) > 0.05 * size:
        return 2.0 if y < 0.5 * z else -2.0 if z < 0.5 * y else 0.0
    stands = (np.abs(_mean(lowest, 0)) < 0.1 * size) & (_mean(posed[:, 0], 0) > 0.3 * size)
    return 2.0 * (float(stands[1]) - float(stands[2]))


def stature(posed: Points, parents: NDArray[np.intp], marks: Landmarks) -> float:
    """How tall the figure is, in the file's unit, measured along its bones, so that no pose and no rest pose matters.

    Args:
        posed: ``[S, J, 3]`` some frames; NaN where a joint is not seen.
        parents: ``[J]``, parents first, -1 for a root.
        marks: the joints by which it is measured; without them it is the longest way through the skeleton.
    """
    vectors = posed - posed[:, np.maximum(parents, 0)]
    lengths = np.where(parents < 0, 0.0, _mean(np.linalg.norm(vectors, axis=-1), 0))
    ways = _ways_to_root(parents)
    if marks.heads and marks.ankles:
        head = max(marks.heads, key=lambda j: ways[j] @ lengths)
        return _ANKLE_HEIGHT * float(np.median((ways[head] ^ ways[marks.ankles]) @ lengths))
    tip = int(np.argmax(ways @ lengths))
    return _SPAN_OF_BONES * float(np.max((ways ^ ways[tip]) @ lengths))


def length_unit(height: float) -> Unit:
    """The unit in which ``height`` is a person's: an adult's for choice, else any figure's, else the nearest."""
    for low, high in (_ADULT, _FIGURE):
        for unit in UNITS:
            if low <= height * unit.metres <= high:
                return unit
    if not height > 0:
        return CENTIMETRE
    return min(UNITS, key=lambda unit: abs(np.log(height * unit.metres / _ADULT[1])))


def _ways_to_root(parents: NDArray[np.intp]) -> NDArray[np.bool_]:
    """``[J, J]``: row j marks j and its ancestors, so that the xor of two rows is the way between two joints."""
    ways = np.eye(len(parents), dtype=bool)
    for j, parent in enumerate(parents):
        if parent >= 0:
            ways[j] |= ways[parent]
    return ways


def _highest(points: Points) -> Points:
    """The largest coordinates ``[S, 3]`` of the joints ``[S, J, 3]`` that are seen."""
    return np.max(np.where(np.isnan(points), -np.inf, points), axis=1)


def _mean(values: Points, axis: int) -> Points:
    """The mean along ``axis`` of what is finite; zero where nothing is."""
    finite = np.isfinite(values)
    return np.where(finite, values, 0.0).sum(axis) / np.maximum(finite.sum(axis), 1)
