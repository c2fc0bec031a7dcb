# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants to know of a motion before using it: how much it is, how it was read, whether it is usable."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import MappingError
from .formats.axes import landmarks, stature
from .mapping import map_motion
from .motion import Motion


@dataclass(frozen=True)
class MotionFacts:
    """Facts of one take of a file.

    Attributes:
        name: the take's name, or the file's stem.
        joints: how many there are.
        frames: how many there are.
        fps: frames a second.
        duration_s: from the first frame to the last.
        unit: what the file's length unit was taken for.
        up: which axis of the file was taken for up.
        height_m: how tall the figure is, measured along its bones.
        rig: the rig family that its joint names were recognised as, "shape" where only its shape told which joint is
            which, and empty where nothing did.
        problem: why it cannot be searched for or retargeted, one sentence; empty where it can.
    """

    name: str
    joints: int
    frames: int
    fps: float
    duration_s: float
    unit: str
    up: str
    height_m: float
    rig: str
    problem: str

    @classmethod
    def of(cls, motion: Motion) -> MotionFacts:
        """Those of a motion as it was read."""
        rig = problem = ""
        try:
            rig = map_motion(motion).family
        except MappingError as error:
            problem = str(error)
        return cls(
            name=motion.name,
            joints=len(motion.parents),
            frames=motion.frame_count,
            fps=motion.fps,
            duration_s=motion.duration_s,
            unit=motion.unit,
            up=motion.up,
            height_m=round(stature(motion.sampled(), motion.parents, landmarks(motion.joint_names)), 3),
            rig=rig,
            problem=problem,
        )

    def line(self) -> str:
        """All of it but the name and the problem, for people."""
        rig = {"": "no figure", "shape": "rig told by its shape"}.get(self.rig, f"{self.rig} rig")
        return (
            f"{self.frames} frames at {self.fps:.4g} fps ({self.duration_s:.2f} s), {self.joints} joints, {rig}, "
            f"{self.height_m:.2f} m tall, file in {self.unit} with {self.up} up"
        )
