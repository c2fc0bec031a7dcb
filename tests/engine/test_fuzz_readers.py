# SPDX-License-Identifier: GPL-3.0-or-later
"""The fuzzer tries every reader, takes what they promise for right, and writes out what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fuzz_readers
from hums_engine.errors import MotionFileError
from hums_engine.formats import READERS
from hums_engine.motion import Motion
from tests.engine.test_formats import CONTENTS

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="limits the memory of a process as POSIX does")


@POSIX
def test_a_short_run_tries_every_reader_and_finds_nothing(tmp_path: Path) -> None:
    words = [sys.executable, ROOT / "benchmarks" / "fuzz_readers.py", "--minutes", "0.05", "--out", tmp_path]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HUMS_DATA": ""}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = dict(line.split(" | ")[:2] for line in done.stdout.splitlines() if line.startswith("| `"))
    assert {kind.strip("| `") for kind in tried} == {Path(name).suffix for name in CONTENTS}
    assert all(int(count) > 0 for count in tried.values())
    assert list(tmp_path.iterdir()) == []


def one_joint(place: float = 0.0) -> Motion:
    return Motion(np.full((2, 1, 3), place, np.float32), 30.0, ["joint"], np.array([-1]))


def raising(error: BaseException) -> Callable[[Path], list[Motion]]:
    def read(path: Path) -> list[Motion]:
        raise error

    return read


@pytest.mark.parametrize(
    ("reader", "outcome"),
    [
        (raising(ZeroDivisionError("x")), "ZeroDivisionError in test_fuzz_readers.py"),
        (raising(MotionFileError("two\nlines.")), "refused"),
        (raising(MotionFileError("x" * 600 + ".")), "long message"),
        (raising(MotionFileError("no full stop")), "message"),
        (raising(MemoryError()), "memory"),
        (lambda path: [], "wrong motion"),
        (lambda path: [one_joint(np.inf)], "wrong motion"),
        (lambda path: [replace(one_joint(), rotations=np.zeros((2, 1, 4), np.float32))], "wrong motion"),
        (lambda path: [one_joint()], "read"),
    ],
)
def test_what_a_reader_does_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Callable[[Path], list[Motion]], outcome: str
) -> None:
    monkeypatch.setitem(READERS, ".bvh", reader)
    assert fuzz_readers.judged(tmp_path / "x.bvh")[0].startswith(outcome)


@POSIX
def test_a_fault_is_written_out_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_readers.Reader, "read", lambda self, path: ("crash", "exit code -11", 0.0, 0))
    fuzz = fuzz_readers.Fuzz({".bvh": [{".bvh": CONTENTS["take.bvh"]}]}, "1", tmp_path, tmp_path / "out")
    (tmp_path / "out").mkdir()
    for _ in range(10):
        fuzz.one(".bvh")
    assert fuzz.faults == {".bvh crash": 10}
    assert len(list((tmp_path / "out").glob("*.bvh"))) == fuzz_readers.CASES_OF_FAULT
    assert "exit code -11" in (tmp_path / "out" / "bvh_1_0.fault").read_text()
    assert "| 10 | 0 | 0 | 0 | 10 |" in fuzz.table()
