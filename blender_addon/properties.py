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

from . import landing_options, translations

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

EXTENT_ITEMS = (
    ("stretch", "Stretch Found", "Only the stretch that is like your motion"),
    ("whole", "Whole Motion", "The motion from its start to its end"),
)

ENDED_ITEMS = (
    ("done", "All Done", "Everything was done"),
    ("part", "Part Done", "Nothing was found, or some files failed"),
    ("failed", "Failed", "It ended with a failure"),
)


asked_anew: list[Callable[[], None]] = []
"""Called when a person changes what is searched for: a text, a filter, the scope."""
shown_anew: list[Callable[[], None]] = []
"""Called when a person changes how results are listed: their order, and whether stretches are grouped."""
live_switched: list[Callable[[Context], None]] = []
"""Called when live mode is switched on or off."""
row_pressed: list[Callable[[Context], None]] = []
"""Called when a person presses a row of the results, also the one that is active already; code uses `choose`."""

_choosing: list[int] = []
_PART_S = 0.1
"""A stretch that leaves out less than this is the whole motion."""


def _ask_anew(_owner: PropertyGroup, _context: Context) -> None:
    for told in asked_anew:
        told()


def _switch_live(_owner: PropertyGroup, context: Context) -> None:
    for told in live_switched:
        told(context)


def _show_anew(_owner: PropertyGroup, _context: Context) -> None:
    for told in shown_anew:
        told()


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
    picked: BoolProperty(name="Picked", description="Take this motion when picked results become actions")
    tags: StringProperty(name="Tags", description="What people tagged the motion with, separated by commas")
    scored: BoolProperty(name="Compared", description="It was found by its motion, not by its name", default=True)
    own: BoolProperty(name="Source of the Query", description="The motion that you searched with came from here")
    others: IntProperty(name="Further Stretches", description="In how many more places of the motion this happens")

    @property
    def is_part(self) -> bool:
        """Whether the stretch that was found leaves a part of the motion out."""
        return self.end_s - self.start_s < self.duration_s - _PART_S


def _tell_row_pressed(_session: HUMS_Session, context: Context) -> None:
    for told in row_pressed if not _choosing else ():
        told(context)


class HUMS_Facts(PropertyGroup):
    """What is in a library, as it was looked up last."""

    name: StringProperty(name="Library", description="Folder of the library")
    clips: IntProperty(name="Motions", description="How many motions the library holds")
    duration_s: FloatProperty(name="Duration", description="How long its motions last together", unit="TIME_ABSOLUTE")
    missing: IntProperty(name="Missing Files", description="How many motion files are not where they were")
    failed: IntProperty(name="Failed Files", description="How many motion files could not be read")
    readonly: BoolProperty(name="Read Only", description="The library cannot be changed from here")
    trouble: StringProperty(name="Trouble", description="Why the library cannot be opened")


def _suggest_tags(_owner: PropertyGroup, _context: Context, text: str) -> list[str]:
    return [word for word in known_tags if text.casefold() in word.casefold()]


def _suggest_rigs(_owner: PropertyGroup, _context: Context, text: str) -> list[str]:
    return [word for word in known_rigs if text.casefold() in word.casefold()]


known_tags: list[str] = []
"""The tags in the libraries, to choose from while typing."""
known_rigs: list[str] = []
"""The rig families in the libraries."""


class HUMS_Filters(PropertyGroup):
    """Which motions are looked at."""

    text: StringProperty(
        name="Name or Tag",
        description="Only motions whose name or tags have this in them; without a rig's motion, all of those",
        options={"TEXTEDIT_UPDATE"},
        update=_ask_anew,
    )
    tag: StringProperty(
        name="Tag",
        description="Only motions with this tag",
        translation_context=translations.OWN,
        update=_ask_anew,
        search=_suggest_tags,
        search_options={"SUGGESTION"},
    )
    folder: StringProperty(
        name="Folder", description="Only motions of files in this folder", subtype="DIR_PATH", update=_ask_anew
    )
    rig: StringProperty(
        name="Rig",
        description="Only motions that were recorded for this kind of rig, such as mixamo",
        update=_ask_anew,
        search=_suggest_rigs,
        search_options={"SUGGESTION"},
    )
    starred: BoolProperty(name="Starred Only", description="Only motions that are marked with a star", update=_ask_anew)
    shortest_s: FloatProperty(
        name="At Least",
        description="Only motions that last at least so many seconds",
        min=0.0,
        soft_max=60.0,
        unit="TIME_ABSOLUTE",
        update=_ask_anew,
    )
    longest_s: FloatProperty(
        name="At Most",
        description="Only motions that last at most so many seconds; 0 for any length",
        min=0.0,
        soft_max=60.0,
        unit="TIME_ABSOLUTE",
        update=_ask_anew,
    )
    fps: FloatProperty(
        name="Frame Rate",
        description="Only motions that were recorded at so many frames a second; 0 for any rate",
        min=0.0,
        soft_max=240.0,
        precision=0,
        update=_ask_anew,
    )


SCOPE_ITEMS = (
    ("clips", "Whole Clips", "Motions that are similar from their start to their end"),
    ("moments", "Moments", "Stretches of longer motions in which this happens"),
)
RANGE_ITEMS = (
    ("rig", "Rig's Motion", "The preview range if it is on, else the action's frames, else the scene's"),
    ("typed", "These Frames", "The frames that are typed below"),
)
ORDER_ITEMS = (
    ("score", "Score", "The most similar motion first"),
    ("name", "Name", "In the order of the alphabet"),
    ("duration", "Duration", "The shortest motion first"),
)


class HUMS_Session(PropertyGroup):
    """State of the panels."""

    results: CollectionProperty(type=HUMS_Result)
    active_result: IntProperty(
        name="Result", description="The motion that is put on a rig or imported", update=_tell_row_pressed
    )
    question: StringProperty(name="Query", description="What was searched for")

    scope: EnumProperty(name="Find", description="What to compare the motion with", items=SCOPE_ITEMS, update=_ask_anew)
    count: IntProperty(
        name="Results",
        description="How many motions to list",
        default=20,
        min=1,
        soft_max=100,
        max=1000,
        update=_ask_anew,
    )
    mirror: BoolProperty(
        name="Mirrored Too",
        description="Also find motions that are like yours with left and right exchanged",
        update=_ask_anew,
    )
    frames: EnumProperty(name="Frames", description="Which frames of the rig are searched with", items=RANGE_ITEMS)
    frame_start: IntProperty(name="Start", description="First frame to search with", default=1)
    frame_end: IntProperty(name="End", description="Last frame to search with", default=60)
    selected_bones: BoolProperty(
        name="Selected Bones Only",
        description="Compare only the bones that are selected in Pose Mode, such as an arm",
    )
    live: BoolProperty(
        name="Live",
        description="Search again by itself when the active rig, its frames or its keys change",
        update=_switch_live,
    )
    filters: PointerProperty(type=HUMS_Filters)
    order: EnumProperty(name="Sort By", description="The order of the results", items=ORDER_ITEMS, update=_show_anew)
    group: BoolProperty(
        name="Group by Motion",
        description="List a motion once, with its best stretch; else every stretch that was found",
        default=True,
        update=_show_anew,
    )
    hidden: IntProperty(name="Hidden", description="How many motions were taken off the list")
    searching: BoolProperty(name="Searching", description="The libraries are being searched")
    reading: FloatProperty(name="Reading", description="How much of the rig's motion is read", min=0.0, max=1.0)
    trouble: StringProperty(name="Trouble", description="What went wrong last, and what to do")
    facts: CollectionProperty(type=HUMS_Facts)

    extent: EnumProperty(name="Take", description="How much of the motion is taken", items=EXTENT_ITEMS)
    landing: PointerProperty(type=landing_options.HUMS_Landing)

    indexing: BoolProperty(name="Indexing", description="Motion files are being added to a library")
    progress: FloatProperty(name="Progress", description="How much of the files is done", min=0.0, max=1.0)
    progress_text: StringProperty(name="Progress", description="How many files are done, and the time left")
    outcome: StringProperty(name="Outcome", description="How the last indexing ended")
    outcome_kind: EnumProperty(name="Ended", description="Whether the last indexing did all", items=ENDED_ITEMS)


def session(context: Context) -> HUMS_Session:
    """The state of the panels."""
    return context.window_manager.hums  # type: ignore[attr-defined]


def taken_s(session: HUMS_Session, result: HUMS_Result) -> tuple[float, float]:
    """Start and end of what the person takes of a result: the stretch that was found, or all of it, told by 0 and 0."""
    return (result.start_s, result.end_s) if session.extent == "stretch" and result.is_part else (0.0, 0.0)


def is_mirrored(session: HUMS_Session, result: HUMS_Result) -> bool:
    """Whether left and right of a result are to be exchanged, by the person's choice."""
    return {"found": result.mirrored, "always": True, "never": False}[session.landing.mirror]


def choose(session: HUMS_Session, index: int) -> None:
    """Makes a result the active one without anyone having pressed it."""
    _choosing.append(index)
    try:
        session.active_result = index
    finally:
        _choosing.pop()


_CLASSES = (HUMS_Result, HUMS_Facts, HUMS_Filters, HUMS_Session)


def register() -> None:
    """Registers the session's state."""
    landing_options.register()
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    WindowManager.hums = PointerProperty(type=HUMS_Session, options={"SKIP_SAVE"})  # type: ignore[attr-defined]


def unregister() -> None:
    """Unregisters the session's state; the window manager keeps it, but what was under way is not any more."""
    for name in ("indexing", "progress", "searching", "reading"):
        session(bpy.context).property_unset(name)
    del WindowManager.hums  # type: ignore[attr-defined]
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    landing_options.unregister()
