# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody plans for: scenes and windows that come and go, a render, undo, a lost library, the add-on switched off.

All of it while something goes on: files are indexed, a search is on its way, the mouse is on the strip.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive
from tests.gui.strip_scene import LIBRARY, core, search_with_one_of_two_rigs, state, tile

SAMPLES = drive.SAMPLES
facts: dict[str, Any] = {}


def idle() -> bool:
    return not state().searching and not state().indexing and state().reading == 0.0


def click_find() -> None:
    with drive.over_view():
        bpy.ops.hums.find_similar("INVOKE_DEFAULT")


def begin_to_index(name: str) -> Path:
    library = drive.FOLDER / f"{name}.hums"
    with drive.over_view():
        bpy.ops.hums.create_library(directory=str(SAMPLES), library=str(library), background=True)
    return library


def session() -> drive.Steps:
    yield from drive.wait(10)
    yield from search_with_one_of_two_rigs()
    yield from another_scene_and_window()
    yield from render_while_searching()
    yield from undo_while_indexing()
    yield from delete_the_library_under_a_search()
    yield from switch_off_in_the_middle()


def another_scene_and_window() -> drive.Steps:
    yield from drive.move(*tile(1))
    bpy.ops.wm.window_new_main()
    yield from drive.wait(10)
    window = bpy.context.window_manager.windows[-1]
    with bpy.context.temp_override(window=window):
        bpy.ops.scene.new(type="EMPTY")
    yield from drive.wait(6)
    facts["scenes"] = [one.scene.name for one in bpy.context.window_manager.windows]
    yield from drive.move(*tile(2))
    facts["hovered_beside_scene"] = core("strip").hovered(bpy.context)
    click_find()
    yield from drive.until(idle, seconds=30)
    facts["found_beside_scene"] = len(state().results)
    scene = window.scene
    with bpy.context.temp_override(window=window):
        bpy.ops.wm.window_close()
    bpy.data.scenes.remove(scene)
    yield from drive.wait(6)
    yield from drive.move(*tile(3))
    facts["hovered_without_scene"] = core("strip").hovered(bpy.context)


def render_while_searching() -> drive.Steps:
    """A render in its own thread, as by F12, while a person goes on."""
    scene = bpy.context.scene
    bpy.context.preferences.view.render_display_type = "NONE"
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.filepath, scene.frame_end = str(drive.FOLDER / "render"), 6
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    rendered: list[int] = []
    bpy.app.handlers.render_post.append(lambda *_: rendered.append(1))
    with drive.over_view():
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    click_find()
    for index in (1, 2, 3):
        yield from drive.move(*tile(index))
    yield from drive.until(lambda: len(rendered) == 6 and not bpy.app.is_job_running("RENDER") and idle(), seconds=60)
    facts["rendered"], facts["found_beside_render"] = len(rendered), len(state().results)
    bpy.app.handlers.render_post.pop()


def undo_while_indexing() -> drive.Steps:
    begin_to_index("beside")
    yield from drive.move(*tile(1)) if state().results else drive.wait(1)
    bpy.data.objects["Left"].location.x = -2.0
    with drive.over_view():
        bpy.ops.ed.undo_push(message="Moved")
        bpy.ops.ed.undo()
        bpy.ops.ed.redo()
        bpy.ops.ed.undo()
    facts["undone_x"] = bpy.data.objects["Left"].location.x
    yield from drive.until(idle, seconds=120)
    facts["indexed"] = state().outcome
    click_find()
    yield from drive.until(idle, seconds=30)


def delete_the_library_under_a_search() -> drive.Steps:
    """It is removed from the disk while it is open, and from the list while it is asked."""
    library = drive.FOLDER / "beside.hums"
    click_find()
    shutil.rmtree(library)
    yield from drive.until(idle, seconds=30)
    click_find()
    yield from drive.until(idle, seconds=30)
    facts["deleted"] = state().trouble
    click_find()
    bpy.ops.hums.remove_library()
    yield from drive.until(idle, seconds=30)
    click_find()
    yield from drive.until(lambda: idle() and len(state().results) > 0, seconds=30)
    facts["found_after_removal"] = state().trouble, state().results[0].library == str(LIBRARY)


def switch_off_in_the_middle() -> drive.Steps:
    addon_utils = importlib.import_module("addon_utils")
    jobs, handlers, background = core("jobs"), core("draw_handlers"), core("background")
    yield from drive.move(*tile(1))
    begin_to_index("cut_off")
    yield from drive.until(jobs.is_running, seconds=10)
    (job,) = jobs._running
    bpy.ops.hums.remove_library()  # the one that is being made: its task goes on
    yield from drive.wait(2)
    click_find()
    ours = [handler for name in dir(bpy.app.handlers) for handler in _handlers(name)]
    facts["handlers_on"] = len(ours)
    addon_utils.disable(drive.PACKAGE)
    facts["left_behind"] = handlers.counts()
    facts["process_ended"] = job._process.poll() is not None
    facts["timers_left"] = [one.__name__ for one in (jobs._tick, background._tick) if bpy.app.timers.is_registered(one)]
    facts["handlers_off"] = len([handler for name in dir(bpy.app.handlers) for handler in _handlers(name)])
    yield from drive.wait(20)
    facts["threads_left"] = [thread.name for thread in threading.enumerate() if "hums" in repr(thread)]
    addon_utils.enable(drive.PACKAGE)
    yield from drive.wait(20)
    click_find()
    yield from drive.until(lambda: idle() and len(state().results) > 0, seconds=40)
    facts["found_after_muting"] = len(state().results)


def _handlers(name: str) -> list[Any]:
    listed = getattr(bpy.app.handlers, name)
    return [one for one in listed if "deephums" in getattr(one, "__module__", "")] if isinstance(listed, list) else []


drive.run(session(), facts)
