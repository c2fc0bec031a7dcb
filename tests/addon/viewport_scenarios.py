# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done without a window of what the viewport shows: previews, where tiles lie, what a drag promises."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import rigs
from scenarios import core


def _wait(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not done() and time.monotonic() < ends:
        time.sleep(0.01)


def read_previews(library: str) -> dict[str, Any]:
    """Figures out of a library, in a cache with room for a few."""
    previews = core("core.preview_motions")
    clips = [previews.Clip(library, str(number), 0.0, 1.0) for number in range(1, 11)]
    gone = previews.Clip(str(Path(library).with_name("gone.hums")), "1", 0.0, 1.0)
    unknown = previews.Clip(library, "no number", 0.0, 1.0)
    cache = previews.Previews()
    cache.want([gone, unknown, *clips])
    _wait(lambda: not cache.is_reading)
    one = cache.get(clips[0])
    small = previews.Previews(most_bytes=3 * one.byte_count)
    small.want(clips)
    _wait(lambda: not small.is_reading)
    kept = [clip for clip in clips if small.get(clip) is not None]
    small.clear()
    query = previews.Reader()
    motion = query.motion(clips[1])
    query.close()
    cache.want(clips[:2], motion)
    _wait(lambda: not cache.is_reading)
    steps = cache.get(clips[1]).steps
    facts = {
        "frames": [len(cache.get(clip).figure.points) for clip in clips],
        "gone": cache.get(gone).figure,
        "unknown": cache.get(unknown).figure,
        "kept": len(kept),
        "last_is_kept": clips[-1] in kept,
        "cleared": small.byte_count,
        "in_step_with_itself": float(np.abs(steps - np.arange(len(steps)) / 30).max()),
    }
    cache.forget_trouble()
    return {**facts, "still_there": [cache.get(clip) is not None for clip in (gone, unknown, clips[0])]}


def lay_out_tiles() -> dict[str, Any]:
    """A strip of 30 tiles between a toolbar and a sidebar, and one of 3."""
    module = core("core.strip_layout")
    room = module.Room(1200, 700, left=60, right=240)
    long = module.lay_out(room, 1.0, 96, 16, 30, 0.0)
    end = module.lay_out(room, 1.0, 96, 16, 30, 1e9)
    short = module.lay_out(room, 2.0, 96, 32, 3, 50.0)
    tile = long.tile_box(4)
    handle = long.bar()[1]
    return {
        "within": long.box.x >= 60 and long.box.x + long.box.width <= 1200 - 240,
        "visible": list(long.visible()),
        "hit": long.tile_at(tile.x + 5, tile.y + 5),
        "between": long.tile_at(tile.x - 2, tile.y + 5),
        "beside": long.tile_at(long.box.x + 1, 400),
        "last_shown": end.visible()[-1],
        "last_right": end.tile_box(29).x + end.tile_box(29).width - (end.inside.x + end.inside.width),
        "shown_by": long.scroll_to_show(29) - end.scroll,
        "bar": [long.scroll_for_bar(0.0), long.scroll_for_bar(1e9) - end.scroll, long.scroll_for_bar(handle.x)],
        "short": [short.scrolls, short.scroll, short.bar() is None, short.box.width < 840],
        "too_narrow": module.lay_out(module.Room(200, 700, left=60), 1.0, 96, 16, 30, 0.0),
        "too_low": module.lay_out(module.Room(1200, 120), 1.0, 96, 16, 30, 0.0),
        "nothing": module.lay_out(room, 1.0, 96, 16, 0, 0.0),
    }


def what_a_drag_promises(blend: str) -> dict[str, str]:
    """A figure, an insect, a figure linked from another file, and one whose strip is being edited."""
    drag = core("core.drag")
    hero = rigs.humanoid()
    rigs.key_turns(hero, ["mixamorig:Hips"], frames=20)
    facts = {"hero": drag.rig_refusal(hero), "insect": drag.rig_refusal(rigs.hexapod())}
    bpy.data.libraries.write(blend, {hero})
    track = hero.animation_data.nla_tracks.new()
    track.strips.new("Strip", 1, hero.animation_data.action)
    hero.animation_data.action = None
    track.select = True
    for strip in track.strips:
        strip.select = True
    hero.animation_data.use_tweak_mode = True
    facts["tweaked"] = drag.rig_refusal(hero)
    with bpy.data.libraries.load(blend, link=True) as (_, into):
        into.objects = ["Hero"]
    facts["linked"] = drag.rig_refusal(into.objects[0])
    return facts
