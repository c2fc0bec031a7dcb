# SPDX-License-Identifier: GPL-3.0-or-later
"""How a sentence is put: of one or of several, and an error's in the person's language.

The text of an error is English wherever it comes from: the engine, a process that indexes, a library's list of files
that failed. It is recognised by the translations of errors, in which numbered blanks stand for names and numbers.
"""

from __future__ import annotations

import functools
import re

import bpy

from .. import translations

rpt = bpy.app.translations.pgettext_rpt

_BLANK = re.compile(r"{\d+}")


def counted(count: int, one: str, several: str, **values: object) -> str:
    """The text that is right for so many, with its blanks filled in."""
    return (one if count == 1 else several).format(count=count, **values)


def told(text: str) -> str:
    """What an error says, in the language of Blender's interface; English where it is not translated."""
    return _told(text, bpy.app.translations.locale)


def clause(error: Exception | str) -> str:
    """The same as a part of a sentence, or where Blender adds the full stop."""
    return told(str(error)).rstrip(".。")


@functools.lru_cache(maxsize=256)
def _told(text: str, locale: str) -> str:
    """The same for one language: panels ask at each redraw."""
    for line in (text, text[:1].upper() + text[1:]):
        for template, pattern in _patterns():
            found = pattern.fullmatch(line)
            if found is not None:
                return rpt(template).format(*(_told(value, locale) for value in found.groups()))
    name, colon, reason = text.partition(": ")  # such as a file and what is wrong with it
    return f"{name}{colon}{_told(reason, locale)}" if colon else text


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """What errors say; those with the most words of their own first, which leave less to their blanks."""
    templates = sorted(translations.sentences(), key=lambda text: -len(_BLANK.sub("", text)))
    return [(text, re.compile(_BLANK.sub("(.+?)", _escaped(text)), re.DOTALL)) for text in templates]


def _escaped(template: str) -> str:
    """As a regular expression, with the blanks as they were."""
    return "".join(part if _BLANK.fullmatch(part) else re.escape(part) for part in re.split(r"({\d+})", template))
