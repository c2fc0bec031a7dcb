# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of results: the last answer in the order that the session wants, without what was hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bpy.types import Context

from .. import properties
from ..core import questions, viewports
from ..core.engine import library

Key = tuple[Path, int]


class _State:
    """What the list shows, and what it leaves out."""

    def __init__(self) -> None:
        self.answer = questions.NO_ANSWER
        self.hidden: set[Key] = set()


_state = _State()


def subject() -> questions.Subject:
    """What was looked for last."""
    return _state.answer.subject


def take(context: Context, answer: questions.Answer) -> None:
    """Lists another answer."""
    _state.answer = answer
    name_question(context)
    show(context)


def name_question(context: Context) -> None:
    """Says what was asked, in the language that the interface has now."""
    properties.session(context).question = subject().text


def show(context: Context) -> None:
    """Lists the last answer in the order that the session wants, without what was hidden."""
    session = properties.session(context)
    found = _state.answer.found
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
    found = tuple(
        one._replace(hit=replace(one.hit, **marks)) if (one.library, one.hit.clip_id) == (folder, clip_id) else one
        for one in _state.answer.found
    )
    _state.answer = replace(_state.answer, found=found)
    show(context)


def forget_all() -> None:
    """Back to the beginning: the add-on is being disabled."""
    _state.__init__()
