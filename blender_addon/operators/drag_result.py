# SPDX-License-Identifier: GPL-3.0-or-later
"""Dragging a result: onto a rig it is applied, onto the floor it becomes a new armature, elsewhere nothing happens.

A press on a tile of the strip or on a row of the list starts it; a distance tells a drag from a click. While it is
dragged, the status bar and a word beside the mouse say what would come of letting go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty
from bpy.types import Context, Event, Object, Operator

from .. import properties
from ..core import drag, picking, strip

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

iface = bpy.app.translations.pgettext_iface

_NAVIGATION = ("MIDDLEMOUSE", "WHEEL", "TRACKPAD", "NDOF", "MOUSE", "INBETWEEN", "TIMER", "WINDOW")
_MODIFIERS = ("LEFT_CTRL", "RIGHT_CTRL")


class HUMS_OT_drag_result(Operator):
    """Drag the motion onto a rig, or onto the floor for a new armature"""

    bl_idname = "hums.drag_result"
    bl_label = "Drag Motion"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Index", description="Place in the list of results", options={"SKIP_SAVE"})

    _start: tuple[int, int]
    _dragging: bool

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """The mouse button is down; nobody knows yet whether it is a click."""
        results = properties.session(context).results
        pressed = event.type == "LEFTMOUSE" and event.value in {"PRESS", "DOUBLE_CLICK"}
        if not pressed or drag.current() is not None or not 0 <= self.index < len(results):
            return {"CANCELLED", "PASS_THROUGH"}
        self._start, self._dragging = (event.mouse_x, event.mouse_y), False
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Follows the mouse until the button is let go."""
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            return self._let_go(context)
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            self._leave(context)
            return {"CANCELLED"}
        if event.type in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE", *_MODIFIERS}:
            self._follow(context, event)
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"} if event.type.startswith(_NAVIGATION) else {"RUNNING_MODAL"}

    def cancel(self, context: Context) -> None:
        """Blender ends it: another file is loaded, or the window closes."""
        self._leave(context)

    def _follow(self, context: Context, event: Event) -> None:
        if not self._dragging and not self._has_left(context, event):
            return
        session = properties.session(context)
        if not self._dragging:
            if self.index >= len(session.results):
                return
            drag.begin(strip.taken(context, self.index), session.results[self.index].name)
            self._dragging = True
            context.window.cursor_modal_set("HAND")
        spot = picking.spot_at(context.window, event.mouse_x, event.mouse_y)
        if spot is not None and strip.is_over(context, spot):
            spot = None
        now = drag.move(context, spot, event.ctrl)
        strip.state.mouse = (event.mouse_x, event.mouse_y)
        keys = (iface("Ctrl: In Place"), iface("Esc, Right Mouse: Cancel"))
        context.workspace.status_text_set("    |    ".join((now.promise, *keys)))
        strip.tag_redraw(context)

    def _has_left(self, context: Context, event: Event) -> bool:
        """Whether the mouse is so far from where the button went down that a drag is meant."""
        away = max(abs(event.mouse_x - self._start[0]), abs(event.mouse_y - self._start[1]))
        inputs = context.preferences.inputs
        return away > max(inputs.drag_threshold_mouse, 5) * context.preferences.system.ui_scale

    def _let_go(self, context: Context) -> set[OperatorReturnItems]:
        now = drag.current() if self._dragging else None
        self._leave(context)
        if now is None or now.target is None:
            return {"FINISHED", "PASS_THROUGH"}
        if now.refusal:
            self.report({"WARNING"}, now.refusal)
            return {"CANCELLED", "PASS_THROUGH"}
        try:
            _drop(context, now, now.target)
        except RuntimeError as error:  # what the operator has refused, in its own words
            self.report({"ERROR"}, str(error).removeprefix("Error: ").strip())
            return {"CANCELLED", "PASS_THROUGH"}
        return {"FINISHED", "PASS_THROUGH"}

    def _leave(self, context: Context) -> None:
        """Restores all that was there before."""
        if self._dragging:
            context.window.cursor_modal_restore()
            context.workspace.status_text_set(None)
        self._dragging = False
        strip.tag_redraw(context)  # while it still counts as a drag: its words may stand on a sidebar
        drag.end()


def _drop(context: Context, now: drag.Drag, target: picking.Target) -> None:
    """Does what was promised, as one step of undo.

    Raises:
        RuntimeError: it was refused.
    """
    clip, spot = now.clip, target.spot
    with context.temp_override(window=spot.window, area=spot.area, region=spot.region):
        if target.rig is None:
            bpy.ops.hums.import_motion("EXEC_DEFAULT", True, **clip._asdict(), location=target.floor)
            return
        in_place = {"root": "in_place"} if now.in_place else {}
        with _active(bpy.context, target.rig):
            bpy.ops.hums.apply_motion("INVOKE_DEFAULT", True, **clip._asdict(), **in_place)


@contextmanager
def _active(context: Context, rig: Object) -> Iterator[None]:
    """Makes a rig the active one, which operators and the redo panel work on; not so if what is done there fails."""
    layer = context.view_layer
    before, selected = layer.objects.active, list(context.selected_objects)
    if before != rig:
        _select(context, [rig], rig)
    try:
        yield
    except RuntimeError:
        _select(context, selected, before)
        raise


def _select(context: Context, chosen: list[Object], active: Object | None) -> None:
    for obj in context.selected_objects:
        obj.select_set(False)
    for obj in chosen:
        obj.select_set(True)
    context.view_layer.objects.active = active


def row_pressed(context: Context) -> None:
    """A person pressed a row of the list: she may mean to drag it."""
    if context.window is not None:
        bpy.ops.hums.drag_result("INVOKE_DEFAULT", index=properties.session(context).active_result)


CLASSES = (HUMS_OT_drag_result,)
