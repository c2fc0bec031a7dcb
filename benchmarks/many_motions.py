# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries of any size whose signatures lie as real ones do, for benchmarks and soaks.

``python benchmarks/many_motions.py BASE.hums FOLDER --signatures 10000 100000`` multiplies the takes of a real library.
Each take is played at several speeds and cut into clips of 3.5 s, half of each over the next; a clip and its nine
moments are signed by the encoder. Beyond 10,000 such clips, further ones are mixtures: a signature is the mean
direction of tokens, so the mean of two clips' signatures is that of a clip which is partly one and partly the other.
Moments are mixed as their clips are. What is stored goes through the real `Writer`, one file a clip; the joints of a
mixture are those of the clip that it has most of. The same base gives the same libraries.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import dtw
from hums_engine.canonical import CanonicalMotion
from hums_engine.encoder import Encoder
from hums_engine.joint_store import pack
from hums_engine.library import Library
from hums_engine.moments import windows
from hums_engine.normalize import normalize
from hums_engine.reading import FileState, ReadFile, Take, TakeFacts
from hums_engine.signature_store import Rows
from hums_engine.writer import model_of

CLIP_S: Final = 3.5
TIMES: Final = np.concatenate([[[0.0, CLIP_S]], windows(CLIP_S)])
"""Start and end ``[10, 2]`` of a clip and of its moments, seconds."""
SIGNATURES_A_CLIP: Final = len(TIMES)

_HOP_S: Final = CLIP_S / 2
_SPEEDS: Final = (1.0, 0.8, 1.25, 0.9, 1.12, 0.7, 1.4, 1.06)
_STORED_FPS: Final = 15.0  # a quarter of the usual rate: a library of 100,000 clips then takes 4 GB, not 10
_REAL_CLIPS: Final = 10_000
_MIXED: Final = (0.15, 0.45)  # share of the second clip
_COMMIT_CLIPS: Final = 2_000


class Cuts(NamedTuple):
    """Clips cut out of real takes.

    Attributes:
        vectors: ``[C, 10, D]`` float16 signatures of each clip and its moments.
        record: ``[C]`` which of ``records`` holds its joints.
        records: packed joints.
    """

    vectors: NDArray[np.float16]
    record: NDArray[np.intp]
    records: list[bytes]


def cuts(base: Library, encoder: Encoder, wanted: int) -> Cuts:
    """``wanted`` clips or more; all that can be had of the library at eight speeds, if that is fewer."""
    takes, records = _originals(base, wanted)
    vectors: list[NDArray[np.float16]] = []
    record: list[NDArray[np.intp]] = []
    for speed in _SPEEDS:
        if sum(map(len, vectors)) >= wanted:
            break
        for motion, owned in takes:
            starts = _starts(motion.duration_s / speed)
            if not len(starts):
                continue
            times = (starts[:, None, None] + TIMES).reshape(-1, 2)
            signed = encoder.encode_stretches(replace(motion, fps=motion.fps * speed), times)
            vectors.append(signed.reshape(len(starts), SIGNATURES_A_CLIP, -1).astype(np.float16))
            nearest = np.rint(starts * speed / _HOP_S).astype(np.intp)
            record.append(owned[np.minimum(nearest, len(owned) - 1)])
    return Cuts(np.concatenate(vectors), np.concatenate(record), records)


def _originals(base: Library, wanted: int) -> tuple[list[tuple[CanonicalMotion, NDArray[np.intp]]], list[bytes]]:
    """Takes with the numbers of their clips' records, and the records; only as many as are wanted."""
    takes, records = [], []
    for clip in base.clips():
        if len(records) == wanted:
            break
        motion = base.motion(clip.id)
        starts = _starts(motion.duration_s)[: wanted - len(records)]
        if len(starts):
            takes.append((motion, len(records) + np.arange(len(starts))))
            records += [_record(motion.cut(start, start + CLIP_S)) for start in starts]
    return takes, records


def _starts(duration_s: float) -> NDArray[np.float64]:
    return np.arange(0.0, max(duration_s - CLIP_S, 0.0), _HOP_S)


def _record(motion: CanonicalMotion) -> bytes:
    return pack(motion.resampled(_STORED_FPS), dtw.frames(normalize(motion)))


def multiplied(some: Cuts, count: int) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Signatures ``[10, D]`` of ``count`` clips, and the record of each."""
    random = np.random.default_rng(0)
    real = len(some.vectors)
    for i in range(count):
        if i < real:
            yield some.vectors[i].astype(np.float32), int(some.record[i])
            continue
        most, other = random.integers(real, size=2)
        share = random.uniform(*_MIXED)
        mixed = (1 - share) * some.vectors[most].astype(np.float32) + share * some.vectors[other]
        yield mixed / np.linalg.norm(mixed, axis=1, keepdims=True), int(some.record[most])


def fill(library: Library, encoder: Encoder, some: Cuts, count: int) -> None:
    """Puts ``count`` clips into an empty library, through its writer; no search graph is built."""
    start_s, end_s = TIMES.astype(np.float32).T
    with library._writer(model_of(encoder)) as writer:
        for i, (vectors, record) in enumerate(multiplied(some, count)):
            clip, moments = (Rows(vectors[part], start_s[part], end_s[part]) for part in (slice(1), slice(1, None)))
            facts = TakeFacts(0, f"clip {i:07d}", "", CLIP_S, _STORED_FPS, round(CLIP_S * _STORED_FPS))
            take = Take(facts, some.records[record], clip, moments)
            name = f"/motions/{i // 1000:04d}/clip {i:07d}.bvh"
            writer.add(ReadFile(name, FileState(1, 1), f"{i:032x}", [take]))
            if writer.pending == _COMMIT_CLIPS:
                writer.commit()
        writer.commit()
        library._settle()


def make(base: Path, folder: Path, sizes: Sequence[int], encoder: Encoder) -> list[Path]:
    """Libraries of so many signatures, each made unless it is there."""
    paths = [folder / f"{size}.hums" for size in sizes]
    missing = [(size // SIGNATURES_A_CLIP, path) for size, path in zip(sizes, paths, strict=True) if not path.exists()]
    if missing:
        with Library.open(base, readonly=True) as takes:
            some = cuts(takes, encoder, min(max(missing)[0], _REAL_CLIPS))
        for count, path in missing:
            with Library.create(path, encoder) as library:
                fill(library, encoder, some, count)
    return paths


def main() -> None:
    """Makes libraries."""
    parser = argparse.ArgumentParser(description="Multiplies the takes of a real library.")
    parser.add_argument("base", type=Path, help="a library of real takes")
    parser.add_argument("folder", type=Path, help="where to make SIZE.hums")
    parser.add_argument("--signatures", type=int, nargs="+", default=[1_000, 10_000])
    arguments = parser.parse_args()
    for path in make(arguments.base, arguments.folder, arguments.signatures, Encoder()):
        print(path)


if __name__ == "__main__":
    main()
