# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in Blender: where its importer puts the bones of a file, frame by frame, as an NPZ.

Called as ``blender_bones.py FILE FPS FRAMES ACTION OUT``: whole frames from the action's first key. Written are the
``names`` of the bones, their heads in the world ``[frames, bones, 3]`` and how many ``seconds`` the import took.
"""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import numpy as np
from blender_process import run


def imported(path: Path, fps: float) -> float:
    """Imports a file into an empty scene of some frames a second, and returns the seconds that took."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
    start = time.perf_counter()
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    return time.perf_counter() - start


def heads(rig: bpy.types.Object, first: float, frames: int) -> np.ndarray:
    """``[frames, bones, 3]``"""
    found = np.empty((frames, len(rig.pose.bones), 3))
    for frame in range(frames):
        whole = int(np.floor(first + frame))
        bpy.context.scene.frame_set(whole, subframe=first + frame - whole)
        for number, bone in enumerate(rig.pose.bones):
            found[frame, number] = rig.matrix_world @ bone.head
    return found


def main(file: str, fps: str, frames: str, action: str, out: str) -> None:
    seconds = imported(Path(file), float(fps))
    rig = next(obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    animation = rig.animation_data
    for track in list(animation.nla_tracks):
        animation.nla_tracks.remove(track)
    names = [found.name for found in bpy.data.actions]
    animation.action = bpy.data.actions[next(name for name in names if name.split("|")[-1].startswith(action))]
    if animation.action.slots and animation.action_slot is None:
        animation.action_slot = animation.action.slots[0]
    first = animation.action.frame_range[0]
    positions = heads(rig, first, int(frames))
    np.savez(out, names=np.array([bone.name for bone in rig.pose.bones]), positions=positions, seconds=seconds)


if __name__ == "__main__":
    run(main)
