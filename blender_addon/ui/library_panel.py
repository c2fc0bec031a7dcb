# SPDX-License-Identifier: GPL-3.0-or-later
"""The Library panel: which libraries are searched, what is in them, and how far indexing is."""

from __future__ import annotations

import bpy
from bpy.types import Context, Menu, UILayout

from .. import preferences, properties
from ..core import wording
from ..core.engine import missing_parts
from .motion_tab import MotionPanel, note, paragraph

iface = bpy.app.translations.pgettext_iface

_ICONS = {"done": "CHECKMARK", "part": "INFO", "failed": "ERROR"}
"""What stands before how the last indexing ended."""


class HUMS_MT_libraries(Menu):
    """What can be done with libraries."""

    bl_idname = "HUMS_MT_libraries"
    bl_label = "Libraries"

    def draw(self, context: Context) -> None:
        """Draws the menu."""
        layout = self.layout
        layout.operator("hums.create_library", text="New from Motion Files...", icon="NEWFOLDER")
        layout.operator("hums.open_library", text="Open Library...", icon="FILE_FOLDER")
        layout.operator("hums.add_samples", text="Sample Library", icon="OUTLINER_OB_ARMATURE")
        if preferences.searched(context):
            layout.separator()
            layout.operator("hums.index_library", text="Update", icon="FILE_REFRESH")
        if preferences.active_library(context) is not None:
            layout.operator("hums.add_motions", text="Add Motion Files...", icon="ADD")
            layout.operator("hums.relink_library", text="Relink Moved Files...", icon="LIBRARY_DATA_BROKEN")
            layout.separator()
            layout.operator("hums.show_library_folder", text="Show Folder", icon="FILEBROWSER")
            layout.operator("hums.remove_library", text="Remove from List", icon="REMOVE").index = -1
        layout.separator()
        layout.operator("hums.show_preferences", text="Preferences...", icon="PREFERENCES")
        layout.operator("hums.copy_report", icon="COPYDOWN")


class HUMS_PT_library(MotionPanel):
    """Which libraries are searched."""

    bl_idname = "HUMS_PT_library"
    bl_label = "Library"
    bl_order = 0

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        missing = missing_parts()
        if missing:
            paragraph(layout, context, missing, icon="ERROR")
            layout.operator("hums.copy_report", icon="COPYDOWN")
            return
        if not preferences.of(context).libraries and not session.indexing:
            _draw_welcome(layout, context)
        else:
            row = layout.row(align=True)
            row.prop(preferences.of(context), "active", text="")
            row.menu("HUMS_MT_libraries", text="", icon="DOWNARROW_HLT")
            for entry in preferences.searched(context):
                _draw_facts(layout, context, entry)
        _draw_indexing(layout, context)


def _draw_welcome(layout: UILayout, context: Context) -> None:
    """What a person sees who has no library yet."""
    paragraph(layout, context, iface("Find motions like the one on your rig. First, a library to look in:"))
    column = layout.column(align=True)
    column.scale_y = 1.3
    column.operator("hums.add_samples", text="Start with the Samples", icon="OUTLINER_OB_ARMATURE")
    column.operator("hums.create_library", text="From My Motion Files...", icon="NEWFOLDER")
    column.operator("hums.open_library", text="Open a Library...", icon="FILE_FOLDER")


def _draw_facts(layout: UILayout, context: Context, entry: preferences.HUMS_LibraryEntry) -> None:
    """How much is in a library, and what is wrong with its files."""
    facts = properties.session(context).facts.get(entry.path)
    if facts is None or (facts.trouble and properties.session(context).indexing):  # it may be about to be made
        return
    several = len(preferences.searched(context)) > 1
    name = f"{entry.name}: " if several else ""
    index = list(preferences.of(context).libraries).index(entry)
    if facts.trouble:
        paragraph(layout, context, name + wording.told(facts.trouble), icon="ERROR")
        layout.operator("hums.look_again", icon="FILE_REFRESH").index = index
        return
    if facts.clips:
        one, several = iface("1 motion, {minutes:.0f} min"), iface("{count} motions, {minutes:.0f} min")
        text = wording.counted(facts.clips, one, several, minutes=facts.duration_s / 60.0)
    else:
        text = iface("No motions yet")
    note(layout, name + text, icon="LOCKED" if facts.readonly else "NONE")
    if not (facts.clips or facts.readonly or several):
        layout.operator("hums.add_motions", text="Add Motion Files...", icon="ADD")
    if facts.missing:
        row = layout.row()
        text = wording.counted(facts.missing, iface("1 file missing"), iface("{count} files missing"))
        row.label(text=text, icon="ERROR", translate=False)
        row.operator("hums.relink_library", text="Relink...").index = index
    if facts.failed:
        row = layout.row()
        text = wording.counted(facts.failed, iface("1 file failed"), iface("{count} files failed"))
        row.label(text=text, icon="ERROR", translate=False)
        row.operator("hums.show_failures", text="Show...").index = index


def _draw_indexing(layout: UILayout, context: Context) -> None:
    session = properties.session(context)
    if session.indexing:
        draw_progress(layout, context)
    elif session.outcome:
        row = layout.row()
        paragraph(row, context, session.outcome, icon=_ICONS[session.outcome_kind], beside=5)
        buttons = row.row(align=True)
        if session.outcome_kind == "failed":
            buttons.operator("hums.copy_report", text="", icon="COPYDOWN", emboss=False)
        buttons.operator("hums.dismiss_trouble", text="", icon="X", emboss=False)


def draw_progress(layout: UILayout, context: Context) -> None:
    """How far indexing is, with a button to stop it."""
    session = properties.session(context)
    row = layout.row(align=True)
    row.progress(factor=session.progress, text=session.progress_text, translate=False)
    row.operator("hums.cancel_indexing", text="", icon="CANCEL")


def draw_in_status_bar(bar: bpy.types.Header, context: Context) -> None:
    """The same at the bottom of the window, whichever workspace is open."""
    session = properties.session(context)
    if session.indexing:
        row = bar.layout.row()
        row.ui_units_x = 16
        draw_progress(row, context)


CLASSES = (HUMS_MT_libraries, HUMS_PT_library)
