# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranked results: a star, a name, a bar as long as the motion is similar, and the seconds of the stretch found."""

from __future__ import annotations

from bpy.types import Context, UILayout, UIList

from .. import properties
from .motion_tab import is_narrow

_NAME, _NAME_ALONE = 0.54, 0.64
"""The share of a row that its name has, with and without the seconds."""


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
        roomy = context is None or not is_narrow(context)
        split = row.split(factor=_NAME if roomy else _NAME_ALONE)
        name = split.row(align=True)
        name.label(text=item.name, translate=False)
        if item.own:
            name.label(text="", icon="ARMATURE_DATA")
        if item.mirrored:
            name.label(text="", icon="MOD_MIRROR")
        right = split.split(factor=0.5) if roomy else split.row()
        if item.scored:
            right.progress(factor=item.score / 100.0, text=f"{item.score:.0f}", translate=False)
        else:
            right.label(text="")
        if roomy:  # else they are told below the list
            seconds = right.row()
            seconds.alignment = "RIGHT"
            seconds.label(text=f"{item.end_s - item.start_s:.1f} s", translate=False)


CLASSES = (HUMS_UL_results,)
