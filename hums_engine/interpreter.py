# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that another process can be started with, inside a Blender too."""

from __future__ import annotations

import sys
from pathlib import Path


def python() -> str | None:
    """A Python interpreter to start: this one, or the one in Blender's folder; None where there is none."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = [Path(sys.prefix, "bin", version), Path(sys.prefix, "bin", "python.exe"), Path(sys.prefix, "python.exe")]
    for candidate in (Path(sys.executable or "."), *beside):
        if candidate.name.lower().startswith("python") and candidate.is_file():
            return str(candidate)
    return None
