# SPDX-License-Identifier: GPL-3.0-or-later
"""Acclaim's ASF skeletons and AMC motions, as of the CMU and HDM05 databases.

Source: Schafer, "Acclaim Skeleton File Definition V1.10" (1995), and the notes of Oxford Metrics on how Vicon
writes it.
Own code, because the parsers to be had are scripts that pose bone by bone and frame by frame.

- A bone turns by L = C M C^-1: M is made of its degrees of freedom in the order of ``dof``, C of its ``axis``. The
  listed axes are fixed ones, the first turned about first. Directions at rest are in the world's axes, so L is
  already the rotation from rest in axes parallel to the world's.
- A joint has the name of the bone that starts at it, and its rotation turns that bone. The end of a bone without
  children is a joint ``<bone>_end``.
- Bones without degrees of freedom, or not in the AMC, stay as at rest. ``tx ty tz`` move a bone along its axes, ``l``
  makes it longer. The root's ``position`` and ``orientation`` move and turn the whole figure.
- Lengths count in inches times the ASF's ``length`` (0.45 in both databases). Where that gives no figure of human
  size, the unit is told from the size, as for BVH.
- An AMC does not say its frame rate. A comment may; a file name that ends in ``_120``, as HDM05's, does; else it is
  the 120 of both databases.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import quat
from ..errors import MotionFileError
from ..motion import Motion, Thinned, Timing, thinning
from . import every_nth, numbers
from .axes import INCH, Unit, landmarks, stature, to_motion
from .channels import LARGEST, Channels, Move, Turn
from .files import decode, read_bytes

MAX_JOINTS: Final = 4096
"""More bones are refused: no figure has them, a damaged or hostile file may."""
FPS: Final = 120.0

_DOFS: Final = ("tx", "ty", "tz", "rx", "ry", "rz", "l")
_MOST_BYTES_OF_ASF: Final = 4_000_000  # a bone takes some 300, and MAX_JOINTS bones are a third of it
_PLAUSIBLE: Final = (0.5, 3.0)  # metres; a figure of another size counts in another unit than the ASF's
_FRAME: Final = re.compile(rb"(?m)^[ \t]*\d+[ \t]*\r?$")
_NAME: Final = re.compile(rb"(?m)^[ \t]*([A-Za-z_]\S*)")
_RATE: Final = re.compile(rb"(?:samples[-_ ]?per[-_ ]?second|frame[-_ ]?rate|fps)\W{0,5}(\d+(?:\.\d+)?)", re.IGNORECASE)
_RATE_IN_NAME: Final = re.compile(r"_(\d{2,3})$")
_SECTION: Final = re.compile(r":(\S+)(.*)")


@dataclass
class Bone:
    """One bone of an ASF; angles in degrees, lengths in the file's unit.

    Attributes:
        direction: ``[3]`` unit vector of the bone at rest, in the world's axes.
        length: of the bone.
        frame: ``[4]`` the turn C from the world's axes to those the bone turns about.
        dofs: what its numbers in an AMC are: ``tx ty tz rx ry rz l`` in some order.
    """

    name: str
    direction: NDArray[np.float64]
    length: float
    frame: NDArray[np.float64]
    dofs: tuple[str, ...]


@dataclass
class Skeleton:
    """An ASF: its bones with parents first, the root as a bone of no length in front."""

    bones: list[Bone]
    parents: list[int]
    unit: Unit
    degrees: bool
    position: Sequence[float]


def read(path: Path, most_fps: float = math.inf) -> list[Motion]:
    """The one motion of an AMC, on the skeleton of the ASF that goes with it.

    Args:
        path: the file.
        most_fps: of a file that has more, only every n-th frame may be read (`motion.thinning`).

    Raises:
        MotionFileError: the AMC or its ASF is not whole, the ASF is not to be found, or they do not go together.
    """
    raw = read_bytes(path)
    asf = find_asf(path)
    try:
        skeleton = _kept_skeleton(asf, _stamp(asf))
    except MotionFileError as error:
        raise MotionFileError(f"its skeleton {asf.name}: {error}") from None
    first = _FRAME.search(raw)
    if first is None:
        raise MotionFileError("this is not an AMC file: it has no line with a frame's number; check what it is.")
    header = raw[: first.start()]
    fps = _frame_rate(header, path)
    frames = _frames(raw[first.start() :], thinning(fps, most_fps))
    in_degrees = b":DEGREES" in header.upper() or (skeleton.degrees and b":RADIANS" not in header.upper())
    motion = _posed(skeleton, frames, in_degrees, fps)
    return [replace(motion, name=path.stem, source=str(path))]


def read_with(amc: Path) -> list[Path]:
    """The ASF of an AMC, if it is to be found."""
    try:
        return [find_asf(amc)]
    except (MotionFileError, OSError):
        return []


def find_asf(amc: Path) -> Path:
    """The skeleton of an AMC: of the same name, else of the longest name it begins with, else the only one around.

    CMU keeps ``01.asf`` beside ``01_02.amc``; HDM05 keeps ``HDM_bd.asf`` above ``HDM_bd_walk_001_120.amc``. The
    AMC's folder and two above it are searched; a name matches where it ends at a sign, not within a word.

    Raises:
        MotionFileError: none fits, or several do.
    """
    folders = [amc.parent, *amc.resolve().parents[1:3]]
    found = [_asfs_in(folder, _stamp(folder)) for folder in folders]
    for asfs in found:
        fitting = [asf for asf in asfs if re.match(re.escape(asf.stem) + r"(?![a-z0-9])", amc.stem, re.IGNORECASE)]
        if fitting:
            return max(fitting, key=lambda asf: len(asf.stem))
    for asfs in found:
        if len(asfs) == 1:
            return asfs[0]
    raise MotionFileError(f"the ASF file with its skeleton is missing; put it beside the AMC file as {amc.stem}.asf.")


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file or folder does, so that what was read of it can be kept until then."""
    try:
        status = path.stat()
        return status.st_mtime_ns, status.st_size
    except OSError:
        return 0, 0


@lru_cache(maxsize=64)  # a folder of 50,000 AMC files is listed once, not once for each
def _asfs_in(folder: Path, _changed: tuple[int, int]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.lower().endswith(".asf"))
    except OSError:
        return []


@lru_cache(maxsize=16)  # all takes of an actor share one
def _kept_skeleton(path: Path, _changed: tuple[int, int]) -> Skeleton:
    return read_asf(path)


def read_asf(path: Path) -> Skeleton:
    """The skeleton of an ASF.

    Raises:
        MotionFileError: the file is not a whole ASF.
    """
    raw = read_bytes(path)
    if len(raw) > _MOST_BYTES_OF_ASF:
        raise MotionFileError(f"{len(raw) / 1e6:.0f} MB are no skeleton; download it again.")
    sections = _sections(decode(raw))
    if "bonedata" not in sections or "hierarchy" not in sections:
        raise MotionFileError("this is not a whole ASF file (:bonedata and :hierarchy are needed); download it again.")
    try:
        return _skeleton(sections)
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise MotionFileError(f"the skeleton is damaged at {error}; download it again.") from None


def _sections(text: str) -> dict[str, list[list[str]]]:
    """The words of each line under each ``:keyword``; commas and parentheses are blanks, ``#`` begins a comment."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for written in text.splitlines():
        line = written.partition("#")[0].strip()
        section = _SECTION.match(line)
        if section:
            lines = sections.setdefault(section[1].lower(), [])
        words = re.sub(r"[,()]", " ", section[2] if section else line).split()
        if words:
            lines.append(words)
    return sections


def _skeleton(sections: dict[str, list[list[str]]]) -> Skeleton:
    units = {line[0].lower(): line[1] for line in sections.get("units", []) if len(line) > 1}
    degrees = units.get("angle", "deg").lower().startswith("deg")
    root = {line[0].lower(): line[1:] for line in sections.get("root", [])}
    orientation = _numbers(root.get("orientation", ["0", "0", "0"]), 3)
    bones = {bone.name: bone for bone in _bones(sections["bonedata"], degrees)}
    bones["root"] = Bone(
        name="root",
        direction=np.zeros(3),
        length=0.0,
        frame=_frame(orientation, "".join(root.get("axis", ["XYZ"])), degrees),
        dofs=_dofs(root.get("order", ["TX", "TY", "TZ", "RX", "RY", "RZ"])),
    )
    names, parents = _parents_first(_children(sections["hierarchy"]))
    length = _numbers([units.get("length", "1")], 1)[0]
    if length <= 0:
        raise ValueError(f'"length {length:g}"')
    unit = Unit(f"in/{length:g}", INCH.metres / length)
    position = _numbers(root.get("position", ["0", "0", "0"]), 3)
    return Skeleton([bones[name] for name in names], parents, unit, degrees, position)


def _bones(lines: Sequence[Sequence[str]], degrees: bool) -> Iterator[Bone]:
    """The bones between ``begin`` and ``end`` of :bonedata; lines of other things, such as limits, are passed over."""
    fields: dict[str, Sequence[str]] = {}
    for words in lines:
        keyword = words[0].lower()
        if keyword == "begin":
            fields = {}
        elif keyword == "end":
            axis = fields.get("axis", ["0", "0", "0", "XYZ"])
            yield Bone(
                name=fields["name"][0].lower(),
                direction=quat.unit(_numbers(fields["direction"], 3)),
                length=_numbers(fields["length"], 1)[0],
                frame=_frame(_numbers(axis, 3), axis[3] if len(axis) > 3 else "XYZ", degrees),
                dofs=_dofs(fields.get("dof", ())),
            )
        else:
            fields[keyword] = words[1:]


def _numbers(words: Sequence[str], count: int) -> list[float]:
    values = [float(word) for word in words[:count]]
    if len(values) != count or not all(abs(value) < LARGEST for value in values):
        raise ValueError(f'"{" ".join(words)[:40]}"')
    return values


def _frame(angles: Sequence[float], order: str, degrees: bool) -> NDArray[np.float64]:
    """The turn C ``[4]`` by the angles about x, y and z, the first of ``order`` turned about first."""
    order = order.upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise ValueError(f'"axis {order[:20]}"')
    turned = [angles["XYZ".index(letter)] for letter in reversed(order)]
    return quat.from_euler(np.radians(turned) if degrees else np.array(turned), order[::-1])


def _dofs(words: Sequence[str]) -> tuple[str, ...]:
    dofs = tuple(word.lower() for word in words)
    if not set(dofs) <= set(_DOFS):
        raise ValueError(f'"dof {" ".join(words)[:40]}"')
    return dofs


def _children(lines: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """The children of each bone; every name in small letters."""
    children: dict[str, list[str]] = {}
    for words in lines:
        if words[0].lower() not in ("begin", "end"):
            parent, *names = (word.lower() for word in words)
            children.setdefault(parent, []).extend(names)
    return children


def _parents_first(children: dict[str, list[str]]) -> tuple[list[str], list[int]]:
    """The bones that hang on the root, parents first, and the place of each one's parent."""
    names, parents, taken = ["root"], [-1], {"root"}
    waiting = [(child, 0) for child in reversed(children.get("root", []))]
    while waiting:
        name, parent = waiting.pop()
        if name in taken or len(names) >= MAX_JOINTS:
            raise ValueError(f'":hierarchy", bone "{name[:40]}"')
        taken.add(name)
        waiting += [(child, len(names)) for child in reversed(children.get(name, []))]
        names.append(name)
        parents.append(parent)
    return names, parents


class _Frames(NamedTuple):
    """What an AMC says of its bones.

    Attributes:
        bones: their names, in the order of every frame.
        counts: how many numbers each has.
        values: ``[T, n]`` all numbers; if not every frame was read, the first `OPENING` frames stand before the rest.
        total: how many frames the file has.
        every: the n of every n-th frame that was read.
    """

    bones: list[str]
    counts: list[int]
    values: NDArray[np.float64]
    total: int
    every: int = 1


def _frames(body: bytes, every: int) -> _Frames:
    """The frames of an AMC; all of them also where only every n-th would do, unless the rest is sure to be whole.

    Raises:
        MotionFileError: the frames do not all list the same bones, as where the file was cut off.
    """
    after_first_number = body.partition(b"\n")[2]
    second = _FRAME.search(after_first_number)
    first_frame = after_first_number[: second.start()] if second else after_first_number
    lines = [line.split() for line in first_frame.splitlines() if line.strip()]
    found = _frames_in_order(body, lines, every)
    if found is None and every > 1:
        found = _frames_in_order(body, lines, 1)
    return _any_frames(body, lines) if found is None else found


def _frames_in_order(body: bytes, first: Sequence[Sequence[bytes]], every: int) -> _Frames | None:
    """The frames of an AMC in which every bone has a line that begins with its name; None of any other, or of damage.

    Args:
        body: the frames.
        first: the words of each line of the first frame.
        every: the n of every n-th frame to read.
    """
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    height, width = 1 + len(first), 1 + sum(len(words) - 1 for words in first)
    count = len(lines) // height
    if len(lines) != count * height or width == 1 or len(first) > MAX_JOINTS:
        return None
    for place, words in enumerate(first, start=1):
        name = words[0] + b" "
        if not all(line.startswith(name) for line in lines[place::height]):
            return None
        lines[place::height] = [line[len(name) :] for line in lines[place::height]]
    values = every_nth.read([b" ".join(lines[at : at + height]) for at in range(0, len(lines), height)], every, width)
    return None if values is None else _Frames(*_listed(first), values[:, 1:], count, every)


def _any_frames(body: bytes, first: Sequence[Sequence[bytes]]) -> _Frames:
    """The same of any AMC, by looking for names anywhere; tells what is wrong with a damaged one."""
    names = _NAME.findall(body) if len(first) <= MAX_JOINTS else []
    count = len(names) // max(len(first), 1)
    if not count or names != [words[0] for words in first] * count:
        raise MotionFileError("not all its frames list the same bones, perhaps cut off; download it again.")
    try:
        values = numbers.parse(_NAME.sub(b"", body))
    except ValueError as error:
        raise MotionFileError(f'it has the word "{error}" where a number belongs; download it again.') from None
    width = 1 + sum(len(words) - 1 for words in first)
    if len(values) != count * width:
        raise MotionFileError("not all its frames have as many numbers, perhaps cut off; download it again.")
    return _Frames(*_listed(first), values.reshape(count, width)[:, 1:], count)


def _listed(first: Sequence[Sequence[bytes]]) -> tuple[list[str], list[int]]:
    """The bones of a frame, and how many numbers each has."""
    return [decode(words[0]).lower() for words in first], [len(words) - 1 for words in first]


def _posed(skeleton: Skeleton, frames: _Frames, in_degrees: bool, fps: float) -> Motion:
    """The skeleton moved by the columns that an AMC has for its bones."""
    bones, count, values = skeleton.bones, len(skeleton.bones), frames.values
    ends = [bone for bone in range(count) if bone not in skeleton.parents]
    parents = np.array([*skeleton.parents, *ends], dtype=np.intp)
    offsets = np.array([bones[parent].direction * bones[parent].length for parent in parents])
    offsets[0] = skeleton.position
    turned = np.array([*(bone.frame for bone in bones), *(quat.IDENTITY for _ in ends)])
    moves, turns = _columns(skeleton, parents, frames.bones, frames.counts)
    if not in_degrees:
        turning = [column for turn in turns for column in turn.columns]
        values[:, turning] = np.degrees(values[:, turning])
    posed = Channels(parents, offsets, moves, turns, turned).pose(values)
    joints = [*(bone.name for bone in bones), *(f"{bones[bone].name}_end" for bone in ends)]
    height = stature(posed.positions[:1], parents, landmarks(joints)) * skeleton.unit.metres
    unit = skeleton.unit if _PLAUSIBLE[0] <= height <= _PLAUSIBLE[1] else None
    motion = to_motion(*posed, parents, joints, fps, unit)
    return motion if frames.every == 1 else Thinned.of(motion, Timing(fps, frames.total), frames.every)


def _columns(
    skeleton: Skeleton, parents: NDArray[np.intp], names: Sequence[str], counts: Sequence[int]
) -> tuple[list[Move], list[Turn]]:
    """What each column of the AMC moves or turns.

    Raises:
        MotionFileError: the AMC has a bone, or numbers of a bone, that the ASF has not.
    """
    place = {bone.name: joint for joint, bone in enumerate(skeleton.bones)}
    moves: list[Move] = []
    turns: list[Turn] = []
    column = 0
    for name, count in zip(names, counts, strict=True):
        joint = place.get(name)
        if joint is None or len(skeleton.bones[joint].dofs) != count:
            raise MotionFileError(
                f'bone "{name[:40]}" differs between AMC and ASF; put the ASF beside it that it was made with.'
            )
        bone = skeleton.bones[joint]
        numbered = list(enumerate(bone.dofs, start=column))
        turning = [(number, dof[1].upper()) for number, dof in reversed(numbered) if dof[0] == "r"]
        if turning:  # fixed axes, so the last listed is the outermost
            turns.append(Turn(joint, [number for number, _ in turning], "".join(axis for _, axis in turning)))
        for number, dof in numbered:
            if dof == "l":
                ends = np.flatnonzero(parents == joint).tolist()
                moves += [Move(end, number, tuple(bone.direction), replaces=False) for end in ends]
            elif dof[0] == "t":
                axis = np.eye(3)["xyz".index(dof[1])]
                vector = axis if joint == 0 else quat.rotate(bone.frame, axis)
                moves.append(Move(joint, number, tuple(vector), replaces=False))
        column += count
    return moves, turns


def _frame_rate(header: bytes, path: Path) -> float:
    """Frames a second by a comment of the header, else by the end of the file's name, else the databases' 120."""
    stated = _RATE.search(header) or _RATE_IN_NAME.search(path.stem)
    rate = float(stated[1]) if stated else FPS
    return rate if 10 <= rate <= 1000 else FPS
