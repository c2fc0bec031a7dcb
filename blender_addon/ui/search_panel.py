# SPDX-License-Identifier: GPL-3.0-or-later
"""The Search panel: the question, by the rig's motion or by name, and how it is asked."""

from __future__ import annotations

import bpy
from bpy.types import Context, UILayout

from .. import preferences, properties
from ..core import armature_reader, wording
from ..core.engine import errors, missing_parts
from .motion_tab import MotionPanel, as_settings, is_narrow, paragraph

iface = bpy.app.translations.pgettext_iface


class _SearchPanel(MotionPanel):
    @classmethod
    def poll(cls, context: Context) -> bool:
        """Shown once there is a library to search in."""
        return not missing_parts() and bool(preferences.of(context).libraries)


class HUMS_PT_find(_SearchPanel):
    """The question."""

    bl_idname = "HUMS_PT_find"
    bl_label = "Find Motion"
    bl_order = 1

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        button = layout.row(align=True)
        button.scale_y = 1.6
        button.operator("hums.find_similar", icon="VIEWZOOM")
        button.prop(session, "live", text="", icon="RECORD_ON" if session.live else "RECORD_OFF")
        _draw_what(layout, context)
        layout.row(align=True).prop(session, "scope", expand=True)
        layout.prop(session.filters, "text", text="", icon="FILTER", placeholder="Name or tag")
        _draw_trouble(layout, context)


def _draw_trouble(layout: UILayout, context: Context) -> None:
    """What went wrong, but for what the Library panel says of its libraries already."""
    session = properties.session(context)
    said = {session.facts[entry.path].trouble for entry in preferences.searched(context) if entry.path in session.facts}
    sentences = [sentence for sentence in session.trouble.splitlines() if sentence not in said]
    if not sentences:
        return
    box = layout.box()
    for sentence in sentences:
        paragraph(box, context, wording.told(sentence), icon="ERROR")
    row = box.row(align=True)
    row.operator("hums.copy_report", icon="COPYDOWN")
    row.operator("hums.dismiss_trouble", text="", icon="X")


def _draw_what(layout: UILayout, context: Context) -> None:
    """What Find Similar would take, or how far it is read."""
    session = properties.session(context)
    if session.reading > 0.0:
        row = layout.row(align=True)
        row.progress(factor=session.reading, text=iface("Reading the Rig's Motion"), translate=False)
        row.operator("hums.clear_query", text="", icon="CANCEL")
        return
    try:
        rig = armature_reader.rig_of(context.active_object)
        first, last = session.frame_start, session.frame_end
        if session.frames == "rig":
            first, last = armature_reader.frame_range(rig, context.scene)
    except errors.HumsError as error:
        paragraph(layout, context, wording.told(str(error)), icon="INFO")
        return
    row = layout.row()
    row.active = False
    row.alignment = "CENTER"
    text = iface("{rig}, frames {first} to {last}").format(rig=rig.name, first=first, last=last)
    row.label(text=iface("Searching...") if session.searching else text, translate=False)


class HUMS_PT_find_options(_SearchPanel):
    """How the question is asked."""

    bl_idname = "HUMS_PT_find_options"
    bl_parent_id = "HUMS_PT_find"
    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        as_settings(layout, context)
        layout.prop(session, "frames")
        if session.frames == "typed":
            column = layout.column(align=True)
            column.prop(session, "frame_start")
            column.prop(session, "frame_end")
        if is_narrow(context):
            layout.prop(session, "selected_bones")
        else:
            layout.column(heading="Bones").prop(session, "selected_bones", text="Selected Only")
        layout.prop(session, "mirror")
        layout.prop(session, "count")


class HUMS_PT_find_filters(_SearchPanel):
    """Which motions are looked at."""

    bl_idname = "HUMS_PT_find_filters"
    bl_parent_id = "HUMS_PT_find"
    bl_label = "Filters"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, filters = self.layout, properties.session(context).filters
        as_settings(layout, context)
        layout.prop(filters, "starred")
        layout.prop(filters, "tag")
        layout.prop(filters, "folder")
        layout.prop(filters, "rig")
        column = layout.column(align=True)
        column.prop(filters, "shortest_s")
        column.prop(filters, "longest_s")
        layout.prop(filters, "fps")
        layout.operator("hums.clear_filters", icon="X")


CLASSES = (HUMS_PT_find, HUMS_PT_find_options, HUMS_PT_find_filters)
