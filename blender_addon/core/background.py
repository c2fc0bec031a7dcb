# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside Blender: a thread does it, and a timer tells what came of it on Blender's own thread.

What is done in the thread never touches Blender's data.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

import bpy

from . import last_error

Result = TypeVar("Result")

_INTERVAL_S = 0.02
_PATIENCE_S = 10.0
"""For all that is at work, when the add-on is disabled."""

_answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_at_work: set[threading.Thread] = set()
_told: list[bool] = [True]


def start(
    work: Callable[[], Result], tell: Callable[[Result], None], refuse: Callable[[Exception], None] | None = None
) -> None:
    """Lets ``work`` go on in a thread; then ``tell`` is called with what it returned, or ``refuse`` with its error.

    An error that nobody refuses is kept for Copy Report.
    """
    thread = threading.Thread(target=lambda: _do(work, tell, refuse, thread), daemon=True)
    _told[0] = True
    _at_work.add(thread)
    thread.start()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_INTERVAL_S, persistent=True)


def _do(
    work: Callable[[], Result],
    tell: Callable[[Result], None],
    refuse: Callable[[Exception], None] | None,
    thread: threading.Thread,
) -> None:
    try:
        result = work()
    except Exception as error:
        wrong = error
        told = refuse or _keep
        answer = lambda: told(wrong)  # noqa: E731
    else:
        answer = lambda: tell(result)  # noqa: E731
    _answers.put(answer)
    _at_work.discard(thread)


def _hear(answer: Callable[[], None]) -> None:
    """Tells an answer; what goes wrong with it does not keep the others from being told."""
    try:
        answer()
    except Exception as error:
        _keep(error)


def _keep(error: Exception) -> None:
    """Keeps an error that nobody foresaw for Copy Report, and shows it in the console."""
    last_error.remember(error, "work beside Blender")
    traceback.print_exception(error)


def stop() -> None:
    """Tells nobody any more: the add-on is being disabled. Waits for what is at work, which may hold files."""
    _told[0] = False
    ends = time.monotonic() + _PATIENCE_S
    for thread in list(_at_work):
        thread.join(timeout=max(ends - time.monotonic(), 0.0))
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    while not _answers.empty():
        _answers.get()


def _tick() -> float | None:
    busy = bool(_at_work)  # looked at first: who has left since has answered
    while not _answers.empty():
        answer = _answers.get()
        if _told[0]:
            _hear(answer)
    return _INTERVAL_S if busy or _at_work or not _answers.empty() else None
