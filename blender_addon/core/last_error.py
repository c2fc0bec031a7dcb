# SPDX-License-Identifier: GPL-3.0-or-later
"""The last thing that went wrong, with all that a person who wants to help needs to know of it."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass

from .engine import errors


@dataclass(frozen=True)
class LastError:
    """What went wrong.

    Attributes:
        doing: what was being done.
        told: the sentence that the person saw.
        trace: Python's traceback.
        when: the time of day.
    """

    doing: str
    told: str
    trace: str
    when: str


_last: list[LastError] = []


def remember(error: BaseException, doing: str) -> None:
    """Keeps an error until the next one."""
    trace = "".join(traceback.format_exception(error))
    _last[:] = [LastError(doing, sentence(error), trace, time.strftime("%H:%M:%S"))]


def recall() -> LastError | None:
    """The last error, or None while there was none."""
    return _last[0] if _last else None


def forget() -> None:
    """Lets go of it: the add-on is being disabled, or the person has read it."""
    _last.clear()


def sentence(error: BaseException) -> str:
    """What is told of an error: its own sentence, or for one that nobody foresaw, its kind and what to do."""
    if isinstance(error, errors.HumsError):
        return str(error)
    return f"Something went wrong ({type(error).__name__}: {error}): press Copy Report and tell the developers."
