# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension installed from its zip into the running Blender, as a user has it."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy


def newest_zip() -> Path:
    """The zip that build_addon.py made last for this Python.

    Raises:
        FileNotFoundError: there is none.
    """
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    zips = sorted((Path(__file__).parents[1] / "build").rglob(f"*{python}*.zip"), key=lambda p: p.stat().st_mtime)
    if not zips:
        raise FileNotFoundError(f"No zip for {python} under build/: run python build_addon.py first.")
    return zips[-1]


def install(path: Path) -> None:
    """Installs the zip into the user folder that the environment names."""
    bpy.ops.extensions.package_install_files(filepath=str(path), repo="user_default", enable_on_install=True)
