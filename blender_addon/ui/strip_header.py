# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip's switch and its settings in the 3D viewport's header."""

from __future__ import annotations

import bpy
from bpy.types import Context, Panel

from .. import preferences
from ..core import strip


class HUMS_PT_strip(Panel):
    """What the strip of results does"""

    bl_idname = "HUMS_PT_strip"
    bl_label = "Result Strip"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"
    bl_ui_units_x = 11

    def draw(self, context: Context) -> None:
        """Draws the popover."""
        layout, settings = self.layout, preferences.of(context).strip
        layout.label(text="Result Strip")
        column = layout.column()
        column.active = strip.is_shown(context, context.area)
        column.prop(settings, "play_all")
        column.prop(settings, "in_sync")
        column.prop(settings, "size", slider=True)
        column = layout.column(heading="Ghost")
        column.prop(settings, "ghost", text="Under the Mouse")
        column.prop(settings, "keep_ghost", text="Selected Result")
        column.prop(settings, "ghost_beside", text="Beside the Rig")


def _draw_switch(self: Panel, context: Context) -> None:
    """The switch at the right of the header, where something was found."""
    if not strip.has_tiles(context):
        return
    row = self.layout.row(align=True)
    row.operator(
        "hums.toggle_strip", text="", icon="OUTLINER_OB_ARMATURE", depress=strip.is_shown(context, context.area)
    )
    row.popover(panel="HUMS_PT_strip", text="")


CLASSES = (HUMS_PT_strip,)


def register() -> None:
    """Adds the switch to the header."""
    bpy.types.VIEW3D_HT_header.append(_draw_switch)


def unregister() -> None:
    """Takes it out."""
    bpy.types.VIEW3D_HT_header.remove(_draw_switch)
