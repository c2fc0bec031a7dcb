# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: builds the extension, and lets a real Blender install it and find a motion with it (``make demo``).

It leaves ``build/demo/``: the contact sheet of what was found, a picture of the character in the best of it, the
.blend, and the library, to go on searching in. Blender's own output is in ``build/demo-blender/blender.log``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "demo"
USER = ROOT / "build" / "demo-blender"


def main() -> None:
    """Runs the demo from a clean start; ends with 1 where a step fails."""
    started = time.monotonic()
    print("\nDeepHuMS: a knight, and 49 motions of people to choose from\n", flush=True)
    for folder in (RESULTS, USER):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    extension = build_extension()
    in_blender = [sys.executable, ROOT / "benchmarks" / "demo_in_blender.py", extension, RESULTS]
    outcome = subprocess.run(in_blender, env={**os.environ, "BLENDER_USER_RESOURCES": str(USER)}, check=False)
    if outcome.returncode:
        sys.exit(f"The demo stopped; what Blender said last:\n{tail(USER / 'blender.log')}")
    shown = RESULTS.relative_to(ROOT)
    print(f"\nLook at {shown}/contact_sheet.png and {shown}/character.png; {shown}/demo.blend opens in Blender.")
    print(f"All of it took {time.monotonic() - started:.0f} seconds.\n")


def build_extension() -> Path:
    """Builds the extension's zip for this system, without hnswlib where there is no compiler for it."""
    print("    Building the extension (at first this fetches wheels and compiles one, a minute or two) ...", flush=True)
    started = time.monotonic()
    command = [sys.executable, ROOT / "build_addon.py", "--out", USER]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode and "hnswlib" in outcome.stderr:
        outcome = subprocess.run([*command, "--without-hnswlib"], capture_output=True, text=True, check=False)
    if outcome.returncode:
        sys.exit(outcome.stderr)
    extension = next(USER.glob("*.zip"))
    size = extension.stat().st_size / 1e6
    print(f" 1  Built {extension.name} ({size:.0f} MB) in {time.monotonic() - started:.0f} s", flush=True)
    return extension


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, or word that there is none."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(nothing)"


if __name__ == "__main__":
    main()
