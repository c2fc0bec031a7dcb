# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig Map: which bone is which joint, corrected by hand, saved, shared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Object

from .. import rig_map_fields
from ..core import armature_reader, rig_map, user_maps
from ..core.engine import errors
from .chosen import rig_refusal
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

tip = bpy.app.translations.pgettext_tip
rpt = bpy.app.translations.pgettext_rpt


class _OnRig(Guarded):
    """An operator on the active rig's map."""

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is no rig."""
        return rig_refusal(context)


class HUMS_OT_show_joint(_OnRig):
    """Select the bone that this joint is on, and show the joint in the picture"""

    bl_idname = "hums.show_joint"
    bl_label = "Show Joint"
    bl_options = {"REGISTER", "UNDO"}

    joint: StringProperty(name="Joint", description="Name of the joint, such as left_elbow")

    def run(self, context: Context) -> None:
        """Selects the bone."""
        rig = armature_reader.rig_of(context.active_object)
        rig_map_fields.state(context).chosen = self.joint
        name = rig_map.bones_of(rig).get(self.joint, "")
        _select(rig, name)
        told = rpt("{joint} is {bone}") if name else rpt("{joint} is on no bone")
        self.report({"INFO"}, told.format(joint=self.joint.replace("_", " ").capitalize(), bone=name))


class HUMS_OT_set_joint(_OnRig):
    """Put the joint on the active bone"""

    bl_idname = "hums.set_joint"
    bl_label = "From Active Bone"
    bl_options = {"REGISTER", "UNDO"}

    joint: StringProperty(name="Joint", description="Name of the joint, such as left_elbow")
    bone: StringProperty(name="Bone", description="Name of the bone; empty: the active one")
    clear: BoolProperty(name="None", description="The rig has no such joint", options={"SKIP_SAVE"})
    mirrored: BoolProperty(name="Both Sides", description="Set the other side, too", options={"SKIP_SAVE"})

    def run(self, context: Context) -> None:
        """Corrects the map."""
        rig = armature_reader.rig_of(context.active_object)
        bone = "" if self.clear else self.bone or _active_bone(rig)
        rig_map.correct(rig, self.joint, bone, self.mirrored)
        rig_map_fields.state(context).chosen = self.joint


class HUMS_OT_reset_rig_map(_OnRig):
    """Drop the corrections made by hand and go back to the map that is found"""

    bl_idname = "hums.reset_rig_map"
    bl_label = "Reset to Found Map"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is anything to drop."""
        reason = rig_refusal(context)
        if reason:
            return reason
        rig = armature_reader.rig_of(context.active_object)
        return "" if rig_map.remembered(rig) else tip("Nothing was corrected by hand")

    def run(self, context: Context) -> None:
        """Drops them."""
        rig_map.forget(armature_reader.rig_of(context.active_object))


class HUMS_OT_save_rig_map(_OnRig):
    """Save the map under a name; rigs with the same bones use it by themselves from now on"""

    bl_idname = "hums.save_rig_map"
    bl_label = "Save Rig Map"
    bl_options = {"REGISTER"}

    title: StringProperty(name="Name", description="What the map is called, such as the production's rig")

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the name."""
        self.title = self.title or armature_reader.rig_of(context.active_object).name
        return context.window_manager.invoke_props_dialog(self)

    def run(self, context: Context) -> None:
        """Saves it."""
        path = user_maps.save(armature_reader.rig_of(context.active_object), self.title)
        self.report({"INFO"}, rpt("The map '{title}' is saved as {file}").format(title=self.title, file=path.name))


class HUMS_OT_load_rig_map(_OnRig):
    """Use this saved map for the active rig"""

    bl_idname = "hums.load_rig_map"
    bl_label = "Use Saved Map"
    bl_options = {"REGISTER", "UNDO"}

    family: StringProperty(name="Map", description="Name of the map's file without its ending")

    def run(self, context: Context) -> None:
        """Puts it on the rig."""
        user_maps.load(armature_reader.rig_of(context.active_object), self.family)


class _OnSavedMap(Guarded):
    """An operator on one of the saved maps."""

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there are any."""
        return "" if user_maps.titles() else tip("No map was saved yet")


class HUMS_OT_delete_rig_map(_OnSavedMap):
    """Delete this saved map; rigs that use it go back to the map that is found"""

    bl_idname = "hums.delete_rig_map"
    bl_label = "Delete Saved Map"
    bl_options = {"REGISTER"}

    family: StringProperty(name="Map", description="Name of the map's file without its ending")

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Asks first."""
        return context.window_manager.invoke_confirm(self, event)

    def run(self, context: Context) -> None:
        """Deletes it."""
        user_maps.delete(self.family)


class HUMS_OT_export_rig_map(_OnSavedMap):
    """Write this saved map to a file that others can import"""

    bl_idname = "hums.export_rig_map"
    bl_label = "Export Saved Map"
    bl_options = {"REGISTER"}

    family: StringProperty(name="Map", description="Name of the map's file without its ending")
    filepath: StringProperty(name="File", description="The file to write", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the file."""
        self.filepath = f"{self.family}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Writes it."""
        user_maps.export(self.family, Path(bpy.path.abspath(self.filepath)))


class HUMS_OT_import_rig_map(Guarded):
    """Add a map that somebody shared; rigs with its bones use it by themselves from now on"""

    bl_idname = "hums.import_rig_map"
    bl_label = "Import Rig Map"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="File", description="A map's file", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Takes it in."""
        title = user_maps.bring(Path(bpy.path.abspath(self.filepath)))
        self.report({"INFO"}, rpt("The map '{title}' is used for rigs with its bones").format(title=title))


def _active_bone(rig: Object) -> str:
    """The active bone.

    Raises:
        HumsError: there is none.
    """
    bone = rig.data.bones.active
    if bone is None:
        raise errors.HumsError("No bone is active: click one in Pose Mode first.")
    return bone.name


def _select(rig: Object, name: str) -> None:
    """Makes a bone the only selected one, and active; where selection is kept depends on Blender's version."""
    for pose_bone in rig.pose.bones:
        owner: Any = pose_bone if hasattr(pose_bone, "select") else pose_bone.bone
        owner.select = pose_bone.name == name
    if name:
        rig.data.bones.active = rig.data.bones[name]


CLASSES = (
    HUMS_OT_show_joint,
    HUMS_OT_set_joint,
    HUMS_OT_reset_rig_map,
    HUMS_OT_save_rig_map,
    HUMS_OT_load_rig_map,
    HUMS_OT_delete_rig_map,
    HUMS_OT_export_rig_map,
    HUMS_OT_import_rig_map,
)
