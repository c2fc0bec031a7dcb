# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn in the sidebar's Motion tab; nothing here does anything but draw."""

from __future__ import annotations

import bpy

from . import (
    drag_view,
    dropped_files_menu,
    ghost,
    landing_panel,
    library_panel,
    results_list,
    results_panel,
    rig_map_panel,
    search_panel,
    strip,
    strip_header,
)

_CLASSES = (
    *dropped_files_menu.CLASSES,
    *library_panel.CLASSES,
    *search_panel.CLASSES,
    *results_list.CLASSES,
    *results_panel.CLASSES,
    *landing_panel.CLASSES,
    *strip_header.CLASSES,
    *rig_map_panel.CLASSES,
)


def register() -> None:
    """Registers panels and lists, and draws into Blender's own status bar and menu of list rows."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    ghost.register()
    strip.register()
    drag_view.register()
    strip_header.register()
    rig_map_panel.register()
    bpy.types.STATUSBAR_HT_header.append(library_panel.draw_in_status_bar)
    bpy.types.UI_MT_list_item_context_menu.append(results_panel.draw_in_list_menu)


def unregister() -> None:
    """Unregisters panels and lists."""
    bpy.types.UI_MT_list_item_context_menu.remove(results_panel.draw_in_list_menu)
    bpy.types.STATUSBAR_HT_header.remove(library_panel.draw_in_status_bar)
    strip_header.unregister()
    rig_map_panel.unregister()
    strip.unregister()
    ghost.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
