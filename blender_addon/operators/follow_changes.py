# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching again by itself: while a text is typed or a filter changes, and in live mode when the rig's motion changes.

One timer does it. It looks a few times a second at what tells one question from another (the active rig, its action and
frames), which is cheaper than a handler that Blender calls for each change of anything; that keys moved is told by one.
"""

from __future__ import annotations

import time

import bpy
from bpy.types import Context, Depsgraph, Scene

from .. import properties
from ..core import armature_reader
from ..core.engine import errors
from . import asking, chosen, find_similar, listing, reading_rig

_INTERVAL_S = 0.1
_TYPING_S = 0.25
"""A pause of typing after which it is searched."""
_STILL_S = 0.4
"""How long a rig's motion must have been as it is."""


class _Changes:
    """What has changed, and when."""

    def __init__(self) -> None:
        self.typed_at: float | None = None
        self.seen: tuple[object, ...] = ()
        self.changed_at: float | None = None
        self.keys = 0


_changes = _Changes()


def note_typing() -> None:
    """A text or a filter was changed."""
    _changes.typed_at = time.monotonic()
    _wake()


def show_again() -> None:
    """The order of the list was changed."""
    listing.show(bpy.context)


def note_live(context: Context) -> None:
    """Live mode was switched on or off."""
    _changes.seen, _changes.changed_at = (), time.monotonic()
    if properties.session(context).live:
        _wake()


def _wake() -> None:
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_INTERVAL_S, persistent=True)


def _tick() -> float | None:
    context, now = bpy.context, time.monotonic()
    if _changes.typed_at is not None and now - _changes.typed_at >= _TYPING_S:
        _changes.typed_at = None
        asking.ask_again(context)
    live = properties.session(context).live
    if live:
        _look(context, now)
    return _INTERVAL_S if live or _changes.typed_at is not None else None


def _look(context: Context, now: float) -> None:
    """Asks again once the rig's motion has changed and is left alone."""
    if reading_rig.is_reading() or any(window.screen.is_animation_playing for window in context.window_manager.windows):
        return
    seen = _fingerprint(context)
    if seen != _changes.seen:
        _changes.seen, _changes.changed_at = seen, now
    elif _changes.changed_at is not None and now - _changes.changed_at >= _STILL_S:
        _changes.changed_at = None
        try:
            find_similar.start_with_rig(context)
        except errors.HumsError as error:  # no rig is active, for one: the panel says so
            properties.session(context).trouble = "" if chosen.rig_refusal(context) else str(error)


def _fingerprint(context: Context) -> tuple[object, ...]:
    """What tells one question from another."""
    session = properties.session(context)
    try:
        rig = armature_reader.rig_of(context.view_layer.objects.active)
        frames = find_similar.frames_of(context, rig)
    except errors.HumsError as error:
        return (str(error),)
    data = rig.animation_data
    action = data.action.name if data is not None and data.action is not None else ""
    bones = tuple(armature_reader.selected_bones(rig)) if session.selected_bones else ()
    return context.scene.name, rig.name, action, frames, bones, _changes.keys


@bpy.app.handlers.persistent
def note_keys(_scene: Scene, depsgraph: Depsgraph) -> None:
    """Counts changes of actions, which move keys; evaluating frames is none."""
    if not reading_rig.is_reading() and depsgraph.id_type_updated("ACTION"):
        _changes.keys += 1


@bpy.app.handlers.persistent
def note_language(*_: object) -> None:
    """The interface speaks another language."""
    listing.name_question(bpy.context)


def register() -> None:
    """Begins to listen."""
    bpy.app.handlers.translation_update_post.append(note_language)
    properties.asked_anew.append(note_typing)
    properties.shown_anew.append(show_again)
    properties.live_switched.append(note_live)
    bpy.app.handlers.depsgraph_update_post.append(note_keys)


def unregister() -> None:
    """Listens no more."""
    bpy.app.handlers.translation_update_post.remove(note_language)
    bpy.app.handlers.depsgraph_update_post.remove(note_keys)
    properties.live_switched.remove(note_live)
    properties.shown_anew.remove(show_again)
    properties.asked_anew.remove(note_typing)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _changes.__init__()
