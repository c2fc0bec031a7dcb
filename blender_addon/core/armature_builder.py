# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion as a new armature: bones of its own skeleton, and an action that plays it."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
from bpy.types import Context, Object
from mathutils import Vector

from . import action_writer, armature_reader, provenance
from .engine import armature, canonical, motion

_FORWARD = Vector((0.0, -1.0, 0.0))
_UPWARD = Vector((0.0, 0.0, 1.0))
_STEEP = 0.7


def import_motion(context: Context, source: motion.Motion | canonical.CanonicalMotion, start_frame: float) -> Object:
    """Adds an armature that plays a motion from ``start_frame`` on, standing at the 3D cursor, and makes it active.

    A motion that knows only positions, or a canonical one, gets the canonical skeleton in its own size.
    """
    figure = _at_origin(_with_skeleton(source))
    new = armature.new_bones(figure)
    rig = _add_object(context, figure.name or "Motion")
    names = _add_bones(context, rig, figure, new)
    bones = _in_order(armature_reader.read_bones(rig), names)
    rotations, locations = armature.keys(figure, new.joints, bones)
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
    scene = context.scene
    fps = scene.render.fps / scene.render.fps_base
    rotations, locations = armature.at_rate(rotations, locations, figure.fps, fps)
    frames = start_frame + np.arange(len(rotations), dtype=np.float64)
    action = action_writer.write_keys(rig, figure.name or "Motion", bones, frames, rotations, locations)
    provenance.mark(action, source)
    return rig


def _with_skeleton(source: motion.Motion | canonical.CanonicalMotion) -> motion.Motion:
    if isinstance(source, motion.Motion):
        if source.rotations is not None and source.rest_positions is not None:
            return source
        source = canonical.canonicalize(source)
    return armature.from_canonical(source)


def _at_origin(figure: motion.Motion) -> motion.Motion:
    """The motion with its first joint starting over the origin."""
    start = np.nan_to_num(figure.positions[0, 0]) * np.array([1.0, 1.0, 0.0], dtype=np.float32)
    return replace(figure, positions=figure.positions - start)


def _add_object(context: Context, name: str) -> Object:
    """An empty armature object at the 3D cursor, the only one selected and active."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    hidden = context.view_layer.active_layer_collection.exclude
    (context.scene.collection if hidden else context.collection).objects.link(rig)
    rig.location = context.scene.cursor.location
    for other in context.selected_objects:
        other.select_set(False)
    rig.select_set(True)
    context.view_layer.objects.active = rig
    return rig


def _add_bones(context: Context, rig: Object, figure: motion.Motion, new: armature.NewBones) -> list[str]:
    """Makes the bones, and returns the names that Blender gave them, in the order of ``new``."""
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        made = []
        for bone, joint in enumerate(new.joints):
            edit = rig.data.edit_bones.new(figure.joint_names[joint])
            edit.head, edit.tail = Vector(new.heads[bone]), Vector(new.tips[bone])
            steep = abs((edit.tail - edit.head).normalized().dot(_FORWARD)) > _STEEP
            edit.align_roll(_UPWARD if steep else _FORWARD)
            if new.parents[bone] >= 0:
                edit.parent = made[new.parents[bone]]
            made.append(edit)
        return [edit.name for edit in made]
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def _in_order(bones: armature.Bones, names: list[str]) -> armature.Bones:
    """``bones`` in the order of ``names``: Blender sorts them into a tree."""
    order = [bones.names.index(name) for name in names]
    place = {old: new for new, old in enumerate(order)}
    return armature.Bones(
        names=tuple(names),
        parents=np.array([place.get(int(bones.parents[old]), -1) for old in order], dtype=np.intp),
        rest=bones.rest[order],
        tips=bones.tips[order],
        inherits_rotation=bones.inherits_rotation[order],
        local_location=bones.local_location[order],
    )
