# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person likes the strip of moving results to do; kept with the add-on's preferences."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty
from bpy.types import Context, PropertyGroup

from .core import viewports

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.


def _redraw(_settings: HUMS_StripSettings, context: Context) -> None:
    viewports.redraw(context)


class HUMS_StripSettings(PropertyGroup):
    """Settings of the strip."""

    show: BoolProperty(
        name="Result Strip",
        description="Show the motions that were found as small moving figures along the bottom of the 3D viewport",
        default=True,
        update=_redraw,
    )
    play_all: BoolProperty(
        name="Play All",
        description="Let all figures move; otherwise only the one under the mouse does",
        default=False,
        update=_redraw,
    )
    in_sync: BoolProperty(
        name="In Sync with Query",
        description="Let each figure do what the query does at that moment, as far as they are alike",
        default=False,
        update=_redraw,
    )
    ghost: BoolProperty(
        name="Ghost on the Rig",
        description="Show the motion under the mouse as a ghost where the active rig would do it",
        default=True,
        update=_redraw,
    )
    keep_ghost: BoolProperty(
        name="Keep Ghost",
        description="Show the ghost of the selected result all the time, following the timeline",
        default=False,
        update=_redraw,
    )
    ghost_beside: BoolProperty(
        name="Ghost Beside the Rig",
        description="Show the ghost at the right of the rig, where no mesh hides it; it lands on the rig all the same",
        default=False,
        update=_redraw,
    )
    size: IntProperty(
        name="Figure Size",
        description="Height of the figures",
        default=96,
        min=56,
        max=240,
        subtype="PIXEL",
        update=_redraw,
    )


def register() -> None:
    """Registers the settings."""
    bpy.utils.register_class(HUMS_StripSettings)


def unregister() -> None:
    """Unregisters the settings."""
    bpy.utils.unregister_class(HUMS_StripSettings)
