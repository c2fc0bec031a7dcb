# SPDX-License-Identifier: GPL-3.0-or-later
"""The rigs that retargeting is measured on, brought into the running Blender from the fixtures of the data folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Vector
from numpy.typing import NDArray

from hums_engine.skeleton import JOINT_COUNT, JOINTS

_TRUTH = json.loads(Path(__file__).with_name("rig_truth.json").read_text(encoding="utf-8"))
_SIDES = re.compile(r"\{([^|}]*)\|([^}]*)\}")

# Where a rig's file lies under the data folder; the Rigify rigs come from Blender itself.
FILES = {
    "Knight": "fixtures/rigs/kaykit/Knight.glb",
    "mannequiny": "fixtures/rigs/gdquest_mannequiny/mannequiny.glb",
    "Geno": "fixtures/rigs/geno/Geno.fbx",
    "100style_character": "fixtures/rigs/geno/100style_character.fbx",
    "07_01_cmu": "fixtures/rigs/cmu_fbx/07_01_cmu.fbx",
    "rig.mixamo": "fixtures/rigs/mpfb_rigs/rig.mixamo.json",
    "rig.game_engine": "fixtures/rigs/mpfb_rigs/rig.game_engine.json",
    "rig.cmu_mb": "fixtures/rigs/mpfb_rigs/rig.cmu_mb.json",
    "rig.default": "fixtures/rigs/mpfb_rigs/rig.default.json",
    "rigify_metarig": "",
    "rigify": "",
}

# Rigs that are only mapped; of a generated rig the controls that a person poses are right.
MAPPED = {rig: path for rig, path in FILES.items() if rig != "rigify"} | {
    "08_02_cmu": "fixtures/rigs/cmu_fbx/08_02_cmu.fbx",
    "character-male-a": "fixtures/rigs/kenney_mini/character-male-a.glb",
    "rig.default_no_toes": "fixtures/rigs/mpfb_rigs/rig.default_no_toes.json",
    "rig.game_engine_with_breast": "fixtures/rigs/mpfb_rigs/rig.game_engine_with_breast.json",
    "rig.human": "fixtures/rigs/mpfb_rigs/rig.human.json",
    "rig.human_toes": "fixtures/rigs/mpfb_rigs/rig.human_toes.json",
    "rig.mixamo_unity": "fixtures/rigs/mpfb_rigs/rig.mixamo_unity.json",
    "rig.openpose": "fixtures/rigs/mpfb_rigs/rig.openpose.json",
    "rigify_controls": "",
    "basic_metarig": "",
    "basic_controls": "",
}


def true_bones(rig: str) -> list[str]:
    """The right bone of each canonical joint, empty where the rig has none."""
    names = dict.fromkeys(JOINTS, "")
    truth = _TRUTH[rig]
    while isinstance(truth, str):
        truth = _TRUTH[truth]
    for joint, bone in truth.items():
        for side in (1, 2):
            names[_SIDES.sub(rf"\{side}", joint)] = _SIDES.sub(rf"\{side}", bone)
    return [names[joint] for joint in JOINTS]


def load(rig: str, data: Path) -> Object:
    """Brings the rig into the current scene, without motion, active and alone selected."""
    path = (FILES | MAPPED)[rig]
    armature = _from_file(data / path) if path else _rigify(rig.startswith("basic"), generated="metarig" not in rig)
    if armature.animation_data is not None:
        armature.animation_data.action = None  # its drivers stay
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    for other in bpy.context.view_layer.objects:
        other.select_set(other is armature)
    bpy.context.view_layer.objects.active = armature
    bpy.context.view_layer.update()
    return armature


def _from_file(path: Path) -> Object:
    if path.suffix == ".json":
        return _from_mpfb(path)
    before = set(bpy.data.objects)
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))
    return next(o for o in bpy.data.objects if o not in before and o.type == "ARMATURE")


def _from_mpfb(path: Path) -> Object:
    """Builds the armature of one of MPFB2's rig definitions at its default positions."""
    definition = json.loads(path.read_text(encoding="utf-8"))
    bones = definition.get("bones", definition)
    armature = bpy.data.objects.new(path.stem, bpy.data.armatures.new(path.stem))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name, bone in bones.items():
        edit = armature.data.edit_bones.new(name)
        edit.head, edit.tail = (Vector(bone[end]["default_position"]) for end in ("head", "tail"))
        edit.roll = bone.get("roll", 0.0)
    for name, bone in bones.items():
        if bone.get("parent"):
            armature.data.edit_bones[name].parent = armature.data.edit_bones[bone["parent"]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _rigify(basic: bool, generated: bool) -> Object:
    import addon_utils  # noqa: PLC0415  (exists inside Blender only)

    addon_utils.enable("rigify", default_set=True)
    add = bpy.ops.object.armature_basic_human_metarig_add if basic else bpy.ops.object.armature_human_metarig_add
    add()
    return make_rig() if generated else bpy.context.active_object


def make_rig() -> Object:
    """What Rigify generates from the active metarig."""
    metarig = bpy.context.active_object
    bpy.ops.pose.rigify_generate()
    return next(o for o in bpy.data.objects if o.type == "ARMATURE" and o is not metarig)


def posed_joints(armature: Object, bones: list[str], frames: range) -> NDArray[np.float64]:
    """World positions ``[T, 22, 3]`` of the rig's joints as Blender evaluates them, NaN where it has none."""
    joints = np.full((len(frames), JOINT_COUNT, 3), np.nan)
    scene = bpy.context.scene
    for t, frame in enumerate(frames):
        scene.frame_set(frame)
        for joint, bone in enumerate(bones):
            if bone:
                joints[t, joint] = armature.matrix_world @ armature.pose.bones[bone].head
    return joints
