# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels show and lasts for the session: the question, its answers, and the progress of indexing.

It lives in the window manager, so undo leaves it alone and no file keeps it.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import Context, PropertyGroup, WindowManager

from . import landing_options

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

EXTENT_ITEMS = (
    ("stretch", "Stretch Found", "Only the stretch that is like your motion"),
    ("whole", "Whole Motion", "The motion from its start to its end"),
)


row_pressed: list[Callable[[Context], None]] = []
"""Called when a person presses a row of the results, also the one that is active already; code uses `choose`."""

_choosing: list[int] = []


class HUMS_Result(PropertyGroup):
    """One motion that was found."""

    name: StringProperty(name="Name", description="What the motion is called")
    clip_id: StringProperty(name="Clip", description="The motion's id in its library")
    source: StringProperty(name="File", description="The file that the motion is from")
    score: FloatProperty(name="Score", description="How similar the motion is: 100 is the same", min=0.0, max=100.0)
    start_s: FloatProperty(name="From", description="Where the stretch that was found starts", unit="TIME_ABSOLUTE")
    end_s: FloatProperty(name="To", description="Where the stretch that was found ends", unit="TIME_ABSOLUTE")
    duration_s: FloatProperty(name="Duration", description="How long the whole motion is", unit="TIME_ABSOLUTE")
    mirrored: BoolProperty(name="Mirrored", description="It is the mirror image of this motion that is similar")
    library: StringProperty(name="Library", description="Folder of the library that the motion is in")
    starred: BoolProperty(name="Starred", description="The motion is marked with a star in its library")
    tags: StringProperty(name="Tags", description="What people tagged the motion with, separated by commas")
    scored: BoolProperty(name="Compared", description="It was found by its motion, not by its name", default=True)
    own: BoolProperty(name="Source of the Query", description="The motion that you searched with came from here")
    others: IntProperty(name="Further Stretches", description="In how many more places of the motion this happens")


def _tell_row_pressed(_session: HUMS_Session, context: Context) -> None:
    for told in row_pressed if not _choosing else ():
        told(context)


class HUMS_Session(PropertyGroup):
    """State of the panels."""

    results: CollectionProperty(type=HUMS_Result)
    active_result: IntProperty(
        name="Result", description="The motion that is put on a rig or imported", update=_tell_row_pressed
    )
    library: StringProperty(name="Library", description="The library that the results are from")
    question: StringProperty(name="Query", description="What was searched for")

    scope: EnumProperty(
        name="Find",
        description="What to compare the motion with",
        items=(
            ("clips", "Whole Clips", "Motions that are similar from their start to their end"),
            ("moments", "Moments", "Stretches of longer motions in which this happens"),
        ),
    )
    count: IntProperty(
        name="Results", description="How many motions to list", default=20, min=1, soft_max=100, max=1000
    )
    extent: EnumProperty(name="Take", description="How much of the motion is taken", items=EXTENT_ITEMS)
    landing: PointerProperty(type=landing_options.HUMS_Landing)

    indexing: BoolProperty(name="Indexing", description="Motion files are being added to a library")
    progress: FloatProperty(name="Progress", description="How much of the files is done", min=0.0, max=1.0)
    progress_text: StringProperty(name="Progress", description="How many files are done, and the time left")
    outcome: StringProperty(name="Outcome", description="How the last indexing ended")
    outcome_failed: BoolProperty(name="Failed", description="The last indexing ended with a failure")


def session(context: Context) -> HUMS_Session:
    """The state of the panels."""
    return context.window_manager.hums  # type: ignore[attr-defined]


def choose(session: HUMS_Session, index: int) -> None:
    """Makes a result the active one without anyone having pressed it."""
    _choosing.append(index)
    try:
        session.active_result = index
    finally:
        _choosing.pop()


_CLASSES = (HUMS_Result, HUMS_Session)


def register() -> None:
    """Registers the session's state."""
    landing_options.register()
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    WindowManager.hums = PointerProperty(type=HUMS_Session, options={"SKIP_SAVE"})  # type: ignore[attr-defined]


def unregister() -> None:
    """Unregisters the session's state."""
    del WindowManager.hums  # type: ignore[attr-defined]
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    landing_options.unregister()
