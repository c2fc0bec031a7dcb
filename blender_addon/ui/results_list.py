# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranked results: a name, a bar as long as the motion is similar, and the stretch that was found."""

from __future__ import annotations

from bpy.types import Context, UILayout, UIList

from .. import properties


class HUMS_UL_results(UIList):
    """One row for each motion that was found, the most similar first."""

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
    ) -> None:
        """Draws one row."""
        split = layout.split(factor=0.54)
        split.label(text=item.name, translate=False)
        right = split.split(factor=0.6)
        right.progress(factor=item.score / 100.0, text=f"{item.score:.0f}", translate=False)
        seconds = right.row()
        seconds.alignment = "RIGHT"
        seconds.label(text=f"{item.end_s - item.start_s:.1f} s", translate=False)


CLASSES = (HUMS_UL_results,)
