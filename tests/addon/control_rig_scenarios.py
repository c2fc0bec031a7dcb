# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with control rigs inside Blender: each function is one scenario, and returns facts for the tests."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import bpy
import control_rigs
import numpy as np
import rigs
from scenarios import core, curves_of

Limbs = dict[tuple[str, str], tuple[str, str]]

_RIGIFY: Limbs = {
    ("left_shoulder", "left_elbow"): ("DEF-upper_arm.L", "DEF-forearm.L"),
    ("left_elbow", "left_wrist"): ("DEF-forearm.L", "DEF-hand.L"),
    ("right_hip", "right_knee"): ("DEF-thigh.R", "DEF-shin.R"),
    ("right_knee", "right_ankle"): ("DEF-shin.R", "DEF-foot.R"),
}
_AUTO_RIG: Limbs = {
    ("left_shoulder", "left_elbow"): ("arm.l", "forearm.l"),
    ("right_elbow", "right_wrist"): ("forearm.r", "hand.r"),
    ("left_hip", "left_knee"): ("thigh.l", "leg.l"),
    ("right_knee", "right_ankle"): ("leg.r", "foot.r"),
}


def apply_to_control_rig(take: str) -> dict[str, Any]:
    """A rig that Rigify made: what its skin's bones do, and what trying its switches left behind."""
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    with contextlib.redirect_stdout(io.StringIO()):
        bpy.ops.pose.rigify_generate()
    hero = bpy.context.object
    limb, posed = hero.pose.bones["upper_arm_parent.L"], hero.pose.bones["hand_ik.L"]
    posed.location, hero.pose.bones["hips"].location = (0.3, 0.1, 0.2), (0.0, 0.2, 0.0)
    bpy.context.view_layer.update()
    tried = core("core.control_rig").prepare(hero, core("core.rig_map").joint_map_of(hero))
    facts: dict[str, Any] = {
        "after_trial": [limb["IK_FK"], list(posed.location), list(hero.pose.bones["hips"].location)]
    }
    facts["switches"] = sorted(f"{switch.of.bone} {switch.of.name} {switch.value:g}" for switch in tried.switches)
    worst = worst_angle(hero, take, _RIGIFY)
    bones = [f"DEF-{name}.{side}" for name in _RIGIFY_BONES for side in "LR"]
    facts["under_ik_deg"] = _off_under_ik(hero, bones)
    bpy.ops.hums.apply_motion(filepath=take, match_ik=False)
    facts["unmatched_deg"] = _off_under_ik(hero, bones)
    return {**facts, "worst_deg": worst, "hips": list(hero.pose.bones["hips"].location)}


_RIGIFY_BONES = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")


def _off_under_ik(hero: bpy.types.Object, bones: list[str]) -> float:
    """Degrees that a bone points elsewhere when all limbs are switched to IK, where it is most."""
    first, last = (int(frame) for frame in hero.animation_data.action.frame_range)
    frames = range(first, last + 1, 7)
    turned = _ways(hero, bones, frames)
    for curve in curves_of(hero):
        if "IK_FK" in curve.data_path or "ik_fk_switch" in curve.data_path:
            core("core.key_table").write(curve, core("core.key_table").linear(np.array([1.0]), np.array([0.0])))
    for name in [name for name in dict(hero.data.items()) if "ik_fk_switch" in name]:
        hero.data[name] = type(hero.data[name])(0)
    hero.data.update_tag()
    cosine = np.sum(turned * _ways(hero, bones, frames), axis=-1)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max())


def _ways(hero: bpy.types.Object, bones: list[str], frames: range) -> np.ndarray:
    """Where bones point ``[F, B, 3]``."""
    made = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        made.append([hero.pose.bones[name].vector.normalized() for name in bones])
    return np.array(made)


def worst_angle(hero: bpy.types.Object, take: str, limbs: Limbs, **settings: object) -> float:
    """Applies the take; degrees between a limb of the source and the rig's where they are farthest apart."""
    bpy.context.scene.render.fps = 30
    bpy.ops.hums.apply_motion(filepath=take, placement="source", plant_feet=False, **settings)
    engine = core("core.engine")
    source = engine.canonical.canonicalize(engine.formats.load(take)).resampled(30.0)
    index = core("hums_engine.skeleton").INDEX
    worst = 0.0
    for frame in range(0, source.frame_count, 9):
        bpy.context.scene.frame_set(1 + frame)
        for (start, end), bones in limbs.items():
            wanted = source.positions[frame, index[end]] - source.positions[frame, index[start]]
            heads = np.array(rigs.bone_heads(hero, list(bones)))
            between = engine.quat.between(wanted, heads[1] - heads[0])
            worst = max(worst, float(np.degrees(engine.quat.angle(between, engine.quat.IDENTITY))))
    return worst


def apply_to_auto_rig(take: str, owner: str, top: float, nameless: bool) -> dict[str, Any]:
    """A rig such as Auto-Rig Pro makes, its limbs on IK and its controls posed: what moves, and what is touched."""
    hero = control_rigs.auto_rig(control_rigs.Switches(owner, top))
    bones = [bone.name for bone in hero.data.bones]
    for name in ("c_hand_ik.l", "c_foot_ik.r", "c_root.x", "c_traj"):
        hero.pose.bones[name].location = (0.1, 0.05, 0.2)
    if nameless:
        control_rigs.take_names(hero)
    now = dict(zip(bones, hero.data.bones.keys(), strict=True))
    before = _what_stays(hero, [now["c_hand_ik.l"], now["c_foot_ik.r"], now["c_foot_pole.l"]])
    limbs = {joints: (now[start], now[end]) for joints, (start, end) in _AUTO_RIG.items()}
    worst = worst_angle(hero, take, limbs, match_ik=False)
    after = _what_stays(hero, [now["c_hand_ik.l"], now["c_foot_ik.r"], now["c_foot_pole.l"]])
    keyed = {curve.data_path: curve.keyframe_points[0].co[1] for curve in curves_of(hero)}
    switches = {path: value for path, value in keyed.items() if "ik_fk_switch" in path}
    switches |= {name: value for name, value in hero.data.items() if "ik_fk_switch" in name}
    bpy.ops.hums.apply_motion(filepath=take)
    return {
        "worst_deg": worst,
        "under_ik_deg": _off_under_ik(hero, sorted({bone for pair in limbs.values() for bone in pair})),
        "switches": switches,
        "changed": [what for what in before if before[what] != after[what]],
        "rests": [hero.pose.bones[now[name]].location.length for name in ("c_root.x", "c_traj")],
    }


def _what_stays(hero: bpy.types.Object, posed: list[str]) -> dict[str, Any]:
    return {
        "constraints": [(c.type, c.mute, c.subtarget) for bone in hero.pose.bones for c in bone.constraints],
        "rest": [list(row) for bone in hero.data.bones for row in bone.matrix_local],
        "modes": [bone.rotation_mode for bone in hero.pose.bones],
        "world": [list(row) for row in hero.matrix_world],
        "drivers": [curve.driver.expression for curve in hero.animation_data.drivers],
        "IK controls": [[list(row) for row in hero.pose.bones[name].matrix_basis] for name in posed],
    }


def ghost_and_landing(take: str) -> dict[str, float]:
    """Metres between the ghost's joints and those of the rig that the take lands on, where they are farthest apart."""
    bpy.context.scene.render.fps = 30
    slope = bpy.data.objects.new("Slope", None)
    bpy.context.scene.collection.objects.link(slope)
    slope.rotation_euler = (0.6, 0.2, 0.3)
    made = {"control rig": control_rigs.auto_rig(control_rigs.Switches()), "on a slope": rigs.humanoid()}
    made["on a slope"].parent = slope
    return {name: _ghost_off(hero, take) for name, hero in made.items()}


def _ghost_off(hero: bpy.types.Object, take: str) -> float:
    bpy.context.view_layer.objects.active = hero
    bpy.context.view_layer.update()
    engine, bones = core("core.engine"), core("core.armature_reader").read_bones(hero)
    joint_map = core("core.rig_map").joint_map_of(hero)
    body = engine.ghosting.body_of(bones.in_world(np.array(hero.matrix_world)), joint_map)
    motion = engine.canonical.canonicalize(engine.formats.load(take))
    ghost = engine.ghosting.play(motion, body, engine.retarget.RetargetOptions(), 30.0)[:, joint_map.valid]
    bpy.ops.hums.apply_motion(filepath=take, frame=1)
    names = [bones.names[bone] for bone in joint_map.joints[joint_map.valid]]
    off = []
    for frame in range(0, len(ghost), 15):
        bpy.context.scene.frame_set(1 + frame)
        off.append(np.linalg.norm(np.array(rigs.bone_heads(hero, names)) - ghost[frame], axis=-1).max())
    return float(max(off))
