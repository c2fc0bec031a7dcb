# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Similar: the motion of the active rig, of a result or of a file, looked for in the libraries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Object

from .. import properties
from ..core import armature_reader, libraries, provenance, questions, rig_map, wording
from ..core.engine import canonical, errors, formats, skeleton
from . import asking, listing, reading_rig
from .chosen import description_of, library_refusal, result_at, result_refusal, rig_refusal
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

rpt = bpy.app.translations.pgettext_rpt

_FROM_PANEL = ("panel", "As in the Panel", "What the panel says")


class HUMS_OT_find_similar(Guarded):
    """List the motions of the library that are most like the one on the active rig"""

    bl_idname = "hums.find_similar"
    bl_label = "Find Similar"
    bl_options = {"REGISTER"}

    frame_start: IntProperty(name="Start", description="First frame of the motion; with End 0 the panel's frames")
    frame_end: IntProperty(name="End", description="Last frame of the motion; 0 for the panel's frames")
    scope: EnumProperty(
        name="Find", description="What to compare the motion with", items=(_FROM_PANEL, *properties.SCOPE_ITEMS)
    )
    count: IntProperty(
        name="Results", description="How many motions to list; 0 for the panel's number", min=0, max=1000
    )
    bones: EnumProperty(
        name="Bones",
        description="Which bones are compared",
        items=(
            _FROM_PANEL,
            ("all", "All", "The whole body"),
            ("selected", "Selected", "Only bones that are selected in Pose Mode, such as an arm"),
        ),
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is nothing to search with or in."""
        return library_refusal(context) or rig_refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: Blender stays usable while the motion is read and looked for."""
        return self.guard(lambda: start_with_rig(context, self))

    def run(self, context: Context) -> None:
        """Fills the list of results, and waits for it."""
        question = _RigQuestion(context, self)
        while question.reading.progress < 1.0:
            question.reading.advance(float("inf"))
        answer = asking.ask_now(context, question.subject(), self.terms(context))
        self.report({"INFO"}, _summary(answer))

    def terms(self, context: Context) -> questions.Terms:
        """Where and how to look.

        Raises:
            HumsError: there is no library.
        """
        of_panel = asking.terms(context)
        scope = of_panel.scope if self.scope == "panel" else self.scope
        return replace(of_panel, scope=scope, count=self.count or of_panel.count)


class _RigQuestion:
    """The question that a rig's motion is; made where Blender's data may be read, asked anywhere.

    Raises:
        HumsError: there is no rig, no motion on it, or none of the selected bones is a joint of the body.
    """

    def __init__(self, context: Context, settings: HUMS_OT_find_similar | None) -> None:
        rig = armature_reader.rig_of(context.active_object)
        first, last = frames_of(context, rig)
        if settings is not None and settings.frame_end > 0:
            first, last = settings.frame_start, settings.frame_end
        bones = settings.bones if settings is not None else "panel"
        with armature_reader.named(rig):
            self._joint_map = rig_map.joint_map_of(rig)
        by_selection = properties.session(context).selected_bones if bones == "panel" else bones == "selected"
        self._joints = _selected_joints(rig, self._joint_map) if by_selection else None
        self._frames = first, last
        self._name = rig.name
        self.reading = armature_reader.Reading(rig, context.scene, first, last)

    def subject(self) -> questions.Subject:
        """What to look for, once the motion is read."""
        motion, joint_map = self.reading.motion, self._joint_map
        example = questions.Example(
            self._name, lambda: canonical.canonicalize(motion, joint_map), self.reading.origin, self._frames
        )
        return questions.Subject(like=(example,), joints=self._joints)


def start_with_rig(context: Context, settings: HUMS_OT_find_similar | None = None) -> None:
    """Reads the active rig's motion and asks with it, beside Blender.

    Raises:
        HumsError: there is nothing to ask with or in.
    """
    question = _RigQuestion(context, settings)
    how = settings.terms(context) if settings is not None else asking.terms(context)
    reading_rig.read(question.reading, lambda: asking.ask(bpy.context, question.subject(), how))


def frames_of(context: Context, rig: Object) -> tuple[int, int]:
    """The frames that are searched with: those typed in the panel, or the rig's.

    Raises:
        HumsError: nothing moves the rig.
    """
    session = properties.session(context)
    if session.frames == "typed":
        return session.frame_start, session.frame_end
    return armature_reader.frame_range(rig, context.scene)


def _selected_joints(rig: Object, joint_map: rig_map.mapping.JointMap) -> tuple[str, ...]:
    """The canonical joints that selected bones move: those at their heads, and the next ones, which they turn.

    Raises:
        HumsError: no selected bone is a joint of the body.
    """
    selected = armature_reader.selected_bones(rig)
    heads = {joint for joint, bone in enumerate(joint_map.joints.tolist()) if bone in selected}
    moved = {joint for joint, parent in enumerate(skeleton.PARENTS.tolist()) if parent in heads}
    if not heads:
        raise errors.HumsError(
            "None of the selected bones is a joint of the body: select bones of arms, legs or trunk in Pose Mode, "
            "or switch Selected Bones Only off."
        )
    return tuple(skeleton.JOINTS[joint] for joint in sorted(heads | moved))


_HOW = (
    ("instead", "More Like This", "Search with this result instead"),
    ("also", "Also Like This", "Search for what this result and the motions before have in common"),
    ("not", "Not Like This", "Leave out what is like this result"),
)


class HUMS_OT_more_like_this(Guarded):
    """Search with this result"""

    bl_idname = "hums.more_like_this"
    bl_label = "More Like This"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place in the list of results; -1 for the active one", default=-1)
    how: EnumProperty(
        name="How",
        description="What becomes of the motion that was searched with",
        items=_HOW,
    )

    @classmethod
    def description(cls, _context: Context, settings: HUMS_OT_more_like_this) -> str:
        """The tooltip of each of the three."""
        return description_of(_HOW, settings.how)

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is a result."""
        return library_refusal(context) or result_refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click."""
        return self.guard(lambda: asking.ask(context, self._subject(context), asking.terms(context)))

    def run(self, context: Context) -> None:
        """Fills the list of results, and waits for it."""
        self.report({"INFO"}, _summary(asking.ask_now(context, self._subject(context), asking.terms(context))))

    def _subject(self, context: Context) -> questions.Subject:
        example = _example_of(result_at(context, self.index))
        if self.how == "instead":
            return questions.Subject(like=(example,))
        before = listing.subject()
        if self.how == "also":
            return before.also(example)
        if not before.like:
            raise errors.HumsError("Nothing was searched with yet: press Find Similar or More Like This first.")
        return before.but_not(example)


class HUMS_OT_find_like_file(Guarded):
    """List the motions of the library that are most like the one in a file"""

    bl_idname = "hums.find_like_file"
    bl_label = "Find Motions Like a File"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="File", description="A motion file", subtype="FILE_PATH")

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is nothing to search in."""
        return library_refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: asks for the file if there is none yet."""
        if not self.filepath:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return self.guard(lambda: asking.ask(context, self._subject(), asking.terms(context)))

    def run(self, context: Context) -> None:
        """Fills the list of results, and waits for it."""
        self.report({"INFO"}, _summary(asking.ask_now(context, self._subject(), asking.terms(context))))

    def _subject(self) -> questions.Subject:
        path = bpy.path.abspath(self.filepath)
        name = Path(path).stem
        example = questions.Example(
            Path(path).name, lambda: canonical.canonicalize(formats.load(path)), provenance.Provenance(path, name)
        )
        return questions.Subject(like=(example,))


class HUMS_OT_clear_query(Guarded):
    """Forget the motion that was searched with, and list motions by name and filters only"""

    bl_idname = "hums.clear_query"
    bl_label = "Clear Query"
    bl_options = {"REGISTER"}

    def run(self, context: Context) -> None:
        """Lists by name what the filters let through, or nothing."""
        reading_rig.cancel(context)
        asking.clear(context)
        asking.ask_again(context)


class HUMS_OT_clear_filters(Guarded):
    """Look at all motions again"""

    bl_idname = "hums.clear_filters"
    bl_label = "Clear Filters"
    bl_options = {"REGISTER"}

    def run(self, context: Context) -> None:
        """Sets every filter back."""
        filters = properties.session(context).filters
        for settable in filters.bl_rna.properties:
            filters.property_unset(settable.identifier)
        asking.ask_again(context)


def _example_of(result: properties.HUMS_Result) -> questions.Example:
    """The stretch of a result, as something to search with."""
    folder, clip_id, start_s, end_s = Path(result.library), result.clip_id, result.start_s, result.end_s
    is_part = result.is_part

    def read() -> canonical.CanonicalMotion:
        motion = libraries.stored_motion(folder, clip_id)
        return motion.cut(start_s, end_s) if is_part else motion

    return questions.Example(result.name, read, provenance.Provenance(result.source, result.name))


def _summary(answer: questions.Answer) -> str:
    if not answer.found:
        return rpt("Nothing was found: index some files first, or loosen the filters")
    seconds = answer.subject.like[0].motion.duration_s
    one = rpt("1 motion like these {seconds:.1f} seconds: {name}")
    several = rpt("{count} motions like these {seconds:.1f} seconds; the most similar is {name}")
    return wording.counted(len(answer.found), one, several, seconds=seconds, name=answer.found[0].hit.name)


CLASSES = (
    HUMS_OT_find_similar,
    HUMS_OT_more_like_this,
    HUMS_OT_find_like_file,
    HUMS_OT_clear_query,
    HUMS_OT_clear_filters,
)
