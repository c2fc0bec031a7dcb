# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu that asks what to do with dropped motion files."""

from __future__ import annotations

import bpy
from bpy.types import Context, Menu

from .. import preferences
from ..operators import drop_files

iface = bpy.app.translations.pgettext_iface


class HUMS_MT_dropped_files(Menu):
    """What can be done with dropped files."""

    bl_idname = "HUMS_MT_dropped_files"
    bl_label = "Motion Files"

    def draw(self, context: Context) -> None:
        """Draws the menu."""
        layout = self.layout
        if preferences.searched(context):
            layout.operator("hums.drop_files", text="Find Similar", icon="VIEWZOOM").how = "query"
        layout.operator("hums.drop_files", text="Import as New Armature", icon="IMPORT").how = "import"
        rig = drop_files.rig_name()
        if rig:
            text = iface("Apply to {rig}").format(rig=rig)
            layout.operator("hums.drop_files", text=text, icon="ARMATURE_DATA", translate=False).how = "apply"
        entry = preferences.active_library(context)
        if entry is not None and not entry.readonly:
            text = iface("Add to {library}").format(library=entry.name)
            layout.operator("hums.drop_files", text=text, icon="ADD", translate=False).how = "add"


CLASSES = (HUMS_MT_dropped_files,)
