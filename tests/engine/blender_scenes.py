# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in Blender: files of many kinds with a BVH in them, and scenes with several actions, for the reader to read.

Called as ``blender_scenes.py BVH FOLDER DONE``; ``DONE`` is written when all is there.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import bpy
from blender_process import run
from bpy.types import Action, FCurve, Object


def main(source: str, folder: str, done: str) -> None:
    out = Path(folder)
    captured(source)
    add_skin(bpy.context.object)
    save(out / "wave.blend")
    for kind in ("usda", "usdc", "usdz"):
        if has("usd_export"):
            bpy.ops.wm.usd_export(filepath=str(out / f"wave.{kind}"), export_animation=True, export_armatures=True)
    with contextlib.suppress(AttributeError):
        bpy.ops.wm.collada_export(filepath=str(out / "wave.dae"), include_animations=True)
    bpy.ops.export_scene.fbx(filepath=str(out / "wave.fbx"), bake_anim_simplify_factor=0.0, add_leaf_bones=False)
    several_actions(out)
    hostile(out)
    constrained(out)
    nothing(out)
    Path(done).write_text(bpy.app.version_string)


def has(operator: str) -> bool:
    try:
        return getattr(bpy.ops.wm, operator).get_rna_type() is not None
    except (AttributeError, KeyError):
        return False


def save(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path))


def captured(source: str) -> None:
    """A scene with the armature and the action of a BVH in centimetres."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=source, global_scale=0.01, update_scene_fps=True, update_scene_duration=True)


def add_skin(rig: Object) -> None:
    """A triangle that follows a bone: some formats keep an armature only for what it moves."""
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    skin = bpy.data.objects.new("skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    skin.parent = rig
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    skin.vertex_groups.new(name=rig.data.bones[0].name).add([0, 1, 2], 1.0, "ADD")


def chain(name: str, bones: int) -> Object:
    """An armature of bones ``<name>0``, ``<name>1`` of half a metre, one on top of the other."""
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for number in range(bones):
        bone = armature.edit_bones.new(f"{name}{number}")
        bone.head, bone.tail = (0, 0, 0.5 * number), (0, 0, 0.5 * number + 0.5)
        bone.parent = armature.edit_bones[number - 1] if number else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def turned(rig: Object, name: str, bone: str, degrees: float, frames: int) -> Action:
    """An action that turns one bone about x, evenly; the armature is left with it."""
    rig.animation_data_create().action = action = bpy.data.actions.new(name)
    action.use_fake_user = True
    pose = rig.pose.bones[bone]
    pose.rotation_mode = "XYZ"
    for frame, share in ((1, 0.0), (frames, 1.0)):
        pose.rotation_euler = (share * degrees * 3.141592653589793 / 180.0, 0.0, 0.0)
        pose.keyframe_insert("rotation_euler", frame=frame)
    for curve in curves_of(action):
        for key in curve.keyframe_points:
            key.interpolation = "LINEAR"
    return action


def curves_of(action: Action) -> list[FCurve]:
    if not hasattr(action, "layers"):
        return list(action.fcurves)
    return [
        curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves
    ]


def several_actions(out: Path) -> None:
    """Two armatures: one with three actions of which one lies in a strip, one with one; a pose; a moving lamp."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 25
    arm, leg = chain("arm", 3), chain("leg", 2)
    turned(arm, "Wave", "arm1", 90.0, 11)
    turned(arm, "Nod", "arm2", 40.0, 21)
    strip = arm.animation_data.nla_tracks.new().strips.new("In a strip", 50, turned(arm, "Bow", "arm0", 60.0, 31))
    strip.influence = 1.0
    arm.animation_data.action = bpy.data.actions["Wave"]
    turned(leg, "Kick", "leg0", -45.0, 6)
    turned(leg, "Pose", "leg1", 10.0, 1)
    leg.animation_data.action = bpy.data.actions["Kick"]
    lamp = bpy.data.objects.new("lamp", None)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.keyframe_insert("location", frame=1)
    lamp.keyframe_insert("location", frame=40)
    save(out / "several.blend")
    if "slots" in bpy.types.Action.bl_rna.properties:
        both = bpy.data.actions["Wave"]
        slot = both.slots.new("OBJECT", "leg's part")
        leg.animation_data.action, leg.animation_data.action_slot = both, slot
        for frame, angle in ((1, 0.0), (5, 0.5)):
            leg.pose.bones["leg0"].rotation_euler = (angle, 0.0, 0.0)
            leg.pose.bones["leg0"].keyframe_insert("rotation_euler", frame=frame)
        save(out / "slots.blend")


def hostile(out: Path) -> None:
    """A scene whose script and whose driver write a file when they may run."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rig = chain("arm", 2)
    turned(rig, "Wave", "arm1", 90.0, 5)
    write = f"open({str(out / 'ran')!r}, 'w').write('x')"
    text = bpy.data.texts.new("run_me.py")
    text.write(f"import bpy\n{write}\n")
    text.use_module = True
    driver = rig.driver_add("location", 0).driver
    driver.expression = f"__import__('builtins').{write}"
    save(out / "hostile.blend")
    (out / "ran").unlink(missing_ok=True)


def constrained(out: Path) -> None:
    """An armature without an action that copies the turns of one that has one."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 11
    leader, follower = chain("arm", 2), chain("other", 2)
    turned(leader, "Wave", "arm1", 90.0, 11)
    constraint = follower.pose.bones["other1"].constraints.new("COPY_ROTATION")
    constraint.target, constraint.subtarget = leader, "arm1"
    save(out / "constrained.blend")


def nothing(out: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    save(out / "empty.blend")
    chain("arm", 2)
    save(out / "still.blend")


if __name__ == "__main__":
    run(main)
