# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command hums index ...``: the engine's command line inside Blender, which can also apply motions."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from . import apply_command
from .core import engine

_registered: list[object] = []


def run(arguments: Sequence[str]) -> int:
    """Runs ``hums`` with ``arguments``; the exit code is Blender's."""
    return engine.run_command(arguments, prog="blender --command hums", more=apply_command.add_verb)


def register() -> None:
    """Registers the command."""
    _registered.append(bpy.utils.register_cli_command("hums", run))


def unregister() -> None:
    """Unregisters the command."""
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
