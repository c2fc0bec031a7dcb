# SPDX-License-Identifier: GPL-3.0-or-later
"""Find Similar: the motion of the active rig, looked for in the library."""

from __future__ import annotations

from pathlib import Path

from bpy.props import EnumProperty, IntProperty
from bpy.types import Context

from .. import preferences, properties
from ..core import armature_reader, libraries, previewed_query, rig_map
from ..core.engine import canonical, errors, library
from .guarded import Guarded

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.


class HUMS_OT_find_similar(Guarded):
    """List the motions of the library that are most like the one on the active rig"""

    bl_idname = "hums.find_similar"
    bl_label = "Find Similar"
    bl_options = {"REGISTER"}

    frame_start: IntProperty(name="Start", description="First frame of the motion; with End 0 the whole motion")
    frame_end: IntProperty(name="End", description="Last frame of the motion; 0 for the whole motion")
    scope: EnumProperty(
        name="Find",
        description="What to compare the motion with",
        items=(
            ("panel", "As in the Panel", "What the panel says"),
            ("clips", "Whole Clips", "Motions that are similar from their start to their end"),
            ("moments", "Moments", "Stretches of longer motions in which this happens"),
        ),
    )
    count: IntProperty(
        name="Results", description="How many motions to list; 0 for the panel's number", min=0, max=1000
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is nothing to search with or in."""
        if preferences.active_library(context) is None:
            return "Add a motion library first"
        return rig_refusal(context)

    def run(self, context: Context) -> None:
        """Fills the list of results."""
        session = properties.session(context)
        entry = preferences.active_library(context)
        assert entry is not None  # poll has seen it
        rig = armature_reader.rig_of(context.active_object)
        first, last = armature_reader.frame_range(rig, context.scene)
        if self.frame_end > 0:
            first, last = self.frame_start, self.frame_end
        with armature_reader.named(rig):
            joint_map = rig_map.joint_map_of(rig)
        question = canonical.canonicalize(armature_reader.read_motion(rig, context.scene, first, last), joint_map)
        scope = session.scope if self.scope == "panel" else self.scope
        hits = libraries.open_library(Path(entry.path)).search(question, self.count or session.count, scope)
        previewed_query.remember(question, first, last)
        session.library, session.question = entry.path, f"{rig.name}, frames {first} to {last}"
        _list(session, entry.path, hits)
        self.report({"INFO"}, _summary(hits, question))


def rig_refusal(context: Context) -> str:
    """Why there is no rig to work on, or empty."""
    try:
        armature_reader.rig_of(context.active_object)
    except errors.HumsError as error:
        return str(error).removesuffix(".")
    return ""


def _list(session: properties.HUMS_Session, library_folder: str, hits: list[library.Hit]) -> None:
    session.results.clear()
    for hit in hits:
        result = session.results.add()
        result.name, result.clip_id, result.source = hit.name, str(hit.clip_id), hit.source
        result.score = hit.score
        result.start_s, result.end_s, result.duration_s = hit.start_s, hit.end_s, hit.duration_s
        result.mirrored, result.library = hit.mirrored, library_folder
        result.starred, result.tags = hit.favourite, ", ".join(hit.tags)
    properties.choose(session, 0)


def _summary(hits: list[library.Hit], question: canonical.CanonicalMotion) -> str:
    if not hits:
        return "The library has no motions yet: index some files first"
    return f"{len(hits)} motions like these {question.duration_s:.1f} seconds; the most similar is {hits[0].name}"


CLASSES = (HUMS_OT_find_similar,)
