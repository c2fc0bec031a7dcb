# SPDX-License-Identifier: GPL-3.0-or-later
"""How motions land, inside Blender: each function is one scenario, and returns facts for the tests to judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import rigs
from mathutils import Euler
from scenarios import activate, core, curves_of, key_frames, link_hero, refusal

START, FPS = 20, 24


# ---------------------------------------------------------------- what scenarios share


def blocked_hero() -> bpy.types.Object:
    """A rig with an action of three poses on all its bones, to frame 60, and one of a scale that no clip has."""
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid()
    dice = random.Random(9)
    for frame in (1, 30, 60):
        for bone in hero.pose.bones:
            bone.matrix_basis = Euler([dice.uniform(-0.5, 0.5) for _ in range(3)]).to_matrix().to_4x4()
            channel = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
            bone.keyframe_insert(channel.get(bone.rotation_mode, "rotation_euler"), frame=frame)
    head = hero.pose.bones["mixamorig:Head"]
    for frame, scale in ((10, 1.0), (50, 1.5)):
        head.scale = (scale, scale, scale)
        head.keyframe_insert("scale", frame=frame)
    hero.animation_data.action.name = "Blocking"
    return hero


def poses(rig: bpy.types.Object, frames: Sequence[float]) -> np.ndarray:
    """Where the bones start in the world ``[F, B, 3]``, as Blender poses them at each of the frames."""
    scene, now = bpy.context.scene, bpy.context.scene.frame_current
    made = []
    for frame in frames:
        scene.frame_set(int(np.floor(frame)), subframe=frame - np.floor(frame))
        made.append(rigs.bone_heads(rig))
    scene.frame_set(now)
    return np.array(made)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Metres between the two bones that are farthest apart."""
    return float(np.linalg.norm(a - b, axis=-1).max())


def land(take: str, frame: int = START, end_s: float = 0.5, **settings: Any) -> list[int]:  # noqa: ANN401
    """Applies the take's beginning; returns its first and last frame."""
    bpy.ops.hums.apply_motion(filepath=take, frame=frame, end_s=end_s, **settings)
    return [frame, frame + round(end_s * FPS)]


# ---------------------------------------------------------------- where keys go


def replace_keys(take: str) -> dict[str, Any]:
    hero = blocked_hero()
    around = [1, 7.5, 14, START - 1, 33, 34.5, 44, 60]
    before, scale = poses(hero, around), [c.evaluate(30) for c in curves_of(hero) if c.data_path.endswith("scale")]
    bpy.context.scene.frame_set(5)
    first, last = land(take, mode="replace")
    inside = poses(hero, [first, first + 6, last])
    after = poses(hero, around)
    facts = {
        "range": [first, last],
        "action": hero.animation_data.action.name,
        "actions": [action.name for action in bpy.data.actions],
        "around": apart(before, after),
        "scale": scale == [c.evaluate(30) for c in curves_of(hero) if c.data_path.endswith("scale")],
        "frames": key_frames(hero),
    }
    land(take, mode="new")
    return {**facts, "inside": apart(inside, poses(hero, [first, first + 6, last]))}


def insert_clip(take: str) -> dict[str, Any]:
    hero = blocked_hero()
    earlier, later = [1, 9.5, START - 1], [START, 27.5, 40, 60]
    before, after = poses(hero, earlier), poses(hero, later)
    first, last = land(take, mode="insert")
    count = last - first + 1
    inside = poses(hero, [first, last])
    moved = poses(hero, [frame + count for frame in later])
    scales = [curve for curve in curves_of(hero) if curve.data_path.endswith("scale")]
    facts = {
        "earlier": apart(before, poses(hero, earlier)),
        "later": apart(after, moved),
        "scale_keys": sorted({round(point.co[0]) for point in scales[0].keyframe_points}),
        "count": count,
    }
    land(take, mode="new")
    return {**facts, "inside": apart(inside, poses(hero, [first, last]))}


def blend_clip(take: str, mode: str) -> dict[str, Any]:
    hero = blocked_hero()
    frames = list(range(START, START + 25))
    old = poses(hero, [START])
    end = START - 1 if mode == "insert" else START + 24
    onward = poses(hero, [end + part / 4 for part in range(5)])
    land(take, end_s=1.0, mode=mode, blend_in=8, blend_out=6)
    made = poses(hero, frames)
    beyond = poses(hero, [START + 24 + part / 4 for part in range(5)])
    facts = {
        "first": apart(made[0], old[0]),
        "last": apart(made[-1], onward[0]),
        "steps": float(np.linalg.norm(np.diff(made, axis=0), axis=-1).max()),
        "onward": apart(beyond, onward),
    }
    bpy.ops.hums.apply_motion(filepath=take, frame=START, end_s=1.0)
    clip = poses(hero, frames)
    return {**facts, "middle": apart(made[9:18], clip[9:18]), "cut": apart(clip[0], old[0])}


def seams(take: str) -> dict[str, Any]:
    """Old keys whose numbers are full turns and opposite signs away from the clip's: no pose may tell of it."""
    frames = [START - 1 + part / 8 for part in range(9)] + [START + 12 + part / 8 for part in range(9)] + [40, 60]
    made = []
    for away in (False, True):
        hero = blocked_hero()
        for curve in curves_of(hero):
            table = core("core.key_table").read(curve)
            if away and curve.data_path.endswith("quaternion"):
                table = table.revalued(-1.0, 0.0)
            elif away and curve.data_path.endswith("euler"):
                table = table.revalued(1.0, 4.0 * np.pi)
            core("core.key_table").write(curve, table)
        land(take, mode="replace")
        made.append(poses(hero, frames))
    return {"apart": apart(*made)}


def strip_of_clip(take: str) -> dict[str, Any]:
    hero = blocked_hero()
    blocking = hero.animation_data.action
    below = hero.animation_data.nla_tracks.new()
    below.strips.new("Old", 1, blocking)
    keys = key_frames(hero)
    first, last = land(take, mode="strip", blend_in=4, blend_out=5)
    data = hero.animation_data
    track = data.nla_tracks[-1]
    strip = track.strips[0]
    kept = data.action == blocking and key_frames(hero) == keys
    bpy.context.scene.frame_set(first)
    data.action = None
    seen = poses(hero, [first + 6, last + 20])
    hidden = track.mute
    track.mute = True
    under = poses(hero, [last + 20])
    data.nla_tracks[0].mute = True
    land(take, mode="new")
    return {
        "tracks": [one.name for one in data.nla_tracks],
        "strip": [strip.name, strip.action.name, strip.frame_start, strip.frame_end, strip.blend_in, strip.blend_out],
        "sane": [strip.use_sync_length, strip.use_auto_blend, strip.extrapolation, strip.blend_type, strip.scale],
        "slot": getattr(getattr(strip, "action_slot", None), "identifier", None),
        "kept": kept,
        "hidden": hidden,
        "inside": apart(seen[:1], poses(hero, [first + 6])),
        "outside": apart(seen[1:], under),
    }


def change_what_others_play(take: str) -> dict[str, str]:
    """What is said of an action that a second rig plays: where its keys are changed, and where a new one is made."""
    hero = blocked_hero()
    engine, landing = core("core.engine"), core("core.landing")
    motion = engine.canonical.canonicalize(engine.formats.load(take)).cut(0.0, 0.5)
    data = bpy.data.objects.new("Twin", hero.data).animation_data_create()
    data.action = hero.animation_data.action
    if hasattr(data, "action_slot"):
        data.action_slot = hero.animation_data.action_slot
    told = {}
    for mode in ("replace", "insert", "new"):
        chosen = landing.Landing(engine.retarget.RetargetOptions(), mode, START)
        landed = landing.land(hero, motion, chosen, bpy.context.scene)
        told[mode] = core("operators.apply_motion").told(hero, landed, mode, 0.5)
    return told


# ---------------------------------------------------------------- where the figure goes


def hips(rig: bpy.types.Object, frames: list[float]) -> np.ndarray:
    names = [bone.name for bone in rig.pose.bones]
    legs = [names.index(f"mixamorig:{side}UpLeg") for side in ("Left", "Right")]
    return poses(rig, frames)[:, legs]


def go_on_from_the_pose(take: str) -> dict[str, Any]:
    """A second clip goes on where the first one left off, also from a frame that is not the current one."""
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid()
    land(take, frame=1, end_s=3.0)
    old = hips(hero, [60])[0]
    facts = {}
    for name, current in (("here", 60), ("elsewhere", 3)):
        bpy.context.scene.frame_set(current)
        land(take, frame=60, end_s=1.0, mode="strip", placement="pose")
        action = hero.animation_data.action
        hero.animation_data.action = None
        new = hips(hero, [60])[0]
        hero.animation_data.action = action
        hero.animation_data.nla_tracks.remove(hero.animation_data.nla_tracks[-1])
        facts[name] = float(np.linalg.norm(new.mean(axis=0)[:2] - old.mean(axis=0)[:2]))
        across = [(pair[0] - pair[1])[:2] / np.linalg.norm((pair[0] - pair[1])[:2]) for pair in (old, new)]
        facts[f"turn {name}"] = float(np.degrees(np.arccos(np.clip(across[0] @ across[1], -1.0, 1.0))))
    start = hips(hero, [1])[0].mean(axis=0)[:2]
    return {**facts, "walked": float(np.linalg.norm(old.mean(axis=0)[:2] - start))}


def travel_on_the_object(take: str) -> dict[str, Any]:
    """The object under a turned and scaled parent carries what else the hips do."""
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid()
    parent = bpy.data.objects.new("Stage", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.rotation_euler, parent.scale = (0.0, 0.0, 1.0), (0.5, 0.5, 0.5)
    hero.parent = parent
    bpy.context.view_layer.update()
    frames = [1, 20, 40, 49]
    land(take, frame=1, end_s=2.0)
    recorded = poses(hero, frames)
    hero.animation_data.action = None
    land(take, frame=1, end_s=2.0, root="object")
    moved = poses(hero, frames)
    bpy.context.scene.frame_set(1)
    start = np.array(hero.matrix_world.translation)
    bpy.context.scene.frame_set(49)
    way = np.array(hero.matrix_world.translation) - start
    groups = {curve.group.name for curve in curves_of(hero) if curve.data_path == "location"}
    bpy.context.scene.frame_set(1)
    land(take, frame=30, end_s=0.5, mode="replace")
    ways = [curve for curve in curves_of(hero) if curve.data_path == "location"]
    stands = [np.ptp([curve.evaluate(frame) for frame in (30, 36, 42)]) for curve in ways]
    return {
        "apart": apart(recorded, moved),
        "way": float(np.linalg.norm(way[:2])),
        "height": float(abs(way[2])),
        "groups": sorted(groups),
        "stands": float(max(stands)),
    }


def mirrored_and_with_handles(take: str) -> dict[str, Any]:
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid()
    bpy.ops.hums.apply_motion(filepath=take, frame=50, start_s=1.0, end_s=2.0)
    plain, frames = poses(hero, [50, 60, 74]), key_frames(hero)
    bpy.ops.hums.apply_motion(filepath=take, frame=50, start_s=1.0, end_s=2.0, before_s=0.5, after_s=0.25)
    handles, longer = poses(hero, [50, 60, 74]), key_frames(hero)
    bpy.ops.hums.apply_motion(filepath=take, frame=50, start_s=1.0, end_s=2.0, mirrored=True)
    names = [bone.name for bone in hero.pose.bones]
    twins = [names.index(_twin(name)) for name in names]
    inverse = np.array(hero.matrix_world.inverted())

    def own(points: np.ndarray) -> np.ndarray:
        return points @ inverse[:3, :3].T + inverse[:3, 3]

    reflected = own(poses(hero, [50, 60, 74]))[:, twins] * [-1.0, 1.0, 1.0]
    return {
        "frames": [frames[0], frames[-1]],
        "with_handles": [longer[0], longer[-1]],
        "same_stretch": apart(plain, handles),
        "mirrored": apart(reflected, own(plain)) * 0.01,
        "differs": apart(own(poses(hero, [60])), own(plain[1:2])) * 0.01,
    }


def _twin(name: str) -> str:
    return name.replace("Left", "@").replace("Right", "Left").replace("@", "Right")


# ---------------------------------------------------------------- how many keys


def fewer_keys(take: str, curve: str) -> dict[str, Any]:
    """Turns of the bones with all keys and with few, at every frame, as Blender makes them of its curves."""
    bpy.context.scene.render.fps = 30
    hero = rigs.humanoid()

    def turns() -> np.ndarray:
        made = []
        for frame in range(1, 62):
            bpy.context.scene.frame_set(frame)
            made.append([bone.matrix_basis.to_quaternion() for bone in hero.pose.bones])
        return np.array(made)

    bpy.ops.hums.apply_motion(filepath=take, frame=1, end_s=2.0)
    every, keys = turns(), sum(len(c.keyframe_points) for c in curves_of(hero))
    hips = poses(hero, [10, 33, 50])[:, 0]
    bpy.ops.hums.apply_motion(filepath=take, frame=1, end_s=2.0, fewer_keys=True, most_degrees=1.0, curve=curve)
    few = turns()
    cosine = np.abs(np.sum(every * few, axis=-1))
    return {
        "degrees": float(np.degrees(2.0 * np.arccos(np.clip(cosine, 0.0, 1.0))).max()),
        "millimetres": 1000.0 * apart(hips, poses(hero, [10, 33, 50])[:, 0]),
        "share": sum(len(c.keyframe_points) for c in curves_of(hero)) / keys,
        "kinds": sorted({point.interpolation for c in curves_of(hero) for point in c.keyframe_points}),
    }


# ---------------------------------------------------------------- what is left alone


def held_channels(take: str) -> dict[str, Any]:
    """Locks, drivers, and locked and muted curves: each on a bone of its own."""
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid(mixed_modes=False)
    bones = {name.removeprefix("mixamorig:"): bone for name, bone in hero.pose.bones.items()}
    bones["LeftArm"].lock_rotation = (True, True, True)
    bones["LeftForeArm"].lock_rotation = (True, False, True)
    bones["LeftLeg"].lock_rotation = (True, False, True)
    bones["LeftLeg"].lock_rotations_4d = False
    bones["RightArm"].lock_rotation_w = True
    bones["RightForeArm"].rotation_mode = "XYZ"
    bones["RightForeArm"].lock_rotation = (False, True, False)
    bones["Hips"].lock_location = (False, False, True)
    bones["Head"].driver_add("rotation_quaternion", 2).driver.expression = "0.1"
    engine, landing = core("core.engine"), core("core.landing")
    motion = engine.canonical.canonicalize(engine.formats.load(take)).cut(0.0, 0.5)
    landed = landing.land(hero, motion, landing.Landing(engine.retarget.RetargetOptions()), bpy.context.scene)
    keyed: dict[str, list[int]] = {}
    for curve in curves_of(hero):
        keyed.setdefault(curve.data_path.replace("mixamorig:", ""), []).append(curve.array_index)
    angles = []
    for frame in (1, 7, 13):
        bpy.context.scene.frame_set(frame)
        turned = bones["LeftLeg"].rotation_quaternion.to_euler("XYZ")
        hinge = bones["LeftForeArm"].rotation_quaternion
        angles += [abs(turned.x), abs(turned.z), abs(hinge.x), abs(hinge.z), abs(hinge.magnitude - 1.0)]
    return {
        "left": sorted(name.removeprefix("mixamorig:") for name in landed.left),
        "keyed": keyed,
        "within_lock": max(angles),
        "told": core("operators.apply_motion").told(hero, landed, "new", 0.5),
    }


def held_curves(take: str) -> dict[str, Any]:
    """What an animator locked or muted in her action stays as it is when keys are replaced."""
    hero = blocked_hero()
    for curve in curves_of(hero):
        if curve.group is None:  # Blender 4.2 groups what keys are inserted for in no group
            bone, made = curve.data_path.split('"')[1], hero.animation_data.action.groups
            curve.group = made.get(bone) or made.new(bone)
    groups = {curve.group.name: curve.group for curve in curves_of(hero)}
    groups["mixamorig:LeftArm"].lock = True
    groups["mixamorig:Head"].mute = True
    held = ("LeftArm", "Head", "Spine1")
    for curve in curves_of(hero):
        if "Spine1" in curve.data_path:
            curve.lock = True

    def keys() -> list[Any]:
        chosen = [c for c in curves_of(hero) if any(f'mixamorig:{name}"' in c.data_path for name in held)]
        return [[list(point.co) for point in curve.keyframe_points] for curve in chosen]

    before = keys()
    for mode in ("replace", "insert"):
        land(take, mode=mode)
    return {"kept": before == keys(), "others": len(key_frames(hero)) > 12}


# ---------------------------------------------------------------- rigs of all kinds


def refused_rigs(take: str, folder: str) -> dict[str, str]:
    hero = blocked_hero()
    told = {}
    bpy.ops.object.mode_set(mode="EDIT")
    told["edit mode"] = refusal(bpy.ops.hums.apply_motion, filepath=take)
    bpy.ops.object.mode_set(mode="OBJECT")
    twin = bpy.data.objects.new("Twin", hero.data)
    bpy.context.scene.collection.objects.link(twin)
    activate(hero)
    bpy.ops.object.mode_set(mode="EDIT")
    activate(twin)
    told["its data in edit mode"] = refusal(bpy.ops.hums.apply_motion, filepath=take)
    activate(hero)
    bpy.ops.object.mode_set(mode="OBJECT")
    track = hero.animation_data.nla_tracks.new()
    track.strips.new("Blocking", 1, hero.animation_data.action)
    hero.animation_data.action = None
    track.select = True
    hero.animation_data.use_tweak_mode = True
    told["tweak mode"] = refusal(bpy.ops.hums.apply_motion, filepath=take)
    hero.animation_data.use_tweak_mode = False
    blend = str(Path(folder) / "actions.blend")
    bpy.data.libraries.write(blend, {bpy.data.actions["Blocking"]})
    with bpy.data.libraries.load(blend, link=True) as (_, target):
        target.actions = ["Blocking"]
    hero.animation_data.action = target.actions[0]
    for mode in ("replace", "insert"):
        told[f"linked action, {mode}"] = refusal(bpy.ops.hums.apply_motion, filepath=take, mode=mode)
    told["linked action, new"] = refusal(bpy.ops.hums.apply_motion, filepath=take, mode="new")
    for bone in hero.pose.bones:
        bone.lock_rotation, bone.lock_rotation_w, bone.lock_location = (True,) * 3, True, (True,) * 3
    told["all locked"] = refusal(bpy.ops.hums.apply_motion, filepath=take)
    told.update(_instance_of_a_collection(take, hero))
    return told


def _instance_of_a_collection(take: str, hero: bpy.types.Object) -> dict[str, str]:
    characters, instance = bpy.data.collections.new("Characters"), bpy.data.objects.new("Extra", None)
    characters.objects.link(hero)
    instance.instance_type, instance.instance_collection = "COLLECTION", characters
    bpy.context.scene.collection.objects.link(instance)
    activate(instance)
    return {"instance of a collection": refusal(bpy.ops.hums.apply_motion, filepath=take)}


def slot_of_its_name(take: str) -> list[str]:
    """The slots of an action that the rig plays again after it had let go of its slot; none before 4.4."""
    hero = blocked_hero()
    action: Any = hero.animation_data.action
    if not hasattr(action, "slots"):
        return []
    before = [slot.identifier for slot in action.slots]
    hero.animation_data.action_slot = None
    land(take, mode="replace")
    return [*before, *(slot.identifier for slot in action.slots)]


def overridden_rig(take: str, blend: str) -> dict[str, Any]:
    """A rig linked from a file: its override takes an action, and keeps it when the file is saved and opened."""
    hero = link_hero(blend).override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    activate(hero)
    system = refusal(bpy.ops.hums.apply_motion, filepath=take)
    hero.override_library.is_system_override = False
    land(take, frame=1, end_s=1.0)
    land(take, frame=10, end_s=0.5, mode="replace", blend_in=3)
    shot = str(Path(blend).with_name("shot.blend"))
    posed = poses(hero, [5, 15])
    bpy.ops.wm.save_as_mainfile(filepath=shot)
    bpy.ops.wm.open_mainfile(filepath=shot)
    again = next(obj for obj in bpy.context.scene.objects if obj.override_library is not None)
    return {
        "system": system,
        "action": again.animation_data.action.name,
        "posed": apart(posed, poses(again, [5, 15])),
    }


def rigs_of_all_kinds(take: str) -> dict[str, Any]:
    """Pose mode, shared armature data, a hidden collection, another scene."""
    bpy.context.scene.render.fps = FPS
    hero = rigs.humanoid()
    twin = bpy.data.objects.new("Twin", hero.data)
    bpy.context.scene.collection.objects.link(twin)
    activate(hero)
    bpy.ops.object.mode_set(mode="POSE")
    land(take, frame=1)
    facts: dict[str, Any] = {"mode": hero.mode, "twin": twin.animation_data is None, "pose": key_frames(hero)[-1]}
    bpy.ops.object.mode_set(mode="OBJECT")
    cellar = bpy.data.collections.new("Cellar")
    bpy.context.scene.collection.children.link(cellar)
    cellar.objects.link(twin)
    bpy.context.scene.collection.objects.unlink(twin)
    bpy.context.view_layer.layer_collection.children["Cellar"].hide_viewport = True
    activate(twin)
    land(take, frame=1, placement="pose")
    facts["hidden"] = twin.animation_data.action.name
    other = bpy.data.scenes.new("Other")
    other.render.fps = 60
    other.collection.objects.link(hero)
    with bpy.context.temp_override(scene=other, view_layer=other.view_layers[0], active_object=hero, object=hero):
        bpy.ops.hums.apply_motion(filepath=take, frame=7, end_s=0.5)
    frames = key_frames(hero)
    return {**facts, "other_scene": [frames[0], frames[-1]], "fps": bpy.context.scene.render.fps}


def undo_replace(take: str) -> dict[str, Any]:
    """One step back brings the old keys back, one forth the new ones."""
    blocked_hero()
    bpy.ops.ed.undo_push(message="before")

    def keys() -> list[Any]:
        curves = curves_of(bpy.data.objects["Hero"])
        return [[list(point.co) for point in curve.keyframe_points] for curve in curves]

    before = keys()
    bpy.ops.hums.apply_motion("EXEC_DEFAULT", True, filepath=take, end_s=0.5, frame=START, mode="replace")
    after = keys()
    bpy.ops.ed.undo()
    undone = keys()
    bpy.ops.ed.redo()
    return {"changed": before != after, "undone": undone == before, "redone": keys() == after}


# ---------------------------------------------------------------- many motions


def batch(library: str, folder: str, takes: list[str]) -> dict[str, Any]:
    """Results, clips and files become actions of the rig, which keeps its own; then a result becomes an asset."""
    bpy.ops.hums.open_library(directory=library)
    hero = blocked_hero()
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "shot.blend"))
    hero = bpy.data.objects["Hero"]
    activate(hero)
    bpy.ops.hums.apply_motion(filepath=takes[0], frame=1)
    bpy.ops.hums.find_similar(count=4)
    hero.animation_data.action = bpy.data.actions["Blocking"]
    for action in [one for one in bpy.data.actions if one.name != "Blocking"]:
        bpy.data.actions.remove(action)
    results = list(bpy.context.window_manager.hums.results)
    results[1].starred, results[1].tags = True, "locomotion, calm"
    bpy.ops.hums.apply_motions(as_assets=True, catalog="Motions/Walks")
    made = [action for action in bpy.data.actions if action.name != "Blocking"]
    facts: dict[str, Any] = {
        "results": sorted(result.name for result in results),
        "made": sorted(action.name for action in made),
        "fake": all(action.use_fake_user for action in made),
        "assets": all(action.asset_data is not None for action in made),
        "tags": sorted(tag.name for tag in bpy.data.actions[results[1].name].asset_data.tags),
        "catalogs": len({action.asset_data.catalog_id for action in made}),
        "catalog": (Path(folder) / "blender_assets.cats.txt").read_text().splitlines()[-1],
        "current": hero.animation_data.action.name,
    }
    bpy.ops.hums.apply_motions(which="starred")
    facts["none_picked"] = refusal(bpy.ops.hums.apply_motions, which="picked")
    results[0].picked = True
    bpy.ops.hums.apply_motions(which="picked")
    bpy.ops.hums.apply_motions(clip_ids=f"{results[2].clip_id},{results[3].clip_id}")
    files = [{"name": Path(take).name} for take in [*takes, "missing.bvh"]]
    bpy.ops.hums.apply_motions(directory=str(Path(takes[0]).parent), files=files)
    facts["more"] = len(bpy.data.actions) - 1 - len(made)
    bpy.context.window_manager.hums.active_result = 1
    bpy.ops.hums.result_to_asset()
    facts["asset"] = sum(action.asset_data is not None for action in bpy.data.actions) - len(made)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    kept = bpy.data.actions[facts["made"][0]]
    pixels = np.array(kept.preview.image_pixels_float).reshape(*kept.preview.image_size, 4)
    return {
        **facts,
        "kept": len(bpy.data.actions) - 1,
        "picture": [list(pixels.shape), float(np.ptp(pixels[..., :3]))],
        "plays": _plays(kept),
        "nothing": refusal(bpy.ops.hums.apply_motions, clip_ids="999999"),
    }


def _plays(action: bpy.types.Action) -> float:
    """Metres that the hips go when the rig takes up an action that was kept for it."""
    hero = bpy.data.objects["Hero"]
    hero.animation_data.action = action
    if hasattr(hero.animation_data, "action_slot"):
        hero.animation_data.action_slot = action.slots[0]
    last = int(action.frame_range[1])
    middle = hips(hero, [1, last]).mean(axis=1)
    return float(np.linalg.norm(middle[1] - middle[0]))


def apply_on_the_farm(library: str, folder: str, take: str) -> dict[str, Any]:
    """The verb ``apply`` of the command line, on a .blend and on an FBX; the files that it writes are opened again."""
    import contextlib
    import io
    import json

    rigs.humanoid()
    blend, fbx = str(Path(folder) / "hero.blend"), str(Path(folder) / "hero.fbx")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.export_scene.fbx(filepath=fbx, add_leaf_bones=False)
    out = [str(Path(folder) / "out" / f"{name}.blend") for name in ("clips", "query", "broken", "strips")]
    more, clips = ["--library", library, "--json"], ["walk_07_04", "run_09_01"]
    calls = {
        "clips": [blend, "-o", out[0], "--clips", *clips, "--assets", "--catalog", "Walks", *more],
        "query": [fbx, "-o", out[1], "--query", take, "-k", "3", "--fps", "30", "--fewer-keys", "1", *more],
        "broken": [blend, "-o", out[2], "--files", take, str(Path(folder) / "missing.bvh"), "--json"],
        "nothing": [blend, "-o", out[2], "--json"],
        "strips": [
            blend,
            "-o",
            out[3],
            "--mode",
            "strip",
            "--frame",
            "20",
            "--clips",
            *clips,
            "--placement",
            "pose",
            *more,
        ],
        "two new": [blend, "-o", out[2], "--mode", "new", "--clips", *clips, *more],
        "no rig": [blend, "--object", "Nobody", "-o", out[2], "--files", take],
        "no such file": [str(Path(folder) / "none.blend"), "-o", out[2], "--files", take],
    }
    facts: dict[str, Any] = {}
    for name, words in calls.items():
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = core("command").run(["apply", *words])
        facts[name] = {"code": code, "said": json.loads(said.getvalue()) if "--json" in words else said.getvalue()}
    for name, path in zip(("clips", "query"), out, strict=False):
        bpy.ops.wm.open_mainfile(filepath=path)
        facts[name]["actions"] = sorted(action.name for action in bpy.data.actions)
        facts[name]["assets"] = [action.asset_data is not None for action in bpy.data.actions]
        facts[name]["fps"] = bpy.context.scene.render.fps
    bpy.ops.wm.open_mainfile(filepath=out[3])
    strips = [track.strips[0] for track in bpy.data.objects["Hero"].animation_data.nla_tracks]
    facts["strips"]["spans"] = [[strip.frame_start, strip.frame_end] for strip in strips]
    return facts
