# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to the engine, which travels inside the extension as a sub-package."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hums_engine import (
        armature,
        blending,
        canonical,
        encoder,
        errors,
        formats,
        ghosting,
        ik_matching,
        key_reduction,
        library,
        map_picture,
        mapping,
        mirror_image,
        motion,
        moving_figure,
        normalize,
        own_maps,
        pictures,
        quat,
        retarget,
        rotation_modes,
        screen,
        skeleton,
        time_sync,
        viewing,
    )
else:
    from ..hums_engine import (
        armature,
        blending,
        canonical,
        encoder,
        errors,
        formats,
        ghosting,
        ik_matching,
        key_reduction,
        library,
        map_picture,
        mapping,
        mirror_image,
        motion,
        moving_figure,
        normalize,
        own_maps,
        pictures,
        quat,
        retarget,
        rotation_modes,
        screen,
        skeleton,
        time_sync,
        viewing,
    )

__all__ = [
    "ADDON_FOLDER",
    "armature",
    "blending",
    "canonical",
    "command_line",
    "encoder",
    "errors",
    "formats",
    "ghosting",
    "ik_matching",
    "key_reduction",
    "library",
    "map_picture",
    "mapping",
    "mirror_image",
    "missing_parts",
    "motion",
    "moving_figure",
    "normalize",
    "own_maps",
    "pictures",
    "quat",
    "retarget",
    "rotation_modes",
    "run_command",
    "screen",
    "skeleton",
    "time_sync",
    "viewing",
]

ADDON_FOLDER = Path(__file__).resolve().parent.parent
"""The folder that holds ``hums_engine`` (and ``samples``) in an installed extension."""


@functools.cache
def missing_parts() -> str:
    """One sentence when what the engine needs is not there for this Blender's Python, else empty."""
    if importlib.util.find_spec("onnxruntime") is not None:
        return ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"This zip holds no onnxruntime for Python {version}: install the zip made for your Blender and system"


def command_line() -> Any:  # noqa: ANN401 - a module
    """The module of the engine's command line; it is loaded when it is called: only headless Blenders need it."""
    return importlib.import_module(f"{errors.__package__}.cli")


def run_command(arguments: Sequence[str], prog: str, more: Callable[[Any], None] | None = None) -> int:
    """Runs the engine's command line, with ``more`` verbs."""
    return command_line().main(list(arguments), prog=prog, more=more)
