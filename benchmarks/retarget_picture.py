# SPDX-License-Identifier: GPL-3.0-or-later
"""What lands, as a picture: docs/images/retargeting.png.

    python build_addon.py && python benchmarks/retarget_picture.py

Of five sample takes the moment at which the feet are farthest apart, in rows: the joints of the source, the sample
knight, and the control rig that Rigify generates from its basic human, drawn by the bones that move its skin. Apply of
the installed extension put them there with its default options. Left is orange, right is blue.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

if "BLENDER_USER_RESOURCES" not in os.environ:  # before Blender starts, or it uses the person's own settings
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()

import bpy
import numpy as np
from bpy.types import Collection, Object
from mathutils import Vector
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import benchmark_rigs, portrait
from benchmarks.installed_extension import install, newest_zip
from hums_engine import quat, rest_pose
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.formats import load
from hums_engine.skeleton import INDEX, JOINTS, PARENTS

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images" / "retargeting.png"
TAKES = ("walk_07_04", "kick_10_01", "ballet_05_08", "run_09_01", "jump_13_11")
FPS = 30
APART_M = 1.9
HIGHEST_M = 2.1
COLOURS = {"left": (0.7, 0.2, 0.03, 1.0), "right": (0.03, 0.15, 0.6, 1.0), "": (0.3, 0.3, 0.33, 1.0)}
SIDES = tuple(COLOURS)
_FACES = np.array([face for a, b in ((2, 3), (3, 4), (4, 5), (5, 2)) for face in ((0, b, a), (1, a, b))])


class Stick(NamedTuple):
    """A bone to be drawn, and the side that it is on."""

    name: str
    start: Vector
    end: Vector
    side: str


def main() -> None:
    """Renders the rows and puts them under one another."""
    install(newest_zip())
    with tempfile.TemporaryDirectory() as folder:
        rows = [Path(folder) / f"{row.__name__}.png" for row in (source, knight, rigify)]
        for row, path in zip((source, knight, rigify), rows, strict=True):
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            bpy.context.scene.render.fps = FPS
            moments = bpy.data.collections.new("Moments")
            bpy.context.scene.collection.children.link(moments)
            row(moments)
            picture(moments, path)
        pictures = [Image.open(path) for path in rows]
        page = Image.new("RGB", (pictures[0].width, sum(one.height for one in pictures)))
        for place, one in enumerate(pictures):
            page.paste(one, (0, place * one.height))
    page.quantize(128).save(OUT, optimize=True)
    print(f"{OUT}  {OUT.stat().st_size / 1e3:.0f} kB")


def picture(moments: Collection, path: Path) -> None:
    """Renders what stands in the collection, and nothing else."""
    scene = bpy.context.scene
    shown = set(moments.objects)
    for obj in list(scene.collection.all_objects):
        obj.hide_render = obj not in shown
    portrait.light_stage(scene)
    sides = place(-0.4), place(len(TAKES) - 0.6)  # the same for every row, so that columns are columns
    portrait.aim_camera(scene, [side + portrait.UP * height for side in sides for height in (-0.1, HIGHEST_M)])
    portrait.write_still(scene, path)


def place(column: float) -> Vector:
    """Where the figure of a column stands."""
    return portrait.ACROSS * APART_M * (column - (len(TAKES) - 1) / 2)


def take(name: str) -> tuple[CanonicalMotion, int]:
    """A take at the scene's rate, and its moment."""
    motion = canonicalize(load(ROOT / "samples" / f"{name}.bvh")).resampled(FPS)
    feet = motion.positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]]]
    return motion, int(np.argmax(np.linalg.norm(feet[:, 0] - feet[:, 1], axis=-1)))


def source(moments: Collection) -> None:
    """The joints of each take, turned so that it starts facing as rigs do."""
    for column, name in enumerate(TAKES):
        motion, frame = take(name)
        seen = np.where(motion.valid[:, None], motion.positions.astype(np.float64), np.nan)
        joints = quat.rotate(quat.inv(rest_pose.heading(seen[0])), seen[frame])
        joints -= rest_pose.hips(joints) * [1.0, 1.0, 0.0]
        sticks = []
        for joint in np.flatnonzero(motion.valid):
            parent = int(PARENTS[joint])
            while parent > 0 and not motion.valid[parent]:
                parent = int(PARENTS[parent])
            if parent >= 0:
                side = JOINTS[joint].partition("_")[0]
                ends = Vector(joints[parent]), Vector(joints[joint])
                sticks.append(Stick(JOINTS[joint], *ends, side if side in SIDES else ""))
        drawn = solid("Source", sticks)
        drawn.location = place(column)
        moments.objects.link(drawn)
    bpy.context.view_layer.update()


def knight(moments: Collection) -> None:
    """The sample character."""
    bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "character" / "knight.glb"))
    rig = next(obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    play(rig, [obj for obj in bpy.data.objects if obj.type == "MESH" and obj.parent is rig], "hips", moments)


def rigify(moments: Collection) -> None:
    """A control rig, seen by its deform bones."""
    rig = benchmark_rigs.load("basic_controls", ROOT)
    bones = [bone for bone in rig.data.bones if bone.use_deform]
    sides = {".L": "left", ".R": "right"}
    sticks = []
    for bone in bones:
        side = next((side for mark, side in sides.items() if mark in bone.name), "")
        sticks.append(Stick(bone.name, bone.head_local, bone.tail_local, side))
    skin = solid("Bones", sticks)
    bpy.context.scene.collection.objects.link(skin)
    skin.parent = rig
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    play(rig, [skin], "DEF-spine", moments)


def play(rig: Object, parts: list[Object], pelvis: str, moments: Collection) -> None:
    """Applies each take, and copies how the figure looks at its moment."""
    bpy.context.view_layer.objects.active = rig
    scene = bpy.context.scene
    scene.render.fps = FPS
    for column, name in enumerate(TAKES):
        benchmark_rigs.to_rest(rig)
        bpy.ops.hums.apply_motion(filepath=str(ROOT / "samples" / f"{name}.bvh"), frame=1)
        portrait.freeze(scene, rig, pelvis, parts, 1.0 + take(name)[1], place(column), moments)


def solid(name: str, sticks: list[Stick]) -> Object:
    """A mesh of one slender octahedron a bone, each in a vertex group of the bone's name."""
    corners = np.concatenate([_corners(np.array(stick.start), np.array(stick.end)) for stick in sticks])
    faces = _FACES + 6 * np.arange(len(sticks))[:, None, None]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners.tolist(), [], faces.reshape(-1, 3).tolist())
    for side, colour in COLOURS.items():
        material = bpy.data.materials.get(side or "middle") or bpy.data.materials.new(side or "middle")
        material.use_nodes = True
        material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
        mesh.materials.append(material)
    drawn = bpy.data.objects.new(name, mesh)
    for i, stick in enumerate(sticks):
        drawn.vertex_groups.new(name=stick.name).add(range(6 * i, 6 * i + 6), 1.0, "REPLACE")
    mesh.polygons.foreach_set("material_index", np.repeat([SIDES.index(stick.side) for stick in sticks], len(_FACES)))
    return drawn


def _corners(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The octahedron's start, end, and rim ``[6, 3]``."""
    along = end - start
    across = quat.unit(np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))]))
    ring = np.array([across, quat.unit(np.cross(along, across))]) * np.clip(0.12 * np.linalg.norm(along), 0.03, 0.05)
    return np.concatenate([[start, end], start + 0.15 * along + np.concatenate([ring, -ring])])


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender's module of 4.5 may hang while it cleans up
