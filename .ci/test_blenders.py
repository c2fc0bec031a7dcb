# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the built extension in every supported Blender that this machine can run: ``make test-blenders``.

Blender's module of each version gets a virtual environment of its own (``.venv-4.2`` and so on) and runs
``tests/addon``. Where the tools for it stand beside the repository, ``tests/gui`` then drives the real user
interfaces of Blender 5.2 and 4.3 on a virtual screen; their screenshots stay in ``build/gui``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from environment import ROOT, check_python, version_of

BLENDERS = {"4.2.23": (3, 11), "4.5.15": (3, 11), "5.0.1": (3, 11), "5.2.3": (3, 13)}
"""Blender's module and the one Python that it is built for."""
TOOLS = ROOT.parent / "shared" / "tools"
SCREEN = "97"
INTERFACES = {"5.2": "sid", "4.3": "trixie"}
"""The Blenders with a user interface, and the Debian suites that bring them."""


def main() -> None:
    """Runs all that can run here; ends with 1 when any of it failed."""
    check_python()
    results = {f"Blender {version}": test_module(version, need) for version, need in BLENDERS.items()}
    for version, suite in INTERFACES.items():
        results[f"Blender {version} with its user interface"] = test_user_interface(version, suite)
    for name, outcome in results.items():
        print(f"[test-blenders] {name}: {outcome}", flush=True)
    sys.exit(1 if "failed" in results.values() else 0)


def test_module(version: str, need: tuple[int, int]) -> str:
    """Runs ``tests/addon`` with one version of Blender's module, if a Python for it is at hand."""
    python = find_python(need)
    if python is None:
        return f"left out, since no Python {need[0]}.{need[1]} was found"
    folder = ROOT / f".venv-{version.rpartition('.')[0]}"
    setup = [python, ROOT / ".ci" / "environment.py", folder, "run", "blender", "dev", "--bpy", version]
    subprocess.run(setup, check=True, cwd=ROOT)
    print(f"[test-blenders] Blender {version}", flush=True)
    return pytest(folder, "tests/addon")


def test_user_interface(version: str, suite: str) -> str:
    """Runs ``tests/gui`` in a real Blender, made by the tools beside the repository; ``HUMS_BLENDERS`` keeps them."""
    if not (TOOLS / "blender-run").exists():
        return "left out, since the tools for it are not beside this repository"
    root = Path(os.environ.get("HUMS_BLENDERS", ROOT / "build" / "blenders")) / suite
    if not (root / "usr" / "bin" / "blender").exists():
        if os.name == "nt" or os.geteuid() != 0:
            return "left out, since making its folder needs root"
        root.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([TOOLS / "blender-root", suite, root], check=True)
    pictures = ROOT / "build" / "gui" / version
    pictures.mkdir(parents=True, exist_ok=True)
    command = f"{TOOLS / 'blender-run'} {root} --gui {SCREEN}"
    print(f"[test-blenders] Blender {version} with its user interface", flush=True)
    try:
        return pytest(
            next(ROOT.glob(".venv-*")), "tests/gui", HUMS_GUI_BLENDER=command, HUMS_GUI_PICTURES=str(pictures)
        )
    finally:
        stop_screen()


def pytest(folder: Path, tests: str, **environment: str) -> str:
    """Runs tests with an environment's Python."""
    command = [folder / "bin" / "python", "-m", "pytest", tests]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    return "passed" if result.returncode == 0 else "failed"


def find_python(version: tuple[int, int]) -> Path | None:
    """An interpreter of the wanted version: the running one, one on the path, or one of pyenv's."""
    for candidate in candidates(f"{version[0]}.{version[1]}"):
        if version_of(candidate) == list(version):
            return candidate
    return None


def candidates(version: str) -> Iterator[Path]:
    """Where an interpreter of the version may be, the likeliest first; a shim on the path may lead nowhere."""
    yield Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(pyenv.glob(f"{version}*/bin/python{version}"), reverse=True)


def stop_screen() -> None:
    """Ends the virtual screen that the user interface ran on, if one was started."""
    pid = Path(f"/tmp/blender-run.{SCREEN}.pid")
    if pid.exists():
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(pid.read_text()), signal.SIGTERM)
        pid.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
