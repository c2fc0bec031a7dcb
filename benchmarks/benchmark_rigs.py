# SPDX-License-Identifier: GPL-3.0-or-later
"""The rigs that retargeting is measured on, brought into the running Blender from the fixtures of the data folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Vector
from numpy.typing import NDArray

from benchmarks.retarget_measures import Performance
from hums_engine import quat
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
    "rig.default_no_toes": "fixtures/rigs/mpfb_rigs/rig.default_no_toes.json",
    "rig.game_engine_with_breast": "fixtures/rigs/mpfb_rigs/rig.game_engine_with_breast.json",
    "rig.human": "fixtures/rigs/mpfb_rigs/rig.human.json",
    "rig.human_toes": "fixtures/rigs/mpfb_rigs/rig.human_toes.json",
    "rig.mixamo_unity": "fixtures/rigs/mpfb_rigs/rig.mixamo_unity.json",
    "rig.openpose": "fixtures/rigs/mpfb_rigs/rig.openpose.json",
    "08_02_cmu": "fixtures/rigs/cmu_fbx/08_02_cmu.fbx",
    "character-male-a": "fixtures/rigs/kenney_mini/character-male-a.glb",
    "rigify_metarig": "",
    "rigify": "",
}

# Rigs that are only mapped; of a generated rig the controls that a person poses are right.
MAPPED = {rig: path for rig, path in FILES.items() if rig != "rigify"} | {
    "rigify_controls": "",
    "basic_metarig": "",
    "basic_controls": "",
}


def true_bones(rig: str) -> list[str]:
    """The right bone of each canonical joint, empty where the rig has none."""
    return [at for at, _ in true_pairs(rig)]


def true_pairs(rig: str) -> list[tuple[str, str]]:
    """For each canonical joint the bone that starts there and the one that turns what leaves it; empty without it."""
    names: dict[str, tuple[str, str]] = dict.fromkeys(JOINTS, ("", ""))
    truth = _TRUTH[rig]
    while isinstance(truth, str):
        truth = _TRUTH[truth]
    for joint, bones in truth.items():
        at, turning = bones if isinstance(bones, list) else (bones, bones)
        for side in (1, 2):
            chosen = [_SIDES.sub(rf"\{side}", text) for text in (joint, at, turning)]
            names[chosen[0]] = (chosen[1], chosen[2])
    return [names[joint] for joint in JOINTS]


def load(rig: str, data: Path) -> Object:
    """Brings the rig into the current scene, without motion, active and alone selected."""
    path = (FILES | MAPPED)[rig]
    armature = _from_file(data / path) if path else _rigify(rig.startswith("basic"), generated="metarig" not in rig)
    to_rest(armature)
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


@dataclass(frozen=True, eq=False)
class Posed:
    """Joints ``[T, 22, 3]`` and bone axes ``[T, 22, 4]`` of a rig in the world, NaN where it has none."""

    joints: NDArray[np.float64]
    axes: NDArray[np.float64]


def posed(armature: Object, bones: list[tuple[str, str]], frames: range) -> Posed:
    """The rig's joints as Blender evaluates them, at the bones that were named by hand."""
    matrices = np.full((len(frames), JOINT_COUNT, 2, 4, 4), np.nan)
    scene = bpy.context.scene
    for t, frame in enumerate(frames):
        scene.frame_set(frame)
        for joint, pair in enumerate(bones):
            for k, bone in enumerate(pair if pair[0] else ()):
                matrices[t, joint, k] = armature.matrix_world @ armature.pose.bones[bone].matrix
    joints, axes = matrices[:, :, 0, :3, 3], np.full((len(frames), JOINT_COUNT, 4), np.nan)
    known = np.isfinite(joints).all(axis=-1)
    turned = matrices[known][:, 1, :3, :3]
    turned = turned * np.sign(np.linalg.det(turned))[:, None, None]  # under a mirrored object, its axes' opposites
    axes[known] = quat.from_matrix(quat.unit(np.swapaxes(turned, -1, -2)).swapaxes(-1, -2))
    return Posed(joints, axes)


def lowest_skin(armature: Object, frames: range) -> NDArray[np.float64]:
    """Height ``[T]`` of the lowest corner of the meshes that the rig moves, as Blender has them; NaN without any."""
    meshes = [o for o in bpy.data.objects if any(m.type == "ARMATURE" and m.object == armature for m in o.modifiers)]
    lowest = np.full(len(frames), np.nan)
    for t, frame in enumerate(frames if meshes else ()):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        lowest[t] = min(_lowest(mesh.evaluated_get(graph)) for mesh in meshes)
    return lowest


def _lowest(mesh: Object) -> float:
    corners = np.empty(3 * len(mesh.data.vertices), dtype=np.float32)
    mesh.data.vertices.foreach_get("co", corners)
    world = np.array(mesh.matrix_world)
    return float((corners.reshape(-1, 3) @ world[2, :3]).min() + world[2, 3])


def performance(played: Posed, rest: Posed) -> Performance:
    """What a rig did, its bones' turns told from its rest pose; NaN where it has no bone."""
    return Performance(played.joints, quat.mul(played.axes, quat.inv(rest.axes)), rest.joints[0])


def to_rest(armature: Object) -> None:
    """Takes the action off the rig and puts its bones to rest."""
    if armature.animation_data is not None:
        armature.animation_data.action = None
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    armature.update_tag()
    bpy.context.scene.frame_set(1)


def what_must_stay(armature: Object) -> dict[str, object]:
    """All about a rig and its scene that applying a motion must leave alone."""
    scene = bpy.context.scene
    return {
        "constraints": [state for bone in armature.pose.bones for state in _constraints(bone)],
        "rest pose": [tuple(v for row in bone.matrix_local for v in row) for bone in armature.data.bones],
        "transforms": [tuple(v for row in armature.matrix_world for v in row)],
        "rotation modes": [bone.rotation_mode for bone in armature.pose.bones],
        "scene": (scene.render.fps, scene.render.fps_base, scene.frame_current, scene.frame_start, scene.frame_end),
    }


def _constraints(bone: bpy.types.PoseBone) -> list[tuple[object, ...]]:
    """A bone's constraints, without what drivers set: switches drive how strong they are, and which are muted."""
    data = bone.id_data.animation_data
    driven = {curve.data_path for curve in data.drivers} if data is not None else set()
    return [
        (c.name, c.type, *(getattr(c, key) for key in ("influence", "mute") if c.path_from_id(key) not in driven))
        for c in bone.constraints
    ]


def skin(armature: Object) -> None:
    """Gives a rig that has no skinned mesh one of ten thousand corners, each moved by a bone near it."""
    if any(m.type == "ARMATURE" and m.object == armature for o in bpy.data.objects for m in o.modifiers):
        return
    bones = [bone for bone in armature.data.bones if bone.use_deform]
    heads = np.array([armature.matrix_world @ bone.head_local for bone in bones])
    corners = np.repeat(heads, max(1, 10_000 // len(bones)), axis=0)
    mesh = bpy.data.meshes.new("Skin")
    mesh.from_pydata(corners.tolist(), [], np.arange(len(corners) // 3 * 3).reshape(-1, 3).tolist())
    body = bpy.data.objects.new("Skin", mesh)
    bpy.context.scene.collection.objects.link(body)
    each = len(corners) // len(bones)
    for i, bone in enumerate(bones):
        body.vertex_groups.new(name=bone.name).add(range(i * each, (i + 1) * each), 1.0, "REPLACE")
    body.modifiers.new("Armature", "ARMATURE").object = armature
