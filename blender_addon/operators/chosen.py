# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators work on: the libraries, the rig and the result that are chosen, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from bpy.types import Context

from .. import preferences, properties
from ..core import armature_reader, wording
from ..core.engine import errors

tip = bpy.app.translations.pgettext_tip


def library_refusal(context: Context) -> str:
    """Why there is nothing to search in, or empty."""
    return "" if preferences.searched(context) else tip("Add a motion library first")


def rig_refusal(context: Context) -> str:
    """Why there is no rig to work on, or empty."""
    try:
        armature_reader.rig_of(context.active_object)
    except errors.HumsError as error:
        return wording.clause(error)
    return ""


def result_refusal(context: Context) -> str:
    """Why there is no result to work on, or empty."""
    return "" if properties.session(context).results else tip("Nothing was found yet: press Find Similar first")


def result_at(context: Context, index: int) -> properties.HUMS_Result:
    """A result by its place on the list; -1 is the active one.

    Raises:
        HumsError: there is no such result.
    """
    session = properties.session(context)
    place = session.active_result if index < 0 else index
    if not 0 <= place < len(session.results):
        raise errors.HumsError(f"There is no result number {place} on the list, which has {len(session.results)}.")
    return session.results[place]


def description_of(items: Iterable[tuple[str, str, str]], choice: str) -> str:
    """The tooltip of a button that makes one of several choices of an operator."""
    return tip({key: description for key, _, description in items}[choice])
