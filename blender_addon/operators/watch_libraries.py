# SPDX-License-Identifier: GPL-3.0-or-later
"""Knowing what is in the libraries, and bringing them up to date by themselves, both beside Blender."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context

from .. import preferences, properties
from ..core import background, draw_handlers, jobs, library_facts, preview_motions, viewports
from . import asking, index_library

_AFTER_START_S = 1.0


def look_up(context: Context) -> None:
    """Looks up what is in all libraries on the list; the panel shows it when it is known."""
    for entry in preferences.of(context).libraries:
        look_up_one(entry.path)


def look_up_one(path: str) -> None:
    """Looks up what is in one library."""
    if not bpy.app.background:
        background.start(lambda: library_facts.look_up(Path(path)), lambda facts: _show(path, facts))


def _show(path: str, facts: library_facts.Facts) -> None:
    context = bpy.context
    entry = next((entry for entry in preferences.of(context).libraries if entry.path == path), None)
    if entry is None:  # taken off the list meanwhile
        return
    session = properties.session(context)
    shown = session.facts.get(path) or session.facts.add()
    shown.name, shown.clips, shown.duration_s = path, facts.clips, facts.duration_s
    shown.missing, shown.failed = len(facts.missing), len(facts.failed)
    shown.readonly, shown.trouble = entry.readonly or facts.readonly, facts.trouble
    everything = library_facts.all_known()
    properties.known_tags[:] = sorted({tag for known in everything for tag in known.tags})
    properties.known_rigs[:] = sorted({rig for known in everything for rig in known.rigs})
    viewports.redraw_sidebars(context)


def _chosen(context: Context) -> None:
    """Another library is searched."""
    wanted = preferences.of(context)
    for entry in preferences.searched(context):
        look_up_one(entry.path)
        if wanted.update_when_chosen:
            _update(entry)
    if not bpy.app.background:
        asking.ask_again(context)


def _changed(path: str) -> None:
    """A task on a library has ended."""
    preview_motions.shared.clear()  # its motions may be others now
    look_up_one(path)


def _update(entry: preferences.HUMS_LibraryEntry) -> None:
    if not entry.readonly and not bpy.app.background:
        folder = Path(entry.path)
        background.start(folder.is_dir, lambda is_there: _index(folder, is_there))  # a server may not answer


def _index(folder: Path, is_there: bool) -> None:
    if is_there:
        index_library.index(folder, [], background=True)


def _begin() -> None:
    """Blender has started, or the add-on was enabled."""
    context = bpy.context
    look_up(context)
    if preferences.of(context).update_at_start:
        for entry in preferences.of(context).libraries:
            _update(entry)


def _file_loaded(*_: object) -> None:
    """The window manager of another file knows neither what is in the libraries nor how far indexing is."""
    look_up(bpy.context)
    jobs.tell_again()


def register() -> None:
    """Begins to watch."""
    preferences.library_chosen.append(_chosen)
    index_library.library_changed.append(_changed)
    draw_handlers.listen(bpy.app.handlers.load_post, _file_loaded)
    bpy.app.timers.register(_begin, first_interval=_AFTER_START_S, persistent=True)  # a file may be loaded first


def unregister() -> None:
    """Watches no more."""
    if bpy.app.timers.is_registered(_begin):
        bpy.app.timers.unregister(_begin)
    index_library.library_changed.remove(_changed)
    preferences.library_chosen.remove(_chosen)
