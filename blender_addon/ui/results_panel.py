# SPDX-License-Identifier: GPL-3.0-or-later
"""The Similar Motions panel: the list, what can be done with its rows, and with the active one."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.types import Context, Menu, UILayout

from .. import properties
from ..core import wording
from .motion_tab import MotionPanel, is_narrow, note, paragraph

iface = bpy.app.translations.pgettext_iface


class HUMS_MT_result(Menu):
    """What can be done with a result."""

    bl_idname = "HUMS_MT_result"
    bl_label = "Result"

    def draw(self, _context: Context) -> None:
        """Draws the menu."""
        draw_result_menu(self.layout)


def draw_result_menu(layout: UILayout) -> None:
    """What can be done with the active result."""
    layout.operator("hums.more_like_this", text="More Like This", icon="VIEWZOOM").how = "instead"
    layout.operator("hums.more_like_this", text="Also Like This", icon="ADD").how = "also"
    layout.operator("hums.more_like_this", text="Not Like This", icon="REMOVE").how = "not"
    layout.separator()
    layout.operator("hums.star_motion", icon="SOLO_ON")
    layout.operator("hums.tag_motion", text="Edit Tags...", icon="BOOKMARKS")
    layout.operator("hums.hide_result", icon="HIDE_ON")
    layout.separator()
    layout.operator("hums.show_file", icon="FILEBROWSER")
    layout.operator("hums.copy_name", icon="COPYDOWN")


def draw_in_list_menu(menu: Menu, context: Context) -> None:
    """The same for a right click on a row."""
    if getattr(getattr(context, "ui_list", None), "bl_idname", "") == "HUMS_UL_results":
        menu.layout.separator()
        draw_result_menu(menu.layout)


class HUMS_PT_results(MotionPanel):
    """The answers."""

    bl_idname = "HUMS_PT_results"
    bl_label = "Similar Motions"
    bl_order = 2

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Shown once something was asked."""
        session = properties.session(context)
        return bool(session.results or session.question or session.hidden)

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, session = self.layout, properties.session(context)
        _draw_question(layout, session)
        _draw_list(layout, session)
        _draw_tools(layout, session, is_narrow(context))
        if not session.results:
            told = iface("Nothing was found: loosen the filters, or add more motions to the library.")
            paragraph(layout, context, told, icon="INFO")
        if 0 <= session.active_result < len(session.results):
            result = session.results[session.active_result]
            _draw_details(layout, session, result)
            _draw_buttons(layout, session, result)


def _draw_question(layout: UILayout, session: properties.HUMS_Session) -> None:
    if session.question:
        row = note(layout, session.question, icon="ARMATURE_DATA")
        row.operator("hums.clear_query", text="", icon="X", emboss=False)


def _draw_list(layout: UILayout, session: properties.HUMS_Session) -> None:
    layout.template_list("HUMS_UL_results", "", session, "results", session, "active_result", rows=8, sort_lock=True)


def _draw_tools(layout: UILayout, session: properties.HUMS_Session, narrow: bool) -> None:
    """The list's order, and what the active result is good for; one under the other in a narrow sidebar."""
    row = layout.row(align=True)
    row.prop(session, "order", text="")
    row.prop(session, "group", text="", icon="LINENUMBERS_ON")
    if narrow:
        row = layout.row(align=True)
    else:
        row.separator()
    row.operator("hums.more_like_this", text="", icon="VIEWZOOM").how = "instead"
    row.operator("hums.more_like_this", text="", icon="ADD").how = "also"
    row.operator("hums.more_like_this", text="", icon="REMOVE").how = "not"
    row.separator()
    row.operator("hums.hide_result", text="", icon="HIDE_ON")
    row.menu("HUMS_MT_result", text="", icon="DOWNARROW_HLT")
    if session.hidden:
        text = iface("Show {count} Hidden").format(count=session.hidden)
        layout.operator("hums.show_hidden", text=text, icon="HIDE_OFF", translate=False)


def _draw_details(layout: UILayout, session: properties.HUMS_Session, result: properties.HUMS_Result) -> None:
    column = layout.column(align=True)
    column.active = False
    column.label(text=bpy.path.basename(result.source), icon="FILE", translate=False)
    text = iface("{seconds:.1f} s").format(seconds=result.duration_s)
    if result.is_part:
        text = iface("{start:.1f} to {end:.1f} s of {all}").format(start=result.start_s, end=result.end_s, all=text)
    if result.mirrored:
        text += ", " + iface("mirrored")
    if result.others and session.group:
        text += ", " + wording.counted(result.others, iface("1 more stretch"), iface("{count} more stretches"))
    column.label(text=text, icon="TIME", translate=False)
    if result.tags:
        column.label(text=result.tags, icon="BOOKMARKS", translate=False)
    if result.is_part:
        layout.row(align=True).prop(session, "extent", expand=True)


def _draw_buttons(layout: UILayout, session: properties.HUMS_Session, result: properties.HUMS_Result) -> None:
    column = layout.column(align=True)
    column.scale_y = 1.3
    _set_motion(column.operator("hums.apply_motion", text="Apply to Active Rig", icon="ARMATURE_DATA"), session, result)
    _set_motion(column.operator("hums.import_motion", text="Import as New Armature", icon="IMPORT"), session, result)


def _set_motion(button: Any, session: properties.HUMS_Session, result: properties.HUMS_Result) -> None:  # noqa: ANN401
    """Tells an operator's button which motion it is about."""
    button.clip_id, button.library = result.clip_id, result.library
    button.start_s, button.end_s = properties.taken_s(session, result)
    button.mirrored = properties.is_mirrored(session, result)


CLASSES = (HUMS_MT_result, HUMS_PT_results)
