# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill -9 at random moments of everything that changes a library: nothing that was told as done may be lost.

    python benchmarks/kill_nine.py [--kills 200] [--seed 1] [--longest 1.5]

A process indexes, marks, signs anew, removes and compacts a library without end and says what is done. It is killed at
a random moment, and begins with another of these the next time. After each kill the library must open, be sound byte
for byte (`Library.verify`), hold at least the clips and marks that were told as done, and find a clip by itself. The
table says what the process was doing when it was killed. Exit code 1: something was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import indexing, writer
from hums_engine.encoder import SHIPPED_MODEL, Encoder
from hums_engine.library import Library
from tests.engine import posed_bvh

STAY: Final = 9
LEAVE: Final = 5
STEPS: Final = ("index", "copies", "mark", "reencode", "remove")


def main() -> int:
    """Kills, checks, and prints what was met."""
    parser = argparse.ArgumentParser(description="Kills a process that changes a library, many times.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="1", help="what decides on the moments")
    parser.add_argument("--longest", type=float, default=1.5, help="seconds that a process lives at most")
    parser.add_argument("--change", nargs=2, metavar=("FOLDER", "ROUND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.change:
        change_for_ever(Scene(Path(options.change[0])), int(options.change[1]))
    with tempfile.TemporaryDirectory(prefix="hums kills ") as folder:
        scene = Scene.made(Path(folder))
        encoder = Encoder(scene.model, provider="cpu")
        trial = Trial(scene, random.Random(options.seed), options.longest, encoder)
        for number in range(options.kills):
            trial.kill(number)
        trial.finish()
    return trial.told()


@dataclass(frozen=True)
class Scene:
    """A folder with motions that stay, motions that are removed again and again, and copies of these."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Scene:
        """Writes the motions and makes an empty library."""
        scene = cls(folder)
        posed_bvh.write_several(scene.mocap, STAY)
        posed_bvh.write_several(scene.leaving, LEAVE, seconds=1.5)
        shutil.copytree(scene.leaving, scene.copies)
        shutil.copy(SHIPPED_MODEL, scene.model)  # which another may replace meanwhile
        Library.create(scene.library).close()
        return scene

    @property
    def library(self) -> Path:
        """The library's folder."""
        return self.folder / "motions.hums"

    @property
    def model(self) -> Path:
        """The encoder's file."""
        return self.folder / "model.onnx"

    @property
    def mocap(self) -> Path:
        """The folder of all but the copies."""
        return self.folder / "mocap"

    @property
    def leaving(self) -> Path:
        """The part of it that is removed."""
        return self.mocap / "leaving"

    @property
    def copies(self) -> Path:
        """The copies, whose clips are removed with it."""
        return self.folder / "copies"

    @property
    def marked(self) -> Path:
        """A file that stays, and is marked."""
        return self.mocap / "walk_000.bvh"


# the process that is killed


def change_for_ever(scene: Scene, number: int) -> None:
    """Changes the library in every way there is and says what is done; begins with another way each ``number``."""
    indexing._COMMIT_S, writer.GRAPH_FROM, writer._GRAPH_SLACK = 0.05, 40, 0.0  # as often as a large library does
    compact = writer.Writer.compact

    def told_compact(self: writer.Writer) -> None:
        _say("doing compact")
        compact(self)

    writer.Writer.compact = told_compact
    encoder = Encoder(scene.model, provider="cpu")
    library = Library.open(scene.library, encoder=encoder)
    _say("begun")
    steps = _steps(scene, library, encoder, number)
    while True:
        for turn in range(len(STEPS)):
            step = STEPS[(number + turn) % len(STEPS)]
            _say(f"doing {step}")
            steps[step]()


def _steps(scene: Scene, library: Library, encoder: Encoder, number: int) -> dict[str, Callable[[], object]]:
    def index() -> None:
        library.add([scene.mocap], workers=1, progress=lambda p: _say(f"indexed {p.done} {p.total}"))
        _say("all")

    def mark() -> None:
        for clip in library.clips({"source": scene.marked}):
            library.set_notes(clip.id, str(number))
            _say(f"marked {number}")

    def remove() -> None:
        _say("removing")
        library.remove([scene.leaving, scene.copies])

    return {
        "index": index,
        "copies": lambda: library.add([scene.copies], workers=1),
        "mark": mark,
        "reencode": lambda: library.reencode(encoder),
        "remove": remove,
    }


def _say(line: str) -> None:
    print(line, flush=True)


# the process that kills


@dataclass
class Trial:
    """What is known to be in the library, and what was lost."""

    scene: Scene
    rng: random.Random
    longest_s: float
    encoder: Encoder
    least: int = 0
    mark: int = -1
    clips_checked: int = 0
    met: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)

    def kill(self, number: int) -> None:
        """Starts the process, kills it, and looks at what it leaves."""
        words = [sys.executable, __file__, "--change", str(self.scene.folder), str(number)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        changing = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        assert changing.stdout is not None
        first = changing.stdout.readline()
        time.sleep(self.rng.uniform(0.0, self.longest_s))
        if changing.poll() is not None:
            raise SystemExit(f"the process ended by itself, with code {changing.returncode}")
        changing.kill()
        said = [first, *changing.stdout]
        changing.wait()
        changing.stdout.close()
        self.hear([line.rstrip("\n") for line in said])
        self.check(f"kill {number}")

    def hear(self, said: list[str]) -> None:
        """Works out how many clips must be there, and which mark, after what was said."""
        whole, doing = STAY + LEAVE, "start"
        for line in said:
            word, *values = line.split()
            if word == "doing":
                doing = values[0]
            elif word == "indexed":
                done, total = map(int, values)
                self.least = max(self.least, whole - total + done)
            elif word == "all":
                self.least = max(self.least, whole)
            elif word == "removing":
                self.least = max(0, min(self.least, STAY + 2 * LEAVE) - 2 * LEAVE)
            elif word == "marked":
                self.mark = int(values[0])
        self.met[doing] += 1

    def check(self, when: str) -> None:
        """Opens the library and looks at all of it."""
        with Library.open(self.scene.library, encoder=self.encoder) as library:
            report = library.verify()
            clips = library.clips()
            self.losses += [f"{when}: {problem}" for problem in report.problems]
            if len(clips) < self.least:
                self.losses.append(f"{when}: {len(clips)} clips, but {self.least} were told as done")
            for clip in library.clips({"source": self.scene.marked}):
                if int(clip.notes or -1) < self.mark:
                    self.losses.append(f"{when}: the mark {self.mark} was told as done, there is '{clip.notes}'")
            for clip in clips:
                if not np.isfinite(library.motion(clip.id).positions).all():
                    self.losses.append(f"{when}: {clip.name} is no motion any more")
            for clip in clips[:1]:
                if library.search(clip.id, k=1)[0].score < 99:
                    self.losses.append(f"{when}: {clip.name} does not find itself")
            self.least = len(clips)
            self.clips_checked += len(clips)

    def finish(self) -> None:
        """Brings the library up to date; then all must be there, and nothing besides."""
        with Library.open(self.scene.library, encoder=self.encoder) as library:
            library.remove([self.scene.copies])
            library.add([self.scene.mocap], workers=1)
        self.least = STAY + LEAVE
        self.check("at the end")
        names = [path.name for path in (self.scene.library / "signatures").iterdir()]
        if len(names) != 2:
            self.losses.append(f"at the end: leftovers in signatures/: {sorted(names)}")

    def told(self) -> int:
        """Prints the table; the exit code."""
        print(f"{'killed while it did':<22}{'times':>6}")
        for doing, times in self.met.most_common():
            print(f"{doing:<22}{times:>6}")
        print(f"{self.met.total()} kills, {self.clips_checked} clips checked, {len(self.losses)} losses")
        print(*self.losses[:50], sep="\n", end="\n" if self.losses else "")
        return 1 if self.losses else 0


if __name__ == "__main__":
    sys.exit(main())
