# SPDX-License-Identifier: GPL-3.0-or-later
"""How the motions to come land: a sub-panel of the results."""

from __future__ import annotations

from bpy.types import Context

from .. import landing_options, properties
from .motion_tab import MotionPanel, as_settings


class HUMS_PT_landing(MotionPanel):
    """What Apply to Active Rig and drags do."""

    bl_idname = "HUMS_PT_landing"
    bl_label = "Landing"
    bl_parent_id = "HUMS_PT_results"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draws the panel."""
        layout, chosen = self.layout, properties.session(context).landing
        as_settings(layout, context)
        landing_options.draw_essentials(layout, chosen)
        layout.prop(chosen, "mirror")
        layout.separator()
        landing_options.draw_details(layout, chosen)
        layout.separator()
        column = layout.column(align=True)
        column.operator("hums.apply_motions", text="All Results as Actions...", icon="ACTION")
        column.operator("hums.result_to_asset", text="Result to Asset Browser", icon="ASSET_MANAGER")


CLASSES = (HUMS_PT_landing,)
