# SPDX-License-Identifier: GPL-3.0-or-later
"""One of two libraries lies on a file server that stops answering, as a hard mount does, and answers again.

The server is the file system's calls for one folder, which are kept waiting in the thread that makes them.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

SAMPLES = Path(__file__).parents[2] / "samples"
OWN, SERVED = drive.FOLDER / "own.hums", drive.FOLDER / "served.hums"

facts: dict[str, Any] = {}
answers = threading.Event()
stalls: list[float] = []


def over_the_net(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call of the file system that waits for the server where it is asked for its folder."""

    def ask(path: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - as the call
        if isinstance(path, (str, Path)) and str(path).startswith(str(SERVED)):
            answers.wait()
        return call(path, *more, **named)

    return ask


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def trouble() -> str:
    told = state().facts.get(str(SERVED))
    return told.trouble if told is not None else ""


def idle() -> bool:
    return not state().searching and state().reading == 0.0


def watch() -> float:
    """Tells how long Blender was held up, by the clock."""
    now = time.monotonic()
    stalls.append(now)
    return 0.01


def longest_s() -> float:
    return max(after - before for before, after in itertools.pairwise(stalls))


def session() -> drive.Steps:
    yield from drive.wait(20)
    answers.set()
    bpy.ops.hums.create_library(directory=str(SAMPLES), library=str(OWN))
    shutil.copytree(OWN, SERVED)
    for module, name in ((os, "stat"), (os, "access"), (Path, "is_dir"), (Path, "exists")):
        setattr(module, name, over_the_net(getattr(module, name)))
    with drive.over_view():
        bpy.ops.hums.open_library(directory=str(SERVED), readonly=True)
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.object.delete()
        bpy.ops.hums.import_motion(filepath=str(SAMPLES / "walk_07_04.bvh"))
        bpy.ops.hums.find_similar()
    yield from drive.show_sidebar()
    yield from drive.until(lambda: state().facts.get(str(SERVED)) is not None and idle(), seconds=30)
    facts["before"], facts["readonly"] = trouble(), state().facts[str(SERVED)].readonly
    facts["from_server"] = state().results[0].library
    yield from the_server_goes_silent()
    yield from it_is_back()


def the_server_goes_silent() -> drive.Steps:
    preferences = bpy.context.preferences.addons[drive.PACKAGE].preferences
    result = state().results[0]
    on_server = {"library": result.library, "clip_id": result.clip_id}
    answers.clear()
    bpy.app.timers.register(watch, persistent=True)
    preferences.active = "ALL"
    yield from drive.until(lambda: bool(trouble()), seconds=30)
    facts["told"] = trouble()
    with drive.over_view():
        bpy.ops.hums.find_similar("INVOKE_DEFAULT")
    yield from drive.until(lambda: bool(state().trouble) and idle(), seconds=30)
    facts["trouble"], facts["found_beside"] = state().trouble, len(state().results)
    facts["libraries_found"] = sorted({Path(result.library).name for result in state().results})
    yield from drive.picture("server_1_silent")
    facts["longest_stall_s"] = longest_s()
    began = time.monotonic()
    try:
        with drive.over_view():
            bpy.ops.hums.apply_motion(**on_server)
    except RuntimeError as error:
        facts["applied"] = str(error)
    facts["refused_after_s"] = time.monotonic() - began
    with drive.over_view():
        bpy.ops.hums.look_again("INVOKE_DEFAULT", index=1)
    yield from drive.wait(10)
    facts["still"] = trouble()


def it_is_back() -> drive.Steps:
    answers.set()
    yield from drive.wait(4)
    yield from drive.press("hums.look_again")
    yield from drive.until(lambda: not trouble(), seconds=30)
    facts["clips_again"] = state().facts[str(SERVED)].clips
    with drive.over_view():
        bpy.ops.hums.find_similar("INVOKE_DEFAULT")
    yield from drive.until(lambda: not state().trouble and idle(), seconds=30)
    facts["libraries_again"] = sorted({Path(result.library).name for result in state().results})
    yield from drive.picture("server_2_back")


drive.run(session(), facts)
