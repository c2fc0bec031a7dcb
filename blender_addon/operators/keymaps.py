# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's entries in Blender's keymaps."""

from __future__ import annotations

import bpy
from bpy.types import KeyMap, KeyMapItem

_entries: list[tuple[KeyMap, KeyMapItem]] = []


def register() -> None:
    """Adds the entries; a Blender without windows has no keymaps."""
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:
        return
    viewport = configuration.keymaps.new(name="3D View", space_type="VIEW_3D")
    _entries.append((viewport, viewport.keymap_items.new("hums.result_strip", "MOUSEMOVE", "ANY", any=True)))
    _entries.append((viewport, viewport.keymap_items.new("hums.find_similar", "NONE", "PRESS")))  # for a person to fill


def unregister() -> None:
    """Takes them out."""
    while _entries:
        keymap, entry = _entries.pop()
        keymap.keymap_items.remove(entry)
