# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D viewports that are open: found, and drawn anew as a whole or in part."""

from __future__ import annotations

from collections.abc import Container, Iterator

from bpy.types import Area, Context, Window


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
    """Has the panels drawn anew, but not the scenes, which may take long."""
    redraw_regions(context, ("UI",))


def redraw_regions(context: Context, kinds: Container[str]) -> None:
    """Has regions of these kinds drawn anew, such as ``"WINDOW"``."""
    for _, area in of(context):
        for region in area.regions:
            if region.type in kinds:
                region.tag_redraw()
