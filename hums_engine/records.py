# SPDX-License-Identifier: GPL-3.0-or-later
"""Records: what the rows of a library's catalogue say, as people and the rest of the engine use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .joint_store import Location


@dataclass(frozen=True)
class Clip:
    """One whole motion in a library.

    Attributes:
        id: stays the same when its file is moved, renamed or changed; never given to another clip.
        name: the take's name, or the file's stem.
        source: absolute path of its file.
        take: which motion of the file, from 0.
        family: the rig family that its joint names were recognised as, "shape" if by the skeleton's shape.
        duration_s: seconds.
        fps: frames a second of the file.
        frames: number of frames in the file.
        tags: words that a person gave it.
        favourite: whether a person marked it.
        notes: free text of a person.
        unit: what the file's length unit was taken for, such as ``"cm"``; empty if an older version read the file.
        up: which axis of the file was taken for up; empty if an older version read the file.
    """

    id: int
    name: str
    source: str
    take: int
    family: str
    duration_s: float
    fps: float
    frames: int
    tags: tuple[str, ...]
    favourite: bool
    notes: str
    unit: str = ""
    up: str = ""


class Stored(NamedTuple):
    """Where a clip's data lie: its joints, its signature's row, and its moments' rows."""

    clip_id: int
    joints: Location
    signature_row: int
    moment_row: int
    moment_count: int


class Source(NamedTuple):
    """A file as it was when it was read last; ``error`` is why it could not be, or empty."""

    id: int
    path: str
    size: int
    mtime_ns: int
    hash: str
    error: str


class Model(NamedTuple):
    """The encoder's model that the signatures were made with."""

    hash: str
    name: str
    dimension: int


class Graph(NamedTuple):
    """A saved search graph: file, how many rows of the store it covers, CRC-32 of the file."""

    name: str
    rows: int
    check: int
