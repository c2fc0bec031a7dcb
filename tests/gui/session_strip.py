# SPDX-License-Identifier: GPL-3.0-or-later
"""An animator looks through the strip of results, and drags them onto rigs and onto the floor."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy_extras import view3d_utils

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

SAMPLES = Path(__file__).parents[2] / "samples"
LIBRARY = drive.FOLDER.parent / "samples.hums"
facts: dict[str, Any] = {}


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


def session() -> drive.Steps:
    yield from drive.wait(10)
    yield from search_with_one_of_two_rigs()
    yield from look_through_the_strip()
    yield from drop_on_the_right_of_two_rigs()
    yield from cancel()
    yield from drop_on_the_floor()
    yield from drag_a_row_of_the_list()
    yield from open_another_file()


def search_with_one_of_two_rigs() -> drive.Steps:
    bpy.ops.hums.create_library(directory=str(SAMPLES), library=str(LIBRARY))
    with drive.over_view():
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.object.delete()
        for name, x in (("Left", -1.0), ("Right", 1.0)):
            bpy.ops.hums.import_motion(filepath=str(SAMPLES / "walk_07_04.bvh"), location=(x, 0.0, 0.0))
            bpy.context.object.name = name
        bpy.context.space_data.region_3d.view_rotation = (0.76, 0.35, 0.24, 0.48)
        bpy.ops.view3d.view_all()
        bpy.ops.hums.find_similar()
        bpy.ops.ed.undo_push(message="Two rigs")
    yield from drive.show_sidebar()
    previews = core("preview_motions").shared
    yield from drive.until(lambda: not previews.is_reading and previews.byte_count > 0, seconds=20)
    facts["start"] = both()


def look_through_the_strip() -> drive.Steps:
    yield from drive.move(*tile(2))
    facts["hovered"] = core("strip").hovered(bpy.context)
    yield from drive.picture("6_hovered")
    yield from drive.tap("WHEELDOWNMOUSE", tile(2))
    facts["wheel"] = scroll()
    yield from drive.tap("WHEELUPMOUSE", tile(2))
    facts["wheel_back"] = scroll()
    yield from drive.click(*tile(3))
    facts["clicked"] = state().active_result
    place = tile(3)
    yield from drive.tap("RIGHT_ARROW", place)
    facts["arrow"] = state().active_result
    yield from drive.tap("END", place)
    facts["end"], facts["scrolled_to_end"] = state().active_result, scroll()
    yield from drive.tap("HOME", place)
    x, y = hips("Right")
    yield from drive.move(x, y)
    facts["left"] = core("strip").hovered(bpy.context)
    yield from drive.wait(8)
    facts["ticking_at_rest"] = core("draw_handlers").counts()["ticking"]


def drop_on_the_right_of_two_rigs() -> drive.Steps:
    facts["active_before"] = bpy.context.view_layer.objects.active.name
    yield from drive.drag(tile(2), hips("Left"), release=False)
    yield from drive.picture("7_over_a_rig")
    now = core("drag").current()
    facts["promise"], facts["target"] = now.promise, now.target.rig.name
    yield from drive.let_go(hips("Left"))
    yield from drive.until(lambda: both() != facts["start"], seconds=20)
    facts["dropped"] = both()
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: both() == facts["start"], seconds=20)
    facts["undone"], facts["results_after_undo"] = both(), len(state().results)
    yield from drive.key("Z", ctrl=True, shift=True)
    yield from drive.until(lambda: both() != facts["start"], seconds=20)
    facts["redone"] = both()
    yield from drive.key("Z", ctrl=True)


def cancel() -> drive.Steps:
    for button in ("ESC", "RIGHTMOUSE"):
        yield from drive.drag(tile(2), hips("Left"), release=False)
        yield from drive.tap(button, hips("Left"))
        facts[f"dragging_after_{button}"] = core("drag").current() is not None
        yield from drive.let_go(hips("Left"))
        facts[f"after_{button}"] = both()


def drop_on_the_floor() -> drive.Steps:
    place = in_window((0.0, -0.8, 0.0))
    yield from drive.drag(tile(1), place, release=False)
    yield from drive.picture("8_over_the_floor")
    yield from drive.let_go(place)
    yield from drive.until(lambda: len(bpy.data.objects) == 3, seconds=20)
    facts["new"], facts["new_at"] = bpy.context.object.name, list(bpy.context.object.location)
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: len(bpy.data.objects) == 2, seconds=20)


def drag_a_row_of_the_list() -> drive.Steps:
    row = (0, 0)
    for place in drive.find_property("active_result"):
        row = place or row
        yield
    yield from drive.click(*row)
    facts["row"] = state().results[state().active_result].name
    yield from drive.drag(row, (row[0] - 200, row[1]), hips("Right"))
    yield from drive.until(lambda: both() != facts["start"], seconds=20)
    facts["dropped_row"] = both()
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: both() == facts["start"], seconds=20)


def open_another_file() -> drive.Steps:
    yield from drive.move(*tile(1))
    path = drive.FOLDER / "again.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield from drive.wait(10)
    facts["results_after_load"] = len(state().results)
    yield from drive.move(*hips("Left"))
    yield from drive.wait(4)
    facts["hovered_after_load"] = core("strip").hovered(bpy.context)
    facts["handlers_after_load"] = core("draw_handlers").counts()["drawing"]
    bpy.ops.script.reload()
    yield from drive.wait(10)
    facts["handlers_after_reload"] = core("draw_handlers").counts()["drawing"]
    yield from drive.picture("9_after_reload")


drive.run(session(), facts)
