# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a virtual environment with what the project needs: the first step of every ``make`` target and workflow.

``python .ci/environment.py FOLDER EXTRA... [--bpy VERSION]`` makes FOLDER with the Python that runs this file, and
installs the named extras of pyproject.toml with the one Blender module that fits that Python. Running it again with
nothing changed takes no time. It needs the standard library alone, and the packages come from wherever pip is set to
look.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLENDER_OF_PYTHON = {(3, 11): "4.5.15", (3, 13): "5.2.3"}
"""Blender is built for one Python: 4.2 to 5.0 for 3.11, 5.1 and later for 3.13."""

LIBRARIES = "libgl1 libx11-6 libxext6 libxi6 libxxf86vm1 libxfixes3 libxrender1 libxkbcommon0 libsm6 libice6 libgomp1"
"""The Debian packages of the system libraries that Blender's module links to."""


def main() -> None:
    """Makes or completes the environment that the command line asks for."""
    check_python()
    parser = argparse.ArgumentParser(description="Make a virtual environment with the project's extras.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("extras", nargs="+")
    parser.add_argument("--bpy", default=BLENDER_OF_PYTHON[sys.version_info[:2]], help="version of Blender's module")
    arguments = parser.parse_args()
    stamp = arguments.folder / f"ready-{fingerprint(sorted(arguments.extras), arguments.bpy)}"
    if stamp.exists():
        return
    python = make_venv(arguments.folder)
    for extra in arguments.extras:
        install(python, requirements(extra, arguments.bpy))
    pip(python, "install", "-qq", "--no-deps", "--editable", str(ROOT))
    if "blender" in arguments.extras:
        check_blender(python)
    stamp.touch()


def check_python() -> None:
    """Ends with one sentence where Blender has no module for the running Python."""
    if sys.version_info[:2] not in BLENDER_OF_PYTHON:
        have = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Blender's module runs on Python 3.11 and 3.13, and this is {have}: run make PYTHON=python3.13.")


def fingerprint(extras: list[str], bpy: str) -> str:
    """A name that changes with everything that decides what is installed."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), Path(__file__).read_bytes(), repr((extras, bpy)).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def make_venv(folder: Path) -> Path:
    """The Python of the virtual environment ``folder``, made when it is not there."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and version_of(python) == list(sys.version_info[:2]):
        return python.absolute()
    say(f"making {folder} with Python {sys.version.split()[0]}")
    try:
        venv.create(folder, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        sys.exit("This Python cannot make virtual environments: install its venv package (Debian: python3-venv).")
    return python.absolute()


def version_of(python: Path) -> list[int]:
    """Major and minor version of an interpreter; empty when it does not run."""
    command = [python, "-c", "import sys; print(list(sys.version_info[:2]))"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(result.stdout) if result.returncode == 0 else []


def requirements(extra: str, bpy: str) -> list[str]:
    """What the extra of pyproject.toml asks for, with Blender's module at the wanted version."""
    import tomllib  # noqa: PLC0415 - only after check_python: older Pythons do not have it

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [each for each in project["optional-dependencies"][extra] if not each.startswith(("hums[", "bpy"))]
    if extra == "blender":
        wanted.append(f"bpy=={bpy}")
    # Blender up to 5.0 is built against numpy 1, and 4.2 does not say so to pip.
    return [*wanted, "numpy<2" if sys.version_info < (3, 13) else "numpy>=2"]


def install(python: Path, wanted: list[str]) -> None:
    """Installs ``wanted``; what a machine may do without is left out with a sentence that says so."""
    say(
        "installing " + ", ".join(wanted) + (" (some 400 MB)" if any(each.startswith("bpy") for each in wanted) else "")
    )
    if any(each.startswith("torch") for each in wanted) and brings_cuda(python, wanted):
        say("PyTorch would bring gigabytes of CUDA libraries here, so it is left out and its tests are skipped.")
        say(f"For them, choose PyTorch's CPU build (pytorch.org, Get Started) and install it with {python}.")
        return
    compiled = [each for each in wanted if each.startswith("hnswlib")]
    pip(python, "install", "-qq", *(each for each in wanted if each not in compiled))
    # hnswlib comes as source. Built for the build machine's own processor, it would crash on others from pip's cache.
    if compiled and not pip(python, "install", "-qq", *compiled, needed=False, HNSWLIB_NO_NATIVE="1"):
        say("hnswlib could not be built, so the exact search serves (it needs a C++ compiler and Python's headers).")


def brings_cuda(python: Path, wanted: list[str]) -> bool:
    """Whether pip would install NVIDIA's libraries for ``wanted``; nothing is installed to find out."""
    if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip(python, "install", "-qq", "--dry-run", "--report", str(report), *wanted)
        plan = json.loads(report.read_text(encoding="utf-8"))["install"]
    return any(item["metadata"]["name"].lower().startswith("nvidia-") for item in plan)


def check_blender(python: Path) -> None:
    """Ends with one sentence where Blender's module does not start, as on a server without X libraries."""
    result = subprocess.run([python, "-c", "import bpy"], capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["it ended at once"])[-1]
        sys.exit(f"Blender's module does not start ({reason}); on Debian and Ubuntu: apt install {LIBRARIES}.")


def pip(python: Path, *arguments: str, needed: bool = True, **environment: str) -> bool:
    """Runs pip in the environment, quiet but for errors; ends with its exit code where it fails and is needed."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=not needed, check=False)
    if needed and result.returncode:
        sys.exit(result.returncode)
    return result.returncode == 0


def say(sentence: str) -> None:
    """One line about what goes on, apart from what programs print for other programs."""
    print(f"[environment] {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
