# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip of results under the mouse: hovering, scrolling, choosing, and its keys.

It is modal only while the mouse is on the strip, so nothing of Blender waits for it: a keymap entry for mouse movement
starts it where the strip is, and it ends where the strip ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Event, Operator

from .. import preferences, properties
from ..core import drag, draw_handlers, ghost, picking, strip, viewports
from ..core.strip_layout import StripLayout
from . import listing
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

tip = bpy.app.translations.pgettext_tip

_FAR = 1_000_000
_STEPS = {"LEFT_ARROW": -1, "RIGHT_ARROW": 1, "UP_ARROW": -1, "DOWN_ARROW": 1, "HOME": -_FAR, "END": _FAR}
_WHEEL = {"WHEELUPMOUSE": -1, "WHEELDOWNMOUSE": 1, "WHEELLEFTMOUSE": -1, "WHEELRIGHTMOUSE": 1}
_OWN_KEYS = ("RET", "NUMPAD_ENTER", "S", "ESC", *_STEPS)


class HUMS_OT_result_strip(Operator):
    """Look through the motions that were found: the wheel scrolls, a click chooses, a drag puts one on a rig"""

    bl_idname = "hums.result_strip"
    bl_label = "Result Strip"
    bl_options = {"INTERNAL"}

    _scrolling: bool
    _spot: picking.Spot

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Where there is a strip."""
        area = context.area
        return (
            area is not None and drag.current() is None and strip.is_shown(context, area) and strip.has_tiles(context)
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """The mouse moves: is it on the strip?"""
        found = _under(context, event)
        if found is None or strip.state.left == found[0].area.as_pointer():
            strip.state.left = 0 if found is None else strip.state.left
            return {"PASS_THROUGH"}
        self._scrolling = False
        self._hover(context, *found)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Follows the mouse until it leaves the strip."""
        if self._scrolling:
            return self._scroll_by_bar(context, event)
        found = _under(context, event)
        if found is None:
            return self._leave(context)
        return self._mouse(context, event, *found) or self._key(context, event, *found) or {"PASS_THROUGH"}

    def _mouse(
        self, context: Context, event: Event, spot: picking.Spot, layout: StripLayout
    ) -> set[OperatorReturnItems]:
        """What the mouse does on the strip; nothing of it reaches what lies below."""
        kind, pressed = event.type, event.value in {"PRESS", "DOUBLE_CLICK"}
        if kind in {"LEFTMOUSE", "RIGHTMOUSE"} and pressed:
            return (self._press if kind == "LEFTMOUSE" else self._menu)(context, spot, layout)
        if kind in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}:
            self._hover(context, spot, layout)
        elif kind in _WHEEL:
            self._scroll(context, spot, layout, _WHEEL[kind] * layout.pitch if pressed else 0.0)
        elif kind == "TRACKPADPAN":
            way = event.mouse_prev_x - event.mouse_x + event.mouse_prev_y - event.mouse_y
            self._scroll(context, spot, layout, way)
        elif kind not in {"LEFTMOUSE", "RIGHTMOUSE"}:
            return set()
        return {"RUNNING_MODAL"}

    def cancel(self, context: Context) -> None:
        """Blender ends it: another file is loaded, or the window closes."""
        strip.hover(context, None)

    def _leave(self, context: Context) -> set[OperatorReturnItems]:
        strip.hover(context, None)
        return {"FINISHED", "PASS_THROUGH"}

    def _hover(self, context: Context, spot: picking.Spot, layout: StripLayout) -> None:
        slot = layout.tile_at(spot.x, spot.y)
        tiles = strip.tiles(context)
        place = strip.Place(spot.area.as_pointer(), tiles[slot]) if slot is not None and slot < len(tiles) else None
        strip.hover(context, place or strip.Place(spot.area.as_pointer(), strip.NO_TILE))

    def _scroll(self, context: Context, spot: picking.Spot, layout: StripLayout, pixels: float) -> None:
        strip.scroll_to(spot.area, min(max(layout.scroll + pixels, 0.0), layout.most_scroll))
        moved = strip.layout(context, spot.area, spot.region)
        if moved is not None:
            self._hover(context, spot, moved)
        strip.tag_redraw(context)

    def _scroll_by_bar(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._scrolling = False
        elif event.type in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}:
            layout = strip.layout(context, self._spot.area, self._spot.region)
            if layout is not None:
                strip.scroll_to(self._spot.area, layout.scroll_for_bar(event.mouse_x - self._spot.region.x))
                strip.tag_redraw(context)
        return {"RUNNING_MODAL"}

    def _press(self, context: Context, spot: picking.Spot, layout: StripLayout) -> set[OperatorReturnItems]:
        if layout.is_on_bar(spot.x, spot.y):
            self._scrolling, self._spot = True, spot
            strip.scroll_to(spot.area, layout.scroll_for_bar(spot.x))
            return {"RUNNING_MODAL"}
        chosen = strip.hovered(context)
        if chosen is None:
            return {"RUNNING_MODAL"}
        properties.choose(properties.session(context), chosen)
        viewports.redraw(context)
        bpy.ops.hums.drag_result("INVOKE_DEFAULT", index=chosen)
        return {"RUNNING_MODAL"}

    def _menu(self, context: Context, _spot: picking.Spot, _layout: StripLayout) -> set[OperatorReturnItems]:
        chosen = strip.hovered(context)
        if chosen is not None:
            properties.choose(properties.session(context), chosen)
            bpy.ops.wm.call_menu(name="HUMS_MT_result")
        return {"RUNNING_MODAL"}

    def _key(self, context: Context, event: Event, spot: picking.Spot, layout: StripLayout) -> set[OperatorReturnItems]:
        """What the strip's own keys do; others do what they always do."""
        if event.type not in _OWN_KEYS or event.ctrl or event.alt or event.oskey:
            return set()
        if event.value == "PRESS" and event.type == "ESC":
            strip.state.left = spot.area.as_pointer()
            strip.hover(context, None)
            return {"FINISHED"}
        if event.value == "PRESS" and event.type in _STEPS:
            self._step(context, spot, layout, _STEPS[event.type])
        elif event.value == "PRESS":
            (_star if event.type == "S" else _apply)(context, self)
        return {"RUNNING_MODAL"}

    def _step(self, context: Context, spot: picking.Spot, layout: StripLayout, step: int) -> None:
        """Selects another result, and brings it into view."""
        session = properties.session(context)
        index = min(max(session.active_result + step, 0), len(session.results) - 1)
        properties.choose(session, index)
        strip.scroll_to(spot.area, layout.scroll_to_show(strip.tiles(context).index(index)))
        viewports.redraw(context)


def _under(context: Context, event: Event) -> tuple[picking.Spot, StripLayout] | None:
    """Where on which strip the mouse is, or None."""
    spot = picking.spot_at(context.window, event.mouse_x, event.mouse_y)
    layout = strip.layout(context, spot.area, spot.region) if spot is not None else None
    if spot is None or layout is None or not layout.box.contains(spot.x, spot.y):
        return None
    return spot, layout


def _apply(context: Context, operator: Operator) -> None:
    """Puts the selected result on the active rig, as the panel's button does."""
    clip = strip.taken(context, properties.session(context).active_result)
    _call(operator, lambda: bpy.ops.hums.apply_motion("INVOKE_DEFAULT", True, **clip._asdict()))


def _star(_context: Context, operator: Operator) -> None:
    """Marks the selected result with a star, or takes it away."""
    _call(operator, lambda: bpy.ops.hums.star_motion("INVOKE_DEFAULT", index=-1))


def _call(operator: Operator, call: Callable[[], object]) -> None:
    try:
        call()
    except RuntimeError as error:  # what the other operator has refused, in its own words
        operator.report({"ERROR"}, str(error).removeprefix("Error: ").strip())


class HUMS_OT_toggle_strip(Guarded):
    """Show the motions that were found as moving figures along the bottom of this viewport, or close them"""

    bl_idname = "hums.toggle_strip"
    bl_label = "Result Strip"
    bl_options = {"REGISTER"}

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether this is a viewport."""
        here = context.area is not None and context.area.type == "VIEW_3D"
        return "" if here else tip("Only 3D viewports have one")

    def run(self, context: Context) -> None:
        """Switches it on here, or off; off in the last viewport means off until it is switched on again."""
        settings, here = preferences.of(context).strip, context.area.as_pointer()
        if not strip.is_shown(context, context.area):
            if not settings.show:
                strip.state.hidden.clear()
            settings.show = True
            strip.state.hidden.discard(here)
        else:
            strip.state.hidden.add(here)
            if not any(strip.is_shown(context, area) for _, area in viewports.of(context)):
                settings.show = False
                strip.state.hidden.clear()
        context.preferences.is_dirty = True
        viewports.redraw(context)


def _file_loaded(*_: object) -> None:
    """Viewports have other addresses in another file, and its window manager does not know what was found."""
    strip.forget()
    drag.end()
    ghost.forget()
    listing.show(bpy.context)


def register() -> None:
    """Follows the loading of files."""
    draw_handlers.listen(bpy.app.handlers.load_post, _file_loaded)


CLASSES = (HUMS_OT_result_strip, HUMS_OT_toggle_strip)
