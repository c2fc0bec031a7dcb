# SPDX-License-Identifier: GPL-3.0-or-later
"""The Rig Map panel: the map that is found as a picture, and a field for each joint to correct it."""

from __future__ import annotations

from typing import Any

import bpy
import bpy.utils.previews  # type: ignore[import-not-found]
import numpy as np
from bpy.types import Context, Menu, Object, UILayout

from .. import rig_map_fields
from ..core import armature_reader, rig_map, user_maps, wording
from ..core.engine import errors, map_picture, mapping, missing_parts, skeleton
from .motion_tab import MotionPanel, paragraph

iface = bpy.app.translations.pgettext_iface

_MOST_PICTURES = 64
_UNIT_PX = 20.0
_LARGEST, _SMALLEST = 9.0, 4.0  # in heights of a button

_pictures: list[Any] = []
"""Blender's collection of previews, while the panel is registered."""


class HUMS_MT_rig_maps(Menu):
    """What can be done with saved maps."""

    bl_idname = "HUMS_MT_rig_maps"
    bl_label = "Saved Maps"

    def draw(self, context: Context) -> None:
        """Draws the menu."""
        layout = self.layout
        titles = user_maps.titles()
        for family, title in titles.items():
            layout.operator("hums.load_rig_map", text=title, icon="ARMATURE_DATA", translate=False).family = family
        if titles:
            layout.separator()
        layout.operator("hums.save_rig_map", text="Save Map...", icon="FILE_TICK")
        layout.operator("hums.import_rig_map", text="Import...", icon="IMPORT")
        if titles:
            layout.menu("HUMS_MT_export_rig_map", icon="EXPORT")
            layout.menu("HUMS_MT_delete_rig_map", icon="TRASH")


class HUMS_MT_export_rig_map(Menu):
    """The saved maps, to be exported."""

    bl_idname = "HUMS_MT_export_rig_map"
    bl_label = "Export"

    def draw(self, context: Context) -> None:
        """Draws the menu."""
        for family, title in user_maps.titles().items():
            self.layout.operator("hums.export_rig_map", text=title, translate=False).family = family


class HUMS_MT_delete_rig_map(Menu):
    """The saved maps, to be deleted."""

    bl_idname = "HUMS_MT_delete_rig_map"
    bl_label = "Delete"

    def draw(self, context: Context) -> None:
        """Draws the menu."""
        for family, title in user_maps.titles().items():
            self.layout.operator("hums.delete_rig_map", text=title, translate=False).family = family


class HUMS_PT_rig_map(MotionPanel):
    """Which bone is which joint."""

    bl_idname = "HUMS_PT_rig_map"
    bl_label = "Rig Map"
    bl_order = 8
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Shown where the add-on can work."""
        return not missing_parts()

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout = self.layout
        try:
            rig = armature_reader.rig_of(context.active_object)
        except errors.HumsError as error:
            paragraph(layout, context, wording.told(str(error)), icon="INFO")
            return
        found = _draw_found(layout, context, rig)
        _draw_picture(layout, context, found)
        _draw_groups(layout, context, rig)


def _draw_found(layout: UILayout, context: Context, rig: Object) -> mapping.JointMap | None:
    """What the map is, and how sure; or why there is none."""
    found = None
    try:
        found = rig_map.joint_map_of(rig)
    except errors.MappingError as error:
        paragraph(layout, context, wording.told(str(error)), icon="ERROR")
    row = layout.row(align=True)
    if found is not None:
        row.label(text=mapping.title_of(found.family), icon="ARMATURE_DATA", translate=False)
    else:
        row.label(text="No Map", icon="ARMATURE_DATA")
    if rig_map.remembered(rig):
        row.operator("hums.reset_rig_map", text="", icon="LOOP_BACK")
    row.menu("HUMS_MT_rig_maps", text="", icon="DOWNARROW_HLT")
    if found is not None:
        count = int(found.valid.sum())
        text = iface("{count} joints, {score:.0%} sure").format(count=count, score=found.score)
        layout.progress(factor=found.score, text=text, translate=False)
    return found


def _draw_picture(layout: UILayout, context: Context, found: mapping.JointMap | None) -> None:
    """The figure, as large as the sidebar lets it be."""
    unit = _UNIT_PX * context.preferences.system.ui_scale
    scale = max(min(_LARGEST, context.region.width / unit - 2.0), _SMALLEST)
    icon = _picture(found, rig_map_fields.state(context).chosen, round(scale * unit))
    layout.template_icon(icon_value=icon, scale=scale)


def _picture(found: mapping.JointMap | None, chosen: str, size: int) -> int:
    """Blender's number for the picture of a map; each is drawn once."""
    collection = _pictures[0]
    valid = np.zeros(skeleton.JOINT_COUNT, dtype=bool) if found is None else found.valid
    key = f"{size} {chosen} {valid.tobytes().hex()}"
    if key not in collection:
        if len(collection) >= _MOST_PICTURES:
            collection.clear()
        pixels = map_picture.draw(valid, chosen, size)
        preview = collection.new(key)
        preview.image_size = pixels.shape[:2]
        preview.image_pixels_float.foreach_set(pixels.ravel())
    return collection[key].icon_id


def _draw_groups(layout: UILayout, context: Context, rig: Object) -> None:
    """The joints with their bones, a group in a sub-panel."""
    layout.prop(rig_map_fields.state(context), "mirrored")
    for title, joints in rig_map_fields.GROUPS:
        header, body = layout.panel(f"HUMS_PT_rig_map_{joints[0]}", default_closed=True)
        header.label(text=title)
        if body is not None:
            column = body.column(align=True)
            for joint in joints:
                _draw_joint(column, context, rig, joint)


def _draw_joint(layout: UILayout, context: Context, rig: Object, joint: str) -> None:
    state = rig_map_fields.state(context)
    split = layout.split(factor=0.36, align=True)
    shown = split.operator("hums.show_joint", text=rig_map_fields.label_of(joint), depress=state.chosen == joint)
    shown.joint = joint
    row = split.row(align=True)
    row.prop_search(rig.data.hums_rig_map_fields, joint, rig.data, "bones", text="", icon="BONE_DATA")
    taken = row.operator("hums.set_joint", text="", icon="RESTRICT_SELECT_OFF")
    taken.joint, taken.mirrored = joint, state.mirrored


def register() -> None:
    """Makes room for pictures."""
    _pictures.append(bpy.utils.previews.new())


def unregister() -> None:
    """Gives it back."""
    while _pictures:
        bpy.utils.previews.remove(_pictures.pop())


CLASSES = (HUMS_MT_rig_maps, HUMS_MT_export_rig_map, HUMS_MT_delete_rig_map, HUMS_PT_rig_map)
