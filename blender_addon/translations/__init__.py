# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on shows, in other languages: one JSON file each, from the English text to the translated one.

Blender looks a text up when it draws it. What an error says is raised in English, as in the report that a person sends,
and is translated where it is shown (`core.wording`); the texts of errors have numbered blanks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import bpy

_LOCALES: Final = {"de": ("de_DE", "de"), "ja": ("ja_JP", "ja"), "zh": ("zh_HANS", "zh_CN", "zh")}
"""The names that Blender has given to a language."""
OWN: Final = "DeepHuMS"
"""The context of texts that stand among names which people gave, and of words that Blender takes in another sense."""
_CONTEXTS: Final = ("*", "Operator", OWN)
"""Buttons of operators look in a context of their own."""

_FEWEST_SPACES: Final = 3
_NAMED_BLANK: Final = re.compile(r"{(?!\d+})")

Messages = dict[tuple[str, str], str]


def messages() -> dict[str, Messages]:
    """For each of Blender's locales, the translation of each text in each context."""
    return {locale: _messages(language) for language, locales in _LOCALES.items() for locale in locales}


def _messages(language: str) -> Messages:
    texts = json.loads((Path(__file__).parent / f"{language}.json").read_text("utf-8"))
    return {(context, text): translated for text, translated in texts.items() for context in _CONTEXTS}


def sentences() -> list[str]:
    """The texts that an error may be: of some words, with blanks that are numbered if there are any."""
    texts = json.loads((Path(__file__).parent / "de.json").read_text("utf-8"))
    return [text for text in texts if text.count(" ") >= _FEWEST_SPACES and not _NAMED_BLANK.search(text)]


def register() -> None:
    """Tells Blender the translations."""
    bpy.app.translations.register(__package__, messages())


def unregister() -> None:
    """Takes them back."""
    bpy.app.translations.unregister(__package__)
