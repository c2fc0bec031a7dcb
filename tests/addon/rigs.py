# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs made in Blender for the tests: named, posed, rolled and scaled as riggers do."""

from __future__ import annotations

import math
import random

import bpy
from mathutils import Matrix, Vector

# name, parent, head in metres (x to the left, -y forward), for a body that lets its arms hang at 45 degrees
_BODY = (
    ("Hips", "", (0.0, 0.0, 1.0)),
    ("Spine", "Hips", (0.0, 0.0, 1.12)),
    ("Spine1", "Spine", (0.0, 0.0, 1.25)),
    ("Spine2", "Spine1", (0.0, 0.0, 1.38)),
    ("Neck", "Spine2", (0.0, 0.0, 1.52)),
    ("Head", "Neck", (0.0, -0.02, 1.62)),
    ("LeftShoulder", "Spine2", (0.06, 0.0, 1.47)),
    ("LeftArm", "LeftShoulder", (0.18, 0.0, 1.47)),
    ("LeftForeArm", "LeftArm", (0.37, 0.0, 1.28)),
    ("LeftHand", "LeftForeArm", (0.55, 0.0, 1.10)),
    ("RightShoulder", "Spine2", (-0.06, 0.0, 1.47)),
    ("RightArm", "RightShoulder", (-0.18, 0.0, 1.47)),
    ("RightForeArm", "RightArm", (-0.37, 0.0, 1.28)),
    ("RightHand", "RightForeArm", (-0.55, 0.0, 1.10)),
    ("LeftUpLeg", "Hips", (0.10, 0.0, 0.95)),
    ("LeftLeg", "LeftUpLeg", (0.10, -0.01, 0.52)),
    ("LeftFoot", "LeftLeg", (0.10, 0.02, 0.09)),
    ("LeftToeBase", "LeftFoot", (0.10, -0.11, 0.02)),
    ("RightUpLeg", "Hips", (-0.10, 0.0, 0.95)),
    ("RightLeg", "RightUpLeg", (-0.10, -0.01, 0.52)),
    ("RightFoot", "RightLeg", (-0.10, 0.02, 0.09)),
    ("RightToeBase", "RightFoot", (-0.10, -0.11, 0.02)),
)
MODES = ("QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE", "YXZ")


def humanoid(name: str = "Hero", unit: float = 0.01, mixed_modes: bool = True) -> bpy.types.Object:
    """A Mixamo-named rig in centimetres whose object is scaled, turned and moved, with bones rolled at random."""
    dice = random.Random(5)
    rig = _armature(name)
    bpy.ops.object.mode_set(mode="EDIT")
    made = {}
    for bone, parent, head in _BODY:
        edit = rig.data.edit_bones.new(f"mixamorig:{bone}")
        edit.head = Vector(head) / unit
        child = next((place for _, above, place in _BODY if above == bone and place[2] != head[2]), None)
        edit.tail = Vector(child) / unit if child else edit.head + Vector((0.0, -0.08, 0.0)) / unit
        edit.roll = dice.uniform(-math.pi, math.pi)
        edit.parent = made.get(parent)
        made[bone] = edit
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.matrix_world = Matrix.LocRotScale((2.0, -1.0, 0.0), Matrix.Rotation(math.radians(40), 3, "Z"), (unit,) * 3)
    bpy.context.view_layer.update()
    for index, bone in enumerate(rig.pose.bones):
        bone.rotation_mode = MODES[index % len(MODES)] if mixed_modes else "QUATERNION"
    return rig


def hexapod() -> bpy.types.Object:
    """A rig that is no human figure: six legs about a body, with keys."""
    rig = _armature("Hexapod")
    bpy.ops.object.mode_set(mode="EDIT")
    body = rig.data.edit_bones.new("thorax")
    body.head, body.tail = (0.0, 0.0, 0.3), (0.0, 0.5, 0.3)
    for leg in range(6):
        edit = rig.data.edit_bones.new(f"segment_{leg}")
        edit.parent = body
        edit.head, edit.tail = (0.1, 0.1 * leg, 0.3), (0.5 - (leg % 2), 0.1 * leg, 0.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    key_turns(rig, ["thorax"], frames=20)
    return rig


def key_turns(rig: bpy.types.Object, bones: list[str], frames: int) -> None:
    """Keys a random turn on the first frame, in the middle and on the last, in each bone's own mode."""
    dice = random.Random(7)
    for name in bones:
        bone = rig.pose.bones[name]
        channel = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
        path = channel.get(bone.rotation_mode, "rotation_euler")
        for frame in (1, frames // 2, frames):
            setattr(bone, path, [dice.uniform(-1.0, 1.0) for _ in getattr(bone, path)])
            bone.keyframe_insert(path, frame=frame)


def bone_heads(rig: bpy.types.Object, names: list[str] | None = None) -> list[list[float]]:
    """Where bones start in the world now, as Blender evaluates it."""
    bpy.context.view_layer.update()
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    chosen = [posed.pose.bones[name] for name in names] if names else posed.pose.bones
    return [list(posed.matrix_world @ bone.head) for bone in chosen]


def _armature(name: str) -> bpy.types.Object:
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    return rig
