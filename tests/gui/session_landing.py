# SPDX-License-Identifier: GPL-3.0-or-later
"""Landing in the user interface: choices in the panel and after the fact, undo and redo, many motions at once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

FEW = ("walk_07_04", "walk_02_01", "run_09_01", "kick_11_01", "salsa_60_01")
facts: dict[str, Any] = {}


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def knight() -> Any:  # noqa: ANN401 - an object
    return bpy.data.objects["Knight"]


def action() -> str:
    data = knight().animation_data
    return data.action.name if data is not None and data.action is not None else ""


def curves() -> list[Any]:
    """The F-curves of the knight's action, in any Blender."""
    own = knight().animation_data.action
    if hasattr(own, "layers") and len(own.layers):
        return list(own.layers[0].strips[0].channelbags[0].fcurves)
    return list(own.fcurves)


def path_m() -> float:
    """How far the bone that carries the path goes, in its own axes."""
    ways = [curve for curve in curves() if curve.data_path.endswith("location")]
    spans = [
        max(p.co[1] for p in curve.keyframe_points) - min(p.co[1] for p in curve.keyframe_points) for curve in ways
    ]
    return max(spans)


def session() -> drive.Steps:
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    yield from ask()
    yield from choose_in_the_panel()
    yield from apply_and_change_after_the_fact()
    yield from undo_and_redo()
    yield from many_at_once()


def ask() -> drive.Steps:
    """A small library, a question, and a knight to answer it."""
    few = drive.FOLDER / "few"
    few.mkdir()
    for name in FEW:
        shutil.copy(drive.SAMPLES / f"{name}.bvh", few)
    drive.only()
    with drive.over_view():
        bpy.ops.hums.create_library(directory=str(few), library=str(drive.FOLDER / "few.hums"))
        bpy.ops.hums.find_similar("EXEC_DEFAULT")
    yield from drive.until(lambda: len(state().results) > 0, seconds=60)
    drive.only_the_knight()
    bpy.context.scene.frame_set(11)
    yield from drive.wait(10)


def choose_in_the_panel() -> drive.Steps:
    """Opens the sub-panel, which lies closed below the last button of the results, and brings it into sight."""
    yield from to_the_end_of_the_sidebar()
    place = None
    for found in drive.find_button("hums.import_motion"):
        place = found
        yield
    assert place is not None
    yield from drive.click(place[0] - 60, place[1] - 38)
    yield from drive.wait(10)
    state().landing.fewer_keys = True
    yield from to_the_end_of_the_sidebar()
    yield from drive.picture("landing_1_panel")


def to_the_end_of_the_sidebar() -> drive.Steps:
    sidebar = drive.region("UI")
    x, y = sidebar.x + sidebar.width // 2, sidebar.y + sidebar.height // 2
    yield from drive.move(x, y)
    for _ in range(30):
        drive.window().event_simulate(type="WHEELDOWNMOUSE", value="PRESS", x=x, y=y)
        yield from drive.wait(1)


def apply_and_change_after_the_fact() -> drive.Steps:
    yield from drive.press("hums.apply_motion")
    yield from drive.until(lambda: bool(action()), seconds=30)
    yield from drive.wait(10)
    facts["applied"] = action()
    facts["start"] = min(curve.keyframe_points[0].co[0] for curve in curves())
    facts["keys"] = max(len(curve.keyframe_points) for curve in curves())
    facts["frames"] = curves()[0].range()[1] - curves()[0].range()[0] + 1
    facts["path"] = path_m()
    facts["actions"] = len(bpy.data.actions)
    yield from drive.key("F9")
    yield from drive.wait(10)
    yield from drive.picture("landing_2_redo_panel")
    yield from choose_in_place()
    facts["path_in_place"] = path_m()
    facts["actions_in_place"] = len(bpy.data.actions)
    yield from drive.picture("landing_3_in_place")


def choose_in_place() -> drive.Steps:
    """Turns the wheel over the redo panel's fields, which are below the mouse, until it is the path's that turns."""
    part = drive.region("WINDOW")
    x, middle = part.x + part.width // 3 + 220, part.y + part.height // 2
    for y in range(middle - 120, middle - 180, -6):
        yield from drive.move(x, y)
        for wheel in ("WHEELDOWNMOUSE", "WHEELUPMOUSE"):
            drive.window().event_simulate(type=wheel, value="PRESS", x=x, y=y, ctrl=True)
            yield from drive.wait(6)
            if action() and path_m() < 0.5 * facts["path"]:
                return
    raise LookupError("the redo panel has no field that keeps the figure in place")


def undo_and_redo() -> drive.Steps:
    yield from drive.key("ESC")  # the redo panel closes
    yield from drive.wait(10)
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: not action(), seconds=20)
    facts["actions_undone"] = len(bpy.data.actions)
    yield from drive.key("Z", ctrl=True, shift=True)
    yield from drive.until(lambda: bool(action()), seconds=20)
    facts["path_redone"] = path_m()


def many_at_once() -> drive.Steps:
    """All results as actions: a dialog, then a motion at a time."""
    before = len(bpy.data.actions)
    yield from to_the_end_of_the_sidebar()
    yield from drive.press("hums.apply_motions")
    yield from drive.wait(10)
    yield from drive.picture("landing_4_batch")
    yield from drive.key("RET")
    drive.window().event_simulate(type="ESC", value="PRESS", x=400, y=400)  # before the first motions are done
    yield from drive.wait(20)
    facts["stopped"] = len(bpy.data.actions) - before
    before = len(bpy.data.actions)
    yield from drive.press("hums.apply_motions")
    yield from drive.wait(10)
    yield from drive.key("RET")
    yield from drive.until(lambda: len(bpy.data.actions) >= before + len(state().results), seconds=60)
    yield from drive.wait(10)
    facts["many"] = len(bpy.data.actions) - before
    facts["still"] = action()
    yield from drive.picture("landing_5_many")
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: len(bpy.data.actions) == before, seconds=20)


drive.run(session(), facts)
