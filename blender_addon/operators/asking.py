# SPDX-License-Identifier: GPL-3.0-or-later
"""What all operators that search share: from the session's settings to a question, and when it is asked.

Scripts wait for the answer (`ask_now`). A person's click asks beside Blender (`ask`): the newest question wins, and one
is on its way at a time. `listing` has the answers.
"""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Context

from .. import preferences, properties
from ..core import background, last_error, preview_motions, previewed_query, questions, viewports
from ..core.engine import errors
from . import listing


class _State:
    """The questions on their way."""

    def __init__(self) -> None:
        self.asked = False
        self.awaited: questions.Subject | None = None  # of the newest question, until it is answered or taken back
        self.next: tuple[questions.Subject, questions.Terms] | None = None


_state = _State()


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
    what = _state.awaited or listing.subject()
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


def _take(context: Context, answer: questions.Answer) -> None:
    session = properties.session(context)
    _state.awaited = None
    session.trouble = "\n".join(answer.trouble)
    session.searching, session.reading = False, 0.0
    _show_beside(answer.subject)
    listing.take(context, answer)


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
    _state.next, _state.awaited = None, None
    session = properties.session(context)
    session.trouble, session.searching = "", False
    listing.take(context, questions.NO_ANSWER)


def forget_all() -> None:
    """Back to the beginning: the add-on is being disabled."""
    _state.__init__()
    previewed_query.forget()
    last_error.forget()
