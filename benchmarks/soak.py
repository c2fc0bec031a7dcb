# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak: one process fills a library with 100,000 clips and then changes it for long, and its memory must stay.

    python benchmarks/soak.py [--clips 100000] [--steps 10] [--changes 10]

The library grows in steps; then, at its full size, a quarter of the files is deleted and as many new ones added, again
and again; in the end two thirds of them are deleted at once. Each step is an index run over the folder, with searches
by the same process and by a reader that stays open. The files are really there and are looked for, hashed and compared;
only their reading is spared: each gives one of a few motions that were read once, signed with a disturbed signature of
its own. The table has the memory of the process (without mapped files) after each step. What a library needs depends on
what is on disk, which goes up and down as long as what is left of the deleted is not cleared away. So the memory is
compared where the library is the same: full, and all that is left over cleared away, after it has grown and after every
second change.

Exit code 1: clips are missing, a clip is not found by itself, or the memory grew so: its highest in the second half of
these times is compared with that in the first.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import indexing, writer
from hums_engine.encoder import Encoder
from hums_engine.library import Library
from hums_engine.reading import FileState, ReadFile, Take, content_hash, read_file
from hums_engine.signature_store import Rows
from tests.engine import posed_bvh

GROWTH: Final = 1.10  # by which the memory may grow at equal size: caches of SQLite and numpy's arenas settle
_IN_A_FOLDER: Final = 1_000
_SEARCHES: Final = 10


def main() -> int:
    """Fills, changes, shrinks, and prints the table."""
    parser = argparse.ArgumentParser(description="Fills a library and changes it for long.")
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=10, help="index runs until it is full")
    parser.add_argument("--changes", type=int, default=10, help="index runs at its full size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hums soak ") as folder:
        soak = Soak(Path(folder))
        print(f"{'':<9}{'clips':>8}{'run s':>8}{'files/s':>9}{'search ms':>11}{'RSS MB':>8}{'own MB':>8}{'disk MB':>9}")
        for _ in range(options.steps):
            soak.step("grown", options.clips // options.steps, 0)
        soak.clear()
        for number in range(1, options.changes + 1):
            soak.step("changed", options.clips // 4, options.clips // 4)
            if number % 2 == 0:
                soak.clear()
        soak.step("shrunk", 0, options.clips * 2 // 3)
        return soak.told()


class PreparedReaders:
    """Stands in for `ReaderPool`: files give motions that were read before."""

    takes: Final[list[Take]] = []

    def __init__(self, *_: object) -> None:
        self._rng = np.random.default_rng()
        self._all = np.concatenate([rows.vectors for take in self.takes for rows in (take.signature, take.moments)])

    def read(self, paths: Sequence[str]) -> Generator[ReadFile]:
        """All of ``paths``, each with a signature of its own."""
        for path in paths:
            take = self.takes[self._rng.integers(len(self.takes))]
            take = replace(take, signature=self._own(take.signature), moments=self._own(take.moments))
            yield ReadFile(path, FileState.of(path), content_hash(path), [take])

    def _own(self, rows: Rows) -> Rows:
        shares = self._rng.normal(0.0, 0.01, (len(rows.vectors), len(self._all))).astype(np.float32)
        vectors = rows.vectors + shares @ self._all  # within what signatures can be
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return rows._replace(vectors=vectors)


@dataclass
class Soak:
    """A library in a folder, and the folder of its files."""

    folder: Path
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    written: int = 0
    steady_mb: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        encoder = Encoder(provider="cpu")
        for number, path in enumerate(posed_bvh.write_several(self.folder / "read once", 40, 0.5)):
            posed_bvh.write(path, posed_bvh.parade, seconds=0.4 + 0.05 * number)
            PreparedReaders.takes.extend(read_file(str(path), encoder).takes)
        indexing.ReaderPool = PreparedReaders  # pyright: ignore[reportAttributeAccessIssue]
        self.files: list[Path] = []
        self.library = Library.create(self.folder / "soak.hums", encoder)
        self.reader = Library.open(self.library.path, readonly=True, encoder=encoder)

    def clear(self) -> None:
        """Clears away all that is left of deleted clips, and takes down the memory that is needed then."""
        with mock.patch.object(writer, "_WASTE", 0.0):
            self.step("cleared", 0, 0)

    def step(self, what: str, new: int, gone: int) -> None:
        """Adds and deletes files, brings the library up to date, searches, and prints a line."""
        self.rng.shuffle(self.files)
        for path in self.files[:gone]:
            path.unlink()
        self.files = self.files[gone:] + [self._write() for _ in range(new)]
        started = time.perf_counter()
        report = self.library.add([self.folder / "files"], workers=1)
        seconds = time.perf_counter() - started
        told = (report.added, report.removed, len(self.library.clips()))
        if told != (new, gone, len(self.files)):
            self.problems.append(f"added, removed and all are {told}, not {(new, gone, len(self.files))}")
        search_ms = self._search()
        everything, own = memory_mb()
        if what == "cleared":
            self.steady_mb.append(own)
        disk = sum(path.stat().st_size for path in self.library.path.rglob("*") if path.is_file()) / 1e6
        print(
            f"{what:<9}{len(self.files):>8}{seconds:>8.1f}{(new + gone) / seconds:>9.0f}{search_ms:>11.1f}"
            f"{everything:>8.0f}{own:>8.0f}{disk:>9.0f}",
            flush=True,
        )

    def _write(self) -> Path:
        path = self.folder / "files" / f"{self.written // _IN_A_FOLDER:04}" / f"{self.written:07}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(self.written))
        self.written += 1
        return path

    def _search(self) -> float:
        """Milliseconds of a search by signatures, of the process that writes and of the one that reads."""
        ids = [clip.id for clip in self.library.clips()]
        started = time.perf_counter()
        for library in (self.library, self.reader):
            for clip_id in self.rng.choices(ids, k=_SEARCHES):
                hits = library.search(clip_id, k=5, rerank=False)
                if not hits or hits[0].score < 90:
                    self.problems.append(f"clip {clip_id} of {len(ids)} does not find its like: {hits[:1]}")
        return 1000 * (time.perf_counter() - started) / (2 * _SEARCHES)

    def told(self) -> int:
        """Verifies the library and prints what is wrong; the exit code."""
        report = self.library.verify()
        self.problems += report.problems
        half = len(self.steady_mb) // 2
        before, after = (max(part, default=0.0) for part in (self.steady_mb[:half], self.steady_mb[half:]))
        if half and after > GROWTH * before:
            self.problems.append(f"the memory grew at equal size, from {before:.0f} to {after:.0f} MB")
        print(f"{self.written} files indexed, {report.clips} clips verified; full and cleared {before:.0f} MB at most")
        print(f"in the first half of these times, {after:.0f} MB in the second; {len(self.problems)} problems")
        print(*self.problems[:30], sep="\n", end="\n" if self.problems else "")
        return 1 if self.problems else 0


def memory_mb() -> tuple[float, float]:
    """Memory of this process as it is now: with the files that it has mapped, and without.

    What the C library keeps of memory that was given back to it is not counted.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    except OSError:
        sys.exit("The memory of a process is looked up where Linux has it; run this there.")
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["RssAnon"].split()[0]) / 1024


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
