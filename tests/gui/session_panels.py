# SPDX-License-Identifier: GPL-3.0-or-later
"""A day with the panels: typing, searching beside Blender, live mode, stars, errors, undo, a new file, a reload."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

facts: dict[str, Any] = {}


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def names() -> list[str]:
    return [result.name for result in state().results]


def idle() -> bool:
    return not state().searching and state().reading == 0.0


def call(operator: Any, **settings: Any) -> None:  # noqa: ANN401 - an operator, as a button calls it
    with drive.over_view():
        operator("INVOKE_DEFAULT", **settings)


def session() -> drive.Steps:
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    call(bpy.ops.hums.add_samples)
    yield from drive.until(lambda: state().progress > 0.1, seconds=90)
    yield from drive.until(lambda: not state().indexing, seconds=150)
    yield from drive.until(lambda: len(state().facts) > 0 and state().facts[0].clips == 49, seconds=20)
    facts["motions"] = state().facts[0].clips
    yield from type_a_name()
    yield from search()
    yield from choose_by_keys()
    yield from follow()
    yield from read_a_constrained_rig()
    yield from drop_a_file()
    yield from lose_the_library()
    yield from update_by_itself()
    yield from another_file()


def type_a_name() -> drive.Steps:
    """Results come while a person types, before she presses Enter."""
    for place in drive.find_property("filters.text"):
        if place is not None:
            yield from drive.click(*place)
        yield
    for letter in "kick":
        drive.window().event_simulate(type=letter.upper(), value="PRESS", unicode=letter)
        yield from drive.wait(2)
        drive.window().event_simulate(type=letter.upper(), value="RELEASE")
        yield from drive.wait(1)
    yield from drive.until(lambda: len(names()) > 0, seconds=10)
    facts["while_typing"] = names()
    yield from drive.picture("panels_1_typing")
    for value in ("PRESS", "RELEASE"):
        drive.window().event_simulate(type="RET", value=value)
        yield from drive.wait(2)
    call(bpy.ops.hums.clear_filters)
    yield from drive.until(idle, seconds=10)


def search() -> drive.Steps:
    """Find Similar, a star, a result that is not wanted."""
    drive.only()
    yield from drive.press("hums.find_similar")
    yield from drive.until(lambda: len(names()) == 20, seconds=30)
    facts["found"], facts["own"] = names(), [result.own for result in state().results]
    call(bpy.ops.hums.star_motion, index=1)
    yield from drive.until(lambda: state().results[1].starred, seconds=10)
    call(bpy.ops.hums.more_like_this, index=2, how="not")
    yield from drive.until(lambda: "not like" in state().question and idle(), seconds=10)
    facts["unwanted"] = facts["found"][2], names()
    yield from drive.picture("panels_2_results")


def choose_by_keys() -> drive.Steps:
    """The arrow keys go through the list under the mouse, and drag nothing."""
    star = 0, 0
    for found in drive.find_button("hums.star_motion", across=0.19):
        star = found or star
        yield
    state().active_result = 0
    row = star[0] + 60, star[1] - 30
    yield from drive.move(*row)
    facts["by_keys"] = []
    for arrow in ("DOWN_ARROW", "DOWN_ARROW", "UP_ARROW"):
        yield from drive.tap(arrow, row)
        yield from drive.wait(4)
        facts["by_keys"].append(state().active_result)
    facts["dragging_by_keys"] = [operator.bl_idname for operator in drive.window().modal_operators]


def follow() -> drive.Steps:
    """Live mode asks again when the frames change, without a press."""
    state().live = True
    scene = bpy.context.scene
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 10, 50
    yield from drive.until(lambda: state().question.endswith("frames 10 to 50") and idle(), seconds=20)
    facts["live"] = names()
    asked = state().question
    scene.frame_preview_start = 20
    yield from drive.until(lambda: state().question != asked and idle(), seconds=20)
    facts["live_again"] = state().question
    state().live = scene.use_preview_range = False


def read_a_constrained_rig() -> drive.Steps:
    """A long motion that must be evaluated leaves Blender usable; undo in between is survived."""
    rig = bpy.context.view_layer.objects.active
    rig.pose.bones[3].constraints.new("LIMIT_ROTATION")
    state().frames, state().frame_start, state().frame_end = "typed", 1, 1200
    with drive.over_view():
        bpy.ops.ed.undo_push(message="typed")
    call(bpy.ops.hums.find_similar)
    seen = 0.0
    while not state().question.endswith("1 to 1200"):
        seen = max(seen, state().reading)
        yield
    facts["reading_seen"] = seen
    call(bpy.ops.hums.find_similar)
    yield from drive.wait(1)
    with drive.over_view():
        bpy.ops.ed.undo()
    yield from drive.until(idle, seconds=60)
    facts["after_undo"] = state().trouble, len(names())
    state().frames = "rig"


def drop_a_file() -> drive.Steps:
    """A file that is dropped onto the rig from the system's file browser offers to land on it."""
    drive.only(seen=True)
    yield from drive.wait(10)
    part = drive.region("WINDOW")
    place = part.x + part.width // 2, part.y + part.height // 2
    before = len(bpy.data.actions)
    yield from drive.drop_file(drive.SAMPLES / "kick_10_01.bvh", *place)
    yield from drive.wait(10)
    yield from drive.picture("panels_3_dropped")
    yield from drive.tap("A", place)  # the letter of "Apply to"
    yield from drive.until(lambda: len(bpy.data.actions) > before, seconds=20)
    facts["dropped"] = bpy.context.view_layer.objects.active.animation_data.action.name


def lose_the_library() -> drive.Steps:
    """One of two libraries is not there: the panel says so in a sentence, with a way to report it."""
    preferences = bpy.context.preferences.addons[drive.PACKAGE].preferences
    drive.only()
    lost = preferences.libraries.add()
    lost.name, lost.path = "Lost", "/nowhere.hums"
    preferences.active = "ALL"
    yield from drive.until(lambda: len(state().facts) > 1 and idle(), seconds=20)
    yield from drive.wait(10)
    yield from drive.press("hums.find_similar")
    yield from drive.until(lambda: bool(state().trouble) and idle(), seconds=20)
    facts["trouble"], facts["found_beside"] = state().trouble, len(names())
    call(bpy.ops.hums.copy_report)
    facts["report"] = bpy.context.window_manager.clipboard
    yield from drive.picture("panels_4_trouble")


def update_by_itself() -> drive.Steps:
    """A library that is chosen takes in what was added and changed in its folder, where the preferences say so."""
    preferences = bpy.context.preferences.addons[drive.PACKAGE].preferences
    takes, library = drive.FOLDER / "takes", drive.FOLDER / "takes.hums"
    takes.mkdir()
    for name in ("kick_10_01", "run_09_01"):
        shutil.copy(drive.SAMPLES / f"{name}.bvh", takes)
    bpy.ops.hums.create_library(directory=str(takes), library=str(library))
    place = str(len(preferences.libraries) - 1)
    yield from drive.until(lambda: str(library) in state().facts and state().facts[str(library)].clips == 2, seconds=60)
    shutil.copy(drive.SAMPLES / "jump_02_04.bvh", takes)
    shutil.copy(drive.SAMPLES / "run_35_17.bvh", takes / "run_09_01.bvh")
    preferences.active = "0"
    yield from drive.until(idle, seconds=20)
    preferences.update_when_chosen = True
    preferences.active = place
    yield from drive.until(lambda: state().facts[str(library)].clips == 3 and not state().indexing, seconds=60)
    facts["updated"] = state().outcome
    yield from drive.picture("panels_5_updated")
    preferences.update_when_chosen = False
    preferences.active = "0"
    yield from drive.until(idle, seconds=20)


def another_file() -> drive.Steps:
    """A new file and a reload of the add-on leave neither handlers nor timers behind."""
    before = len(names())
    bpy.ops.wm.read_homefile(use_factory_startup=False, load_ui=False)
    yield from drive.wait(20)
    facts["after_load"] = len(names()), before
    addon_utils = importlib.import_module("addon_utils")
    handlers = bpy.app.handlers.depsgraph_update_post
    count = len(handlers)
    for _ in range(2):
        addon_utils.disable(drive.PACKAGE)
        yield from drive.wait(4)
        facts["handlers_off"] = [str(handler) for handler in handlers if "hums" in str(handler)]
        addon_utils.enable(drive.PACKAGE)
        yield from drive.wait(4)
    facts["handlers_again"] = len(handlers) - count
    with drive.over_view():
        bpy.ops.hums.import_motion(filepath=str(drive.WALK))
        bpy.ops.hums.find_similar()
    facts["found_after_reload"] = names()[:1]


drive.run(session(), facts)
