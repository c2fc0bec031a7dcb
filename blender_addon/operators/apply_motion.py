# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply to Active Rig: a motion from the library or from a file lands on the rig."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Object

from .. import landing_options, preferences, properties
from ..core import action_api, armature_reader, held_channels, landing, libraries
from ..core.engine import canonical, errors, formats
from .chosen import rig_refusal
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

rpt = bpy.app.translations.pgettext_rpt


class HUMS_OT_apply_motion(landing_options.LandingOptions, Guarded):
    """Put the motion on the active rig"""

    bl_idname = "hums.apply_motion"
    bl_label = "Apply Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(
        name="File",
        description="A motion file, if it is not from a library",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    clip_id: StringProperty(name="Clip", description="Id of a motion in the library", options={"HIDDEN", "SKIP_SAVE"})
    library: StringProperty(
        name="Library", description="The clip's library; empty: the one searched", options={"HIDDEN", "SKIP_SAVE"}
    )
    start_s: FloatProperty(
        name="From",
        description="Where the stretch to take starts in the motion",
        min=0.0,
        unit="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )
    end_s: FloatProperty(
        name="To",
        description="Where the stretch ends; 0 for the motion's end",
        min=0.0,
        unit="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )
    mirrored: BoolProperty(name="Mirrored", description="Exchange left and right", options={"SKIP_SAVE"})
    frame: IntProperty(
        name="Start Frame",
        description="Frame of the scene at which the stretch starts; if a script does not say it, the current one",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is no rig to put it on."""
        return rig_refusal(context)

    def draw(self, context: Context) -> None:
        """The settings that can be changed after the fact, the essential ones first."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "frame")
        landing_options.draw_essentials(layout, self)
        layout.prop(self, "mirrored")
        layout.separator()
        column = layout.column(align=True)
        column.prop(self, "start_s")
        column.prop(self, "end_s")
        landing_options.draw_details(layout, self)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click or drag: what the caller does not say is as she chose in the panel."""
        chosen = properties.session(context).landing
        landing_options.take_over(self, chosen)
        if not self.properties.is_property_set("mirrored"):
            self.mirrored = chosen.mirror == "always"  # callers that show a result know whether it was found mirrored
        return self.execute(context)

    def run(self, context: Context) -> None:
        """Writes the keys."""
        if not self.properties.is_property_set("frame"):
            self.frame = context.scene.frame_current  # what the redo panel shows, and keeps
        rig = armature_reader.rig_of(context.active_object)
        whole = named_motion(context, self)
        motion, before_s = cut(whole, self.start_s, self.end_s, self.before_s, self.after_s)
        motion = motion.mirror_image() if self.mirrored else motion
        chosen = landing_options.landing(self, self.frame, before_s)
        landed = landing.land(rig, motion, chosen, context.scene)
        self.report({"INFO"}, told(rig, landed, self.mode, motion.duration_s))


def cut(
    motion: canonical.CanonicalMotion, start_s: float, end_s: float, before_s: float, after_s: float
) -> tuple[canonical.CanonicalMotion, float]:
    """A stretch of a motion with its handles, and the seconds that there are before it."""
    first_s = max(start_s - before_s, 0.0)
    last_s = end_s + after_s if end_s > 0 else 0.0
    return motion.cut(first_s, last_s), min(start_s, motion.duration_s) - min(first_s, motion.duration_s)


def told(rig: Object, landed: landing.Landed, mode: str, duration_s: float) -> str:
    """What came of it, in one sentence."""
    where = {
        "strip": rpt("{action} is a strip above {rig}'s tracks, {seconds:.1f} s from frame {frame}"),
        "insert": rpt("{action} now has the motion on {rig}, {seconds:.1f} s from frame {frame}"),
    }
    text = where.get(mode) or rpt("{action} is on {rig}, {seconds:.1f} s from frame {frame}")
    text = text.format(action=landed.action.name, rig=rig.name, seconds=duration_s, frame=landed.first)
    if mode == "strip" and rig.animation_data.action is not None:
        text += rpt(", below its action {action}").format(action=rig.animation_data.action.name)
    text += shared(action_api.others_playing(rig) if mode in ("replace", "insert") else [])
    if rig.data.pose_position == "REST":
        text += rpt("; set the armature to Pose Position to see it")
    return text + held_channels.told(landed.left)


def shared(others: list[str]) -> str:
    """The part of a sentence that names the objects whose motion has changed with the rig's; empty without any."""
    if not others:
        return ""
    if len(others) == 1:
        return rpt("; {name} plays the same action and has changed too").format(name=others[0])
    text = rpt("; {name} and {count} more play the same action and have changed too")
    return text.format(name=others[0], count=len(others) - 1)


def named_motion(context: Context, operator: Any) -> canonical.CanonicalMotion:  # noqa: ANN401 - several operators
    """The motion that an operator's ``filepath`` or ``clip_id`` and ``library`` name.

    Raises:
        HumsError: neither is given, or what is named cannot be had.
    """
    if operator.filepath:
        return canonical.canonicalize(formats.load(bpy.path.abspath(operator.filepath)))
    if operator.clip_id:
        return libraries.stored_motion(library_path(context, operator.library), operator.clip_id)
    raise errors.HumsError("No motion was named: give a filepath, or the clip_id of a motion in the library.")


def library_path(context: Context, named: str) -> Path:
    """The library that is named, or the one that is searched.

    Raises:
        HumsError: there is none.
    """
    if named:
        return Path(named)
    entry = preferences.active_library(context)
    if entry is None:
        raise errors.HumsError("There is no motion library yet: add one in the sidebar's Motion tab.")
    return Path(entry.path)


CLASSES = (HUMS_OT_apply_motion,)
