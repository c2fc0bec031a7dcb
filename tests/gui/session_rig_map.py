# SPDX-License-Identifier: GPL-3.0-or-later
"""A person looks at the map of her rig, clicks a joint, and takes another joint from the active bone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

HEADER_PX = 32
GROUP_PX = 24
facts: dict[str, Any] = {}


def fields() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.view_layer.objects.active.data.hums_rig_map_fields


def session() -> drive.Steps:
    yield from drive.wait(20)
    drive.only(seen=True)
    with drive.over_view():
        bpy.ops.object.mode_set(mode="POSE")
    yield from drive.show_sidebar()
    yield from open_panel()
    yield from drive.picture("rig_map_1_found")
    yield from open_group()
    yield from drive.press("hums.show_joint", across=0.3)
    state = bpy.context.window_manager.hums_rig_map
    facts["chosen"] = state.chosen, bpy.context.view_layer.objects.active.data.bones.active.name
    yield from drive.picture("rig_map_2_chosen")
    yield from correct()


def open_panel() -> drive.Steps:
    """Clicks the header below the last button of the welcome."""
    for place in drive.find_button("hums.open_library"):
        if place is not None:
            yield from drive.click(place[0], place[1] - HEADER_PX)
        yield


def open_group() -> drive.Steps:
    """Clicks the first header below the checkbox: the trunk."""
    for place in drive.find_property("mirrored", owner=".hums_rig_map"):
        if place is not None:
            yield from drive.click(place[0], place[1] - GROUP_PX)
        yield


def correct() -> drive.Steps:
    """Takes the collar from the bone of the forearm: both sides follow, and undo brings both back."""
    with drive.over_view():
        bpy.ops.ed.undo_push(message="before")
        bpy.ops.hums.set_joint(joint="left_collar", bone=fields().left_elbow, mirrored=True)
    facts["corrected"] = fields().left_collar, fields().right_collar, fields().left_elbow
    drive.region("UI").tag_redraw()
    yield from drive.picture("rig_map_3_corrected")
    with drive.over_view():
        bpy.ops.ed.undo()
    yield from drive.wait()
    facts["undone"] = fields().left_collar, fields().left_elbow


drive.run(session(), facts)
