# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing the engine costs no more than numpy, and its public names load when they are used."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hums_engine

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("bpy", "torch", "onnxruntime", "hnswlib", "PIL")


def loaded_by(program: str) -> list[str]:
    """The heavy modules that a fresh process has loaded after a program."""
    program += f"\nimport sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def test_importing_the_engine_loads_nothing_heavy() -> None:
    assert loaded_by("import hums_engine") == []


@pytest.mark.parametrize("name", hums_engine.__all__)
def test_a_public_name_loads_on_use_and_nothing_heavy_with_it(name: str) -> None:
    assert loaded_by(f"import hums_engine; assert hums_engine.{name} is not None") == []


def test_importing_the_engine_loads_only_what_it_needs_at_once() -> None:
    program = "import sys, hums_engine; print([name for name in sys.modules if name.startswith('hums_engine.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_listed_and_others_are_refused() -> None:
    assert {"load", "Motion", "Encoder", "Library", "Hit", "MotionFileError"} <= set(dir(hums_engine))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hums_engine.nonsense


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert hums_engine.__version__ == project["version"]
