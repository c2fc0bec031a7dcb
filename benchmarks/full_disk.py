# SPDX-License-Identifier: GPL-3.0-or-later
"""Full disks: whatever is done to a library when there is no room for it must leave the library as it was, or done.

    mount -t tmpfs -o size=2m tmpfs /mnt/small
    python benchmarks/full_disk.py /mnt/small [--times 300] [--seed 1]

A library on a small disk is indexed, marked, signed anew, emptied in part and repaired, each time with a random amount
of room left by a file that takes the rest. What fails must say so in a sentence; after each time the library must be
sound and hold what was told as done. The table counts what was done and what was refused. Exit code 1: something was
lost, or a failure was no sentence.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import indexing
from hums_engine.encoder import Encoder
from hums_engine.errors import LibraryError
from hums_engine.library import Library
from tests.engine import posed_bvh

LARGEST: Final = 64_000_000
STAY: Final = 12
LEAVE: Final = 8
ROOM: Final = (0, 4_096, 20_000, 60_000, 120_000, 250_000, 500_000, 3_000_000, 3_000_000)


def main() -> int:
    """Fills the disk, changes the library, and prints the table."""
    parser = argparse.ArgumentParser(description="Changes a library on a disk that is full.")
    parser.add_argument("disk", type=Path, help="a folder on a small file system")
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--seed", default="1", help="what decides on the room that is left")
    options = parser.parse_args()
    if shutil.disk_usage(options.disk).total > LARGEST:
        parser.error(f"{options.disk} is on a disk of more than {LARGEST / 1e6:.0f} MB; filling it takes long")
    with tempfile.TemporaryDirectory(prefix="hums full ") as mocap:
        trial = Trial(options.disk, Path(mocap), random.Random(options.seed))
        for _ in range(options.times):
            trial.change()
    return trial.told()


class Trial:
    """A library on a small disk, and what must be in it."""

    def __init__(self, disk: Path, mocap: Path, rng: random.Random) -> None:
        self.library = disk / "motions.hums"
        self.ballast = disk / "ballast"
        self.leaving = mocap / "leaving"
        self.mocap = mocap
        self.rng = rng
        self.encoder = Encoder(provider="cpu")
        self.done: dict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[str] = []
        self.least = 0
        self.note = ""
        posed_bvh.write_several(mocap, STAY, seconds=0.6)
        posed_bvh.write_several(self.leaving, LEAVE, seconds=0.6)
        indexing._COMMIT_S = 0.02  # several commits a run
        with Library.create(self.library, self.encoder) as library:
            self.changes(library)["index"]()

    def changes(self, library: Library) -> dict[str, Callable[[], object]]:
        """What is done to a library, by name."""
        return {
            "index": lambda: library.add([self.mocap], workers=1, progress=lambda p: self.heard(p.done, p.total)),
            "remove": lambda: self.remove(library),
            "sign anew": lambda: library.reencode(self.encoder),
            "mark": lambda: self.mark(library),
            "repair": lambda: library.verify(repair=True),
        }

    def heard(self, done: int, total: int) -> None:
        """So many files were told as done."""
        self.least = max(self.least, STAY + LEAVE - total + done)

    def remove(self, library: Library) -> None:
        """Takes part of the files out, which counts from when it begins."""
        self.least = max(0, self.least - LEAVE)
        library.remove([self.leaving])

    def mark(self, library: Library) -> None:
        """Writes a new note onto the first clip that stays."""
        for clip in library.clips({"source": self.mocap / "walk_000.bvh"}):
            note = f"note {self.rng.random()}"
            library.set_notes(clip.id, note)
            self.note = note

    def change(self) -> None:
        """One change on a disk with little room, and a look at what it left."""
        room = self.rng.choice(ROOM)
        with Library.open(self.library, encoder=self.encoder) as library:
            name, change = self.rng.choice(sorted(self.changes(library).items()))
            self.fill_up(room)
            outcome = "done"
            try:
                change()
            except LibraryError as error:
                outcome = "refused"
                if "cannot be written" not in str(error) and "full" not in str(error):
                    self.faults.append(f"{name} with {room} bytes left: {error}")
            except Exception as error:
                outcome = "FAULT"
                self.faults.append(f"{name} with {room} bytes left: {type(error).__name__}: {error}")
        self.done[name][outcome] += 1
        self.check(f"{name} with {room} bytes left, {outcome}")  # still full
        self.ballast.unlink()

    def fill_up(self, room: int) -> None:
        """Leaves so many bytes on the disk."""
        self.ballast.write_bytes(b"")
        free = shutil.disk_usage(self.library).free
        with self.ballast.open("wb") as file:
            file.truncate(0)
            file.write(bytes(max(0, free - room)))

    def check(self, when: str) -> None:
        """Looks at every byte, and at what must be there."""
        with Library.open(self.library, encoder=self.encoder) as library:
            self.faults += [f"{when}: {problem}" for problem in library.verify().problems]
            count = library.info().clips
            if count < self.least:
                self.faults.append(f"{when}: {count} clips, but {self.least} were told as done")
            for clip in library.clips({"source": self.mocap / "walk_000.bvh"}):
                if self.note and clip.notes != self.note:
                    self.faults.append(f"{when}: the note is '{clip.notes}', but '{self.note}' was told as done")
            self.least = count

    def told(self) -> int:
        """Prints the table; the exit code."""
        outcomes = ("done", "refused", "FAULT")
        print(f"{'change':<12}" + "".join(f"{outcome:>9}" for outcome in outcomes))
        for name, counts in sorted(self.done.items()):
            print(f"{name:<12}" + "".join(f"{counts[outcome]:>9}" for outcome in outcomes))
        total = sum(self.done.values(), Counter())
        print(f"{'all':<12}" + "".join(f"{total[outcome]:>9}" for outcome in outcomes))
        print(f"{total.total()} changes, {len(self.faults)} faults")
        print(*self.faults[:30], sep="\n", end="\n" if self.faults else "")
        return 1 if self.faults else 0


if __name__ == "__main__":
    sys.exit(main())
