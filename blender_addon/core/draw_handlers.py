# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks into Blender's drawing, its loading of files, and the clock of what moves in viewports.

None outlives the add-on: whatever is added here is removed by `remove_all`, which runs when the add-on is disabled,
updated, or reloaded with all scripts. Timers that wait for something (`background`, `jobs`) are their modules' own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

_drawing: list[tuple[Any, object, str]] = []
_ticking: list[Callable[[], float | None]] = []
_listening: list[tuple[list[Any], Callable[..., None]]] = []


def draw(space: Any, callback: Callable[[], None], region: str, stage: str) -> None:  # noqa: ANN401 - a type of space
    """Has ``callback`` called whenever a region of such a space is drawn.

    Args:
        space: such as ``bpy.types.SpaceView3D``.
        callback: draws; an error in it must not reach Blender.
        region: such as ``"WINDOW"``.
        stage: ``"POST_PIXEL"``, ``"POST_VIEW"`` or ``"PRE_VIEW"``.
    """
    _drawing.append((space, space.draw_handler_add(callback, (), region, stage), region))


def tick(callback: Callable[[], float | None]) -> None:
    """Has ``callback`` called again and again, after as many seconds as it returns, until it returns None."""
    if callback not in _ticking:
        _ticking.append(callback)
    if not bpy.app.timers.is_registered(callback):
        bpy.app.timers.register(callback, persistent=True)


def listen(handlers: list[Any], callback: Callable[..., None]) -> None:
    """Appends ``callback`` to one of ``bpy.app.handlers``; it stays when another file is loaded."""
    handlers.append(bpy.app.handlers.persistent(callback))
    _listening.append((handlers, callback))


def counts() -> dict[str, int]:
    """How much is hooked in now."""
    ticking = sum(bpy.app.timers.is_registered(callback) for callback in _ticking)
    return {"drawing": len(_drawing), "ticking": ticking, "listening": len(_listening)}


def remove_all() -> None:
    """Lets go of everything."""
    while _drawing:
        space, handle, region = _drawing.pop()
        space.draw_handler_remove(handle, region)
    while _ticking:
        callback = _ticking.pop()
        if bpy.app.timers.is_registered(callback):
            bpy.app.timers.unregister(callback)
    while _listening:
        handlers, callback = _listening.pop()
        if callback in handlers:
            handlers.remove(callback)
