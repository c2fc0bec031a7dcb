# SPDX-License-Identifier: GPL-3.0-or-later
"""What all operators that search share: from the session's settings to a question, and from its answer to the list.

Scripts wait for the answer (`ask_now`). A person's click asks beside Blender (`ask`): the newest question wins, and one
is on its way at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import bpy
from bpy.types import Context

from .. import preferences, properties
from ..core import (
    armature_reader,
    background,
    last_error,
    preview_motions,
    previewed_query,
    questions,
    viewports,
)
from ..core.engine import errors, library

_SLICE_S = 0.02
"""Of Blender's time at once, while a motion is read frame by frame."""

Key = tuple[Path, int]


class _State:
    """The question that the list answers, and those on their way."""

    def __init__(self) -> None:
        self.subject = questions.Subject()
        self.answer: questions.Answer | None = None
        self.hidden: set[Key] = set()
        self.asked = False
        self.awaited: questions.Subject | None = None  # of the newest question, until it is answered or taken back
        self.next: tuple[questions.Subject, questions.Terms] | None = None
        self.reading: armature_reader.Reading | None = None
        self.when_read: Callable[[], None] | None = None


_state = _State()


def subject() -> questions.Subject:
    """What was looked for last."""
    return _state.subject


def terms(context: Context) -> questions.Terms:
    """Where and how to look, by the session's settings.

    Raises:
        HumsError: there is no library.
    """
    session = properties.session(context)
    folders = tuple(Path(entry.path) for entry in preferences.searched(context))
    if not folders:
        raise errors.HumsError("There is no motion library yet: add one in the sidebar's Motion tab.")
    return questions.Terms(folders, session.count, session.scope, session.mirror, _where(session.filters))


def _where(filters: properties.HUMS_Filters) -> dict[str, object]:
    """The engine's filters."""
    wanted = {
        "text": filters.text.strip(),
        "tags": filters.tag.strip(),
        "folder": bpy.path.abspath(filters.folder),
        "rig": filters.rig.strip(),
        "favourite": filters.starred,
        "min_duration_s": filters.shortest_s,
        "max_duration_s": filters.longest_s,
        "fps": filters.fps,
    }
    return {name: value for name, value in wanted.items() if value}


# asking


def ask_now(context: Context, what: questions.Subject, how: questions.Terms) -> questions.Answer:
    """Asks, lists what was found, and returns it.

    Raises:
        HumsError: it cannot be asked.
    """
    answer = questions.answer(what, how)
    _take(context, answer)
    return answer


def ask(context: Context, what: questions.Subject, how: questions.Terms) -> None:
    """Asks beside Blender; the list shows the answer when it comes."""
    if bpy.app.background:  # there are no timers to bring an answer
        ask_now(context, what, how)
        return
    _state.next, _state.awaited = (what, how), what
    properties.session(context).searching = True
    viewports.redraw_sidebars(context)
    if not _state.asked:
        _ask_next()


def ask_again(context: Context) -> None:
    """Asks the last question by the settings as they are now; nothing while nothing was asked."""
    what = _state.awaited or _state.subject
    filters = _where(properties.session(context).filters)
    if not what.like and not filters:
        clear(context)
        return
    try:
        ask(context, what, terms(context))
    except errors.HumsError as error:
        refuse(error)


def _ask_next() -> None:
    if _state.next is None:
        return
    (what, how), _state.next, _state.asked = _state.next, None, True
    background.start(lambda: questions.answer(what, how), _hear, _hear_refusal)


def _hear(answer: questions.Answer) -> None:
    _state.asked = False
    if _state.next is None and _state.awaited is not None:
        _take(bpy.context, answer)
    _ask_next()


def _hear_refusal(error: Exception) -> None:
    _state.asked = False
    if _state.next is None and _state.awaited is not None:
        _state.awaited = None
        refuse(error)
    _ask_next()


def refuse(error: Exception) -> None:
    """Shows in the panel why a question cannot be answered."""
    last_error.remember(error, "Find Similar")
    session = properties.session(bpy.context)
    session.searching, session.reading = False, 0.0
    session.trouble = last_error.sentence(error)
    viewports.redraw_sidebars(bpy.context)


# reading the rig


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
        refuse(error)
        return None
    properties.session(bpy.context).reading = reading.progress if reading.progress < 1.0 else 0.0
    viewports.redraw_sidebars(bpy.context)
    if reading.progress < 1.0:
        return 0.0
    _state.reading = None
    then()
    return None


def cancel_reading(context: Context) -> None:
    """Stops reading the rig's motion."""
    _state.reading = None
    properties.session(context).reading = 0.0


# the list


def _take(context: Context, answer: questions.Answer) -> None:
    session = properties.session(context)
    _state.answer, _state.subject, _state.awaited = answer, answer.subject, None
    session.question = answer.subject.text
    session.trouble = " ".join(answer.trouble)
    session.searching, session.reading = False, 0.0
    _show_beside(answer.subject)
    show(context)


def _show_beside(what: questions.Subject) -> None:
    """Has the strip play what was asked with beside what is found."""
    preview_motions.shared.forget_trouble()
    previewed_query.forget()
    if what.like:
        example = what.like[0]
        first, last = example.frames or (0, 0)
        previewed_query.remember(example.motion, first, last)


def clear(context: Context) -> None:
    """Empties the list, and forgets the question; an answer that is on its way is not listed."""
    _state.answer, _state.subject, _state.next, _state.awaited = None, questions.Subject(), None, None
    session = properties.session(context)
    session.results.clear()
    session.question = session.trouble = ""
    session.searching = False
    viewports.redraw(context)


def show(context: Context) -> None:
    """Lists the last answer in the order that the session wants, without what was hidden."""
    session = properties.session(context)
    found = _state.answer.found if _state.answer is not None else ()
    there = [one for one in found if (one.library, one.hit.clip_id) not in _state.hidden]
    active = _identity(session)
    session.results.clear()
    for one in _ordered(there if session.group else list(_stretches(there)), session.order):
        _add(session, one)
    session.hidden = len(found) - len(there)
    names = [(result.library, result.clip_id, result.start_s) for result in session.results]
    properties.choose(session, names.index(active) if active in names and not session.searching else 0)
    viewports.redraw(context)


def _identity(session: properties.HUMS_Session) -> tuple[str, str, float] | None:
    """What tells the active result from the others."""
    if not 0 <= session.active_result < len(session.results):
        return None
    result = session.results[session.active_result]
    return result.library, result.clip_id, result.start_s


def _stretches(found: Iterable[questions.Found]) -> Iterator[questions.Found]:
    """Every stretch as a result of its own."""
    for one in found:
        yield one._replace(hit=replace(one.hit, others=()))
        for other in one.hit.others:
            times = {"start_s": other.start_s, "end_s": other.end_s, "score": other.score, "mirrored": other.mirrored}
            yield one._replace(hit=replace(one.hit, others=(), **times))


def _ordered(found: list[questions.Found], order: str) -> list[questions.Found]:
    keys: dict[str, Callable[[library.Hit], float | str]] = {
        "score": lambda hit: -hit.score,
        "name": lambda hit: hit.name.casefold(),
        "duration": lambda hit: hit.end_s - hit.start_s,
    }
    return sorted(found, key=lambda one: keys[order](one.hit))


def _add(session: properties.HUMS_Session, one: questions.Found) -> None:
    result, hit = session.results.add(), one.hit
    result.name, result.clip_id, result.source = hit.name, str(hit.clip_id), hit.source
    result.score, result.scored, result.own = hit.score, one.scored, one.own
    result.start_s, result.end_s, result.duration_s = hit.start_s, hit.end_s, hit.duration_s
    result.mirrored, result.library, result.others = hit.mirrored, str(one.library), len(hit.others)
    result.starred, result.tags = hit.favourite, ", ".join(hit.tags)


def hide(context: Context, keys: Iterable[Key]) -> None:
    """Takes motions off the list until they are shown again."""
    _state.hidden.update(keys)
    show(context)


def show_hidden(context: Context) -> None:
    """Brings all motions back that were hidden."""
    _state.hidden.clear()
    show(context)


def change(context: Context, folder: Path, clip_id: int, **marks: object) -> None:
    """Takes over what was marked on a motion into the answer and the list."""
    if _state.answer is None:
        return
    found = tuple(
        one._replace(hit=replace(one.hit, **marks)) if (one.library, one.hit.clip_id) == (folder, clip_id) else one
        for one in _state.answer.found
    )
    _state.answer = replace(_state.answer, found=found)
    show(context)


def forget_all() -> None:
    """Back to the beginning: the add-on is being disabled."""
    if bpy.app.timers.is_registered(_read_some):
        bpy.app.timers.unregister(_read_some)
    _state.__init__()
    previewed_query.forget()
    last_error.forget()
