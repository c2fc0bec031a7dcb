# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an action's motion came from: written into the action when a motion is applied or imported.

A search from such an action can then say which of its results is the motion that it began with.
"""

from __future__ import annotations

from typing import NamedTuple

from bpy.types import Action

from .engine import canonical, motion

_SOURCE = "hums_source"
_NAME = "hums_motion"


class Provenance(NamedTuple):
    """A motion's file, empty where it is not known, and its name."""

    source: str
    name: str


NOWHERE = Provenance("", "")
"""Of motion that was made in Blender."""


def mark(action: Action, of: motion.Motion | canonical.CanonicalMotion) -> None:
    """Writes down which motion an action plays."""
    action[_SOURCE], action[_NAME] = of.source, of.name


def of_action(action: Action | None) -> Provenance:
    """Which motion an action plays; its own name where nothing was written down, as for Blender's importers."""
    if action is None:
        return NOWHERE
    return Provenance(str(action.get(_SOURCE, "")), str(action.get(_NAME, action.name)))
