# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip of results: which viewports show it, what is on its tiles, and what moves. It is drawn by ``ui.strip``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bpy.types import Area, Context, Region

from .. import preferences, properties
from . import drag, picking, preview_motions, previewed_query, viewports
from .strip_layout import Room, StripLayout, lay_out

QUERY = -1
"""The tile of the query itself, which is no result."""
NO_TILE = -2
"""The mouse is on the strip and on no tile."""

_SIDES = {"LEFT": "left", "RIGHT": "right", "BOTTOM": "bottom"}


class Place(NamedTuple):
    """A tile under the mouse.

    Attributes:
        area: the viewport's address.
        tile: the result, or `QUERY`.
    """

    area: int
    tile: int


@dataclass
class State:
    """What lasts as long as Blender runs with this file.

    Attributes:
        hidden: addresses of viewports in which a person closed the strip.
        scroll: pixels that it is scrolled by, for each viewport's address.
        hovered: the tile under the mouse.
        since_s: when the hovered tile began to play.
        mouse: where the mouse is while a result is dragged, pixels of the window.
        left: address of the viewport whose strip a person left by Esc, while the mouse is still on it.
    """

    hidden: set[int] = field(default_factory=set)
    scroll: dict[int, float] = field(default_factory=dict)
    hovered: Place | None = None
    since_s: float = 0.0
    mouse: tuple[int, int] = (0, 0)
    left: int = 0


state = State()


def forget() -> None:
    """Lets go of what belonged to the file that was open: viewports have other addresses now."""
    state.hidden.clear()
    state.scroll.clear()
    state.hovered = None


def is_shown(context: Context, area: Area) -> bool:
    """Whether a viewport has the strip switched on."""
    return area.type == "VIEW_3D" and preferences.of(context).strip.show and area.as_pointer() not in state.hidden


def tag_redraw(context: Context) -> None:
    """Has the viewports drawn anew that show something of ours; a drag is drawn on sidebars too."""
    viewports.redraw_regions(context, ("WINDOW",) if drag.current() is None else ("WINDOW", "UI"))


def has_tiles(context: Context) -> bool:
    """Whether there is anything to show."""
    return len(properties.session(context).results) > 0


def tiles(context: Context) -> list[int]:
    """What the tiles show, from left to right: the query, if it is known, and the results."""
    results = range(len(properties.session(context).results))
    return [QUERY, *results] if results and previewed_query.last() is not None else list(results)


def layout(context: Context, area: Area, region: Region) -> StripLayout | None:
    """Where the strip lies in a region of a viewport, or None where it is not shown."""
    if not is_shown(context, area) or not _carries_strip(area, region):
        return None
    settings = preferences.of(context).strip
    scale = context.preferences.system.ui_scale
    return lay_out(
        _room(area, region), scale, settings.size, line_height(context), len(tiles(context)), scroll_of(area)
    )


def is_over(context: Context, spot: picking.Spot) -> bool:
    """Whether a point of a viewport is on the strip."""
    found = layout(context, spot.area, spot.region)
    return found is not None and found.box.contains(spot.x, spot.y)


def scroll_to(area: Area, pixels: float) -> None:
    """Scrolls the strip of a viewport."""
    state.scroll[area.as_pointer()] = pixels


def scroll_of(area: Area) -> float:
    """How far the strip is scrolled in a viewport."""
    return state.scroll.get(area.as_pointer(), 0.0)


def line_height(context: Context) -> float:
    """Pixels from one line of Blender's small text to the next."""
    return text_size(context) * 1.45


def text_size(context: Context) -> float:
    """Pixels of the theme's text."""
    return context.preferences.ui_styles[0].widget.points * context.preferences.system.ui_scale


def _carries_strip(area: Area, region: Region) -> bool:
    """Whether it is the viewport's only region of its kind, or in a quad view the one at the lower left."""
    if region.type != "WINDOW" or region.width < 2:
        return False
    windows = [other for other in area.regions if other.type == "WINDOW" and other.width > 1]
    return region == min(windows, key=lambda other: (other.y, other.x))


def _room(area: Area, region: Region) -> Room:
    """What the sidebar, the toolbar, the asset shelf and the redo panel leave of a region that they lie on."""
    taken = {"left": 0.0, "right": 0.0, "bottom": 0.0}
    for other in area.regions:
        side = _side_of_redo_panel(other, region) if other.type == "HUD" else _SIDES.get(other.alignment)
        if side is None or other.type == "WINDOW" or min(other.width, other.height) <= 1:
            continue
        reach = {
            "left": other.x + other.width - region.x,
            "right": region.x + region.width - other.x,
            "bottom": other.y + other.height - region.y,
        }[side]
        if 0 < reach < (region.height if side == "bottom" else region.width):
            taken[side] = max(taken[side], float(reach))
    return Room(region.width, region.height, **taken)


def _side_of_redo_panel(panel: Region, region: Region) -> str | None:
    """The strip stands on the closed redo panel, and beside the open one; a hidden one is at Blender's origin."""
    if panel.x <= region.x or panel.y <= region.y:
        return None
    return "bottom" if panel.height < panel.width / 2 else "left"


def clip(context: Context, index: int) -> preview_motions.Clip:
    """What a result's tile shows: the stretch that was found, or the whole motion, as the panel says."""
    return clips(context, [index])[0]


def clips(context: Context, indices: Sequence[int]) -> list[preview_motions.Clip]:
    """What the tiles of several results show; what is the same for all is looked up once."""
    session, in_sync = properties.session(context), is_in_sync(context)
    return [_clip(session, session.results[index], stretch=in_sync) for index in indices]


def taken(context: Context, index: int) -> preview_motions.Clip:
    """What lands of a result: as the panel says, also while tiles show the stretch that is in step with the query."""
    session = properties.session(context)
    return _clip(session, session.results[index], stretch=False)


def _clip(session: properties.HUMS_Session, result: properties.HUMS_Result, stretch: bool) -> preview_motions.Clip:
    taken_s = (result.start_s, result.end_s) if stretch else properties.taken_s(session, result)
    mirrored = properties.is_mirrored(session, result)
    return preview_motions.Clip(result.library, result.clip_id, *taken_s, mirrored)


def is_in_sync(context: Context) -> bool:
    """Whether figures do what the query does, and it is known what that is."""
    return preferences.of(context).strip.in_sync and previewed_query.last() is not None


def hover(context: Context, place: Place | None) -> None:
    """Takes note of the tile under the mouse."""
    if place != state.hovered:
        state.hovered, state.since_s = place, time.monotonic()
        tag_redraw(context)


def hovered(context: Context) -> int | None:
    """The result under the mouse, in any viewport; None for none or the query."""
    place = state.hovered
    if place is None or not 0 <= place.tile < len(properties.session(context).results):
        return None
    return place.tile


def clock_s() -> float:
    """Seconds that pass evenly, for what plays without a start of its own."""
    return time.monotonic()


def playing_s() -> float:
    """Seconds since the hovered tile began to play."""
    return time.monotonic() - state.since_s
