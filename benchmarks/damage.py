# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage of every kind to every file of a library: `hums verify` must find it, and ``--repair`` mend it or name it.

    python benchmarks/damage.py [--times 2000] [--seed 1]

A copy of a small library is damaged at random: bytes changed, overwritten by zeros or noise, cut off, files emptied,
deleted, exchanged, folders emptied, the write-ahead log of a crash among them. What verify does not find must change
nothing that the library says (SQLite has bytes that nothing reads). What repair does not name must be as before. The
table counts, by file, what came of it. Exit code 1: damage went unnoticed, or the repaired library is not sound.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import writer
from hums_engine.encoder import Encoder
from hums_engine.errors import HumsError
from hums_engine.library import Library
from tests.engine import posed_bvh

OUTCOMES: Final = ("mended", "named", "harmless", "FAULT")
CLIPS: Final = 12


def main() -> int:
    """Damages, verifies, repairs, and prints the table."""
    parser = argparse.ArgumentParser(description="Damages a library in all ways and has it mended.")
    parser.add_argument("--times", type=int, default=2000)
    parser.add_argument("--seed", default="1", help="what decides on the damage")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hums damage ") as folder:
        trial = Trial(Path(folder), Encoder(provider="cpu"), random.Random(options.seed))
        for _ in range(options.times):
            trial.damage()
    return trial.told()


def overwrite(path: Path, rng: random.Random) -> str:
    """Some bytes of a file become others."""
    data = bytearray(path.read_bytes())
    at, length = rng.randrange(len(data)), rng.choice([1, 1, 1, 16, 512, 4096])
    old = bytes(data[at : at + length])
    new = rng.choice([bytes(len(old)), rng.randbytes(len(old)), bytes(byte ^ 1 << rng.randrange(8) for byte in old)])
    data[at : at + length] = new
    path.write_bytes(data)
    return f"{length} bytes at {at}"


def cut_off(path: Path, rng: random.Random) -> str:
    """A file loses its end."""
    length = rng.randrange(path.stat().st_size)
    path.write_bytes(path.read_bytes()[:length])
    return f"cut off at {length}"


def empty(path: Path, _: random.Random) -> str:
    """A file loses all it has."""
    path.write_bytes(b"")
    return "emptied"


def delete(path: Path, _: random.Random) -> str:
    """A file is gone."""
    path.unlink()
    return "deleted"


def exchange(path: Path, rng: random.Random) -> str:
    """A file is where another belongs, and the other in its place."""
    others = sorted(other for other in path.parents[0].parent.rglob("*-*") if other.is_file() and other != path)
    other = rng.choice(others)
    data = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(data)
    return f"exchanged with {other.name}"


def empty_folder(path: Path, _: random.Random) -> str:
    """All that is in a file's folder is gone."""
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    return "its folder emptied"


DAMAGES: Final[tuple[Callable[[Path, random.Random], str], ...]] = (
    *[overwrite] * 6, cut_off, empty, delete, exchange, empty_folder,
)  # fmt: skip


@dataclass
class Trial:
    """A library, what it says, and what came of damaging copies of it."""

    folder: Path
    encoder: Encoder
    rng: random.Random
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        writer.GRAPH_FROM = CLIPS  # so that there are search graphs to damage
        posed_bvh.write_several(self.folder / "mocap", CLIPS, seconds=1.5)
        with Library.create(self.folder / "whole.hums", self.encoder) as library:
            library.add([self.folder / "mocap"], workers=1)
            for clip in library.clips():
                library.set_tags(clip.id, [f"tag {clip.id}"])
            library.reencode(self.encoder)  # its end puts the tags into the backup
            library.set_notes(library.clips()[0].id, "in the log")
            shutil.copytree(library.path, self.folder / "crashed.hums")  # open, so its log is not folded
            self.before = self.says(library)

    def says(self, library: Library) -> str:
        """All that a library says, as a hash; notes aside, which are in a log that may be lost."""
        digest = hashlib.blake2b()
        for clip in library.clips():
            digest.update(repr((clip.id, clip.name, clip.source, clip.tags, clip.duration_s)).encode())
            digest.update(library.motion(clip.id).positions.tobytes())
        for scope in ("clips", "moments"):
            hits = library.search(library.clips()[0].id, k=5, scope=scope)
            digest.update(repr([(hit.clip_id, round(hit.score, 2), round(hit.start_s, 2)) for hit in hits]).encode())
        return digest.hexdigest()

    def damage(self) -> None:
        """Damages one copy, verifies it and has it repaired."""
        copy = self.folder / "copy.hums"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / self.rng.choice(["whole.hums", "whole.hums", "crashed.hums"]), copy)
        paths = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
        path = self.rng.choice(paths)
        how = self.rng.choice([one for one in DAMAGES if one is not empty_folder or path.parent != copy])
        told = f"{path.relative_to(copy)}: {how(path, self.rng)}"
        try:
            outcome = self.outcome(copy)
        except HumsError as error:
            outcome = f"FAULT (after the repair: {error})"
        except Exception as error:
            outcome = f"FAULT ({type(error).__name__}: {error})"
        self.outcomes[path.name][outcome.split()[0]] += 1
        if outcome.startswith("FAULT"):
            self.faults.append(f"{told}: {outcome}")

    def outcome(self, copy: Path) -> str:
        """What verify and repair make of a damaged library."""
        if self.found(copy):
            try:
                report = Library.repair(copy, self.encoder)
            except HumsError:  # such as: the catalogue and its backup are gone
                return "named"
            if report.problems:
                return "named"
        with Library.open(copy, encoder=self.encoder) as library:
            if not library.verify().sound:
                return "FAULT (not sound after the repair)"
            if self.says(library) == self.before:
                return "mended" if self.was_found else "harmless"
        return "FAULT (other content than before, and no word of it)"

    def found(self, copy: Path) -> bool:
        """Whether verify notices."""
        try:
            with Library.open(copy, readonly=True, encoder=self.encoder) as library:
                self.was_found = not library.verify().sound
        except HumsError:
            self.was_found = True
        return self.was_found

    def told(self) -> int:
        """Prints the table; the exit code."""
        print(f"{'damaged file':<26}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
        for name, counts in sorted(self.outcomes.items()):
            print(f"{name:<26}" + "".join(f"{counts[outcome]:>10}" for outcome in OUTCOMES))
        total = sum((counts for counts in self.outcomes.values()), Counter())
        print(f"{'all':<26}" + "".join(f"{total[outcome]:>10}" for outcome in OUTCOMES))
        print(*self.faults[:30], sep="\n", end="\n" if self.faults else "")
        return 1 if self.faults else 0


if __name__ == "__main__":
    sys.exit(main())
