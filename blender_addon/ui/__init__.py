# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn in the sidebar's Motion tab; nothing here does anything but draw."""

from __future__ import annotations

import bpy

from . import landing_panel, panels, results_list, strip

_CLASSES = (*results_list.CLASSES, *panels.CLASSES, *landing_panel.CLASSES)


def register() -> None:
    """Registers panels and lists."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    strip.register()


def unregister() -> None:
    """Unregisters panels and lists."""
    strip.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
