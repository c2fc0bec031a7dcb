# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of motion in takes of ten minutes to an hour, made of real takes, for benchmarks.

The takes of a real library are joined in random order, round after round, each round at another speed, until there are
as many hours as are wanted. A take begins where the one before has ended; takes that show other joints go into other
long ones. What is stored goes through the real `Writer`. The same base gives the same library, and tells where all lies
in it, so that a stretch can be looked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import dtw, quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.encoder import Encoder
from hums_engine.joint_store import pack
from hums_engine.library import Library
from hums_engine.normalize import FPS, normalize
from hums_engine.reading import FileState, ReadFile, Take, TakeFacts, sign
from hums_engine.writer import model_of

TAKE_S: Final = (600.0, 3600.0)
_SPEEDS: Final = (1.0, 0.8, 1.25, 0.9, 1.12, 0.7, 1.4, 1.06)
_STORED_FPS: Final = 15.0


class Part(NamedTuple):
    """A take of the base library where it lies in a long one.

    Attributes:
        clip: its id in the base library.
        long: name of the long take.
        start_s: where it begins there.
        speed: at which it is played.
    """

    clip: int
    long: str
    start_s: float
    speed: float

    def place(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Where a stretch of the take lies in the long one."""
        return self.start_s + start_s / self.speed, self.start_s + end_s / self.speed


class LongTake(NamedTuple):
    """Several takes as one motion."""

    motion: CanonicalMotion
    parts: list[Part]


def long_takes(base: Library, hours: float) -> Iterator[LongTake]:
    """So many hours of motion; of takes that show the same joints, the last long one may be shorter than the others."""
    random = np.random.default_rng(2)
    motions = {clip.id: base.motion(clip.id) for clip in base.clips()}
    kinds = sorted({motion.valid.tobytes() for motion in motions.values()})
    total_s, number = sum(motion.duration_s for motion in motions.values()), 0
    for kind in kinds:
        alike = {key: motion for key, motion in motions.items() if motion.valid.tobytes() == kind}
        left_s = hours * 3600.0 * sum(motion.duration_s for motion in alike.values()) / total_s
        rounds = _rounds(sorted(alike), random)
        while left_s > 0.0:
            chosen: list[tuple[int, float]] = []
            wanted_s = min(random.uniform(*TAKE_S), left_s)
            while sum(alike[clip].duration_s / speed for clip, speed in chosen) < wanted_s:
                chosen.append(next(rounds))
            yield _joined(alike, chosen, f"long take {number:02d}")
            left_s, number = left_s - wanted_s, number + 1


def _rounds(clips: Sequence[int], random: np.random.Generator) -> Iterator[tuple[int, float]]:
    """All clips in random order, again and again, and the speed of each round."""
    while True:
        for speed in _SPEEDS:
            for clip in random.permutation(np.array(clips)).tolist():
                yield clip, speed


def _joined(motions: dict[int, CanonicalMotion], chosen: Sequence[tuple[int, float]], name: str) -> LongTake:
    """Takes one after another, each from where the one before has ended."""
    parts, pieces, place, frame = [], [], np.zeros(2), 0
    for clip, speed in chosen:
        motion = motions[clip]
        positions = replace(motion, fps=motion.fps * speed).positions_at(FPS)
        moved = positions + np.append(place - positions[0, 0, :2], 0.0)
        pieces.append(np.where(motion.valid[:, None], moved, 0.0).astype(np.float32))
        parts.append(Part(clip, name, frame / FPS, speed))
        place, frame = pieces[-1][-1, 0, :2], frame + len(positions)
    joined = np.concatenate(pieces)
    rotations = np.broadcast_to(quat.IDENTITY.astype(np.float32), (*joined.shape[:2], 4))
    return LongTake(CanonicalMotion(joined, rotations, motions[chosen[0][0]].valid, FPS, name), parts)


def make(base: Path, folder: Path, hours: float, encoder: Encoder) -> tuple[Path, list[Part]]:
    """A library of so many hours, made unless it is there, and where all lies in it."""
    path = folder / f"{hours:g}-hours.hums"
    exists, parts = path.exists(), []
    with Library.open(base, readonly=True) as takes:
        if exists:
            return path, [part for take in long_takes(takes, hours) for part in take.parts]
        with Library.create(path, encoder) as library, library._writer(model_of(encoder)) as writer:
            for number, (motion, some) in enumerate(long_takes(takes, hours)):
                writer.add(
                    ReadFile(f"/motions/{motion.name}.bvh", FileState(1, 1), f"{number:032x}", [_take(motion, encoder)])
                )
                writer.commit()
                parts += some
            library._settle()
    return path, parts


def _take(motion: CanonicalMotion, encoder: Encoder) -> Take:
    """A take as an index would keep it, but for its rotations, which no search looks at."""
    normalized = normalize(motion)
    facts = TakeFacts(0, motion.name, "", motion.duration_s, FPS, motion.frame_count)
    stored = replace(motion, positions=motion.positions[::2], rotations=motion.rotations[::2], fps=_STORED_FPS)
    return Take(facts, pack(stored, dtw.frames(normalized)), *sign(motion, encoder, normalized))
