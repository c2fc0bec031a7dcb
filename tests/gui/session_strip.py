# SPDX-License-Identifier: GPL-3.0-or-later
"""An animator looks through the strip of results, and drags them onto rigs and onto the floor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive
from tests.gui.strip_scene import both, core, hips, in_window, scroll, search_with_one_of_two_rigs, state, tile

facts: dict[str, Any] = {}


def session() -> drive.Steps:
    yield from drive.wait(10)
    yield from search_with_one_of_two_rigs()
    facts["start"] = both()
    yield from look_through_the_strip()
    yield from drop_on_the_right_of_two_rigs()
    yield from cancel()
    yield from drop_on_the_floor()
    yield from drag_a_row_of_the_list()
    yield from open_another_file()


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
    facts["promise_in_german"] = promise_in("de_DE")
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


def promise_in(language: str) -> str:
    """What the drag that is on says in another language of Blender's interface."""
    view = bpy.context.preferences.view
    before, view.language = view.language, language
    promise = core("drag").current().promise
    view.language = before
    return promise


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
