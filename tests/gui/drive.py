# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives Blender's user interface from inside: moves the mouse, presses buttons and keys, and asks for pictures.

A session is a generator; a timer advances it by one step, so that Blender draws and handles events in between. It is
run by Blender with ``--enable-event-simulate --python SESSION.py -- FOLDER``. A picture is asked for by a file
``NAME.wanted`` in FOLDER, which the test answers by taking it and removing the file: what a screen shows is best seen
from outside. So is a drop from the system's file browser asked for by ``NAME.dropped``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

STEP_S = 0.05
FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
PACKAGE = "bl_ext.user_default.deephums"
SAMPLES = Path(__file__).parents[2] / "samples"
WALK = SAMPLES / "walk_07_04.bvh"
KNIGHT = SAMPLES / "character" / "knight.glb"

Steps = Iterator[None]


def window() -> Any:  # noqa: ANN401 - Blender's window
    return bpy.context.window_manager.windows[0]


def view() -> Any:  # noqa: ANN401 - Blender's area
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def region(kind: str) -> Any:  # noqa: ANN401 - Blender's region
    return next(part for part in view().regions if part.type == kind)


def over_view(kind: str = "WINDOW") -> Any:  # noqa: ANN401 - a context manager
    """The context of the 3D viewport."""
    return bpy.context.temp_override(window=window(), area=view(), region=region(kind))


def wait(steps: int = 4) -> Steps:
    for _ in range(steps):
        yield


def until(done: Callable[[], bool], seconds: float) -> Steps:
    """Waits for something, and fails when it does not come."""
    for _ in range(round(seconds / STEP_S)):
        if done():
            return
        yield
    raise TimeoutError("waited in vain")


def move(x: int, y: int) -> Steps:
    window().event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)
    yield from wait(1)


def click(x: int, y: int) -> Steps:
    yield from move(x, y)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type="LEFTMOUSE", value=value, x=x, y=y)
        yield from wait(2)


def drag(start: tuple[int, int], *way: tuple[int, int], release: bool = True, **modifiers: bool) -> Steps:
    """Presses at one place and moves over others, as a hand does: in some steps from each to the next."""
    yield from move(*start)
    window().event_simulate(type="LEFTMOUSE", value="PRESS", x=start[0], y=start[1])
    yield from wait(2)
    before = start
    for place in way:
        for part in (0.25, 0.5, 0.75, 1.0):
            x, y = (round(a + (b - a) * part) for a, b in zip(before, place, strict=True))
            window().event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y, **modifiers)
            yield from wait(1)
        before = place
    if release:
        yield from let_go(before, **modifiers)


def let_go(place: tuple[int, int], **modifiers: bool) -> Steps:
    window().event_simulate(type="LEFTMOUSE", value="RELEASE", x=place[0], y=place[1], **modifiers)
    yield from wait(3)


def tap(kind: str, place: tuple[int, int], **modifiers: bool) -> Steps:
    """A key, a button or a turn of the wheel at a place."""
    for value in ("PRESS",) if "WHEEL" in kind else ("PRESS", "RELEASE"):
        window().event_simulate(type=kind, value=value, x=place[0], y=place[1], **modifiers)
        yield from wait(2)


def key(kind: str, **modifiers: bool) -> Steps:
    """A key over the middle of the viewport."""
    part = region("WINDOW")
    x, y = part.x + part.width // 3, part.y + part.height // 2
    yield from move(x, y)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(type=kind, value=value, x=x, y=y, **modifiers)
        yield from wait(2)


def picture(name: str) -> Steps:
    """Has the whole screen photographed once it is drawn."""
    yield from wait(6)
    (FOLDER / f"{name}.wanted").touch()
    yield from until(lambda: not (FOLDER / f"{name}.wanted").exists(), seconds=20)


def drop_file(file: Path, x: int, y: int) -> Steps:
    """Has a file dragged onto a place of the window from outside, as from the system's file browser."""
    answer = FOLDER / f"{file.stem}.taken"
    (FOLDER / f"{file.stem}.dropped").write_text(f"{x} {window().height - y} {file}", "utf-8")
    yield from until(answer.exists, seconds=60)
    assert answer.read_text("utf-8") == "True", "Blender did not take the file"


def find_button(operator: str, across: float = 0.5) -> Iterator[tuple[int, int] | None]:
    """Where the sidebar has the button of an operator, by asking from the top down what lies under the mouse.

    Yields None while it looks, and the place at last.
    """

    def is_there() -> bool:
        bpy.context.window_manager.clipboard = ""
        with over_view("UI"):
            if bpy.ops.ui.copy_python_command_button.poll():
                bpy.ops.ui.copy_python_command_button()
        return f"bpy.ops.{operator}(" in bpy.context.window_manager.clipboard

    yield from _find(is_there, operator, across)


def find_property(path: str, owner: str = ".hums") -> Iterator[tuple[int, int] | None]:
    """Where the sidebar has the field of a property of the session, or of another owner, as `find_button`."""

    def is_there() -> bool:
        bpy.context.window_manager.clipboard = ""
        with over_view("UI"):
            if bpy.ops.ui.copy_data_path_button.poll():
                bpy.ops.ui.copy_data_path_button(full_path=True)
        return bpy.context.window_manager.clipboard.endswith(f"{owner}.{path}")

    yield from _find(is_there, path)


def _find(is_there: Callable[[], bool], what: str, across: float = 0.5) -> Iterator[tuple[int, int] | None]:
    sidebar = region("UI")
    x = sidebar.x + round(sidebar.width * across) - 20
    for y in range(sidebar.y + sidebar.height - 4, sidebar.y, -10):
        yield from move(x, y)
        if is_there():
            yield x, y - 6  # well inside
            return
    raise LookupError(f"the sidebar has no {what}")


def press(operator: str, across: float = 0.5) -> Steps:
    """Clicks the sidebar's button of an operator, looked for so far across the sidebar."""
    for place in find_button(operator, across):
        if place is not None:
            yield from click(*place)
        yield


def show_sidebar(tab: str = "Motion") -> Steps:
    """Opens the sidebar at a tab."""
    view().spaces.active.show_region_ui = True
    yield from wait()
    region("UI").active_panel_category = tab
    region("UI").tag_redraw()
    yield from wait()


def widen_sidebar(pixels: int) -> Steps:
    """Drags the sidebar's edge, which Blenders have in different places, until it is so many pixels wide."""
    before = region("UI").width
    for inside in (3, 7):
        sidebar = region("UI")
        x, y = sidebar.x + inside, sidebar.y + sidebar.height - 25
        yield from move(x - 30, y)
        yield from drag((x, y), (x + sidebar.width - pixels, y))
        yield from wait()
        if region("UI").width != before:
            return
    raise LookupError("the sidebar has no edge to drag")


def clear_scene() -> None:
    """Deletes all objects."""
    with over_view():
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.object.delete()


def only(take: Path = WALK, *places: tuple[float, float, float], seen: bool = False) -> Any:  # noqa: ANN401 - an object
    """Clears the scene, imports a take, once for each place, and returns the last armature, which is active.

    With ``seen`` the viewport shows it from the front.
    """
    clear_scene()
    with over_view():
        for place in places or ((0.0, 0.0, 0.0),):
            bpy.ops.hums.import_motion(filepath=str(take), location=place)
        if seen:
            bpy.ops.view3d.view_axis(type="FRONT")
            bpy.ops.view3d.view_selected()
    return bpy.context.view_layer.objects.active


def only_the_knight() -> Any:  # noqa: ANN401 - an object
    """Clears the scene, brings the sample character in as the active object, and returns its rig."""
    clear_scene()
    with over_view():
        bpy.ops.import_scene.gltf(filepath=str(KNIGHT), disable_bone_shape=True)
        knight = next(obj for obj in bpy.data.objects if obj.type == "ARMATURE")
        knight.name = "Knight"
        bpy.ops.view3d.view_all()
        bpy.ops.object.select_all(action="DESELECT")
        knight.select_set(True)
        bpy.context.view_layer.objects.active = knight
        bpy.ops.ed.undo_push(message="Knight")
    return knight


def run(session: Steps, facts: dict[str, Any]) -> None:
    """Advances the session until it ends; then writes the facts down and leaves at once."""

    def step() -> float:
        try:
            next(session)
        except StopIteration:
            _leave(facts)
        except Exception:
            facts["error"] = traceback.format_exc()
            _leave(facts)
        return STEP_S

    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(step, first_interval=1.0, persistent=True)


def _leave(facts: dict[str, Any]) -> None:
    (FOLDER / "facts.json").write_text(json.dumps(facts, default=str), "utf-8")
    os._exit(0)
