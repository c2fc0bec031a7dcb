# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders a rigged character at several moments of its action, side by side in one picture, in Blender on the CPU.

Cycles is the one renderer of Blender's module that needs neither a screen nor a graphics card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Collection, Object, Scene
from mathutils import Matrix, Vector
from PIL import Image

UP = Vector((0.0, 0.0, 1.0))
SIZE = (1500, 440)
SAMPLES = 12
AZIMUTH, ELEVATION = np.radians(38.0), np.radians(11.0)
"""From where the viewer looks at a character that faces -Y: from its right front, a little from above."""
TOWARD_VIEWER = Vector((-np.sin(AZIMUTH), -np.cos(AZIMUTH), 0.0))
ACROSS = UP.cross(TOWARD_VIEWER)
PAPER = (0.86, 0.88, 0.92, 1.0)


def render(scene: Scene, rig: Object, pelvis: str, frames: Sequence[float], spacing_m: float, path: Path) -> None:
    """Writes the picture, and leaves the scene with a ground, a light and a camera, the character as it was.

    Args:
        scene: with the character in it.
        rig: the armature, playing its action.
        pelvis: the bone that each moment is centred on.
        frames: the moments, from left to right.
        spacing_m: how far they stand apart.
        path: the PNG to write.
    """
    parts = [obj for obj in bpy.data.objects if obj.type == "MESH" and obj.parent is rig]
    light_stage(scene)
    moments = bpy.data.collections.new("Moments")
    scene.collection.children.link(moments)
    for i, frame in enumerate(frames):
        place = ACROSS * spacing_m * (i - (len(frames) - 1) / 2)
        freeze(scene, rig, pelvis, parts, frame, place, moments)
    for part in parts:
        part.hide_render = True
    aim_camera(scene, [obj.matrix_world @ Vector(corner) for obj in moments.objects for corner in obj.bound_box])
    write_still(scene, path)
    for part in parts:
        part.hide_render = False
    bpy.data.batch_remove([*(obj.data for obj in moments.objects), *moments.objects, moments])
    aim_camera(scene, [rig.matrix_world @ Vector(corner) for corner in rig.bound_box])


def freeze(
    scene: Scene, rig: Object, pelvis: str, parts: Sequence[Object], frame: float, place: Vector, into: Collection
) -> None:
    """Copies the character as it looks at ``frame``, with its pelvis over ``place``."""
    scene.frame_set(int(frame), subframe=frame % 1.0)
    evaluated = bpy.context.evaluated_depsgraph_get()
    centre = rig.matrix_world @ rig.pose.bones[pelvis].head
    shift = Matrix.Translation(place - Vector((centre.x, centre.y, 0.0)))
    for part in parts:
        shape = part.evaluated_get(evaluated)
        copy = bpy.data.objects.new(part.name, bpy.data.meshes.new_from_object(shape, depsgraph=evaluated))
        copy.matrix_world = shift @ shape.matrix_world
        into.objects.link(copy)


def light_stage(scene: Scene) -> None:
    """A pale floor without end, a soft sun from the left, and a pale sky."""
    floor = bpy.data.meshes.new("Floor")
    floor.from_pydata([(-200, -200, 0), (200, -200, 0), (200, 200, 0), (-200, 200, 0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("Floor")
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = PAPER
    surface.inputs["Roughness"].default_value = 1.0
    floor.materials.append(material)
    sun = bpy.data.lights.new("Sun", "SUN")
    sun.energy, sun.angle = 2.6, np.radians(12.0)
    light = bpy.data.objects.new("Sun", sun)
    light.rotation_euler = (ACROSS * 0.7 - TOWARD_VIEWER - UP * 1.5).to_track_quat("-Z", "Y").to_euler()
    for obj in (bpy.data.objects.new("Floor", floor), light):
        scene.collection.objects.link(obj)
    scene.world = bpy.data.worlds.new("Sky")
    scene.world.use_nodes = True
    sky = scene.world.node_tree.nodes["Background"]
    sky.inputs["Color"].default_value, sky.inputs["Strength"].default_value = PAPER, 0.7


def aim_camera(scene: Scene, points: Sequence[Vector]) -> None:
    """Points the scene's camera, made when there is none, so that all ``points`` are in the picture."""
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.camera.data.lens = 85.0
        scene.collection.objects.link(scene.camera)
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    back = (TOWARD_VIEWER * np.cos(ELEVATION) + UP * np.sin(ELEVATION)).normalized()
    scene.camera.rotation_euler = (-back).to_track_quat("-Z", "Y").to_euler()
    bpy.context.view_layer.update()
    corners = [value for point in points for value in point]
    nearest, _ = scene.camera.camera_fit_coords(bpy.context.evaluated_depsgraph_get(), corners)
    scene.camera.location = nearest + back


def write_still(scene: Scene, path: Path) -> None:
    """Renders the scene's current frame."""
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, True
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    with Image.open(path) as picture:  # without Blender's notes on the time it took, the same picture is the same file
        picture.convert("RGB").save(path, optimize=True)
