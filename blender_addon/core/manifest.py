# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extension says of itself."""

from __future__ import annotations

import functools
import tomllib
from typing import Final

from .engine import ADDON_FOLDER

NAME: Final = "DeepHuMS"


@functools.cache
def version() -> str:
    """The version that the zip was built with."""
    return str(tomllib.loads((ADDON_FOLDER / "blender_manifest.toml").read_text("utf-8")).get("version", "unreleased"))
