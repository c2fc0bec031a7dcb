# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply to Active Rig: a motion from the library or from a file, as a new action of the rig."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty
from bpy.types import Context, UILayout

from .. import preferences, properties
from ..core import action_writer, armature_reader, libraries
from ..core.engine import canonical, errors, formats, retarget
from .find_similar import rig_refusal
from .guarded import Guarded

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.


class HUMS_OT_apply_motion(Guarded):
    """Put the motion on the active rig as a new action, starting at the current frame"""

    bl_idname = "hums.apply_motion"
    bl_label = "Apply Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", description="A motion file, if it is not from a library", subtype="FILE_PATH")
    clip_id: StringProperty(name="Clip", description="Id of a motion in the library", options={"HIDDEN"})
    library: StringProperty(
        name="Library", description="The clip's library; empty: the one searched", options={"HIDDEN"}
    )
    start_s: FloatProperty(name="From", description="Where to start in the motion", min=0.0, unit="TIME_ABSOLUTE")
    end_s: FloatProperty(name="To", description="Where to stop; 0 to its end", min=0.0, unit="TIME_ABSOLUTE")
    root: EnumProperty(name="Path", description="What becomes of the way it travels", items=properties.ROOT_ITEMS)
    placement: EnumProperty(name="Start", description="Where the figure starts", items=properties.PLACEMENT_ITEMS)
    scale: FloatProperty(
        name="Path Scale",
        description="Size of the path; 0 takes the ratio of the legs",
        default=0.0,
        min=0.0,
        soft_max=2.0,
    )
    plant_feet: BoolProperty(
        name="Plant Feet",
        description="Bend the legs so that feet stay in place while they stand in the motion",
        default=False,
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is no rig to put it on."""
        return rig_refusal(context)

    def draw(self, context: Context) -> None:
        """The settings that can be changed after the fact."""
        layout: UILayout = self.layout
        layout.use_property_split = True
        column = layout.column(align=True)
        column.prop(self, "start_s")
        column.prop(self, "end_s")
        layout.prop(self, "root")
        layout.prop(self, "placement")
        layout.prop(self, "scale")
        layout.prop(self, "plant_feet")

    def run(self, context: Context) -> None:
        """Writes the keys."""
        rig = armature_reader.rig_of(context.active_object)
        motion = named_motion(context, self).cut(self.start_s, self.end_s)
        options = retarget.RetargetOptions(
            root=self.root, placement=self.placement, scale=self.scale, plant_feet=self.plant_feet
        )
        scene = context.scene
        fps = scene.render.fps / scene.render.fps_base
        action = action_writer.apply_motion(rig, motion, options, scene.frame_current, fps)
        self.report(
            {"INFO"}, f"{action.name} is on {rig.name}, {motion.duration_s:.1f} s from frame {scene.frame_current}"
        )


def named_motion(context: Context, operator: HUMS_OT_apply_motion) -> canonical.CanonicalMotion:
    """The motion that an operator's ``filepath`` or ``clip_id`` names.

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
