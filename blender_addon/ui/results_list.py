# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranked results: a star, a name, a bar as long as the motion is similar, and the seconds of the stretch found."""

from __future__ import annotations

from bpy.types import Context, UILayout, UIList

from .. import properties

_NARROW_PX = 245


class HUMS_UL_results(UIList):
    """One row for each motion that was found."""

    bl_idname = "HUMS_UL_results"

    def draw_item(
        self,
        context: Context | None,
        layout: UILayout,
        data: properties.HUMS_Session,
        item: properties.HUMS_Result,
        icon: int,
        active_data: properties.HUMS_Session,
        active_property: str,
        index: int,
    ) -> None:
        """Draws one row."""
        row = layout.row(align=True)
        star = row.operator("hums.star_motion", text="", icon="SOLO_ON" if item.starred else "SOLO_OFF", emboss=False)
        star.index = index
        split = row.split(factor=0.54)
        name = split.row(align=True)
        name.label(text=item.name, translate=False)
        if item.own:
            name.label(text="", icon="ARMATURE_DATA")
        if item.mirrored:
            name.label(text="", icon="MOD_MIRROR")
        right = split.split(factor=0.5)
        if item.scored:
            right.progress(factor=item.score / 100.0, text=f"{item.score:.0f}", translate=False)
        else:
            right.label(text="")
        seconds = right.row()
        seconds.alignment = "RIGHT"
        unit = " s" if context is None or _is_wide(context) else ""
        seconds.label(text=f"{item.end_s - item.start_s:.1f}{unit}", translate=False)


def _is_wide(context: Context) -> bool:
    """Whether the sidebar has room for the unit; where it has not, Blender would cut the number itself."""
    return context.region.width > _NARROW_PX * context.preferences.system.ui_scale


CLASSES = (HUMS_UL_results,)
