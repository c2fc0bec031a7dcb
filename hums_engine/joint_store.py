# SPDX-License-Identifier: GPL-3.0-or-later
"""JointStore: the canonical motion of every clip, in small records that are read where they lie.

A record holds a clip twice: as a *sketch*, what the alignment compares (`dtw`), and in full.
Positions are 16-bit steps of each joint's own reach from the pelvis (0.02 mm for an arm's length, where half
precision would jitter by 0.5 mm and make planted feet slide); rotations are 16-bit quaternions (0.003 degrees). At
60 frames a second that is 23.0 kB for a second of motion. All numbers are little-endian:

| part | type | shape |
|---|---|---|
| head | see ``_HEAD`` | |
| sketch | float16 | [S, 70] |
| pelvis | float32 | [T, 3] |
| reach | float32 | [21] |
| offsets from the pelvis | int16 | [T, 21, 3] |
| rotations | int16 | [T, 22, 4] |
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quat
from .canonical import CanonicalMotion
from .dtw import FEATURES, Frames, known
from .errors import LibraryError
from .motion import thinning
from .normalize import FPS as SKETCH_FPS
from .skeleton import JOINT_COUNT

HIGHEST_FPS: Final = 60.0
SEGMENT_BYTES: Final = 1 << 30
"""A segment that has grown beyond this is closed and the next one begun."""

BYTES_PER_SECOND: Final = 23_000
"""Of a record, at 60 frames a second."""

_LONG_BYTES: Final = 1 << 20
"""Of a record whose sketch is checked once: an hour's would take as long as its alignment."""

_HEAD: Final = struct.Struct("<4sHHIIdIII")  # magic, version, joints, T, S, fps, valid bits, sketch checksum, unused
_MAGIC: Final = b"HUMJ"
_VERSION: Final = 1
_STEPS: Final = 32_767
_FRAME_BYTES: Final = 3 * 4 + (JOINT_COUNT - 1) * 3 * 2 + JOINT_COUNT * 4 * 2
_SKETCH_BYTES: Final = FEATURES * 2


class Location(NamedTuple):
    """Where a record lies: file name, first byte, number of bytes and their CRC-32."""

    segment: str
    offset: int
    length: int
    check: int


def thinned(motion: CanonicalMotion) -> CanonicalMotion:
    """Every n-th frame of a motion, n such that some 60 (45 to 90) a second are left; frames are kept as they are."""
    every = thinning(motion.fps, HIGHEST_FPS)
    if every == 1:
        return motion
    return replace(
        motion,
        positions=motion.positions[::every],
        rotations=motion.rotations[::every],
        fps=motion.fps / every,
    )


def pack(motion: CanonicalMotion, sketch: Frames) -> bytes:
    """A clip's record.

    Args:
        motion: the clip.
        sketch: what is compared of it, at the normalised rate.

    Raises:
        LibraryError: the motion has numbers that are not finite.
    """
    if not (np.isfinite(motion.positions).all() and np.isfinite(motion.rotations).all()):
        raise LibraryError(f"The motion {motion.name} has numbers that are not finite; it cannot be stored.")
    pelvis = motion.positions[:, :1]
    offsets = np.where(motion.valid[1:, None], motion.positions[:, 1:] - pelvis, 0.0)
    reach = np.abs(offsets).max(axis=(0, 2))
    steps = np.rint(offsets / np.maximum(reach, 1e-12)[:, None] * _STEPS)
    poses = np.ascontiguousarray(sketch.values, dtype="<f2").tobytes()
    head = _HEAD.pack(
        _MAGIC,
        _VERSION,
        JOINT_COUNT,
        motion.frame_count,
        len(sketch.values),
        motion.fps,
        int(np.dot(motion.valid, 1 << np.arange(JOINT_COUNT))),
        zlib.crc32(poses),
        0,
    )
    parts = (pelvis.astype("<f4"), reach.astype("<f4"), steps.astype("<i2"), _quantised(motion.rotations))
    return b"".join((head, poses, *(part.tobytes() for part in parts)))


def _quantised(rotations: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(np.clip(rotations, -1.0, 1.0) * _STEPS).astype("<i2")


class _Head(NamedTuple):
    frames: int
    sketch_frames: int
    fps: float
    bits: int
    sketch_check: int

    @classmethod
    def of(cls, record: memoryview) -> _Head:
        """The head of a record, checked against the record's length."""
        if len(record) < _HEAD.size:
            raise ValueError
        magic, version, joints, frames, sketch_frames, fps, bits, check, _ = _HEAD.unpack_from(record)
        length = _HEAD.size + sketch_frames * _SKETCH_BYTES + frames * _FRAME_BYTES + (JOINT_COUNT - 1) * 4
        if (magic, version, joints, length) != (_MAGIC, _VERSION, JOINT_COUNT, len(record)):
            raise ValueError
        return cls(frames, sketch_frames, fps, bits, check)


def unpack(record: memoryview, name: str = "", source: str = "") -> CanonicalMotion:
    """The motion in a record.

    Raises:
        ValueError: the bytes are not a record.
    """
    head = _Head.of(record)
    reader = _Reader(record, _HEAD.size + head.sketch_frames * _SKETCH_BYTES)
    pelvis = reader.take("<f4", (head.frames, 1, 3))
    reach = reader.take("<f4", (JOINT_COUNT - 1, 1))
    offsets = reader.take("<i2", (head.frames, JOINT_COUNT - 1, 3)) * (reach / np.float32(_STEPS))
    rotations = reader.take("<i2", (head.frames, JOINT_COUNT, 4))
    positions = np.concatenate([pelvis, pelvis + offsets], axis=1)
    valid = _mask(head.bits)
    positions[:, ~valid] = 0.0
    return CanonicalMotion(
        positions=positions.astype(np.float32),
        rotations=quat.normalize(rotations).astype(np.float32),
        valid=valid,
        fps=head.fps,
        name=name,
        source=source,
    )


def unpack_sketch(record: memoryview, check: bool = True) -> Frames:
    """The sketch in a record, as it lies there; with ``check``, against its checksum.

    Raises:
        ValueError: the bytes are not a record, or the sketch is damaged.
    """
    head = _Head.of(record)
    poses = record[_HEAD.size : _HEAD.size + head.sketch_frames * _SKETCH_BYTES]
    if check and zlib.crc32(poses) != head.sketch_check:
        raise ValueError
    values = np.frombuffer(poses, dtype="<f2").reshape(head.sketch_frames, FEATURES)
    return Frames(values, _known(head.bits), 1.0 / SKETCH_FPS)


@lru_cache(maxsize=256)
def _known(bits: int) -> NDArray[np.float32]:
    """What `dtw.known` says of the joints that are there; most clips of a library have the same."""
    return known(_mask(bits))


def _mask(bits: int) -> NDArray[np.bool_]:
    return (bits >> np.arange(JOINT_COUNT)) & 1 == 1


class _Reader:
    """Arrays one after another out of a buffer."""

    def __init__(self, record: memoryview, offset: int) -> None:
        self._record = record
        self._offset = offset

    def take(self, dtype: str, shape: tuple[int, ...]) -> NDArray:
        """The next array, a view of the buffer."""
        count = math.prod(shape)
        array = np.frombuffer(self._record, dtype=dtype, count=count, offset=self._offset)
        self._offset += array.nbytes
        return array.reshape(shape)


class JointStore:
    """Reads records out of the segment files of a folder, mapped into memory on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._maps: dict[str, NDArray[np.uint8]] = {}
        self._sound: set[Location] = set()

    def motion(self, location: Location, name: str = "", source: str = "") -> CanonicalMotion:
        """A clip in full.

        Raises:
            LibraryError: its record is missing or damaged.
        """
        record = self.record(location)
        try:
            return unpack(record, name, source)
        except ValueError as error:
            raise _damaged(location) from error

    def sketch(self, location: Location) -> Frames:
        """A clip's sketch, in place; only its own bytes are read and checked, those of a long take once.

        Raises:
            LibraryError: its record is missing or damaged.
        """
        try:
            sketch = unpack_sketch(self._bytes(location), location not in self._sound)
        except ValueError as error:
            raise _damaged(location) from error
        if location.length > _LONG_BYTES:
            self._sound.add(location)
        return sketch

    def record(self, location: Location) -> memoryview:
        """A clip's record, checked against its CRC.

        Raises:
            LibraryError: it is missing or damaged.
        """
        record = self._bytes(location)
        if zlib.crc32(record) != location.check:
            raise _damaged(location)
        return record

    def _bytes(self, location: Location) -> memoryview:
        mapped = self._maps.get(location.segment)
        stop = location.offset + location.length
        if mapped is None or len(mapped) < stop:
            mapped = self._maps[location.segment] = self._map(location)
        if len(mapped) < stop:
            raise _damaged(location)
        return mapped[location.offset : stop].data

    def _map(self, location: Location) -> NDArray[np.uint8]:
        try:
            return np.asarray(np.memmap(self._folder / location.segment, dtype=np.uint8, mode="r"))  # slices quicker
        except (OSError, ValueError) as error:  # ValueError: an empty file
            raise _damaged(location) from error

    def close(self) -> None:
        """Lets go of the files."""
        self._maps.clear()
        self._sound.clear()


def _damaged(location: Location) -> LibraryError:
    return LibraryError(
        f"The joints of a clip in {location.segment} are damaged; mend them with: hums verify --repair."
    )
