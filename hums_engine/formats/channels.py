# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels to poses: what each column of a motion file moves, and where the joints then stand.

Reading a library is this and parsing, so the arithmetic is laid out for speed: float32, components first
(``[4, J, T]``), all joints of one depth at a time. `motion.forward_kinematics` is the same in plain form; the tests
hold the two together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFileError
from ..motion import levels

LARGEST: Final = 1e9
"""Numbers beyond it are damage: in no unit is a figure that large."""

MOST_PLACES: Final = 100_000_000
"""Joints times frames that are posed at most, for which some 8 GB are needed; two hours of 100 joints are fewer."""

_WILD: Final = 3600.0  # degrees, beyond which float32 loses what matters of a turn

Floats = NDArray[np.float32]


class Posed(NamedTuple):
    """Joints in the axes and the unit of their file.

    Attributes:
        positions: ``[T, J, 3]`` float32; NaN where a joint is not seen.
        rotations: ``[T, J, 4]`` float32, local, relative to rest.
        rest: ``[J, 3]`` float32.
    """

    positions: Floats
    rotations: Floats
    rest: Floats


class Move(NamedTuple):
    """A column that moves a joint along a vector, and whether it stands in place of the rest offset there."""

    joint: int
    column: int
    vector: tuple[float, float, float]
    replaces: bool


class Turn(NamedTuple):
    """Columns of degrees that turn a joint about the axes of the same place in ``axes``, the first outermost."""

    joint: int
    columns: Sequence[int]
    axes: str


class Channels(NamedTuple):
    """What the columns of a motion do to a skeleton.

    Attributes:
        parents: ``[J]``, parents first, -1 for a root.
        offsets: ``[J, 3]`` from the parent, at rest.
        moves: the columns of positions.
        turns: the columns of rotations, at most one Turn a joint.
        frames: ``[J, 4]`` of each joint the turn from the world's axes to those it turns about, or None where
            they are parallel.
    """

    parents: NDArray[np.intp]
    offsets: NDArray[np.float64]
    moves: Sequence[Move]
    turns: Sequence[Turn]
    frames: NDArray[np.float64] | None = None

    def pose(self, values: NDArray[np.float64]) -> Posed:
        """The skeleton posed by ``values`` ``[T, columns]``, position in file units and rotation in degrees.

        A value that is NaN, infinite or beyond ``LARGEST`` is held from the last frame that has it, and what it
        moves is not seen.

        Raises:
            MotionFileError: no frame shows more than the root, or there are more joints times frames than
                ``MOST_PLACES``.
        """
        if len(values) * len(self.parents) > MOST_PLACES:
            raise MotionFileError(
                f"{len(values)} frames of {len(self.parents)} joints are too many at once; cut the take."
            )
        columns = np.ascontiguousarray(values.T)
        seen = None
        if not np.max(np.abs(columns)) < LARGEST:  # NaN comes here too
            seen = np.abs(columns) < LARGEST
            columns = _held(columns, seen)
        offsets = self._rest_offsets(columns)
        local = self._local(columns)
        positions = _positions(local, self._moved(columns, offsets), self.parents)
        if seen is not None:
            positions[:, self._unseen(seen)] = np.nan
            if np.all(np.sum(np.isfinite(positions[0]), axis=0) < min(len(self.parents), 2)):
                raise MotionFileError("no frame has usable numbers (all NaN or absurdly large); export the file again.")
        rest = offsets.T.copy()
        for joint, parent in enumerate(self.parents):
            rest[joint] += rest[parent] if parent >= 0 else 0.0
        return Posed(positions.transpose(2, 1, 0), local.transpose(2, 1, 0), rest.astype(np.float32))

    def _rest_offsets(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """The offsets ``[3, J]``, and for joints that rest on their parent but move off it, their median there.

        Some exporters leave every OFFSET at zero and write the lengths of the bones into position channels.
        """
        offsets = self.offsets.T.copy()
        at_parent = ~np.any(offsets, axis=0) & (self.parents >= 0)
        for move in self.moves:
            if move.replaces and at_parent[move.joint]:
                offsets[:, move.joint] += np.median(columns[move.column]) * np.array(move.vector)
        return offsets

    def _moved(self, columns: NDArray[np.float64], rest: NDArray[np.float64]) -> Floats:
        """Offsets from the parents ``[3, J, T]``."""
        offsets = np.repeat(rest.astype(np.float32)[..., None], columns.shape[1], axis=2)
        for move in self.moves:
            if move.replaces:
                offsets[np.flatnonzero(move.vector), move.joint] = 0.0
        for move in self.moves:
            for axis in np.flatnonzero(move.vector):
                offsets[axis, move.joint] += columns[move.column] * move.vector[axis]
        return offsets

    def _local(self, columns: NDArray[np.float64]) -> Floats:
        """Local rotations ``[4, J, T]``: the product of each joint's turns in the order of their axes."""
        local = _identity(len(self.parents), columns.shape[1])
        wild = np.max(np.abs(columns)) > _WILD
        alike: dict[str, list[Turn]] = defaultdict(list)
        for turn in self.turns:
            alike[turn.axes].append(turn)
        for axes, turns in alike.items():
            product: Floats | None = None
            for place, axis in enumerate(axes):
                degrees = columns.take([turn.columns[place] for turn in turns], axis=0)
                half = (np.fmod(degrees, 720.0) if wild else degrees) * (np.pi / 360.0)
                product = _turned(product, "XYZ".index(axis), half.astype(np.float32))
            local[:, [turn.joint for turn in turns]] = product
        if self.frames is not None:
            local[1:] = _rotated(self.frames.T[..., None].astype(np.float32), local[1:])
        return local

    def _unseen(self, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """``[J, T]``: joints whose own place, or the turn of a joint above them, is not among the ``seen`` values."""
        placed = np.ones((len(self.parents), seen.shape[1]), dtype=bool)
        turned = placed.copy()
        for move in self.moves:
            placed[move.joint] &= seen[move.column]
        for turn in self.turns:
            turned[turn.joint] = np.all(seen[list(turn.columns)], axis=0)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                placed[joint] &= placed[parent] & turned[parent]
                turned[joint] &= turned[parent]
        return ~placed


def _identity(joints: int, frames: int) -> Floats:
    rotations = np.zeros((4, joints, frames), dtype=np.float32)
    rotations[0] = 1.0
    return rotations


def _turned(product: Floats | None, axis: int, half_angle: Floats) -> Floats:
    """``product`` ``[4, ...]`` (None: identity) times a turn about one axis by twice ``half_angle`` in radians."""
    cosine, sine = np.cos(half_angle), np.sin(half_angle)
    k, i, j = 1 + axis, 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
    result = np.zeros((4, *half_angle.shape), dtype=np.float32)
    if product is None:
        result[0], result[k] = cosine, sine
        return result
    result[0] = product[0] * cosine - product[k] * sine
    result[k] = product[k] * cosine + product[0] * sine
    result[i] = product[i] * cosine + product[j] * sine
    result[j] = product[j] * cosine - product[i] * sine
    return result


def _positions(local: Floats, offsets: Floats, parents: NDArray[np.intp]) -> Floats:
    """Joint positions ``[3, J, T]`` from local rotations ``[4, J, T]`` and offsets ``[3, J, T]``."""
    world, positions = local.copy(), offsets.copy()
    for joints in levels(parents):
        above = parents[joints]
        turn = world[:, above]
        positions[:, joints] = positions[:, above] + _rotated(turn, offsets[:, joints])
        world[:, joints] = _product(turn, local[:, joints])
    return positions


def _product(a: Floats, b: Floats) -> Floats:
    """The quaternion product of ``[4, ...]``."""
    (aw, ax, ay, az), (bw, bx, by, bz) = a, b
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ]
    )


def _rotated(q: Floats, v: Floats) -> Floats:
    """The vectors ``[3, ...]`` turned by the quaternions ``[4, ...]``."""
    (w, x, y, z), (a, b, c) = q, v
    ta, tb, tc = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return np.stack([a + w * ta + y * tc - z * tb, b + w * tb + z * ta - x * tc, c + w * tc + x * tb - y * ta])


def _held(columns: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """``[n, T]`` with the last seen value in place of the unseen; before the first, the first; never: zero."""
    frames = np.arange(columns.shape[1])
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=1)
    source = np.where(last >= 0, last, np.argmax(seen, axis=1)[:, None])
    return np.where(np.any(seen, axis=1)[:, None], np.take_along_axis(columns, source, axis=1), 0.0)
