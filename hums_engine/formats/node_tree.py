# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree of nodes that move, turn and scale, as scene files have them, to the joints of a Motion.

Bones of BVH only turn and move. The nodes of a scene also scale, some of them lie between or above the joints without
being joints, and a node at rest is turned anyhow. So nodes are placed by matrices, and a joint's rotation is what
turns it from its rest to its pose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import quat
from ..errors import MotionFileError
from ..motion import levels
from .axes import Unit, landmarks, length_unit, stature

MOST_PLACES: Final = 20_000_000
"""Nodes times frames that are posed at most, over all takes of a file; two hours of 90 nodes at 30 frames a second."""

_TALLEST_M: Final = 10.0
_SAMPLES: Final = 64

Array = NDArray[np.float64]


class Placed(NamedTuple):
    """Where the axes and origins of nodes go, in their parents' axes or in the world's.

    Attributes:
        linear: ``[F, N, 3, 3]`` the axes, in columns.
        origin: ``[F, N, 3]``.
    """

    linear: Array
    origin: Array

    def of(self, nodes: NDArray[np.intp] | Sequence[int]) -> Placed:
        """Some of the nodes."""
        return Placed(self.linear[:, nodes], self.origin[:, nodes])

    def above(self, children: Placed) -> Placed:
        """What is placed in these axes, in those that these are placed in."""
        moved = np.matmul(self.linear, children.origin[..., None])[..., 0]
        return Placed(np.matmul(self.linear, children.linear), self.origin + moved)


def placed(translation: Array, rotation: Array, scale: Array) -> Placed:
    """Nodes from ``[F, N, 3]``, quaternions ``[F, N, 4]`` (w first) and ``[F, N, 3]``: scaled, turned, then moved."""
    return Placed(_matrices(rotation) * scale[..., None, :], translation)


def _matrices(rotation: Array) -> Array:
    """``quat.to_matrix`` written out, for speed."""
    w, x, y, z = np.moveaxis(rotation, -1, 0)
    columns = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in columns], axis=-2)


def in_world(local: Placed, parents: Sequence[int]) -> Placed:
    """Nodes in the world's axes; parents stand before their children, -1 is the world."""
    world = Placed(local.linear.copy(), local.origin.copy())
    above = np.asarray(parents, dtype=np.intp)
    for nodes in levels(above):
        level = world.of(above[nodes]).above(local.of(nodes))
        world.linear[:, nodes], world.origin[:, nodes] = level
    return world


def local_rotations(joints: Placed, rest: Placed, parents: NDArray[np.intp]) -> NDArray[np.float32]:
    """Rotations of joints relative to rest ``[F, J, 4]``, in axes parallel to the world's."""
    turned = quat.mul(_turns(joints.linear), quat.inv(_turns(rest.linear)))
    local = turned.astype(np.float32)
    below = np.flatnonzero(parents >= 0)
    local[:, below] = quat.mul(quat.inv(turned[:, parents[below]]), turned[:, below])
    return local


def _turns(linear: Array) -> Array:
    """The rotations ``[..., 4]`` in matrices ``[..., 3, 3]``; in a mirrored one that of its mirror image."""
    axes = linear / np.maximum(np.linalg.norm(linear, axis=-2, keepdims=True), 1e-12)
    x, y, z = np.moveaxis(axes, -1, 0)
    mirrored = np.sum(np.cross(x, y) * z, axis=-1) < 0
    return quat.from_matrix(np.where(mirrored[..., None, None], -axes, axes))


def check_places(nodes: int, frames: int, done: int = 0) -> int:
    """Nodes times frames with those ``done`` before, refused where they are more than ``MOST_PLACES``."""
    if (total := done + nodes * frames) > MOST_PLACES:
        raise MotionFileError(f"{frames} frames of {nodes} nodes are too many at once; cut the takes.")
    return total


def unit_in_use(positions: Array, parents: NDArray[np.intp], names: Sequence[str], stated: Unit) -> Unit:
    """The unit that a file states for joints ``[T, J, 3]`` in it, or what a figure over ten metres must be in.

    Some exporters state a unit and write another.
    """
    sample = positions[np.unique(np.linspace(0, len(positions) - 1, _SAMPLES).astype(int))]
    height = stature(sample, parents, landmarks(names))
    return length_unit(height) if height * stated.metres > _TALLEST_M else stated


def unique_names(names: Sequence[str]) -> list[str]:
    """``names`` with ``_2``, ``_3`` behind those that came before."""
    taken, count, unique = set(names), Counter[str](), []
    for name in names:
        count[name] += 1
        while count[name] > 1 and f"{name}_{count[name]}" in taken:
            count[name] += 1
        unique.append(name if count[name] == 1 else f"{name}_{count[name]}")
        taken.add(unique[-1])
    return unique
