# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion: joint positions over time of one skeleton."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import quat
from .errors import MotionFileError

OPENING: Final = 9
"""Frames in which a calibration pose is looked for, which a thinned motion therefore has in full."""

_SAMPLES: Final = 16


class Timing(NamedTuple):
    """Frames a second, and how many frames there are."""

    fps: float
    frames: int

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.frames - 1) / self.fps


@dataclass(frozen=True, eq=False)
class Motion:
    """Joint positions over time of one skeleton, in Blender's axes.

    Z up, right-handed, a figure at rest faces -Y; metres and seconds. The constructor takes any
    array-likes, checks that they fit together and stores arrays.

    Attributes:
        positions: ``[T, J, 3]`` float32 metres; NaN where a joint is not seen.
        fps: frames a second, above zero.
        joint_names: ``J`` names, as the file spells them.
        parents: ``[J]`` index of each joint's parent, -1 for a root; a parent stands before its child.
        rotations: ``[T, J, 4]`` float32 local rotations, w first, or None. They are *relative to the
            rest pose in axes parallel to the world's* (the convention of BVH): all identity is the
            rest pose, and the product down the chain turns rest directions into posed ones.
            Rotation j turns the bones that leave joint j.
        rest_positions: ``[J, 3]`` float32 metres, the joints in the rest pose, or None.
        name: what a person calls it (the file's stem, or the take's name).
        source: where it came from (a path), empty if made in memory.
        unit: what the file's length unit was taken for, such as ``"cm"``.
        up: which axis of the file was taken for up: ``"X"``, ``"Y"`` or ``"Z"``.
        thinned: what the file has beyond the frames here, where only every n-th was read; None where all were.
    """

    positions: NDArray[np.float32]
    fps: float
    joint_names: Sequence[str]
    parents: NDArray[np.intp]
    rotations: NDArray[np.float32] | None = None
    rest_positions: NDArray[np.float32] | None = None
    name: str = ""
    source: str = ""
    unit: str = "m"
    up: str = "Z"
    thinned: Thinned | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__  # the class is frozen: a Motion never changes once it is made
        put(self, "positions", np.ascontiguousarray(self.positions, dtype=np.float32))
        put(self, "fps", float(self.fps))
        put(self, "joint_names", tuple(str(n) for n in self.joint_names))
        put(self, "parents", np.asarray(self.parents, dtype=np.intp))
        for name in ("rotations", "rest_positions"):
            value: ArrayLike | None = getattr(self, name)
            put(self, name, None if value is None else np.ascontiguousarray(value, dtype=np.float32))
        self._check()

    def _check(self) -> None:
        shape = self.positions.shape
        if len(shape) != 3 or shape[2] != 3 or shape[0] < 1 or shape[1] < 1:
            raise MotionFileError(
                f"Joint positions must be [frames, joints, 3] with at least one of each, not {list(shape)}."
            )
        joints = shape[1]
        if len(self.joint_names) != joints or self.parents.shape != (joints,):
            raise MotionFileError(
                f"{joints} joints need {joints} names and parents, not {len(self.joint_names)} and {len(self.parents)}."
            )
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise MotionFileError(f"Frames a second must be a number above zero, not {self.fps}.")
        if np.any(self.parents >= np.arange(joints)) or np.any(self.parents < -1):
            raise MotionFileError("Each joint's parent must stand before it in the list (-1 for a root).")
        if self.rotations is not None and self.rotations.shape != (shape[0], joints, 4):
            raise MotionFileError(f"Rotations must be {[shape[0], joints, 4]}, not {list(self.rotations.shape)}.")
        if self.rest_positions is not None and self.rest_positions.shape != (joints, 3):
            raise MotionFileError(f"Rest positions must be {[joints, 3]}, not {list(self.rest_positions.shape)}.")

    @property
    def frame_count(self) -> int:
        """Number of frames T."""
        return self.positions.shape[0]

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last; 0 for a single frame."""
        return self.timing.duration_s

    @property
    def timing(self) -> Timing:
        """Of the frames that are here."""
        return Timing(self.fps, self.frame_count)

    @property
    def file_timing(self) -> Timing:
        """Of the file, also where only every n-th frame was read."""
        return self.timing if self.thinned is None else self.thinned.timing

    def world_rotations(self, joints: NDArray[np.intp] | None = None) -> NDArray[np.float64] | None:
        """World rotations ``[T, J, 4]`` that take rest directions to posed ones, or None without rotations.

        Args:
            joints: ``[n]`` of which joints, for ``[T, n, 4]``; None for all.
        """
        if self.rotations is None:
            return None
        if joints is None:
            return accumulate(self.rotations.astype(np.float64), self.parents)
        needed = np.isin(np.arange(len(self.parents)), joints)
        for joint in reversed(range(len(needed))):
            if needed[joint] and self.parents[joint] >= 0:
                needed[self.parents[joint]] = True
        place = np.append(np.cumsum(needed) - 1, -1)  # among those needed; -1 stays -1
        world = accumulate(self.rotations[:, needed].astype(np.float64), place[self.parents[needed]])
        return world[:, place[joints]]

    def sampled(self) -> NDArray[np.float32]:
        """Some 16 poses ``[N, J, 3]`` or more, spread evenly over the motion: what tells of its body needs no more."""
        return self.positions[:: max(1, self.frame_count // _SAMPLES)]

    def cut(self, start_s: float = 0.0, end_s: float = 0.0) -> Motion:
        """The stretch [start_s, end_s] in seconds; ``end_s`` of 0 means to the end.

        Times are clamped to the motion, and at least one frame is kept.
        """
        frames = stretch(start_s, end_s, self.fps, self.frame_count)
        rotations = _part(self.rotations, frames)
        return replace(self, positions=self.positions[frames], rotations=rotations, thinned=None)


class Thinned(NamedTuple):
    """What is known of a file of which only every n-th frame was read."""

    timing: Timing
    every: int
    opening: Motion

    @classmethod
    def of(cls, read: Motion, timing: Timing, every: int) -> Motion:
        """A thinned motion, of one that was read with a file's first `OPENING` frames before every n-th of all."""
        first, rest = slice(OPENING), slice(OPENING, None)
        opening = replace(read, positions=read.positions[first], rotations=_part(read.rotations, first))
        return replace(
            read,
            positions=read.positions[rest],
            rotations=_part(read.rotations, rest),
            fps=timing.fps / every,
            thinned=cls(timing, every, opening),
        )


def _part(rotations: NDArray[np.float32] | None, frames: slice) -> NDArray[np.float32] | None:
    return None if rotations is None else rotations[frames]


def thinning(fps: float, most_fps: float) -> int:
    """The n such that every n-th of ``fps`` frames a second leaves some ``most_fps`` (by half as many at most)."""
    return max(1, math.ceil(fps / most_fps - 0.5))


def stretch(start_s: float, end_s: float, fps: float, frame_count: int) -> slice:
    """The frames of [start_s, end_s] seconds, clamped, at least one; ``end_s`` of 0 means to the end."""
    last = frame_count - 1
    first = min(max(round(start_s * fps), 0), last)
    stop = last if end_s <= 0 else min(max(round(end_s * fps), first), last)
    return slice(first, stop + 1)


def accumulate(local: NDArray[np.float64], parents: NDArray[np.intp]) -> NDArray[np.float64]:
    """World rotations ``[T, J, 4]`` from local ones by products down the chain, parents first."""
    world = local.transpose(2, 1, 0).copy()  # components apart and frames together: three times as fast
    for joints in levels(parents):
        above, here = (world[:, those].transpose(2, 1, 0) for those in (parents[joints], joints))
        world[:, joints] = quat.mul(above, here).transpose(2, 1, 0)
    return world.transpose(2, 1, 0)


def levels(parents: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The joints of each depth below the roots, from the top; parents stand before their children."""
    depth = np.zeros(len(parents), dtype=np.intp)
    for joint, parent in enumerate(parents):
        depth[joint] = depth[parent] + 1 if parent >= 0 else 0
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)[1:]


def forward_kinematics(
    local: NDArray[np.float64],
    offsets: NDArray[np.float64],
    parents: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """World rotations and joint positions of a posed skeleton.

    Args:
        local: ``[T, J, 4]`` local rotations, relative to a rest pose with axes parallel to the world's.
        offsets: ``[J, 3]`` or ``[T, J, 3]`` translations from the parent, in the parent's axes; a root's
            is its position in the world.
        parents: ``[J]``, parents first, -1 for a root.

    Returns:
        World rotations ``[T, J, 4]`` and positions ``[T, J, 3]``.
    """
    world = accumulate(local, parents)
    offsets = np.broadcast_to(offsets, (*local.shape[:2], 3))
    positions = np.empty((*local.shape[:2], 3))
    for j, parent in enumerate(parents):
        moved = offsets[:, j]
        positions[:, j] = moved if parent < 0 else positions[:, parent] + quat.rotate(world[:, parent], moved)
    return world, positions
