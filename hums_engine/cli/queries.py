# SPDX-License-Identifier: GPL-3.0-or-later
"""What a search asks with: the motion that a word of the command line names, a file or a clip of the library."""

from __future__ import annotations

from pathlib import Path

from .. import formats
from ..canonical import CanonicalMotion, canonicalize
from ..errors import HumsError
from ..library import Library
from ..motion import Motion


def motion_of(text: str, frames: tuple[int, int] | None, library: Library) -> CanonicalMotion:
    """The motion that a word of the command line stands for: a clip's number, or a file."""
    number = text.removeprefix("#")
    if number.isdecimal() and not Path(text).exists():
        clip = library.motion(int(number))
        return clip.cut(*_seconds(frames, clip.frame_count, clip.fps))
    return canonicalize(loaded(text, frames))


def loaded(path: str, frames: tuple[int, int] | None) -> Motion:
    """A file's motion, or the frames A to B of it."""
    motion = formats.load(path)
    return motion.cut(*_seconds(frames, motion.frame_count, motion.fps))


def _seconds(frames: tuple[int, int] | None, frame_count: int, fps: float) -> tuple[float, float]:
    """Start and end in seconds, as `Motion.cut` takes them, of a range of frames."""
    if frames is None:
        return 0.0, 0.0
    first, last = frames
    if first >= frame_count:
        raise HumsError(f"the motion has the frames 0 to {frame_count - 1}; {first} is behind its end.")
    return first / fps, 0.0 if last < 0 else max(last / fps, 1e-9)
