# SPDX-License-Identifier: GPL-3.0-or-later
"""How the motions to come land: a sub-panel of the results."""

from __future__ import annotations

from bpy.types import Context, Panel

from .. import landing_options, properties


class HUMS_PT_landing(Panel):
    """What Apply to Active Rig and drags do."""

    bl_idname = "HUMS_PT_landing"
    bl_label = "Landing"
    bl_parent_id = "HUMS_PT_results"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Motion"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, chosen = self.layout, properties.session(context).landing
        layout.use_property_split = True
        layout.use_property_decorate = False
        landing_options.draw_essentials(layout, chosen)
        layout.prop(chosen, "mirror")
        landing_options.draw_details(layout, chosen)


CLASSES = (HUMS_PT_landing,)
