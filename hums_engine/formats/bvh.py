# SPDX-License-Identifier: GPL-3.0-or-later
"""Biovision BVH files, in every dialect met.

Source: Biovision's format as written down by Meredith and Maddock, "Motion Capture File Formats Explained" (2001), and
Lander, "Working with Motion Capture File Formats", Game Developer (1998). Own code, because no maintained library
reads all the dialects, and because an index of 50,000 files is quick only if a file's numbers are parsed in one piece.

What the specification leaves open, or exporters do differently, is decided so:

- Position channels replace the joint's OFFSET, axis by axis, for every joint (known exporters write the joint's whole
  translation there). Rotations compose in the order listed; where positions stand in that order means nothing.
- Any number of channels in any order, also repeated ones: rotations compose, positions add up.
- An End Site is a joint named ``<parent>_end`` that never turns. Repeated names get ``_2``, ``_3``.
- Several ROOTs are several figures.
- More whole frames than ``Frames:`` declares are read, since they are there. One frame fewer is read too (a common
  miscount); a file that lacks more was cut off, and that is an error, not a shorter motion.
- Keywords in any case, any blanks and line ends, whole-line comments (``#`` or ``//``), names with blanks.
- A rotation that is not a number holds its last value, and the joints it moves are not seen (NaN) in that frame.
- The frame rate is the common one whose frame time prints as the file's (``.0083333`` is 120), else its inverse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFileError
from ..motion import Motion, Thinned, Timing, thinning
from . import every_nth, numbers
from .axes import to_motion
from .channels import LARGEST, MOST_PLACES, Channels, Move, Turn
from .files import decode, read_bytes
from .node_tree import unique_names

MAX_JOINTS: Final = 4096
"""More are refused: no figure has them, a damaged or hostile file may."""

_COMMENTS: Final = re.compile(rb"(?m)^[ \t]*(?:#|//).*(?:\n[ \t]*(?:#|//).*)*+")
_MOTION: Final = re.compile(rb"MOTION\s+Frames?\s*:?\s*([^\s:]+)\s+Frame\s*Time\s*:?\s*([^\s:]+)", re.IGNORECASE)
_STATEMENT: Final = re.compile(
    r"""\s*(?:
        (?P<brace>[{}])
      | (?P<joint>ROOT|JOINT|END)(?=[\s{])\s*(?P<name>[^\r\n{}]*)
      | OFFSET(?P<offset>(?:\s+[^\sA-Z{}][^\s{}]*){0,16})
      | CHANNELS\s+(?P<count>\d+)(?P<channels>(?:\s+[XYZ](?:position|rotation|translation)\b){0,64})
      | HIERARCHY\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_KEPT: Final = 1_000_000  # characters of a HIERARCHY, beyond which it is not kept for the next file
_LINE: Final = re.compile(rb"\S[^\n]*")
_VECTORS: Final = {"X": (1.0, 0.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0)}
_WHOLE_RATES: Final = (*range(1, 31), *(48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 180, 200, 240, 250, 300, 480, 500))
_RATES: Final = (*_WHOLE_RATES, 1000, *(rate * 1000 / 1001 for rate in (24, 30, 48, 60, 120, 240)))


@dataclass
class _Joint:
    """One joint of the HIERARCHY; a channel is its axis and its kind, such as ``"Xp"`` or ``"Zr"``."""

    name: str
    parent: int
    offset: Sequence[float] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()


class _Skeleton(NamedTuple):
    """What a HIERARCHY says: names, what the columns do, and how many there are."""

    names: tuple[str, ...]
    channels: Channels
    width: int


def read(path: Path, most_fps: float = math.inf) -> list[Motion]:
    """The figures of a BVH file, one for each ROOT.

    Args:
        path: the file.
        most_fps: of a file that has more, only every n-th frame may be read (`motion.thinning`).

    Raises:
        MotionFileError: the file is not a whole BVH file; the text says what is wrong with it.
    """
    raw = read_bytes(path)
    if b"#" in raw or b"/" in raw:  # one sign is looked for much faster than two
        raw = _COMMENTS.sub(b"", raw)
    section = _MOTION.search(raw)
    if section is None:
        raise MotionFileError(_why_no_motion(raw))
    hierarchy = decode(raw[: section.start()])
    skeleton = (_skeleton if len(hierarchy) <= _KEPT else _skeleton.__wrapped__)(hierarchy)
    fps = frame_rate(section[2].decode("latin-1"))
    block, declared = raw[section.end() :], section[1].decode("latin-1")
    every = thinning(fps, most_fps)
    if every > 1 and (values := _every_nth(block, declared, skeleton, every)) is not None:
        timing = Timing(fps, int(declared))
        figures = [Thinned.of(figure, timing, every) for figure in _figures(skeleton, values, fps)]
    else:
        figures = _figures(skeleton, _frames(block, declared, skeleton.width), fps)
    if len(figures) == 1:
        return [replace(figures[0], name=path.stem, source=str(path))]
    return [replace(f, name=f"{path.stem}: {f.joint_names[0]}", source=str(path)) for f in figures]


def frame_rate(frame_time: str) -> float:
    """Frames a second of a ``Frame Time:``, such as 120 of ``.0083333``.

    A frame time is printed with few digits, so its inverse is off (120.0005). The common rate is taken whose frame
    time, with as many decimals, prints the same or is cut to the same; of several the nearest.

    Raises:
        MotionFileError: it is no number, not above zero, or not a time that a frame takes.
    """
    try:
        seconds = float(frame_time.replace(",", "."))
    except ValueError:
        raise MotionFileError(f'Frame Time is "{frame_time[:20]}", not a number; export the file again.') from None
    if not 1e-5 <= seconds <= 60.0:
        raise MotionFileError(f"Frame Time is {frame_time[:20]}, not the seconds that a frame takes; correct it.")
    digits = frame_time.lower().partition("e")[0].replace(",", ".").partition(".")[2]
    step = 10.0 ** -len(digits) if "e" not in frame_time.lower() else 1e-3 * seconds
    near = [rate for rate in _RATES if -step / 2 <= 1.0 / rate - seconds < step * 0.9999]
    return float(min(near, key=lambda rate: abs(1.0 / rate - seconds), default=1.0 / seconds))


def _why_no_motion(raw: bytes) -> str:
    if not re.search(rb"\bHIERARCHY\b", raw[:100_000], re.IGNORECASE):
        return "this is not a BVH file: it has no HIERARCHY; check what it is."
    if re.search(rb"\bMOTION\b", raw, re.IGNORECASE):
        return "MOTION is not followed by Frames: and Frame Time:, perhaps cut off; export or download the file again."
    return "the file has a skeleton but no MOTION, perhaps cut off; export or download it again."


@lru_cache(maxsize=16)  # the files of one library mostly share one HIERARCHY to the letter
def _skeleton(text: str) -> _Skeleton:
    joints = _hierarchy(text)
    parents = np.array([joint.parent for joint in joints], dtype=np.intp)
    offsets = np.array([joint.offset for joint in joints])
    moves, turns = _columns(joints)
    width = sum(len(joint.channels) for joint in joints)
    return _Skeleton(
        tuple(unique_names([joint.name for joint in joints])), Channels(parents, offsets, moves, turns), width
    )


def _hierarchy(text: str) -> list[_Joint]:
    """The joints of a HIERARCHY in their order, parents first. A loop: no depth of nesting is too deep for it."""
    skeleton = _Hierarchy()
    place, end = 0, len(text.rstrip())
    while place < end:
        statement = _STATEMENT.match(text, place)
        if statement is None or not skeleton.take(statement):
            raise MotionFileError(_misplaced(text, place))
        place = statement.end()
    if skeleton.open or skeleton.named or not skeleton.joints:
        raise MotionFileError("the skeleton ends before its last brace; export or download the file again.")
    return skeleton.joints


def _misplaced(text: str, place: int) -> str:
    word = re.compile(r"\S+").search(text, place)
    line = text.count("\n", 0, word.start() if word else place) + 1
    return f'line {line} has no place for "{word[0][:20] if word else ""}" in a skeleton; export the file again.'


class _Hierarchy:
    """A HIERARCHY read so far: its joints, which of them are open, and whether a name waits for its brace."""

    def __init__(self) -> None:
        self.joints: list[_Joint] = []
        self.open: list[int] = []
        self.named = False

    def take(self, statement: re.Match[str]) -> bool:
        """Adds a statement; False where it does not fit at this place."""
        opens = statement["brace"] == "{"
        if opens != self.named:
            return False
        self.named = statement.lastgroup == "name"
        match statement.lastgroup:
            case "name":
                self._add(statement["joint"].upper(), statement["name"].strip())
            case "brace" if opens:
                self.open.append(len(self.joints) - 1)
            case "brace" if self.open:
                self.open.pop()
            case "offset" if self.open:
                self.joints[self.open[-1]].offset = _offset(statement["offset"])
            case "channels" if self.open:
                self.joints[self.open[-1]].channels = _channels(statement["count"], statement["channels"])
            case _:
                return statement.lastgroup is None  # HIERARCHY itself
        return True

    def _add(self, kind: str, name: str) -> None:
        if len(self.joints) >= MAX_JOINTS:
            raise MotionFileError(f"the skeleton has more than {MAX_JOINTS} joints; it is damaged, or no figure.")
        parent = self.open[-1] if self.open else -1
        if kind == "END":
            name = f"{self.joints[parent].name}_end" if parent >= 0 else "end"
        self.joints.append(_Joint(name or "joint", parent))


def _offset(text: str) -> list[float]:
    try:
        offset = numbers.parse_few(text)
    except ValueError:
        offset = []
    if len(offset) != 3 or not all(abs(number) < LARGEST for number in offset):
        raise MotionFileError(f'an OFFSET is "{text.strip()[:40]}", not three numbers; export the file again.')
    return offset


def _channels(count: str, text: str) -> tuple[str, ...]:
    channels = tuple(f"{word[0].upper()}{'r' if word[1] in 'rR' else 'p'}" for word in text.split())
    if len(channels) != int(count[:9]):
        raise MotionFileError(f"CHANNELS {count[:9]} is followed by {len(channels)} channels; export the file again.")
    return channels


def _frames(block: bytes, declared: str, width: int) -> NDArray[np.float64]:
    """The whole frames ``[T, width]`` of the MOTION, checked against what is declared."""
    try:
        wanted = int(float(declared))
    except (ValueError, OverflowError):
        raise MotionFileError(f'Frames: is "{declared[:20]}", not a number; export the file again.') from None
    try:
        values = numbers.parse(block)
    except ValueError as error:
        raise MotionFileError(f'the MOTION has "{error}" where a number belongs; export the file again.') from None
    if not width:
        raise MotionFileError("the skeleton has no CHANNELS, so nothing in it moves; export the file with its motion.")
    found = len(values) // width
    if found != wanted or not found:
        _check_count(found, wanted, width, len(values), block)
    return values[: found * width].reshape(found, width)


def _every_nth(block: bytes, declared: str, skeleton: _Skeleton, every: int) -> NDArray[np.float64] | None:
    """What `every_nth.read` gives of a MOTION that has each of its frames in a line."""
    lines = [line for line in block.split(b"\n") if line and not line.isspace()]
    if declared != str(len(lines)) or len(lines) * len(skeleton.names) > MOST_PLACES:
        return None
    return every_nth.read(lines, every, skeleton.width)


def _check_count(found: int, wanted: int, width: int, values: int, block: bytes) -> None:
    """Refuses a MOTION whose whole frames are not as many as declared, unless that can be lived with."""
    line = _LINE.search(block)
    a_line = len(line[0].split()) if line else 0
    of_another_width = a_line != width and values == wanted * a_line > 0
    if of_another_width and (wanted > 1 or values % width):
        raise MotionFileError(f"a frame has {a_line} numbers where CHANNELS ask for {width}; export the file again.")
    if not found:
        raise MotionFileError("the file has no frames, only a skeleton; export it with its motion.")
    if found < wanted - 1:
        raise MotionFileError(f"the file was cut off: it has {found} of its {wanted} frames; download it again.")


def _figures(skeleton: _Skeleton, values: NDArray[np.float64], fps: float) -> list[Motion]:
    """One Motion for each tree of the skeleton, which a HIERARCHY lists one after the other."""
    posed = skeleton.channels.pose(values)
    parents = skeleton.channels.parents
    starts = [*np.flatnonzero(parents < 0), len(parents)]
    figures = []
    for start, stop in pairwise(starts):
        part = slice(start, stop)
        tree = np.maximum(parents[part] - start, -1)
        joints = posed.positions[:, part], posed.rotations[:, part], posed.rest[part]
        figures.append(to_motion(*joints, tree, skeleton.names[part], fps))
    return figures


def _columns(joints: Sequence[_Joint]) -> tuple[list[Move], list[Turn]]:
    """What each column of the MOTION moves or turns; columns go through the joints in the order of the HIERARCHY."""
    moves: list[Move] = []
    turns: list[Turn] = []
    column = 0
    for number, joint in enumerate(joints):
        rotations: list[tuple[int, str]] = []
        for axis, kind in joint.channels:
            if kind == "p":
                moves.append(Move(number, column, _VECTORS[axis], replaces=True))
            else:
                rotations.append((column, axis))
            column += 1
        if rotations:
            turns.append(Turn(number, [c for c, _ in rotations], "".join(axis for _, axis in rotations)))
    return moves, turns
