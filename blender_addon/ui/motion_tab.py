# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels of the sidebar's Motion tab have in common: their place, and sentences that fit its width."""

from __future__ import annotations

from bpy.types import Context, Panel, UILayout

from ..core import viewports

_LETTER_PX = 7.0
_NARROW_PX = 255


class MotionPanel(Panel):
    """A panel of the Motion tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = viewports.TAB


def is_narrow(context: Context) -> bool:
    """Whether the sidebar is narrower than Blender makes it, so that labels need lines of their own."""
    return context.region.width < _NARROW_PX * context.preferences.system.ui_scale


def as_settings(layout: UILayout, context: Context) -> None:
    """Names stand left of their fields, as in Blender's own panels, or in them where there is no room beside."""
    layout.use_property_split = not is_narrow(context)
    layout.use_property_decorate = False


def paragraph(layout: UILayout, context: Context, text: str, icon: str = "NONE", beside: int = 0) -> None:
    """A sentence in as many lines as the sidebar's width asks for, less the letters that a button beside takes."""
    scale = context.preferences.system.ui_scale
    letters = max(int(context.region.width / (_LETTER_PX * scale)) - (9 if icon != "NONE" else 6) - beside, 12)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for i, line in enumerate(lines(text, letters)):
        column.label(text=line, icon=icon if i == 0 else ("BLANK1" if icon != "NONE" else "NONE"), translate=False)


def lines(text: str, letters: int) -> list[str]:
    """The text in lines of so many letters at most, broken between words."""
    broken = [""]
    for word in text.split():
        if broken[-1] and len(broken[-1]) + 1 + len(word) > letters:
            broken.append(word)
        else:
            broken[-1] = f"{broken[-1]} {word}".strip()
    return broken


def note(layout: UILayout, text: str, icon: str = "NONE") -> UILayout:
    """A quiet line; returns its row, for what stands beside."""
    row = layout.row()
    quiet = row.row()
    quiet.active = False
    quiet.label(text=text, icon=icon, translate=False)
    return row
