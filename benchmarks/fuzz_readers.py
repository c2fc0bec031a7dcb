# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files for every reader: each must be read, or refused in one sentence, within its time and its memory.

    python benchmarks/fuzz_readers.py --minutes 60 [--seeds FOLDER ...] [--kinds .bvh ...] [--seed 1] [--out FOLDER]

Each reader gets as much time as any other, and at least one file. Its files begin as those that the tests write, the
samples, and the smaller files under ``--seeds`` (and under HUMS_DATA; those that Blender reads are tried where there
are some). They are damaged in one to four ways (`mutations`). A process of its own reads them and brings what it gets
onto the canonical body. What is not as it must be is written to ``--out`` with what happened: another exception, an end
of the process, more than ``LIMIT_S`` or ``LIMIT_BYTES``, a motion with infinite numbers, a message of several lines,
something else where an index reads it, which leaves out frames.
The same ``--seed`` damages in the same order. Exit code 1: it found something.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.mutations import damaged
from hums_engine import formats
from hums_engine.canonical import canonicalize
from hums_engine.errors import HumsError, MissingDependencyError, MotionFileError
from hums_engine.formats import asf_amc
from hums_engine.joint_store import HIGHEST_FPS, thinned
from hums_engine.motion import Motion, thinning

ROOT: Final = Path(__file__).resolve().parents[1]
LIMIT_S: Final = 20.0  # of processor time, which a busy machine does not stretch
PATIENCE_S: Final = 400.0
LIMIT_BYTES: Final = 4 << 30
LARGEST_SEED: Final = 400_000
SEEDS_OF_KIND: Final = 60
REFUSED_SEEDS: Final = 8
CASES_OF_FAULT: Final = 3
LONGEST_MESSAGE: Final = 500
ALLOWED: Final = ("read", "refused", "contained", "not installed")


def main() -> int:
    """Damages files until the time is over, and prints the table."""
    parser = argparse.ArgumentParser(description="Fuzzes every reader of motion files.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default: 1)")
    parser.add_argument("--seeds", type=Path, nargs="*", default=[], help="folders with more files to begin with")
    parser.add_argument("--kinds", nargs="*", default=[], help="only these, such as .bvh (default: all)")
    parser.add_argument("--seed", default="1", help="what decides on the damage")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where faults are written")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return 0
    folders = [*arguments.seeds, *(Path(folder) for folder in (os.environ.get("HUMS_DATA"),) if folder)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        begin = {kind: files for kind, files in seeds(folders).items() if kind in (arguments.kinds or [kind])}
        fuzz = Fuzz(begin, arguments.seed, Path(folder), arguments.out)
        fuzz.run(60.0 * arguments.minutes)
    print(fuzz.table())
    return 1 if fuzz.faults else 0


# the process that reads


def serve() -> None:
    """Reads the files that standard input names, and answers with one line of JSON for each."""
    import resource  # noqa: PLC0415 - not on Windows

    def used() -> float:
        each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in each)

    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)  # nobody listens to its signal, which ends the process
        begun = used()
        outcome, told = judged(Path(json.loads(line)))
        seconds = used() - begun
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        answers.write(json.dumps([outcome, told, seconds, peak]) + "\n")
        answers.flush()


def judged(path: Path) -> tuple[str, str]:
    """How a reader does with a file, and what was told if that is a fault.

    ``"read"``, ``"refused"``, or ``"contained"``, where a process that the reader started for it has crashed; else the
    name of a fault.
    """
    try:
        formats.is_readable(path)
        motions = formats.load_all(path)
        wrong = _wrong(motions) or _otherwise_in_an_index(path, motions)
        return ("wrong motion", wrong) if wrong else ("read", "")
    except MissingDependencyError as error:
        return "not installed", str(error)
    except MotionFileError as error:
        if _refusal_by_an_index(path) != str(error):
            return "another refusal in an index", f"{error} | {_refusal_by_an_index(path)}"
        return _judged_refusal(str(error), path.name)
    except BaseException as error:  # this is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}", traceback.format_exc()


def _judged_refusal(told: str, name: str) -> tuple[str, str]:
    if not told.startswith(f"{name}: ") or not told.endswith(".") or not told.isprintable():
        return "message", repr(told)
    if len(told) > LONGEST_MESSAGE + len(name):
        return "long message", told[:LONGEST_MESSAGE]
    if "into memory" in told:
        return "memory", told
    return ("contained" if "failed on this file" in told or "Blender ended" in told else "refused"), ""


def _wrong(motions: Sequence[Motion]) -> str:
    """What is wrong with the motions of a file, or an empty text."""
    if not motions:
        return "no motion at all"
    for motion in motions:
        places = motion.positions
        if np.isinf(places).any():
            return "infinite positions"
        if motion.rotations is not None:
            lengths = np.linalg.norm(motion.rotations, axis=-1)
            if not np.all(np.isfinite(lengths)) or np.abs(lengths - 1.0).max() > 1e-3:
                return f"rotations of length {lengths.min()} to {lengths.max()}"
        try:
            canonicalize(motion)
        except HumsError:
            continue
    return ""


def _refusal_by_an_index(path: Path) -> str:
    """What an index, which reads only the frames that it keeps, says of a file that cannot be read in full."""
    try:
        formats.load_all(path, HIGHEST_FPS)
    except MotionFileError as error:
        return str(error)
    return ""


def _otherwise_in_an_index(path: Path, motions: Sequence[Motion]) -> str:
    """How the motions that an index reads differ from those that are read in full, or an empty text."""
    if all(thinning(motion.fps, HIGHEST_FPS) == 1 for motion in motions):
        return ""
    if refusal := _refusal_by_an_index(path):
        return f"refused by an index: {refusal}"
    for whole, kept in zip(motions, formats.load_all(path, HIGHEST_FPS), strict=True):
        if kept.file_timing != whole.timing:
            return f"{kept.file_timing} in an index, {whole.timing} in full"
        with contextlib.suppress(HumsError):
            expected, found = (thinned(canonicalize(motion)) for motion in (whole, kept))
            if not np.allclose(expected.positions, found.positions, rtol=1e-3, atol=1e-3):
                return f"{np.abs(expected.positions - found.positions).max()} m away in an index"
    return ""


class Reader:
    """A process that reads one file after the other, and is started again when it ended or hung."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, path: Path) -> tuple[str, str, float, int]:
        """What `judged` says of a file, the processor's seconds, and the most kilobytes that the process ever had."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(str(path)).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        line = self._process.stdout.readline() if ready else b""
        if line:
            outcome, told, seconds, peak = json.loads(line)
            return outcome, told, seconds, peak
        code = self.end()
        if not ready or code == -signal.SIGPROF:
            return "hang", f"longer than {LIMIT_S:g} s", LIMIT_S, 0
        return "crash", f"exit code {code}", 0.0, 0

    def end(self) -> int:
        """Ends the process."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # it may be ending by itself, whose reason is then known
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        return process.wait()


# files to begin with


Seeds = dict[str, list[dict[str, bytes]]]
"""By the suffix of the file that is read: a file, and what must lie beside it, by their suffixes."""


def seeds(folders: Sequence[Path]) -> Seeds:
    """The files of the tests and the samples, and small ones in folders, by kind; those that are read come first."""
    from tests.engine.test_asf_amc import ASF  # noqa: PLC0415 - the process that reads needs no test
    from tests.engine.test_formats import CONTENTS  # noqa: PLC0415

    found: Seeds = {Path(name).suffix: [{Path(name).suffix: content}] for name, content in CONTENTS.items()}
    found[".amc"][0][".asf"] = ASF.encode()
    found[".npz"] += [{".npz": _as_arrays(path)} for path in sorted((ROOT / "samples").glob("*.bvh"))[:3]]
    for folder in (ROOT / "samples", *folders):
        sized = sorted((path.stat().st_size, path) for path in folder.rglob("*") if path.is_file())
        late: Seeds = {}
        for size, path in sized:
            kind = path.suffix.lower()
            files = found.get(kind, [])
            if not 0 < size <= LARGEST_SEED or len(files) >= SEEDS_OF_KIND or not formats.is_readable(path):
                continue
            outcome, _ = judged(path)
            (found if outcome == "read" else late).setdefault(kind, []).append(_with_skeleton(path))
        for kind, files in late.items():
            found[kind] = found.get(kind, []) + files[:REFUSED_SEEDS]
    return found


def _with_skeleton(path: Path) -> dict[str, bytes]:
    kind = path.suffix.lower()
    files = {kind: path.read_bytes()}
    if kind == ".amc":
        with contextlib.suppress(MotionFileError):
            files[".asf"] = asf_amc.find_asf(path).read_bytes()
    return files


def _as_arrays(path: Path) -> bytes:
    """A motion as an NPZ that says all that one can say."""
    motion, packed = formats.load(path), io.BytesIO()
    np.savez_compressed(
        packed, positions=motion.positions[:60], joint_names=np.array(motion.joint_names), parents=motion.parents,
        fps=motion.fps, up_axis="Z", unit="m",
    )  # fmt: skip
    return packed.getvalue()


# the loop


@dataclass
class Row:
    """What was tried of a kind."""

    seconds: float = 0.0
    slowest: float = 0.0
    peak_kb: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Fuzz:
    """Damaged files, one after the other, and what became of them."""

    def __init__(self, begin: Seeds, seed: str, folder: Path, out: Path) -> None:
        self._begin, self._seed, self._folder, self._out = begin, seed, folder, out
        self._others = {kind: [file[kind] for file in files] for kind, files in begin.items()}
        self._readers: defaultdict[str, Reader] = defaultdict(Reader)
        self.rows = {kind: Row() for kind in begin}
        self.faults: Counter[str] = Counter()

    def run(self, seconds: float) -> None:
        """Tries files until the time is over."""
        end = time.monotonic() + seconds
        told_at = time.monotonic()
        try:
            while time.monotonic() < end or not all(row.outcomes for row in self.rows.values()):
                self.one(min(self.rows, key=lambda kind: self.rows[kind].seconds))
                if time.monotonic() - told_at > 60.0:
                    told_at = time.monotonic()
                    print(f"{(end - told_at) / 60:.0f} minutes left\n{self.table()}", file=sys.stderr, flush=True)
        finally:
            for reader in self._readers.values():
                reader.end()

    def one(self, kind: str) -> None:
        """Tries one damaged file of a kind."""
        row = self.rows[kind]
        number = row.outcomes.total()
        files = self._damaged(kind, random.Random(f"{self._seed} {kind} {number}"))
        for suffix, content in files.items():
            (self._folder / f"try{suffix}").write_bytes(content)
        started = time.monotonic()
        outcome, told, seconds, peak = self._readers[kind].read(self._folder / f"try{kind}")
        row.seconds += time.monotonic() - started
        row.slowest = max(row.slowest, seconds)
        row.peak_kb = max(row.peak_kb, peak)
        row.outcomes[outcome] += 1
        if outcome not in ALLOWED:
            self._write(kind, number, files, outcome, told)

    def _damaged(self, kind: str, rng: random.Random) -> dict[str, bytes]:
        begin = self._begin[kind]
        files = dict(begin[min(rng.randrange(len(begin)), rng.randrange(len(begin)))])
        for suffix in rng.choice((list(files), [rng.choice(list(files))])):
            others = self._others[kind if rng.random() < 0.9 else rng.choice(list(self._others))]
            files[suffix] = damaged(rng, suffix, files[suffix], others)
        return files

    def _write(self, kind: str, number: int, files: dict[str, bytes], outcome: str, told: str) -> None:
        """Writes a fault out with its files, the first few times that it happens."""
        fault = f"{kind} {outcome}"
        self.faults[fault] += 1
        if self.faults[fault] <= CASES_OF_FAULT:
            stem = f"{kind[1:]}_{self._seed}_{number}"
            for suffix, content in files.items():
                (self._out / f"{stem}{suffix}").write_bytes(content)
            (self._out / f"{stem}.fault").write_text(f"{outcome}\n{told}\n", encoding="utf-8")

    def table(self) -> str:
        """What was tried and found, in Markdown."""
        lines = ["| reader | files | read | refused | contained | faults | slowest, CPU s | most memory, MB |"]
        lines.append("|---|" + "---:|" * 7)
        whole: Counter[str] = Counter()
        for kind, row in self.rows.items():
            faults = row.outcomes.total() - sum(row.outcomes[outcome] for outcome in ALLOWED)
            whole.update(row.outcomes)
            lines.append(
                f"| `{kind}` | {_counts(row.outcomes)} | {faults} | {row.slowest:.1f} | {row.peak_kb / 1e3:.0f} |"
            )
        lines.append(f"| all | {_counts(whole)} | {self.faults.total()} | | |")
        return "\n".join([*lines, "", *(f"{count} x {fault}" for fault, count in self.faults.most_common())])


def _counts(outcomes: Counter[str]) -> str:
    counts = (outcomes.total(), *(outcomes[outcome] for outcome in ("read", "refused", "contained")))
    return " | ".join(map(str, counts))


if __name__ == "__main__":
    sys.exit(main())
