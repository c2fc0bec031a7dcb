# SPDX-License-Identifier: GPL-3.0-or-later
"""Every face of the add-on once: empty, indexing, results, dragging, an error; themes, scales, languages."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy_extras import view3d_utils

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.gui import drive

facts: dict[str, Any] = {}


def state() -> Any:  # noqa: ANN401 - Blender's properties
    return bpy.context.window_manager.hums


def preferences() -> Any:  # noqa: ANN401 - Blender's preferences
    return bpy.context.preferences


def idle() -> bool:
    return not state().searching and state().reading == 0.0 and not state().indexing


def session() -> drive.Steps:
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    yield from drive.picture("sheet_1_empty_dark")
    yield from index()
    yield from ask()
    yield from drag()
    yield from fail()
    yield from widen()
    yield from dress()


def index() -> drive.Steps:
    """Many copies of the samples, so that it is still going on in the picture; then the samples themselves."""
    many = drive.FOLDER / "Mocap"
    many.mkdir()
    for take in drive.SAMPLES.glob("*.bvh"):
        for number in range(8):
            (many / f"{take.stem}_{number}.bvh").write_bytes(take.read_bytes())
    with drive.over_view():
        bpy.ops.hums.create_library(directory=str(many), library=str(drive.FOLDER / "Mocap.hums"), background=True)
    yield from drive.until(lambda: state().progress > 0.1, seconds=90)
    yield from drive.picture("sheet_2_indexing")
    facts["indexing"] = state().progress, state().progress_text
    with drive.over_view():
        bpy.ops.hums.cancel_indexing()
        bpy.ops.hums.remove_library(index=0)
        bpy.ops.hums.add_samples("INVOKE_DEFAULT")
    yield from drive.until(lambda: idle() and any(known.clips == 49 for known in state().facts), seconds=150)
    state().outcome = ""


def ask() -> drive.Steps:
    drive.only(drive.SAMPLES / "kick_10_01.bvh", (-0.9, 0.0, 0.0), (0.9, 0.0, 0.0))
    with drive.over_view():
        bpy.context.scene.frame_set(24)
        eye = bpy.context.space_data.region_3d
        eye.view_perspective, eye.view_rotation = "PERSP", (0.76, 0.62, 0.12, 0.15)
        eye.view_location, eye.view_distance = (0.9, 0.0, 0.45), 6.5
        bpy.ops.hums.find_similar("INVOKE_DEFAULT")
    yield from drive.until(lambda: len(state().results) == 20 and idle(), seconds=60)
    with drive.over_view():
        bpy.ops.hums.star_motion(index=1)
        bpy.ops.hums.tag_motion(index=1, tags="hero, fight")
    yield from drive.until(lambda: state().results[1].starred, seconds=20)
    state().active_result = 1
    previews = importlib.import_module(f"{drive.PACKAGE}.core.preview_motions").shared
    yield from drive.until(lambda: not previews.is_reading and previews.byte_count > 0, seconds=60)
    yield from drive.picture("sheet_3_results_dark")


def drag() -> drive.Steps:
    strip = importlib.import_module(f"{drive.PACKAGE}.core.strip")
    part = drive.region("WINDOW")
    box = strip.layout(bpy.context, drive.view(), part).tile_box(strip.tiles(bpy.context).index(2))
    tile = round(part.x + box.x + box.width / 2), round(part.y + box.y + box.height / 2)
    rig = bpy.context.view_layer.objects.active
    hips = rig.matrix_world @ rig.pose.bones[0].head
    at = view3d_utils.location_3d_to_region_2d(part, drive.view().spaces.active.region_3d, hips)
    place = round(part.x + at.x), round(part.y + at.y)
    yield from drive.drag(tile, place, release=False)
    yield from drive.picture("sheet_4_dragging")
    yield from drive.tap("ESC", place)
    yield from drive.let_go(place)


def fail() -> drive.Steps:
    entry = preferences().addons[drive.PACKAGE].preferences.libraries.add()
    entry.name, entry.path = "Studio", "/mnt/studio/motions.hums"
    preferences().addons[drive.PACKAGE].preferences.active = "ALL"
    yield from drive.until(lambda: len(state().facts) > 1 and bool(state().trouble) and idle(), seconds=60)
    yield from drive.wait(10)
    yield from drive.picture("sheet_5_error")
    with drive.over_view():
        bpy.ops.hums.remove_library(index=1)
        bpy.ops.hums.dismiss_trouble()
    yield from drive.until(idle, seconds=60)


def widen() -> drive.Steps:
    """The same results in a narrow and in a wide sidebar."""
    usual = drive.region("UI").width
    for pixels, name in ((220, "narrow"), (460, "wide")):
        yield from drive.widen_sidebar(pixels)
        yield from drive.picture(f"sheet_8_{name}")
    yield from drive.widen_sidebar(usual)


def dress() -> drive.Steps:
    """The same results in another theme, at twice the size and in other languages."""
    light = next(
        path for folder in bpy.utils.preset_paths("interface_theme") for path in Path(folder).glob("*ight.xml")
    )
    with drive.over_view():
        bpy.ops.script.execute_preset(filepath=str(light), menu_idname="USERPREF_MT_interface_theme_presets")
    yield from drive.wait(10)
    yield from drive.picture("sheet_6_results_light")
    preferences().view.ui_scale = 2.0
    yield from drive.wait(20)
    yield from drive.picture("sheet_7_twice_light")
    preferences().view.ui_scale = 1.0
    with drive.over_view():
        bpy.ops.preferences.reset_default_theme()
    yield from drive.wait(20)
    for language, name in (("ja_JP", "japanese"), ("de_DE", "german"), ("zh_HANS", "chinese")):
        try:
            preferences().view.language = language
        except TypeError:  # this Blender came without it
            continue
        preferences().view.use_translate_interface = True
        yield from drive.wait(20)
        yield from drive.picture(f"sheet_l_{name}")


drive.run(session(), facts)
