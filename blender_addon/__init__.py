# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepHuMS in Blender: find motions like the one on your rig, and put one on it.

The direction is ``ui -> operators -> core``: panels draw, operators are what a button or a script calls, and the
core reads arrays out of Blender and writes keys into it. All arithmetic is in ``hums_engine``.
"""

from __future__ import annotations

from . import command, operators, preferences, properties, rig_map_fields, strip_settings, translations, ui
from .core import background, draw_handlers, jobs, libraries, user_maps

_MODULES = (translations, user_maps, rig_map_fields, strip_settings, preferences, properties, operators, ui, command)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled: nothing is left behind."""
    jobs.stop()
    draw_handlers.remove_all()
    background.stop()
    libraries.close_all()
    for module in reversed(_MODULES):
        module.unregister()
