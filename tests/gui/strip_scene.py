# SPDX-License-Identifier: GPL-3.0-or-later
"""Two rigs in front of the strip of results, for the sessions that work with it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy_extras import view3d_utils

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

LIBRARY = drive.FOLDER.parent / "samples.hums"


def core(name: str) -> Any:  # noqa: ANN401 - a module
    return importlib.import_module(f"{drive.PACKAGE}.core.{name}")


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def action_of(rig: str) -> str:
    data = bpy.data.objects[rig].animation_data
    return data.action.name if data is not None and data.action is not None else ""


def both() -> list[str]:
    return [action_of("Left"), action_of("Right")]


def tile(index: int) -> tuple[int, int]:
    """The middle of a result's tile, in the window."""
    strip, region = core("strip"), drive.region("WINDOW")
    layout = strip.layout(bpy.context, drive.view(), region)
    box = layout.tile_box(strip.tiles(bpy.context).index(index))
    return round(region.x + box.x + box.width / 2), round(region.y + box.y + box.height / 2)


def in_window(point: Any) -> tuple[int, int]:  # noqa: ANN401 - a vector
    region = drive.region("WINDOW")
    at = view3d_utils.location_3d_to_region_2d(region, drive.view().spaces.active.region_3d, point)
    return round(region.x + at.x), round(region.y + at.y)


def hips(rig: str) -> tuple[int, int]:
    armature = bpy.data.objects[rig]
    return in_window(armature.matrix_world @ armature.pose.bones[0].head)


def scroll() -> float:
    return core("strip").scroll_of(drive.view())


def search_with_one_of_two_rigs() -> drive.Steps:
    if LIBRARY.exists():
        bpy.ops.hums.open_library(directory=str(LIBRARY))
    else:
        bpy.ops.hums.create_library(directory=str(drive.SAMPLES), library=str(LIBRARY))
    drive.clear_scene()
    with drive.over_view():
        for name, x in (("Left", -1.0), ("Right", 1.0)):
            bpy.ops.hums.import_motion(filepath=str(drive.WALK), location=(x, 0.0, 0.0))
            bpy.context.object.name = name
        bpy.context.space_data.region_3d.view_rotation = (0.76, 0.35, 0.24, 0.48)
        bpy.ops.view3d.view_all()
        bpy.ops.hums.find_similar()
        bpy.ops.ed.undo_push(message="Two rigs")
    yield from drive.show_sidebar()
    previews = core("preview_motions").shared
    yield from drive.until(lambda: not previews.is_reading and previews.byte_count > 0, seconds=20)
