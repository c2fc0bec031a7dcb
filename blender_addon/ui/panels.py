# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's Motion tab: the library, the question, the answers, and what to do with one."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.types import Context, Menu, Panel, UILayout

from .. import preferences, properties
from ..core import armature_reader
from ..core.engine import errors, missing_parts

_SHORT_S = 0.1
"""A stretch that leaves out less than this is the whole motion."""


class _MotionPanel(Panel):
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Motion"


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
        if preferences.active_library(context) is not None:
            layout.separator()
            layout.operator("hums.add_motions", text="Add Motion Files...", icon="ADD")
            layout.operator("hums.index_library", text="Update", icon="FILE_REFRESH")
            layout.operator("hums.show_library_folder", text="Show Folder", icon="FILEBROWSER")
            layout.operator("hums.remove_library", text="Remove from List", icon="REMOVE").index = -1


class HUMS_PT_find(_MotionPanel):
    """Library and question."""

    bl_idname = "HUMS_PT_find"
    bl_label = "Find Motion"

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout = self.layout
        missing = missing_parts()
        if missing:
            _paragraph(layout, context, missing, icon="ERROR")
        elif preferences.active_library(context) is None and not properties.session(context).indexing:
            _draw_welcome(layout, context)
        else:
            _draw_library(layout, context)
            _draw_question(layout, context)


def _draw_welcome(layout: UILayout, context: Context) -> None:
    """What a person sees who has no library yet."""
    _paragraph(layout, context, "Find motions like the one on your rig. First, a library to look in:")
    column = layout.column(align=True)
    column.scale_y = 1.3
    column.operator("hums.add_samples", text="Start with the Samples", icon="OUTLINER_OB_ARMATURE")
    column.operator("hums.create_library", text="From My Motion Files...", icon="NEWFOLDER")
    column.operator("hums.open_library", text="Open a Library...", icon="FILE_FOLDER")
    _draw_outcome(layout, context)


def _draw_library(layout: UILayout, context: Context) -> None:
    row = layout.row(align=True)
    row.prop(preferences.of(context), "active", text="")
    row.menu("HUMS_MT_libraries", text="", icon="DOWNARROW_HLT")
    session = properties.session(context)
    if session.indexing:
        row = layout.row(align=True)
        row.progress(factor=session.progress, text=session.progress_text, translate=False)
        row.operator("hums.cancel_indexing", text="", icon="CANCEL")
    else:
        _draw_outcome(layout, context)


def _draw_outcome(layout: UILayout, context: Context) -> None:
    session = properties.session(context)
    if session.outcome:
        _paragraph(layout, context, session.outcome, icon="ERROR" if session.outcome_failed else "CHECKMARK")


def _draw_question(layout: UILayout, context: Context) -> None:
    column = layout.column()
    button = column.row()
    button.scale_y = 1.6
    button.operator("hums.find_similar", icon="VIEWZOOM")
    try:
        rig = armature_reader.rig_of(context.active_object)
        first, last = armature_reader.frame_range(rig, context.scene)
    except errors.HumsError as error:
        _paragraph(column, context, str(error), icon="INFO")
        return
    note = column.row()
    note.active = False
    note.alignment = "CENTER"
    note.label(text=f"{rig.name}, frames {first} to {last}", translate=False)


class HUMS_PT_results(_MotionPanel):
    """The answers."""

    bl_idname = "HUMS_PT_results"
    bl_label = "Similar Motions"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Shown once there is something to show."""
        return len(properties.session(context).results) > 0

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        layout.template_list(
            "HUMS_UL_results", "", session, "results", session, "active_result", rows=8, sort_lock=True
        )
        if not 0 <= session.active_result < len(session.results):
            return
        result = session.results[session.active_result]
        _draw_details(layout, session, result)
        column = layout.column(align=True)
        column.scale_y = 1.3
        apply = column.operator("hums.apply_motion", text="Apply to Active Rig", icon="ARMATURE_DATA")
        _set_motion(apply, session, result)
        _set_motion(
            column.operator("hums.import_motion", text="Import as New Armature", icon="IMPORT"), session, result
        )


def _draw_details(layout: UILayout, session: properties.HUMS_Session, result: properties.HUMS_Result) -> None:
    column = layout.column(align=True)
    column.active = False
    column.label(text=bpy.path.basename(result.source), icon="FILE", translate=False)
    text = f"{result.duration_s:.1f} s" + (", mirrored" if result.mirrored else "")
    if _is_part(result):
        text = f"{result.start_s:.1f} to {result.end_s:.1f} s of {text}"
    column.label(text=text, icon="TIME", translate=False)
    if _is_part(result):
        layout.row(align=True).prop(session, "extent", expand=True)


def _is_part(result: properties.HUMS_Result) -> bool:
    """Whether the stretch that was found leaves a part of the motion out."""
    return result.end_s - result.start_s < result.duration_s - _SHORT_S


def _set_motion(button: Any, session: properties.HUMS_Session, result: properties.HUMS_Result) -> None:  # noqa: ANN401
    """Tells an operator's button which motion it is about."""
    button.clip_id, button.library = result.clip_id, session.library
    if session.extent == "stretch" and _is_part(result):
        button.start_s, button.end_s = result.start_s, result.end_s


class HUMS_PT_options(_MotionPanel):
    """How to search, and how a motion lands."""

    bl_idname = "HUMS_PT_options"
    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(heading="Search")
        column.prop(session, "scope")
        column.prop(session, "count")


def _paragraph(layout: UILayout, context: Context, text: str, icon: str = "NONE") -> None:
    """A sentence in as many lines as the sidebar's width asks for."""
    scale = context.preferences.system.ui_scale
    letters = max(int(context.region.width / (7.5 * scale)) - (8 if icon != "NONE" else 5), 12)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for i, line in enumerate(_lines(text, letters)):
        column.label(text=line, icon=icon if i == 0 else ("BLANK1" if icon != "NONE" else "NONE"), translate=False)


def _lines(text: str, letters: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


CLASSES = (HUMS_MT_libraries, HUMS_PT_find, HUMS_PT_results, HUMS_PT_options)
