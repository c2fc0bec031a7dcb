# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the active rig's motion in slices between which Blender goes on: a search begins with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
from bpy.types import Context

from .. import properties
from ..core import armature_reader, viewports
from ..core.engine import errors
from . import asking

_SLICE_S = 0.02
"""Of Blender's time at once, while a motion is read frame by frame."""


class _State:
    """What is being read, and who waits for it."""

    def __init__(self) -> None:
        self.reading: armature_reader.Reading | None = None
        self.when_read: Callable[[], None] | None = None


_state = _State()


def read(reading: armature_reader.Reading, then: Callable[[], None]) -> None:
    """Reads a rig's motion in slices between which Blender goes on; ``then`` is called when all is read."""
    _state.reading, _state.when_read = reading, then
    if _read_some() is not None and not bpy.app.timers.is_registered(_read_some):
        bpy.app.timers.register(_read_some, first_interval=0.0, persistent=True)


def is_reading() -> bool:
    """Whether frames are being evaluated, so that changes of the scene come from here."""
    return _state.reading is not None


def _read_some() -> float | None:
    reading, then = _state.reading, _state.when_read
    if reading is None or then is None:
        return None
    try:
        reading.advance(math.inf if bpy.app.background else _SLICE_S)
    except errors.HumsError as error:
        _state.reading = None
        asking.refuse(error)
        return None
    properties.session(bpy.context).reading = reading.progress if reading.progress < 1.0 else 0.0
    viewports.redraw_sidebars(bpy.context)
    if reading.progress < 1.0:
        return 0.0
    _state.reading = None
    then()
    return None


def cancel(context: Context) -> None:
    """Stops reading the rig's motion."""
    _state.reading = None
    properties.session(context).reading = 0.0


def forget_all() -> None:
    """Reads no more: the add-on is being disabled."""
    if bpy.app.timers.is_registered(_read_some):
        bpy.app.timers.unregister(_read_some)
    _state.__init__()
