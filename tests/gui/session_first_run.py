# SPDX-License-Identifier: GPL-3.0-or-later
"""An animator's first session: from the empty panel to a motion on her rig, and back by undo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

facts: dict[str, Any] = {}


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def action_of(rig: str) -> str:
    data = bpy.data.objects[rig].animation_data
    return data.action.name if data is not None and data.action is not None else ""


def session() -> drive.Steps:
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    yield from drive.picture("1_first_run")
    yield from index_the_samples()
    yield from ask_with_a_walk()
    yield from apply_to_the_knight()
    yield from undo()


def index_the_samples() -> drive.Steps:
    yield from drive.press("hums.add_samples")
    yield from drive.until(lambda: state().progress > 0.1, seconds=90)
    yield from drive.picture("2_indexing")
    yield from drive.until(lambda: not state().indexing, seconds=150)
    facts["outcome"] = state().outcome


def ask_with_a_walk() -> drive.Steps:
    drive.only(seen=True)
    bpy.context.scene.frame_set(30)
    yield from drive.press("hums.find_similar")
    yield from drive.until(lambda: len(state().results) > 0, seconds=30)
    facts["results"] = [result.name for result in state().results]
    yield from drive.picture("3_results")


def apply_to_the_knight() -> drive.Steps:
    drive.only_the_knight()
    facts["before"] = action_of("Knight")
    state().active_result = 2
    yield from drive.wait()
    yield from drive.press("hums.apply_motion")
    yield from drive.until(lambda: action_of("Knight") != facts["before"], seconds=20)
    facts["applied"] = action_of("Knight")
    bpy.context.scene.frame_set(60)
    yield from drive.picture("4_applied")


def undo() -> drive.Steps:
    yield from drive.key("Z", ctrl=True)
    yield from drive.until(lambda: action_of("Knight") == facts["before"], seconds=20)
    facts["after_undo"] = action_of("Knight")
    facts["results_after_undo"] = len(state().results)
    yield from drive.picture("5_undone")


drive.run(session(), facts)
