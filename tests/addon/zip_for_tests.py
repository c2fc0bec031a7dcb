# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension zip as the tests need it: for the running Python, and without hnswlib where it cannot be compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build_zip(out: Path, *more: str) -> Path:
    """Builds the zip by the command that a person would type, and returns where it lies."""
    done = _build(out, *more)
    if done.returncode and "hnswlib" in done.stderr:
        done = _build(out, *more, "--without-hnswlib")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.split("  ")[0].strip().splitlines()[-1])


def _build(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "build_addon.py"), "--out", str(out), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)
