# SPDX-License-Identifier: GPL-3.0-or-later
"""NTU RGB+D's ``.skeleton`` files: what a Kinect v2 saw of each body, joint by joint, as text.

Source: Shahroudy et al., "NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis" (CVPR 2016), and the reader
that its authors publish. One line says how many frames there are. A frame is a line with its number of bodies; a body
is a line of 10 values, its number of joints (25), and a line of 12 values a joint:

- of a body: its ID, and what the sensor thinks of its hands and its lean, which is passed over;
- of a joint: ``x y z`` in metres, where it lies in the depth and in the colour picture (4), its orientation (4), and
  how it was tracked: 0 not at all, 1 inferred, 2 seen.

What the format leaves open is decided so:

- The axes are the camera's: Y up, Z away from it. They are turned to Z up; how the camera tilts is not in the file.
- A body is all frames with one ID, as in the data set's own reader: one Motion, from the first frame that has it to
  the last. In frames between where it is missing its joints are not seen (NaN), so that time does not jump. The
  sensor gives a new ID to someone it lost; whether both are one person is not in the file, so they stay two.
- Bodies seen in fewer than `FEWEST_FRAMES` frames are passed over where others are seen longer: they are chairs and
  the like, and the usual clean-up of this data drops them at the same length.
- The body that moves most comes first: in it is the action, where the others look on or are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFileError
from ..motion import Motion
from . import numbers
from .axes import to_blender
from .channels import MOST_PLACES
from .files import read_bytes

FPS: Final = 30.0
FEWEST_FRAMES: Final = 12
"""A body in fewer frames is passed over, where another is in as many (the code of Zhang et al., "View Adaptive Neural
Networks for High Performance Skeleton-based Human Action Recognition", TPAMI 2019, drops 11 and fewer)."""

# joint, parent, place in the file; here parents stand before their children
_TABLE: Final = (
    ("SpineBase", "", 0), ("SpineMid", "SpineBase", 1), ("SpineShoulder", "SpineMid", 20),
    ("Neck", "SpineShoulder", 2), ("Head", "Neck", 3),
    ("ShoulderLeft", "SpineShoulder", 4), ("ElbowLeft", "ShoulderLeft", 5), ("WristLeft", "ElbowLeft", 6),
    ("HandLeft", "WristLeft", 7), ("HandTipLeft", "HandLeft", 21), ("ThumbLeft", "WristLeft", 22),
    ("ShoulderRight", "SpineShoulder", 8), ("ElbowRight", "ShoulderRight", 9), ("WristRight", "ElbowRight", 10),
    ("HandRight", "WristRight", 11), ("HandTipRight", "HandRight", 23), ("ThumbRight", "WristRight", 24),
    ("HipLeft", "SpineBase", 12), ("KneeLeft", "HipLeft", 13), ("AnkleLeft", "KneeLeft", 14),
    ("FootLeft", "AnkleLeft", 15),
    ("HipRight", "SpineBase", 16), ("KneeRight", "HipRight", 17), ("AnkleRight", "KneeRight", 18),
    ("FootRight", "AnkleRight", 19),
)  # fmt: skip
JOINTS: Final = tuple(name for name, _, _ in _TABLE)
PARENTS: Final = np.array([JOINTS.index(parent) if parent else -1 for _, parent, _ in _TABLE], dtype=np.intp)
PLACES: Final = np.array([place for _, _, place in _TABLE], dtype=np.intp)
"""``[25]`` where each joint stands among the lines of a body."""

MOST_BODIES: Final = 1000
"""More bodies in a file are refused: the sensor follows six at a time, a damaged or hostile file any number."""

_MOST_BYTES: Final = 100_000_000  # a quarter of an hour of one body
_BODY_LINES: Final = 2 + len(JOINTS)
_BODY_WORDS: Final = 10
_JOINT_WORDS: Final = 12
_XYZ_AND_STATE: Final = np.array([0, 1, 2, 11])
_LONGEST_ID: Final = 24  # characters; the sensor counts up from 2**56, which has 17 digits
_LARGEST: Final = 100.0  # metres; the sensor sees eight
_FIRST_LINE: Final = re.compile(rb"\s*(\d{1,12})[ \t]*(?:\r?\n|$)")

Indices = NDArray[np.intp]


def read(path: Path) -> list[Motion]:
    """The bodies of a file, the one that moves most first, without rotations.

    Raises:
        MotionFileError: the file is another kind of text, is not whole, or has no body in it.
    """
    raw = read_bytes(path)
    if len(raw) > _MOST_BYTES:
        most = _MOST_BYTES / 1e6
        raise MotionFileError(f"{len(raw) / 1e6:.0f} MB are more than the {most:.0f} MB that can be read; cut it.")
    first = _FIRST_LINE.match(raw)
    if first is None:
        raise MotionFileError(
            "this is no NTU RGB+D skeleton, which begins with the number of frames; check what it is."
        )
    lines = _lines(raw)
    heads, bodies = _layout(lines, int(first[1]))
    frames = np.searchsorted(heads, bodies) - 1
    joints = lines.values[lines.starts[bodies[:, None] + 2 + PLACES][..., None] + _XYZ_AND_STATE]
    takes = sorted(_takes(_ids(raw, lines, bodies), frames, _seen(joints)), key=_movement, reverse=True)
    if not takes:
        raise MotionFileError("no joint is seen in any frame; leave this file out.")
    names = [f"{path.stem}: body {n}" for n in range(1, len(takes) + 1)] if len(takes) > 1 else [path.stem]
    return [_motion(take, name, str(path)) for take, name in zip(takes, names, strict=True)]


class _Lines(NamedTuple):
    """The lines of a file that are not empty, and the numbers in them.

    Attributes:
        values: ``[n]`` all numbers of the file.
        places: ``[n]`` at which byte each begins.
        starts: ``[L]`` the first number of each line.
        words: ``[L]`` how many numbers each line has.
    """

    values: NDArray[np.float64]
    places: Indices
    starts: Indices
    words: Indices


def _lines(raw: bytes) -> _Lines:
    codes = np.frombuffer(raw, dtype=np.uint8)
    begins = codes > ord(" ")
    begins[1:] &= codes[:-1] <= ord(" ")
    places = np.flatnonzero(begins)
    ends = np.append(np.searchsorted(places, np.flatnonzero(codes == ord("\n"))), len(places))
    words = np.diff(ends, prepend=0)
    try:
        values = numbers.parse(raw)
    except ValueError as error:
        raise MotionFileError(f'the file has a word that is no number ("{error}"); download it again.') from None
    if len(values) != len(places):
        raise MotionFileError("two numbers in the file touch each other; download it again.")
    some = words > 0
    return _Lines(values, places, (ends - words)[some], words[some])


def _layout(lines: _Lines, wanted: int) -> tuple[Indices, Indices]:
    """The line that each frame begins with, and the one that each body of each frame begins with.

    Raises:
        MotionFileError: the lines are not those of as many whole frames as are wanted, or hold no body.
    """
    is_body = lines.words == _BODY_WORDS
    is_count = lines.words == 1
    is_count[1:] &= ~is_body[:-1]  # what follows the line of a body is its number of joints
    heads, bodies = np.flatnonzero(is_count)[1:], np.flatnonzero(is_body)
    whole = _whole_frames(lines, heads, bodies)
    if not whole == len(heads) == wanted:
        raise MotionFileError(_why_not_whole(whole, len(heads), wanted))
    if not len(bodies):
        raise MotionFileError(f"there is no body in any of its {wanted} frames; leave this file out.")
    return heads, bodies


def _why_not_whole(whole: int, found: int, wanted: int) -> str:
    if whole >= wanted:
        return f"the file goes on after the {wanted} frames that it says it has; download it again."
    if whole >= found - 1:
        return f"the file was cut off: it has {whole} of its {wanted} frames; download it again."
    return (
        f"frame {whole + 1} is not whole: it needs 25 joints of 12 numbers for each of its bodies; download it again."
    )


def _whole_frames(lines: _Lines, heads: Indices, bodies: Indices) -> int:
    """How many frames, from the first, hold the lines that they should."""
    if not len(heads) or heads[0] != 1 or (len(bodies) and bodies[0] < heads[0]):
        return 0
    told = lines.values[lines.starts[heads]]
    frames = np.searchsorted(heads, bodies) - 1
    right = np.diff(heads, append=len(lines.words)) == 1 + _BODY_LINES * told
    right &= np.bincount(frames, minlength=len(heads)) == told
    inside = bodies[:, None] + np.arange(_BODY_LINES)
    has_all = inside[:, -1] < len(lines.words)
    inside = np.where(has_all[:, None], inside, 0)
    joints_told = lines.values[lines.starts[inside[:, 1]]]
    good = has_all & (joints_told == len(JOINTS)) & np.all(lines.words[inside[:, 2:]] == _JOINT_WORDS, axis=1)
    right[frames[~good]] = False
    return len(heads) if right.all() else int(np.argmin(right))


def _ids(raw: bytes, lines: _Lines, bodies: Indices) -> Indices:
    """A number ``[B]`` for each body that is the same where the IDs are.

    IDs are compared as text: they differ in the last of 17 digits, which a float does not hold.
    """
    codes = np.frombuffer(raw + b" " * _LONGEST_ID, dtype=np.uint8)
    text = codes[lines.places[lines.starts[bodies]][:, None] + np.arange(_LONGEST_ID)]
    text[np.logical_or.accumulate(text <= ord(" "), axis=1)] = 0
    return np.unique(text.view(f"S{_LONGEST_ID}").ravel(), return_inverse=True)[1].reshape(-1)


def _seen(joints: NDArray[np.float64]) -> NDArray[np.float32]:
    """Positions ``[..., 3]`` of joints ``[..., 4]`` that end in how they were tracked; NaN where they were not."""
    places = joints[..., :3]
    # A place of zeros is the sensor's own, which is written where nothing was found.
    seen = (joints[..., 3] != 0) & np.all(np.abs(places) < _LARGEST, axis=-1) & np.any(places != 0, axis=-1)
    return np.where(seen[..., None], places, np.nan).astype(np.float32)


def _takes(ids: Indices, frames: Indices, positions: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Each body's positions ``[T, 25, 3]``, from those of all bodies ``[B, 25, 3]`` in the order of the file."""
    seen_bodies = np.isfinite(positions).any(axis=(1, 2))
    counts = np.bincount(ids[seen_bodies], minlength=1)
    kept = np.flatnonzero(counts >= max(1, min(FEWEST_FRAMES, counts.max())))
    order = np.argsort(ids, kind="stable")
    first, last = np.searchsorted(ids[order], kept), np.searchsorted(ids[order], kept, side="right") - 1
    spans = frames[order][last] - frames[order][first] + 1
    if len(kept) > MOST_BODIES or spans.sum() * len(JOINTS) > MOST_PLACES:
        raise MotionFileError(f"the file has {len(kept)} bodies, more than a recording holds; check what it is.")
    for begin, end, span in zip(first, last, spans, strict=True):
        rows = order[begin : end + 1]
        take = np.full((span, len(JOINTS), 3), np.nan, dtype=np.float32)
        take[frames[rows] - frames[rows[0]]] = positions[rows]
        yield take


def _movement(positions: NDArray[np.float32]) -> float:
    """How much a body ``[T, 25, 3]`` moves: the variance of its joints over time, summed."""
    seen = np.isfinite(positions)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, positions, 0.0).sum(axis=0) / count
    return float((np.where(seen, positions - mean, 0.0) ** 2 / count).sum())


def _motion(positions: NDArray[np.float32], name: str, source: str) -> Motion:
    return Motion(
        positions=to_blender(positions, "Y"),
        up="Y",
        fps=FPS,
        joint_names=JOINTS,
        parents=PARENTS,
        name=name,
        source=source,
    )
