# SPDX-License-Identifier: GPL-3.0-or-later
"""What may go wrong around the strip and the ghost: undo under the mouse, a lost library, a muted add-on."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive
from tests.gui.strip_scene import LIBRARY, both, core, hips, search_with_one_of_two_rigs, state, tile

facts: dict[str, Any] = {}


def session() -> drive.Steps:
    yield from drive.wait(10)
    yield from search_with_one_of_two_rigs()
    yield from see_the_ghost()
    yield from undo_under_the_mouse()
    yield from quad_view_and_second_window()
    yield from measure_a_redraw()
    yield from render_under_the_mouse()
    yield from mute_the_addon()
    yield from lose_the_library()


def rig_state() -> list[Any]:
    """All that a ghost could have changed: the channels of every bone, the actions, what is selected."""
    found: list[Any] = [sorted(action.name for action in bpy.data.actions), both(), len(bpy.data.objects)]
    for rig in (bpy.data.objects["Left"], bpy.data.objects["Right"]):
        found.append([list(row) for row in rig.matrix_world])
        for bone in rig.pose.bones:
            found.append([*bone.location, *bone.rotation_quaternion, *bone.rotation_euler, *bone.scale])
    found += [bpy.context.view_layer.objects.active.name, [obj.name for obj in bpy.context.selected_objects]]
    return found


def see_the_ghost() -> drive.Steps:
    bpy.context.scene.frame_set(1)
    bpy.ops.wm.save_as_mainfile(filepath=str(drive.FOLDER / "clean.blend"))
    yield from drive.wait(4)
    before, undos = rig_state(), facts_of_undo()
    ghost = core("ghost")
    yield from drive.move(*tile(2))
    yield from drive.until(lambda: ghost.current(bpy.context) is not None, seconds=20)
    facts["ghost_loops"] = ghost.loops(bpy.context)
    seen = ghost.current(bpy.context)
    rig = bpy.data.objects["Right"]
    facts["ghost_from_rig_m"] = float(abs(seen.points[0, 0, :2] - list(rig.matrix_world.translation)[:2]).max())
    yield from drive.wait(6)
    yield from drive.picture("ghost_1_hovered")
    facts["rig_untouched"] = rig_state() == before
    facts["file_untouched"] = not bpy.data.is_dirty and facts_of_undo() == undos
    moments = []
    for frame in (20, 45, 70):
        bpy.context.scene.frame_set(frame)
        moments.append(ghost.moment_s(bpy.context, ghost.current(bpy.context)))
    facts["scrubbed"] = moments
    bpy.context.scene.frame_set(1)


def facts_of_undo() -> str:
    """What Undo would take back."""
    return str(bpy.ops.ed.undo.poll())


def undo_under_the_mouse() -> drive.Steps:
    place = tile(1)
    bpy.data.objects["Left"].location.x = -2.0
    with drive.over_view():
        bpy.ops.ed.undo_push(message="Moved")
    yield from drive.move(*place)
    for shift, wanted in ((False, -1.0), (True, -2.0), (False, -1.0)):
        yield from drive.tap("Z", place, ctrl=True, shift=shift)
        yield from drive.until(lambda wanted=wanted: abs(bpy.data.objects["Left"].location.x - wanted) < 1e-4, 20)
    facts["results_after_undo"] = len(state().results)
    yield from drive.move(place[0] + 3, place[1])
    facts["hovered_after_undo"] = core("strip").hovered(bpy.context)


def quad_view_and_second_window() -> drive.Steps:
    yield from drive.move(*hips("Left"))
    with drive.over_view():
        bpy.ops.screen.region_quadview()
    yield from drive.wait(6)
    strip, area = core("strip"), drive.view()
    windows = [region for region in area.regions if region.type == "WINDOW" and region.width > 1]
    facts["quad_strips"] = [
        strip.layout(bpy.context, area, region) is not None for region in sorted(windows, key=lambda r: (r.y, r.x))
    ]
    yield from drive.picture("strip_quad_view")
    with drive.over_view():
        bpy.ops.screen.region_quadview()
    yield from drive.wait(4)
    bpy.ops.wm.window_new()
    yield from drive.wait(10)
    facts["windows"] = len(bpy.context.window_manager.windows)
    yield from drive.move(*tile(1))
    facts["hovered_beside_second_window"] = core("strip").hovered(bpy.context)
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[1]):
        bpy.ops.wm.window_close()
    yield from drive.wait(6)


def measure_a_redraw() -> drive.Steps:
    """What a redraw of the strip takes of Blender's main thread, without what the graphics card does with it."""
    yield from drive.move(*hips("Left"))
    drawing = sys.modules[f"{drive.PACKAGE}.ui.strip"]
    spent: list[float] = []
    draw = drawing._Drawing.draw

    def timed(self: Any) -> None:  # noqa: ANN401 - the strip's drawing
        start = time.thread_time()
        draw(self)
        spent.append(time.thread_time() - start)

    drawing._Drawing.draw = timed
    for _ in range(20):
        drive.region("WINDOW").tag_redraw()
        yield
    drawing._Drawing.draw = draw
    facts["redraw_ms"] = sorted(spent)[len(spent) // 2] * 1000


def render_under_the_mouse() -> drive.Steps:
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.engine = "BLENDER_WORKBENCH"
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    yield from drive.move(*tile(2))
    scene.render.filepath = str(drive.FOLDER / "render")
    bpy.ops.render.render(write_still=True)
    yield from drive.wait(6)
    facts["hovered_after_render"] = core("strip").hovered(bpy.context)


def mute_the_addon() -> drive.Steps:
    import addon_utils  # type: ignore[import-not-found]  # Blender's own

    handlers = core("draw_handlers")
    facts["drawing"] = handlers.counts()["drawing"]
    yield from drive.move(*tile(1))
    addon_utils.disable(drive.PACKAGE)
    facts["left_behind"] = handlers.counts()
    yield from drive.wait(6)
    x, y = hips("Left")
    yield from drive.move(x, y)
    addon_utils.enable(drive.PACKAGE)
    yield from drive.wait(4)
    facts["drawing_again"] = core("draw_handlers").counts()["drawing"]
    with drive.over_view():
        bpy.ops.hums.find_similar()
    yield from drive.wait(6)


def lose_the_library() -> drive.Steps:
    previews = core("preview_motions").shared
    yield from drive.until(lambda: not previews.is_reading, seconds=20)
    previews.clear()
    aside = LIBRARY.with_suffix(".aside")
    shutil.move(LIBRARY, aside)
    try:
        yield from drive.move(*tile(1))
        yield from drive.until(lambda: not previews.is_reading, seconds=20)
        yield from drive.wait(4)
        preview = previews.get(core("strip").clip(bpy.context, 1))
        facts["told"] = preview.figure if preview is not None else None
        yield from drive.picture("strip_lost_library")
    finally:
        shutil.move(aside, LIBRARY)
        previews.clear()


drive.run(session(), facts)
