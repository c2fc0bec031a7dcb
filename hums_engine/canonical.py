# SPDX-License-Identifier: GPL-3.0-or-later
"""CanonicalMotion: any figure's motion as the 22 canonical joints, free of the rig it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import orientation, quat, rest_pose, skeleton
from .errors import MappingError
from .mapping import JointMap, map_motion
from .motion import OPENING, Motion, stretch

MIN_SEEN = 0.25
"""A joint seen in less than this share of the frames counts as missing; shorter gaps are bridged."""

# Converters put one or two frames of a T-pose before the motion. Such a frame is told by the step that leaves it:
# over five centimetres for most joints, and three times those that follow.
_CALIBRATION_FRAMES = 3
_CALIBRATION_STEP_M = 0.05
_CALIBRATION_RATIO = 3.0
_BLENDED_FRAMES = 5
_BLENDED_RATIO = 2.0
_FASTEST_LIMBS_M_S = 12.0  # those of people are slower, but for the peak of a kick


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
        frames = stretch(start_s, end_s, self.fps, self.frame_count)
        return replace(self, positions=self.positions[frames], rotations=self.rotations[frames])

    def mirror_image(self) -> CanonicalMotion:
        """The motion seen in a mirror that stands along the line of sight: left is right.

        A mirror across x turns the axes of rotations the other way, but for their part along x.
        """
        twins = skeleton.TWINS
        positions = self.positions[:, twins] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
        rotations = self.rotations[:, twins] * np.array([1.0, 1.0, -1.0, -1.0], dtype=np.float32)
        return replace(self, positions=positions, rotations=rotations, valid=self.valid[twins])

    def resampled(self, fps: float) -> CanonicalMotion:
        """The same seconds at ``fps`` frames a second; positions blend linearly, rotations on the sphere."""
        if abs(fps - self.fps) < 1e-6:
            return self
        before, after, part = self._blend(fps)
        rotations = quat.slerp(self.rotations[before], self.rotations[after], part[:, None])
        return replace(self, positions=self.positions_at(fps), rotations=rotations.astype(np.float32), fps=float(fps))

    def positions_at(self, fps: float) -> NDArray[np.float32]:
        """The positions of `resampled` alone."""
        if abs(fps - self.fps) < 1e-6:
            return self.positions
        before, after, part = self._blend(fps)
        positions = self.positions[before] + part[:, None, None] * (self.positions[after] - self.positions[before])
        return positions.astype(np.float32)

    def _blend(self, fps: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """The frames before and after each frame at ``fps``, and how far it is from the one to the other."""
        count = max(round(self.duration_s * fps), 0) + 1
        at: NDArray[np.float64] = np.minimum(np.arange(count) * (self.fps / fps), self.frame_count - 1.0)
        before = np.floor(at).astype(np.intp)
        return before, np.minimum(before + 1, self.frame_count - 1), at - before


def canonicalize(motion: Motion, joint_map: JointMap | None = None) -> CanonicalMotion:
    """Brings a motion of any skeleton onto the 22 canonical joints.

    Positions are taken as they are, but for a calibration pose before the first frame, which is held back so that
    it neither places nor turns the motion. Orientations come from the motion's rotations where it has them and
    its rest pose is that of a standing figure; else from the joints' positions (`orientation`).

    Args:
        motion: of a human figure, any joints.
        joint_map: which joints are the canonical ones; found by `mapping.map_motion` when None.

    Raises:
        MappingError: no human figure is found, or none of its joints is ever seen.
    """
    if joint_map is None:
        joint_map = map_motion(motion)
    whole, opening, every = _with_opening(motion)
    positions, valid = _seen(whole.positions.astype(np.float64), joint_map.joints)
    if not valid.any():
        raise MappingError("No body joint is seen in this motion: check that its positions are not all empty.")
    rotations = _rotations_from_rest(whole, joint_map)
    if rotations is None:
        rotations = orientation.from_positions(positions, valid)
    positions[:, ~valid] = 0.0
    start = _first_moving_frame(positions[:, valid], motion.file_timing.fps)
    held = slice(opening, opening - (-start // every))
    positions[held], rotations[held] = positions[start], rotations[start]
    return CanonicalMotion(
        positions=positions[opening:].astype(np.float32),
        rotations=quat.unroll(rotations[opening:]).astype(np.float32),
        valid=valid,
        fps=motion.fps,
        name=motion.name,
        source=motion.source,
    )


def _with_opening(motion: Motion) -> tuple[Motion, int, int]:
    """A thinned motion with its opening before it, how many frames that is, and the n of every n-th; else as it is."""
    if motion.thinned is None:
        return motion, 0, 1
    opening, rotations = motion.thinned.opening, motion.rotations
    if rotations is not None and opening.rotations is not None:
        rotations = np.concatenate([opening.rotations, rotations])
    positions = np.concatenate([opening.positions, motion.positions])
    return replace(motion, positions=positions, rotations=rotations), opening.frame_count, motion.thinned.every


def _seen(positions: NDArray[np.float64], joints: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The mapped joints ``[T, 22, 3]`` with gaps bridged over time, and which of them are seen enough."""
    picked = positions[:, np.maximum(joints, 0)]
    seen = np.isfinite(picked).all(axis=-1) & (joints >= 0)
    valid = seen.mean(axis=0) >= MIN_SEEN
    frames = np.arange(len(picked))
    for j in np.flatnonzero(valid & ~seen.all(axis=0)):
        known = seen[:, j]
        for axis in range(3):
            picked[:, j, axis] = np.interp(frames, frames[known], picked[known, j, axis])
    picked[:, ~valid] = np.nan
    return picked, valid


def _first_moving_frame(positions: NDArray[np.float64], fps: float) -> int:
    """The frame after a calibration pose of joints ``[T, n, 3]``, which may be blended into the motion; 0: none.

    The conversions of CMU's motions begin with a T-pose from which arms and legs fly into the motion within five
    frames of 1 / 120 s.
    """
    moved = np.linalg.norm(np.diff(positions[:OPENING], axis=0), axis=-1)
    if len(moved) > _BLENDED_FRAMES:  # a blend takes several frames; a pose of one is judged by the whole body, below
        limbs = np.percentile(moved, 90, axis=1)
        calm = max(_CALIBRATION_STEP_M, _BLENDED_RATIO * limbs[_BLENDED_FRAMES:].max())
        flying = np.flatnonzero(limbs[:_BLENDED_FRAMES] > calm)
        if len(flying) > 1 and limbs[flying].max() * fps > _FASTEST_LIMBS_M_S:
            return int(flying[-1]) + 1
    steps = np.median(moved, axis=1)
    for i in reversed(range(min(_CALIBRATION_FRAMES, len(steps) - 1))):
        if steps[i] > max(_CALIBRATION_STEP_M, _CALIBRATION_RATIO * steps[i + 1 : i + 6].max()):
            return i + 1
    return 0


def _rotations_from_rest(motion: Motion, joint_map: JointMap) -> NDArray[np.float64] | None:
    """World rotations from the reference pose ``[T, 22, 4]``, or None where rest and rotations do not serve."""
    joints = joint_map.joints
    mapped = joints >= 0
    world = motion.world_rotations(np.maximum(joints, 0))
    if world is None or motion.rest_positions is None:
        return None
    rest = np.where(mapped[:, None], motion.rest_positions[np.maximum(joints, 0)].astype(np.float64), np.nan)
    fix = _turns_of_rest(rest.tobytes(), mapped.tobytes())
    if fix is None:
        return None
    rotations = quat.mul(world, fix)
    return orientation.fill_missing(rotations, mapped & np.isfinite(rotations).all(axis=(0, 2)))


@lru_cache(maxsize=64)  # the files of a library mostly rest in one of a few poses
def _turns_of_rest(rest: bytes, mapped: bytes) -> NDArray[np.float64] | None:
    """`rest_pose.from_reference` of joints ``[22, 3]`` at rest; None where that pose says nothing."""
    joints, known = np.frombuffer(rest).reshape(-1, 3), np.frombuffer(mapped, dtype=np.bool_)
    return rest_pose.from_reference(joints, known) if rest_pose.is_standing(joints, known) else None
