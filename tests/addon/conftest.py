# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, installed into a fresh Blender (the bpy module of the running Python), one process a scenario."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.addon.zip_for_tests import ROOT, build_zip

RUNNER = Path(__file__).with_name("run_scenario.py")
TIMEOUT_S = 120


@dataclass(frozen=True)
class Blender:
    """A Blender with the extension installed."""

    resources: Path

    def run(self, scenario: str, **arguments: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Runs a function of ``scenarios.py`` in a process of its own, and returns what it returned."""
        answer = self.resources / f"{scenario}.json"
        answer.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, str(RUNNER), scenario, json.dumps(arguments, default=str), str(answer)],
            env=environment(self.resources),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        told = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"{scenario} ended with {done.returncode}:\n{told}"
        return json.loads(answer.read_text("utf-8"))


def environment(resources: Path) -> dict[str, str]:
    """The environment of a Blender that knows nothing of this repository, nor of this Python's other packages."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER"))}
    return {**clean, "BLENDER_USER_RESOURCES": str(resources), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def extension_zip() -> Path:
    """The zip for the running Python, built now."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("Blender's module bpy is not installed for this Python")
    return build_zip(ROOT / "build" / "test")


@pytest.fixture(scope="session")
def blender(extension_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Blender:
    """A Blender into which the zip was installed as a person would."""
    fresh = Blender(tmp_path_factory.mktemp("blender"))
    assert fresh.run("install", zip_path=extension_zip)["installed"]
    return fresh


@pytest.fixture(scope="session")
def sample_library(blender: Blender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the samples, made through the add-on."""
    library = tmp_path_factory.mktemp("libraries") / "samples.hums"
    made = blender.run("create_library", directory=ROOT / "samples", library=library)
    assert made["clips"] == len(list((ROOT / "samples").glob("*.bvh")))
    return library
