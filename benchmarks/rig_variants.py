# SPDX-License-Identifier: GPL-3.0-or-later
"""The same rig made otherwise: other rests, facings, scales, parents and names, which must not show in what lands."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
from bpy.types import Object
from mathutils import Matrix, Vector

from hums_engine.skeleton import INDEX, TWINS

PARENT = "Parent"
Bones = list[tuple[str, str]]


def a_pose(rig: Object, bones: Bones) -> Bones:
    """Arms hanging 50 degrees down from how they rest."""
    return _turned_limbs(rig, bones, {"shoulder": 50.0})


def stance(rig: Object, bones: Bones) -> Bones:
    """Arms down, legs apart: somebody ready to catch a ball."""
    return _turned_limbs(rig, bones, {"shoulder": 70.0, "hip": -15.0})


def facing_back(rig: Object, bones: Bones) -> Bones:
    """Facing +Y, in the armature itself."""
    world = rig.matrix_world.to_quaternion().to_matrix().to_4x4()
    _transform(rig, world.inverted() @ Matrix.Rotation(math.pi, 4, "Z") @ world)
    return bones


def scale_hundredth(rig: Object, bones: Bones) -> Bones:
    """Bones a hundred times as large under an object scale of 0.01."""
    return _rescaled(rig, bones, 0.01)


def scale_hundred(rig: Object, bones: Bones) -> Bones:
    """Bones a hundredth as large under an object scale of 100."""
    return _rescaled(rig, bones, 100.0)


def under_a_parent(rig: Object, bones: Bones) -> Bones:
    """Under a parent that is moved, turned about the vertical and scaled."""
    return _under(rig, bones, Matrix.Rotation(1.0, 3, "Z"), 1.7)


def under_a_tilted_parent(rig: Object, bones: Bones) -> Bones:
    """Under a parent that lies on its side by 40 degrees, as under a camera or on a slope."""
    return _under(rig, bones, Matrix.Rotation(0.7, 3, Vector((0.6, 0.8, 0.0))), 1.0)


def mirrored(rig: Object, bones: Bones) -> Bones:
    """Under a scale of -1 from left to right: bones named left are the figure's right ones."""
    rig.matrix_world = (
        Matrix.LocRotScale((0.0, 0.0, 0.0), Matrix.Rotation(0.0, 3, "Z"), (-1.0, 1.0, 1.0)) @ rig.matrix_world
    )
    bpy.context.view_layer.update()
    return [bones[twin] for twin in TWINS]


def y_up_inside(rig: Object, bones: Bones) -> Bones:
    """Bones that lie in the armature, Y up, and an object turned so that they stand."""
    turn = Matrix.Rotation(math.pi / 2, 4, "X")
    _transform(rig, turn.inverted())
    rig.matrix_world = rig.matrix_world @ turn
    bpy.context.view_layer.update()
    return bones


def anonymous(rig: Object, bones: Bones) -> Bones:
    """Names that say nothing."""
    new = {}
    for i, bone in enumerate(rig.data.bones):
        new[bone.name] = f"b{(i * 37) % 1009:04d}"
    for bone in list(rig.data.bones):
        bone.name = new[bone.name]
    return [(new.get(at, ""), new.get(turning, "")) for at, turning in bones]


VARIANTS: dict[str, Callable[[Object, Bones], Bones]] = {
    function.__name__: function
    for function in (
        a_pose, stance, facing_back, scale_hundredth, scale_hundred, under_a_parent, under_a_tilted_parent, mirrored,
        y_up_inside, anonymous,
    )
}  # fmt: skip


def _under(rig: Object, bones: Bones, turn: Matrix, scale: float) -> Bones:
    parent = bpy.data.objects.new(PARENT, None)
    bpy.context.scene.collection.objects.link(parent)
    parent.matrix_world = Matrix.LocRotScale((2.0, -1.0, 0.0), turn, (scale,) * 3)
    top = rig
    while top.parent is not None:
        top = top.parent
    top.parent = parent
    bpy.context.view_layer.update()
    return bones


def _rescaled(rig: Object, bones: Bones, scale: float) -> Bones:
    _transform(rig, Matrix.Scale(1.0 / scale, 4))
    rig.matrix_world = rig.matrix_world @ Matrix.Scale(scale, 4)
    bpy.context.view_layer.update()
    return bones


def _transform(rig: Object, matrix: Matrix) -> None:
    """Transforms the armature's own bones, and the lengths that its constraints hold them against."""
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in rig.data.edit_bones:
        bone.use_connect = False
    for bone in rig.data.edit_bones:
        bone.transform(matrix)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        for constraint in bone.constraints:
            if constraint.type == "STRETCH_TO":
                constraint.rest_length *= matrix.to_scale().x


def _turned_limbs(rig: Object, bones: Bones, degrees: dict[str, float]) -> Bones:
    """Turns limbs about the axis in which the figure looks, downward on both sides, and makes that the rest pose."""
    world = rig.matrix_world.to_quaternion().to_matrix().to_4x4()
    for joint, angle in degrees.items():
        for side, sign in (("left", 1.0), ("right", -1.0)):
            bone = rig.pose.bones[bones[INDEX[f"{side}_{joint}"]][0]]
            turn = world.inverted() @ Matrix.Rotation(math.radians(sign * angle), 4, "Y") @ world
            head = Matrix.Translation(bone.head)
            bone.matrix = head @ turn @ head.inverted() @ bone.matrix
            bpy.context.view_layer.update()
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.armature_apply(selected=False)
    bpy.ops.object.mode_set(mode="OBJECT")
    return bones
