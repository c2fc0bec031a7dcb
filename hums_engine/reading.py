# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a source file into what a library keeps of it: records of joints, and signatures of clips and moments."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from . import dtw, formats
from .canonical import CanonicalMotion, canonicalize
from .errors import HumsError, MotionFileError
from .joint_store import HIGHEST_FPS, pack, thinned
from .mapping import map_motion
from .moments import windows
from .motion import Motion
from .normalize import NormalizedMotion, normalize
from .signature_store import Rows

_HASH_BLOCK: Final = 1 << 20


class Signer(Protocol):
    """What signs motions: `encoder.Encoder`."""

    def encode_stretches(
        self, motion: CanonicalMotion, times_s: NDArray[np.floating], normalized: NormalizedMotion | None = None
    ) -> NDArray[np.float32]:
        """Signatures ``[M, D]`` of unit length of the stretches ``times_s [M, 2]``, seconds, of a motion."""
        ...


@dataclass(frozen=True)
class TakeFacts:
    """What the catalogue says of a take; unit and up are empty where a library of an older version has it."""

    take: int
    name: str
    family: str
    duration_s: float
    fps: float
    frames: int
    unit: str = ""
    up: str = ""


@dataclass(frozen=True)
class Take:
    """One motion of a file, ready to be stored."""

    facts: TakeFacts
    record: bytes
    signature: Rows
    moments: Rows


@dataclass(frozen=True)
class FileState:
    """Size and time of a file, which change when it is written; with those that it is read with, the sums of all."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> FileState:
        """As it is now.

        Raises:
            OSError: it is gone or cannot be reached.
        """
        found = [one.stat() for one in (Path(path), *formats.read_with(path))]
        return cls(sum(status.st_size for status in found), sum(status.st_mtime_ns for status in found))


@dataclass(frozen=True)
class ReadFile:
    """All of a file that could be read; ``failures`` say in one line each what could not."""

    path: str
    state: FileState = FileState(0, 0)
    content: str = ""
    takes: list[Take] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def content_hash(path: str) -> str:
    """BLAKE2b of a file's bytes, 128 bits in hex: the same for the same content under any name.

    A file that is read with others, as an AMC with its ASF, is as good as changed when they are: theirs are in it, too.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for one in (Path(path), *formats.read_with(path)):
        with one.open("rb") as file:
            while block := file.read(_HASH_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def read_file(path: str, signer: Signer) -> ReadFile:
    """Reads one file, whatever is wrong with it: errors become lines in ``failures``.

    A file that is written to meanwhile is read once more, and refused if it changes again.
    """
    try:
        for _ in range(2):
            before = FileState.of(path)
            content = content_hash(path)
            takes, failures = _takes(path, signer)
            if FileState.of(path) == before:
                failures = failures or ([] if takes else ["there is no motion in this file; export it again."])
                return ReadFile(path, before, content, takes, failures)
        return ReadFile(path, failures=["the file is being written to; index it again when that is done."])
    except HumsError as error:
        told = one_line(error).removeprefix(f"{Path(path).name}: ")  # the path is told beside it
        return ReadFile(path, _state_or_none(path), failures=[told])
    except OSError as error:
        return ReadFile(path, _state_or_none(path), failures=[f"the file cannot be read ({error.strerror or error})."])
    except MemoryError:
        return ReadFile(path, _state_or_none(path), failures=["the file needs more memory than there is."])
    except Exception as error:  # one file must not stop the index of fifty thousand, whatever is wrong in a reader
        told = f"the reader failed ({type(error).__name__}: {one_line(error)}); please report this file."
        return ReadFile(path, _state_or_none(path), failures=[told])


def _state_or_none(path: str) -> FileState:
    try:
        return FileState.of(path)
    except OSError:
        return FileState(0, 0)


def one_line(error: Exception | str) -> str:
    """An error's text without line ends."""
    return " ".join(str(error).split())


def _takes(path: str, signer: Signer) -> tuple[list[Take], list[str]]:
    takes: list[Take] = []
    failures: list[str] = []
    motions = formats.load_all(path, HIGHEST_FPS)
    for number, motion in enumerate(motions):
        try:
            takes.append(take_of(motion, number, signer))
        except HumsError as error:
            name = f"take {motion.name}: " if len(motions) > 1 else ""
            failures.append(name + one_line(error))
    return takes, failures


def take_of(motion: Motion, number: int, signer: Signer) -> Take:
    """One motion, brought onto the canonical body, packed and signed.

    Raises:
        HumsError: it is not a figure's motion, or has numbers that are not finite.
    """
    joint_map = map_motion(motion)
    canonical = thinned(canonicalize(motion, joint_map))
    if not np.isfinite(canonical.positions).all():
        raise MotionFileError("positions are not numbers in some frames; export the file again.")
    timing, axes = motion.file_timing, (motion.unit, motion.up)
    facts = TakeFacts(number, motion.name, joint_map.family, timing.duration_s, timing.fps, timing.frames, *axes)
    normalized = normalize(canonical)
    signature, moments = sign(canonical, signer, normalized)
    return Take(facts, pack(canonical, dtw.frames(normalized)), signature, moments)


def sign(motion: CanonicalMotion, signer: Signer, normalized: NormalizedMotion | None = None) -> tuple[Rows, Rows]:
    """The signature of a motion (one row) and those of its moments; ``normalized`` as in `Signer`."""
    times = windows(motion.duration_s)
    vectors = signer.encode_stretches(motion, np.concatenate([[[0.0, motion.duration_s]], times]), normalized)
    start_s, end_s = times.astype(np.float32).T
    clip = Rows(vectors[:1], np.zeros(1, np.float32), np.full(1, motion.duration_s, np.float32))
    return clip, Rows(vectors[1:], start_s, end_s)


# The way of a read file from a worker process: a head in JSON, then the arrays' bytes. Not a pickle, because the
# process that reads hostile files must not be able to run code in the one that keeps the library.

_LENGTH: Final = struct.Struct("<Q")


def to_bytes(read: ReadFile) -> bytes:
    """A read file as bytes."""
    blobs: list[bytes] = []
    takes = []
    for take in read.takes:
        parts = [take.record, *(np.ascontiguousarray(a).tobytes() for a in (*take.signature, *take.moments))]
        takes.append({"facts": asdict(take.facts), "sizes": [len(part) for part in parts]})
        blobs += parts
    head = {
        "path": read.path,
        "state": asdict(read.state),
        "content": read.content,
        "failures": read.failures,
        "takes": takes,
    }
    text = json.dumps(head).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *blobs])


def from_bytes(data: bytes) -> ReadFile:
    """What `to_bytes` wrote.

    Raises:
        ValueError: the bytes are something else.
    """
    view = memoryview(data)
    try:
        (length,) = _LENGTH.unpack_from(view)
        head = json.loads(bytes(view[_LENGTH.size : _LENGTH.size + length]))
        at = _LENGTH.size + length
        takes = []
        for take in head["takes"]:
            stops = (at + np.cumsum(take["sizes"])).tolist()
            record, *arrays = (view[a:b] for a, b in zip([at, *stops[:-1]], stops, strict=True))
            takes.append(Take(TakeFacts(**take["facts"]), bytes(record), _rows(arrays[:3]), _rows(arrays[3:])))
            at = stops[-1]
        return ReadFile(head["path"], FileState(**head["state"]), head["content"], takes, head["failures"])
    except (KeyError, TypeError, struct.error, json.JSONDecodeError) as error:
        raise ValueError("not a read file") from error


def _rows(parts: list[memoryview]) -> Rows:
    vectors, start_s, end_s = (np.frombuffer(part, dtype=np.float32) for part in parts)
    dimension = len(vectors) // len(start_s) if len(start_s) else 0
    return Rows(vectors.reshape(len(start_s), dimension), start_s, end_s)
