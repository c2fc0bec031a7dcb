# SPDX-License-Identifier: GPL-3.0-or-later
"""CanonicalMotion: any figure's motion as the 22 canonical joints, free of the rig it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import skeleton


@dataclass(frozen=True, eq=False)
class CanonicalMotion:
    """Positions and orientations of the 22 canonical joints over time.

    Attributes:
        positions: ``[T, 22, 3]`` float32 metres, Z up; zero where the joint is not valid.
        rotations: ``[T, 22, 4]`` float32, w first: world rotation from the reference pose (a T-pose
            facing -Y) to the frame, so that it turns a reference bone direction into the posed one.
            Every joint has one: those of joints that the source lacks follow their neighbours.
        valid: ``[22]`` bool, whether the source has the joint.
        fps: frames a second.
        name: what a person calls it.
        source: the path it came from, or empty.
    """

    positions: NDArray[np.float32]
    rotations: NDArray[np.float32]
    valid: NDArray[np.bool_]
    fps: float
    name: str = ""
    source: str = ""

    @property
    def frame_count(self) -> int:
        """Number of frames T."""
        return self.positions.shape[0]

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.frame_count - 1) / self.fps

    def cut(self, start_s: float = 0.0, end_s: float = 0.0) -> CanonicalMotion:
        """The stretch [start_s, end_s] in seconds, clamped; ``end_s`` of 0 means to the end."""
        last = self.frame_count - 1
        first = min(max(round(start_s * self.fps), 0), last)
        stop = last if end_s <= 0 else min(max(round(end_s * self.fps), first), last)
        frames = slice(first, stop + 1)
        return replace(self, positions=self.positions[frames], rotations=self.rotations[frames])
