# SPDX-License-Identifier: GPL-3.0-or-later
"""Import as New Armature: a motion on a skeleton of its own."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty, FloatVectorProperty, StringProperty
from bpy.types import Context

from ..core import armature_builder, libraries
from ..core.engine import canonical, errors, formats, motion
from .apply_motion import library_path, named_motion
from .guarded import Guarded

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

rpt = bpy.app.translations.pgettext_rpt


class HUMS_OT_import_motion(Guarded):
    """Add a new armature that plays the motion, at the 3D cursor and from the current frame on"""

    bl_idname = "hums.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", description="A motion file, if it is not from a library", subtype="FILE_PATH")
    clip_id: StringProperty(name="Clip", description="Id of a motion in the library", options={"HIDDEN"})
    library: StringProperty(
        name="Library", description="The clip's library; empty: the one searched", options={"HIDDEN"}
    )
    start_s: FloatProperty(name="From", description="Where to start in the motion", min=0.0, unit="TIME_ABSOLUTE")
    end_s: FloatProperty(name="To", description="Where to stop; 0 to its end", min=0.0, unit="TIME_ABSOLUTE")
    mirrored: BoolProperty(name="Mirrored", description="Exchange left and right", options={"SKIP_SAVE"})
    location: FloatVectorProperty(
        name="Location",
        description="Where the armature stands; if a script does not say it, at the 3D cursor",
        subtype="XYZ",
        unit="LENGTH",
        options={"SKIP_SAVE"},
    )

    def run(self, context: Context) -> None:
        """Adds the armature."""
        source = self._motion(context).cut(self.start_s, self.end_s)
        rig = armature_builder.import_motion(context, source, context.scene.frame_current)
        if self.properties.is_property_set("location"):
            rig.location = self.location
        else:
            self.location = rig.location  # what the redo panel shows, and keeps
        told = rpt("{rig} plays {seconds:.1f} s from frame {frame}")
        frame = context.scene.frame_current
        self.report({"INFO"}, told.format(rig=rig.name, seconds=source.duration_s, frame=frame))

    def _motion(self, context: Context) -> motion.Motion | canonical.CanonicalMotion:
        """The motion on its file's own skeleton; on the canonical one if mirrored, or if the file is out of reach."""
        if self.mirrored:  # only of the canonical skeleton it is known which joints are twins
            return named_motion(context, self).mirror_image()
        if self.filepath:
            return formats.load(bpy.path.abspath(self.filepath))
        if not self.clip_id:
            return named_motion(context, self)
        library = library_path(context, self.library)
        try:
            return libraries.own_motion(library, self.clip_id)
        except errors.MotionFileError:
            return libraries.stored_motion(library, self.clip_id)


CLASSES = (HUMS_OT_import_motion,)
