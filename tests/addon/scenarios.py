# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done inside Blender: each function is one scenario, and returns facts for the tests to judge."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import rigs

PACKAGE = "bl_ext.user_default.deephums"


# ---------------------------------------------------------------- what scenarios share


def core(name: str) -> Any:  # noqa: ANN401 - a module
    """A module of the installed add-on."""
    return importlib.import_module(f"{PACKAGE}.{name}")


def session() -> bpy.types.PropertyGroup:
    return bpy.context.window_manager.hums


def activate(obj: bpy.types.Object | None) -> None:
    bpy.context.view_layer.objects.active = obj


def refusal(operator: Callable[..., Any], **settings: object) -> str:
    """What a script is told when the operator refuses; empty when it did not."""
    try:
        operator(**settings)
    except RuntimeError as error:
        return str(error).strip()
    return ""


def results() -> list[dict[str, Any]]:
    fields = ("name", "clip_id", "source", "score", "start_s", "end_s", "duration_s")
    return [{field: getattr(result, field) for field in fields} for result in session().results]


def curves_of(rig: bpy.types.Object) -> list[bpy.types.FCurve]:
    return core("core.action_api").curves_of(rig)


def key_frames(rig: bpy.types.Object) -> list[float]:
    return sorted({point.co[0] for curve in curves_of(rig) for point in curve.keyframe_points})


# ---------------------------------------------------------------- installing


def install(zip_path: str) -> dict[str, Any]:
    bpy.ops.extensions.package_install_files(filepath=zip_path, repo="user_default", enable_on_install=True)
    return {"installed": PACKAGE in bpy.context.preferences.addons}


def where_packages_are_from() -> dict[str, Any]:
    import onnxruntime
    import PIL

    return {"onnxruntime": onnxruntime.__file__, "PIL": PIL.__file__, "engine": core("hums_engine").__file__}


def disable() -> dict[str, Any]:
    import addon_utils

    def traces() -> dict[str, Any]:
        return {
            "operators": dir(bpy.ops.hums),
            "types": [name for name in dir(bpy.types) if name.startswith("HUMS_")],
            "session": hasattr(bpy.types.WindowManager, "hums"),
            "handlers": [
                str(handler) for name in dir(bpy.app.handlers) for handler in _handlers(name) if "hums" in str(handler)
            ],
        }

    before = traces()
    addon_utils.disable(PACKAGE, default_set=True)
    after = traces()
    addon_utils.enable(PACKAGE, default_set=True)
    again = traces()
    return {"before": before, "after": after, "again": again}


def _handlers(name: str) -> list[Any]:
    found = getattr(bpy.app.handlers, name)
    return found if isinstance(found, list) else []


def without_onnxruntime() -> dict[str, Any]:
    """As when the zip for another Python was installed."""
    sys.path[:] = [folder for folder in sys.path if not Path(folder, "onnxruntime").exists()]
    sys.path_importer_cache.clear()
    return {"told": refusal(bpy.ops.hums.find_similar), "panel": core("core.engine").missing_parts()}


# ---------------------------------------------------------------- libraries


def create_library(directory: str, library: str) -> dict[str, Any]:
    bpy.ops.hums.create_library(directory=directory, library=library)
    entry = core("preferences").active_library(bpy.context)
    info = core("core.libraries").open_library(Path(entry.path)).info()
    return {"name": entry.name, "path": entry.path, "clips": info.clips, "failed": info.failed}


def add_samples() -> dict[str, Any]:
    bpy.ops.hums.add_samples()
    entry = core("preferences").active_library(bpy.context)
    info = core("core.libraries").open_library(Path(entry.path)).info()
    return {"path": entry.path, "clips": info.clips, "addon": core("core.engine").ADDON_FOLDER}


def update_library(library: str) -> dict[str, Any]:
    bpy.ops.hums.open_library(directory=library)
    info = core("core.libraries").open_library(Path(library)).info
    before = info().clips
    bpy.ops.hums.index_library()
    return {"before": before, "after": info().clips, "failed": info().failed}


def list_of_libraries(first: str, second: str) -> dict[str, Any]:
    preferences = core("preferences").of(bpy.context)
    bpy.ops.hums.open_library(directory=first)
    bpy.ops.hums.open_library(directory=second, readonly=True)
    bpy.ops.hums.open_library(directory=first)
    listed = [(entry.name, entry.readonly) for entry in preferences.libraries]
    chosen = core("preferences").active_library(bpy.context).path
    bpy.ops.hums.remove_library(index=0)
    left = core("preferences").active_library(bpy.context).path
    refused = refusal(bpy.ops.hums.index_library)
    bpy.ops.hums.remove_library()
    return {
        "listed": listed,
        "chosen": chosen,
        "left": left,
        "update_of_readonly": refused,
        "find_without": refusal(bpy.ops.hums.find_similar),
    }


def index_beside_blender(directory: str, library: str) -> dict[str, Any]:
    """What a click starts: a process, a timer that hears it, and a way to stop it."""
    jobs, index_library = core("core.jobs"), core("operators.index_library")
    told: list[float] = []
    heard: list[Any] = []
    jobs.start(
        jobs.Task(Path(library), (directory,), create=True),
        lambda job: (told.append(job.progress.done), heard.append(job)),
    )
    jobs.start(jobs.Task(Path(library)), lambda job: (told.append(job.progress.done), heard.append(job)))
    waiting = jobs.waiting()
    longest, ends = 0.0, time.monotonic() + 100
    while jobs.is_running() and time.monotonic() < ends:
        began = time.thread_time()  # not by the clock: the machine has more to do
        jobs._tick()
        longest = max(longest, time.thread_time() - began)
        time.sleep(0.02)
    outcomes = [index_library.outcome(job.progress) for job in dict.fromkeys(heard)]
    return {"told": told, "outcomes": outcomes, "waiting": waiting, "longest_stall_s": longest}


def cancel_indexing(directory: str, library: str) -> dict[str, Any]:
    jobs, index_library = core("core.jobs"), core("operators.index_library")
    jobs.start(jobs.Task(Path(library), (directory,), create=True), lambda heard: None)
    (job,) = jobs._running
    while not job.update().total:
        time.sleep(0.02)
    bpy.ops.hums.cancel_indexing()
    stopped = job._process.poll() is not None
    outcome = index_library.outcome(job.progress)
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.index_library()
    clips = core("core.libraries").open_library(Path(library)).info().clips
    return {"stopped": stopped, "outcome": outcome, "running": jobs.is_running(), "clips_after_update": clips}


# ---------------------------------------------------------------- the main way: find and apply


def find_and_apply(library: str, take: str) -> dict[str, Any]:
    """Imports a take, finds it by its motion, puts it on another rig, and finds it again from there."""
    bpy.ops.hums.open_library(directory=library)
    bpy.context.scene.render.fps = 30
    bpy.ops.hums.import_motion(filepath=take)
    source = bpy.context.object
    bpy.ops.hums.find_similar()
    own = results()
    question = session().question
    hero = rigs.humanoid()
    activate(hero)
    bpy.ops.hums.apply_motion(clip_id=own[0]["clip_id"])
    bpy.ops.hums.find_similar()
    return {"own": own, "question": question, "other_rig": results(), "source": source.name}


def find_part(library: str, take: str) -> dict[str, Any]:
    """Finds a take by a second of it, and moments of it."""
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    frame = bpy.context.scene.frame_current
    bpy.ops.hums.find_similar(frame_start=25, frame_end=60, count=5)
    clips = results()
    bpy.ops.hums.find_similar(frame_start=25, frame_end=60, scope="moments", count=5)
    return {"clips": clips, "moments": results(), "moved": bpy.context.scene.frame_current - frame}


def apply_keeps_the_rest(take: str) -> dict[str, Any]:
    """Applies a file, and looks at everything that must stay as it was."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_set(11)
    hero = rigs.humanoid()
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=10)
    old = hero.animation_data.action
    old.name = "Blocking"
    constraint = hero.pose.bones["mixamorig:Head"].constraints.new("LIMIT_SCALE")

    def untouched() -> list[Any]:
        return [
            [bone.rotation_mode for bone in hero.pose.bones],
            [list(row) for row in hero.matrix_world],
            [list(bone.head_local) for bone in hero.data.bones],
            [scene.render.fps, scene.render.fps_base, scene.frame_current, scene.frame_start, scene.frame_end],
            [constraint.name for bone in hero.pose.bones for constraint in bone.constraints],
        ]

    before = untouched()
    bpy.ops.hums.apply_motion(filepath=take, start_s=1.0, end_s=3.0)
    data = hero.animation_data
    return {
        "before": before,
        "after": untouched(),
        "action": data.action.name,
        "actions": {action.name: action.use_fake_user for action in bpy.data.actions},
        "slot": getattr(getattr(data, "action_slot", None), "identifier", None),
        "frames": key_frames(hero),
        "groups": sorted({curve.group.name for curve in curves_of(hero)}),
        "constraint": constraint.name,
    }


def apply_follows_the_source(take: str, fps: int) -> dict[str, Any]:
    """Mean angle between the limbs of the source and those of the rig, in degrees, as Blender poses it."""
    bpy.context.scene.render.fps = fps
    hero = rigs.humanoid()
    activate(hero)
    bpy.ops.hums.apply_motion(filepath=take, placement="source")
    engine = core("core.engine")
    source = engine.canonical.canonicalize(engine.formats.load(take)).resampled(float(fps))
    index = core("hums_engine.skeleton").INDEX
    limbs = {
        ("left_shoulder", "left_elbow"): ("LeftArm", "LeftForeArm"),
        ("left_elbow", "left_wrist"): ("LeftForeArm", "LeftHand"),
        ("right_hip", "right_knee"): ("RightUpLeg", "RightLeg"),
        ("right_knee", "right_ankle"): ("RightLeg", "RightFoot"),
    }
    angles = []
    for frame in range(0, source.frame_count, 7):
        bpy.context.scene.frame_set(1 + frame)
        for (start, end), bones in limbs.items():
            wanted = source.positions[frame, index[end]] - source.positions[frame, index[start]]
            heads = np.array(rigs.bone_heads(hero, [f"mixamorig:{bone}" for bone in bones]))
            got = heads[1] - heads[0]
            cosine = wanted @ got / np.linalg.norm(wanted) / np.linalg.norm(got)
            angles.append(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
    return {"mean": float(np.mean(angles)), "worst": float(np.max(angles)), "frames": source.frame_count}


def apply_in_place_and_scaled(take: str) -> dict[str, Any]:
    """How far the hips travel over the ground with each setting."""
    hero = rigs.humanoid()
    activate(hero)
    spans = {}
    for name, settings in {
        "recorded": {},
        "in_place": {"root": "in_place"},
        "half": {"scale": 0.5},
        "full": {"scale": 1.0},
    }.items():
        bpy.ops.hums.apply_motion(filepath=take, **settings)
        places = []
        for frame in key_frames(hero)[::5]:
            bpy.context.scene.frame_set(int(frame))
            places.append(rigs.bone_heads(hero, ["mixamorig:Hips"])[0][:2])
        spans[name] = float(np.linalg.norm(np.ptp(np.array(places), axis=0)))
    return spans


def undo_apply(take: str) -> dict[str, Any]:
    """One step back takes off what was applied, and leaves what was there."""
    hero = rigs.humanoid()
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=10)
    hero.animation_data.action.name = "Blocking"
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.hums.apply_motion("EXEC_DEFAULT", True, filepath=take)
    applied = bpy.data.objects["Hero"].animation_data.action.name
    bpy.ops.ed.undo()
    after_undo = bpy.data.objects["Hero"].animation_data.action.name
    names = [action.name for action in bpy.data.actions]
    bpy.ops.ed.redo()
    again = bpy.data.objects["Hero"].animation_data.action.name
    return {"applied": applied, "after_undo": after_undo, "actions": names, "after_redo": again}


def apply_to_mesh(take: str) -> dict[str, Any]:
    """A person clicks the character's skin, not its rig."""
    hero = rigs.humanoid()
    mesh = bpy.data.objects.new("Skin", bpy.data.meshes.new("Skin"))
    bpy.context.scene.collection.objects.link(mesh)
    mesh.modifiers.new("Armature", "ARMATURE").object = hero
    activate(mesh)
    bpy.ops.hums.apply_motion(filepath=take)
    return {"action": hero.animation_data.action.name}


def soles_of_a_character(character: str, take: str) -> dict[str, float]:
    """A character on tiptoe: metres by which its skin is in the floor, also where Apply was not shown the skin."""
    bpy.ops.import_scene.gltf(filepath=character)
    rig = next(obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    skins = [m for obj in bpy.data.objects for m in obj.modifiers if m.type == "ARMATURE" and m.object == rig]
    activate(rig)
    depths = {}
    for shown in (False, True):
        for skin in skins:
            skin.object = rig if shown else None
        bpy.ops.hums.apply_motion(filepath=take, end_s=4.0)
        for skin in skins:
            skin.object = rig
        depths["shown" if shown else "not shown"] = -min(_lowest(skins, frame) for frame in range(1, 90, 8))
    return depths


def _lowest(skins: list[Any], frame: int) -> float:
    """Height of the lowest corner of the meshes that have the modifiers, as Blender deforms them."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    meshes = [skin.id_data.evaluated_get(graph) for skin in skins]
    return min((mesh.matrix_world @ v.co).z for mesh in meshes for v in mesh.data.vertices)


# ---------------------------------------------------------------- importing


def import_motion(take: str, fps: int) -> dict[str, Any]:
    """Imports a file and compares the bones with the engine's joints."""
    scene = bpy.context.scene
    scene.render.fps = fps
    scene.cursor.location = (3.0, 4.0, 0.0)
    scene.frame_set(5)
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.hums.import_motion(filepath=take)
    rig = bpy.context.object
    source = core("core.engine").formats.load(take)
    shift = np.array([3.0, 4.0, 0.0]) - source.positions[0, 0] * [1.0, 1.0, 0.0]
    joints = [source.joint_names.index(bone.name) for bone in rig.pose.bones]
    errors = []
    for second in (0.0, 0.5, 1.0):
        scene.frame_set(5 + round(second * fps))
        expected = source.positions[round(second * source.fps), joints] + shift
        errors.append(float(np.abs(np.array(rigs.bone_heads(rig)) - expected).max()))
    return {
        "name": rig.name,
        "selected": [obj.name for obj in bpy.context.selected_objects],
        "action": rig.animation_data.action.name,
        "frames": [key_frames(rig)[0], key_frames(rig)[-1]],
        "duration_s": source.duration_s,
        "error_m": max(errors),
        "fps": scene.render.fps,
        "whole": all(frame == round(frame) for frame in key_frames(rig)),
    }


def import_mirrored(take: str) -> dict[str, Any]:
    """The ankles of a motion and of its mirror image, both starting at the origin."""
    bpy.ops.hums.import_motion(filepath=take)
    plain = bpy.context.active_object
    bones = core("core.rig_map").bones_of(plain)
    bpy.ops.hums.import_motion(filepath=take, mirrored=True)
    image = bpy.context.active_object
    names = [name for name in ("left_ankle", "right_ankle") if name in image.pose.bones]
    apart: dict[str, list[float]] = {"mirrored_m": [], "as_it_was_m": []}
    for frame in (1, 10, 20, 30):
        bpy.context.scene.frame_set(frame)
        left, right = (np.array(plain.pose.bones[bones[name]].head) for name in ("left_ankle", "right_ankle"))
        seen = np.array(image.pose.bones["right_ankle"].head)
        apart["mirrored_m"].append(float(np.linalg.norm(seen - left * [-1.0, 1.0, 1.0])))
        apart["as_it_was_m"].append(float(np.linalg.norm(seen - right)))
    return {"names": names, **{name: max(values) for name, values in apart.items()}}


def import_from_library(library: str, clip_name: str) -> dict[str, Any]:
    """Imports a clip whose file is there, and one whose file is gone."""
    bpy.ops.hums.open_library(directory=library)
    opened = core("core.libraries").open_library(Path(library))
    clip = opened.clips({"name": clip_name})[0]
    bpy.ops.hums.import_motion(clip_id=str(clip.id))
    own = sorted(bone.name for bone in bpy.context.object.data.bones)
    hidden = Path(clip.source).with_suffix(".away")
    Path(clip.source).rename(hidden)
    try:
        bpy.ops.hums.import_motion(clip_id=str(clip.id), start_s=0.5, end_s=1.5)
    finally:
        hidden.rename(clip.source)
    stored = bpy.context.object
    fps = bpy.context.scene.render.fps
    return {
        "own": own,
        "stored": sorted(bone.name for bone in stored.data.bones),
        "seconds": (key_frames(stored)[-1] - key_frames(stored)[0]) / fps,
    }


# ---------------------------------------------------------------- reading


def read_both_ways() -> dict[str, Any]:
    """Bones of all rotation modes, hinges and locations in other axes: F-curves against Blender's own evaluation."""
    reader, armature = core("core.armature_reader"), core("hums_engine.armature")
    hero = rigs.humanoid()
    names = [bone.name for bone in hero.pose.bones]
    rigs.key_turns(hero, names, frames=40)
    for name in names[:6]:
        hero.pose.bones[name].location = (4.0, -3.0, 2.0)
        hero.pose.bones[name].keyframe_insert("location", frame=3)
        hero.pose.bones[name].location = (0.0, 5.0, 1.0)
        hero.pose.bones[name].keyframe_insert("location", frame=30)
    hero.data.bones["mixamorig:Neck"].use_inherit_rotation = False
    hero.data.bones["mixamorig:LeftArm"].use_local_location = False
    hero.data.bones["mixamorig:Hips"].use_local_location = False
    hero.data.bones["mixamorig:Head"].use_inherit_rotation = False
    for name in ("LeftArm", "Head"):
        hero.pose.bones[f"mixamorig:{name}"].location = (3.0, 1.0, -2.0)
    bpy.context.view_layer.update()
    bones, frames = reader.read_bones(hero), range(1, 41)
    channels = reader._own_channels(hero, bones, frames)
    fast = armature.pose(bones, *channels)
    scene = bpy.context.scene
    scene.frame_set(17)
    slow, _ = reader._evaluated(hero, bones, scene, frames)
    return {"error": float(np.abs(fast - slow).max()) * 0.01, "frame": scene.frame_current}


def reading_falls_back() -> dict[str, Any]:
    """Whatever else moves a rig is seen: each is taken off again before the next."""
    reader = core("core.armature_reader")
    scene = bpy.context.scene
    hero = rigs.humanoid(mixed_modes=False)
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=20)
    bones = reader.read_bones(hero)
    facts: dict[str, Any] = {"alone": reader._own_channels(hero, bones, range(1, 21)) is not None}

    def wrist() -> np.ndarray:
        motion = reader.read_motion(hero, scene, 1, 20)
        return motion.positions[:, motion.joint_names.index("mixamorig:LeftHand")]

    plain = wrist()
    limit = hero.pose.bones["mixamorig:Spine"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.owner_space = "LOCAL"
    facts["constraint"] = float(np.abs(wrist() - plain).max())
    hero.pose.bones["mixamorig:Spine"].constraints.remove(limit)
    driver = hero.pose.bones["mixamorig:LeftArm"].driver_add("rotation_quaternion", 1)
    driver.driver.expression = "frame / 20"
    facts["driver"] = float(np.abs(wrist() - plain).max())
    hero.pose.bones["mixamorig:LeftArm"].driver_remove("rotation_quaternion", 1)
    hero.pose.bones["mixamorig:LeftArm"].rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    hero.pose.bones["mixamorig:Spine1"].scale = (2.0, 2.0, 2.0)
    facts["scale"] = float(np.abs(wrist() - plain).max())
    hero.pose.bones["mixamorig:Spine1"].scale = (1.0, 1.0, 1.0)
    hero.keyframe_insert("location", frame=1)
    hero.location.x += 5.0
    hero.keyframe_insert("location", frame=20)
    facts["object"] = float(np.abs(wrist()[-1] - plain[-1]).max())
    return facts


def time_reading(frames: int) -> dict[str, Any]:
    """Seconds of processor time to read a rig of many keys, by F-curves and by evaluation, and to write them."""
    reader = core("core.armature_reader")
    writer = core("core.action_writer")
    hero = rigs.humanoid(mixed_modes=False)
    bones = reader.read_bones(hero)
    count = len(bones.names)
    angle = np.linspace(0.0, 6.0, frames)
    turns = np.zeros((frames, count, 4))
    turns[..., 0], turns[..., 1] = np.cos(angle)[:, None], np.sin(angle)[:, None]
    began = time.thread_time()
    writer.write_keys(hero, "Spin", bones, np.arange(1.0, frames + 1), turns, np.zeros((frames, count, 3)))
    written = time.thread_time()
    reader.read_motion(hero, bpy.context.scene, 1, frames)
    fast = time.thread_time()
    reader._evaluated(hero, bones, bpy.context.scene, range(1, frames + 1))
    slow = time.thread_time()
    return {"write_s": written - began, "fast_s": fast - written, "slow_s": slow - fast, "bones": count}


# ---------------------------------------------------------------- refusals


def refusals(library: str, take: str, folder: str) -> dict[str, str]:
    """What a person is told in each case where nothing can be done."""
    find, apply, bring = bpy.ops.hums.find_similar, bpy.ops.hums.apply_motion, bpy.ops.hums.import_motion
    told = {
        "no library": refusal(find),
        "missing library": refusal(bpy.ops.hums.open_library, directory="/nowhere.hums"),
    }
    bpy.ops.hums.open_library(directory=library)
    activate(None)
    told["nothing active"] = refusal(find)
    cube = bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube"))
    bpy.context.scene.collection.objects.link(cube)
    activate(cube)
    told["mesh"] = refusal(find)
    hero = rigs.humanoid()
    told["no action"] = refusal(find)
    hero.animation_data_create().action = bpy.data.actions.new("Nothing")
    told["empty action"] = refusal(find)
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=20)
    told["one frame"] = refusal(find, frame_start=3, frame_end=3)
    told["no such clip"] = refusal(apply, clip_id="999999")
    told["no motion named"] = refusal(apply)
    told["broken file"] = refusal(apply, filepath=_written(folder, "broken.bvh", Path(take).read_text()[:3000]))
    told["broken import"] = refusal(bring, filepath=_written(folder, "notes.bvh", "these are notes"))
    told["missing file"] = refusal(bring, filepath=str(Path(folder, "missing.bvh")))
    told["missing folder"] = refusal(bpy.ops.hums.create_library, directory=str(Path(folder, "missing")))
    rigs.hexapod()
    told["not human, find"] = refusal(find)
    told["not human, apply"] = refusal(apply, filepath=take)
    shutil_target = Path(folder) / "gone.hums"
    entry = core("preferences").add_library(bpy.context, shutil_target)
    activate(hero)
    told["library gone"] = refusal(find)
    told["library gone, update"] = refusal(bpy.ops.hums.index_library)
    assert entry.name == "gone"
    return told


def _written(folder: str, name: str, text: str) -> str:
    path = Path(folder, name)
    path.write_text(text, encoding="utf-8")
    return str(path)


def foreign_model(library: str, foreign: str) -> dict[str, str]:
    """A library whose signatures were made with another model."""
    import shutil

    shutil.copytree(library, foreign)
    sealed = core("hums_engine.catalogue").Catalogue(Path(foreign) / "catalogue.sqlite")
    model = sealed.model()
    with sealed.transaction():
        sealed.set_model(model._replace(hash="0" * 64, name="of-another-studio"))
    sealed.close()
    told = refusal(bpy.ops.hums.open_library, directory=foreign)
    core("preferences").add_library(bpy.context, Path(foreign))
    hero = rigs.humanoid()
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=20)
    return {"open": told, "find": refusal(bpy.ops.hums.find_similar)}


def link_hero(blend: str) -> bpy.types.Object:
    """A rig linked from the file ``blend``, which is made for it, in an empty scene."""
    import addon_utils

    rigs.humanoid()
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable(PACKAGE, default_set=True)
    with bpy.data.libraries.load(blend, link=True) as (source, target):
        target.objects = list(source.objects)
    bpy.context.scene.collection.objects.link(target.objects[0])
    return target.objects[0]


def refused_beside_blender(folder: str) -> dict[str, Any]:
    """What the Library panel is told when a folder that was chosen in the file browser cannot be opened."""
    libraries, index_library = core("core.libraries"), core("operators.index_library")
    try:
        libraries.open_library(Path(folder))
    except libraries.errors.HumsError as error:
        index_library.refuse(error)
    return {"outcome": session().outcome, "kind": session().outcome_kind}


def linked_rig(blend: str, take: str) -> dict[str, str]:
    """A rig that is linked from another file."""
    activate(link_hero(blend))
    return {"told": refusal(bpy.ops.hums.apply_motion, filepath=take)}


# ---------------------------------------------------------------- which bone is which joint


def map_by_hand(blend: str, take: str) -> dict[str, Any]:
    """A map corrected by hand, saved and read again, and what another add-on's property of the same name does."""
    hero, rig_map = rigs.humanoid(), core("core.rig_map")
    names = hero.data.bones.keys()
    found = rig_map.joint_map_of(hero).as_names(names)
    rig_map.remember(hero, {**found, "left_wrist": "", "head": "mixamorig:Neck", "neck": ""})
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.wm.open_mainfile(filepath=blend)
    hero = bpy.data.objects["Hero"]
    activate(hero)
    corrected = rig_map.joint_map_of(hero)
    bpy.ops.hums.apply_motion(filepath=take)
    keyed = {curve.data_path.split('"')[1] for curve in curves_of(hero)}
    hero.data["hums_rig_map"] = "not ours"
    ignored = rig_map.joint_map_of(hero).as_names(names)
    rig_map.forget(hero)
    return {
        "found": found,
        "corrected": corrected.as_names(names),
        "hand_keyed": "mixamorig:LeftHand" in keyed,
        "ignored": ignored,
        "forgotten": rig_map.joint_map_of(hero).as_names(names),
    }


def map_of_a_linked_rig(folder: str) -> list[str]:
    """The bone of a joint that was corrected on an overridden rig, then and after its file is read again."""
    import addon_utils

    library, scene = (str(Path(folder) / name) for name in ("library.blend", "scene.blend"))
    rigs.humanoid()
    bpy.ops.wm.save_as_mainfile(filepath=library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable(PACKAGE, default_set=True)
    with bpy.data.libraries.load(library, link=True) as (source, target):
        target.objects = list(source.objects)
    bpy.context.scene.collection.objects.link(target.objects[0])
    rig = target.objects[0].override_create(remap_local_usages=True)
    activate(rig)
    bpy.ops.hums.set_joint(joint="head", bone="mixamorig:Neck")
    rig_map = core("core.rig_map")
    found = [rig_map.bones_of(rig)["head"]]
    bpy.ops.wm.save_as_mainfile(filepath=scene)
    bpy.ops.wm.open_mainfile(filepath=scene)
    rig = next(obj for obj in bpy.context.scene.objects if obj.override_library is not None)
    return [*found, rig_map.bones_of(rig)["head"]]


def saved_maps(folder: str) -> dict[str, Any]:
    """A map corrected by operators and fields, saved, used by another rig, exported, deleted and imported again."""
    hero, rig_map = rigs.humanoid(), core("core.rig_map")
    activate(hero)
    bpy.ops.hums.set_joint(joint="left_collar", bone="mixamorig:LeftForeArm", mirrored=True)
    both = {side: rig_map.bones_of(hero).get(f"{side}_collar") for side in ("left", "right")}
    hero.data.hums_rig_map_fields.left_wrist = ""
    shown = hero.data.hums_rig_map_fields.left_collar
    bpy.ops.hums.show_joint(joint="left_collar")
    active = hero.data.bones.active.name
    wanted = rig_map.bones_of(hero)
    bpy.ops.hums.save_rig_map(title="Studio Hero")
    bpy.ops.hums.reset_rig_map()
    used = rig_map.joint_map_of(hero)
    twin = rigs.humanoid("Twin")
    elsewhere = Path(folder) / "shared.json"
    bpy.ops.hums.export_rig_map(family="studio_hero", filepath=str(elsewhere))
    facts = {
        "both": both,
        "shown": shown,
        "active": active,
        "hands": [joint for joint in ("left_wrist", "right_wrist") if joint in wanted],
        "used": (used.family, used.as_names(hero.data.bones.keys()) == wanted, rig_map.bones_of(twin) == wanted),
    }
    bpy.ops.hums.delete_rig_map(family="studio_hero")
    facts["deleted"] = rig_map.joint_map_of(hero).family
    bpy.ops.hums.import_rig_map(filepath=str(elsewhere))
    facts["imported"] = rig_map.joint_map_of(hero).family
    activate(hero)
    bpy.ops.hums.load_rig_map(family="studio_hero")
    facts["loaded"] = rig_map.joint_map_of(hero).family
    (Path(folder) / "broken.json").write_text("{")
    facts["told"] = [
        refusal(bpy.ops.hums.set_joint, joint="left_elbow", bone="no such bone"),
        refusal(bpy.ops.hums.set_joint, joint="tail", bone="mixamorig:Hips"),
        refusal(bpy.ops.hums.load_rig_map, family="no such map"),
        refusal(bpy.ops.hums.import_rig_map, filepath=str(Path(folder) / "broken.json")),
        refusal(bpy.ops.hums.save_rig_map, title="Mixamo"),
    ]
    bpy.ops.hums.delete_rig_map(family="studio_hero")  # later tests have the same user folder, and the same hero
    return facts


def time_of_a_cached_map() -> float:
    """Seconds of processor that the map of a rig with hundreds of bones costs a panel that asks again."""
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    rig = bpy.context.active_object
    joint_map_of = core("core.rig_map").joint_map_of
    joint_map_of(rig)
    start = time.process_time()
    for _ in range(100):
        joint_map_of(rig)
    return (time.process_time() - start) / 100


def map_generated_rig() -> dict[str, dict[str, str]]:
    """A Rigify rig with its names, and with names that say nothing, told by the names that it had."""
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_basic_human_metarig_add()
    metarig = bpy.context.active_object
    bpy.ops.pose.rigify_generate()
    rig = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o is not metarig)
    rig_map, names = core("core.rig_map"), list(rig.data.bones.keys())
    named = rig_map.joint_map_of(rig)
    for i, bone in enumerate(rig.data.bones):
        bone.name = f"Bone.{i:03d}"
    return {"named": named.as_names(names), "anonymous": rig_map.joint_map_of(rig).as_names(names)}


# ---------------------------------------------------------------- the command line


def command(arguments: list[list[str]]) -> dict[str, Any]:
    """Runs the registered command, as ``blender --command hums`` would."""
    answers = []
    for one in arguments:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = core("command").run(one)
        answers.append({"code": code, "out": out.getvalue()})
    return {"answers": answers}
