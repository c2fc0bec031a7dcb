# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D viewports that are open: found, and drawn anew as a whole or in part."""

from __future__ import annotations

from collections.abc import Container, Iterator

import bpy
from bpy.types import Area, Context, Region, Window

TAB = "Motion"
"""The sidebar's tab that the add-on's panels are in."""


def of(context: Context) -> Iterator[tuple[Window, Area]]:
    """All 3D viewports of all windows."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                yield window, area


def redraw(context: Context) -> None:
    """Has them drawn anew with all that is in them and around them."""
    for _, area in of(context):
        area.tag_redraw()


def redraw_sidebars(context: Context) -> None:
    """Has the panels drawn anew where they are to be seen, but not the scenes, which may take long."""
    for _, area in of(context):
        for region in area.regions:
            if _shows_panels(region):
                region.tag_redraw()


def _shows_panels(region: Region) -> bool:
    is_open = region.type == "UI" and region.width > 1
    return is_open and getattr(region, "active_panel_category", TAB) == TAB


def redraw_status_bar() -> None:
    """Has the status bar drawn anew; no script can reach its region, but it listens for names of view layers."""
    bpy.msgbus.publish_rna(key=(bpy.types.ViewLayer, "name"))  # type: ignore[attr-defined]


def redraw_regions(context: Context, kinds: Container[str]) -> None:
    """Has regions of these kinds drawn anew, such as ``"WINDOW"``."""
    for _, area in of(context):
        for region in area.regions:
            if region.type in kinds:
                region.tag_redraw()
