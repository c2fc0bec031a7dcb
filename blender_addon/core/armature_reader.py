# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures out of Blender: the bones at rest as a rig, and a range of frames as a Motion.

Where nothing but the object's own action moves the bones, the F-curves are read and the bones posed by arrays,
a hundred times faster than Blender's evaluation; else every frame is evaluated.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from bpy.types import FCurve, Object, Scene
from numpy.typing import NDArray

from . import action_api, provenance
from .engine import armature, errors, motion, normalize, rotation_modes

Array = NDArray[np.float64]

_BONE_CHANNEL = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.(location|rotation_\w+|scale)$')
_ANIMATED_OBJECT = re.compile(r"(delta_)?(location|rotation_\w+|scale)$")
_UNIT = 1e-4
_FIRST_GUESS_S = 0.005  # for one frame


def rig_of(obj: Object | None) -> Object:
    """The armature that a person means by the object: itself, or the one that moves a mesh.

    Raises:
        HumsError: there is none.
    """
    if obj is None:
        raise errors.HumsError("No object is active: click the rig first.")
    if obj.type == "ARMATURE":
        return obj
    modifiers = (modifier.object for modifier in obj.modifiers if modifier.type == "ARMATURE")
    for candidate in (*modifiers, obj.parent):
        if candidate is not None and candidate.type == "ARMATURE":
            return candidate
    instanced = obj.instance_collection if obj.instance_type == "COLLECTION" else None
    if instanced is not None and any(one.type == "ARMATURE" for one in instanced.all_objects):
        raise errors.HumsError(
            f"'{obj.name}' is an instance of a collection: make a library override of it first (menu Object), or make "
            "the instance real."
        )
    raise errors.HumsError(f"'{obj.name}' is not an armature and no armature moves it: click the rig first.")


def read_bones(rig: Object) -> armature.Bones:
    """The bones of an armature at rest."""
    bones = rig.data.bones
    names = tuple(bone.name for bone in bones)
    index = {name: i for i, name in enumerate(names)}
    rest = np.empty((len(bones), 16), dtype=np.float32)
    tips = np.empty((len(bones), 3), dtype=np.float32)
    bones.foreach_get("matrix_local", rest.ravel())
    bones.foreach_get("tail_local", tips.ravel())
    return armature.Bones(
        names=names,
        parents=np.array([index[bone.parent.name] if bone.parent else -1 for bone in bones], dtype=np.intp),
        rest=_matrices(rest),
        tips=tips.astype(np.float64),
        inherits_rotation=np.array([bone.use_inherit_rotation for bone in bones], dtype=bool),
        local_location=np.array([bone.use_local_location for bone in bones], dtype=bool),
        connected=np.array([bone.use_connect for bone in bones], dtype=bool),
    )


def read_skin(rig: Object) -> Array | None:
    """Where the corners ``[V, 3]`` of the meshes that an armature moves are in the world at rest; None without any."""
    found = []
    for mesh in bpy.data.objects:
        if mesh.type == "MESH" and any(m.type == "ARMATURE" and m.object == rig for m in mesh.modifiers):
            corners = np.empty(len(mesh.data.vertices) * 3, dtype=np.float32)
            mesh.data.vertices.foreach_get("co", corners)
            world = np.array(mesh.matrix_world)
            found.append(corners.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
    return np.concatenate(found) if found else None


@contextmanager
def named(rig: Object) -> Iterator[None]:
    """Lets an error about the skeleton say whose skeleton it is.

    Raises:
        MappingError: one was raised inside.
    """
    try:
        yield
    except errors.MappingError as error:
        reason = str(error)
        told = f"Choose a human figure's rig instead of '{rig.name}': {reason[:1].lower()}{reason[1:]}"
        raise errors.MappingError(told) from error


def frame_range(rig: Object, scene: Scene) -> tuple[int, int]:
    """First and last frame of the motion on a rig: the preview range if it is on, else its action, else the scene.

    Raises:
        HumsError: nothing moves the rig.
    """
    if not _is_moved(rig):
        raise errors.HumsError(_no_motion(rig))
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    curves = action_api.curves_of(rig)
    if not curves:
        return scene.frame_start, scene.frame_end
    start, end = rig.animation_data.action.frame_range
    return round(start), round(end)


def _no_motion(rig: Object) -> str:
    data = rig.animation_data
    if data is None or data.action is None:
        return f"'{rig.name}' has no action: give the rig some motion, or choose an action for it."
    return f"The action '{data.action.name}' has no keys for '{rig.name}': key a pose or two, or choose another action."


def _is_moved(rig: Object) -> bool:
    return bool(action_api.curves_of(rig)) or _is_moved_by_more(rig)


def _is_moved_by_more(rig: Object) -> bool:
    """Whether anything but the rig's own action may move its bones in the world."""
    for data in (rig.animation_data, rig.data.animation_data):
        if data is not None and (
            data.drivers or data.use_tweak_mode or any(not track.mute for track in data.nla_tracks)
        ):
            return True
    if rig.data.animation_data is not None and rig.data.animation_data.action is not None:
        return True
    if rig.parent is not None or _has_constraints(rig):
        return True
    return any(_has_constraints(bone) for bone in rig.pose.bones)


def _has_constraints(owner: Object | bpy.types.PoseBone) -> bool:
    return any(constraint.enabled and constraint.influence > 0 for constraint in owner.constraints)


def read_motion(rig: Object, scene: Scene, first: int, last: int) -> motion.Motion:
    """The movement of a rig's bones in the world from the scene's frame ``first`` to ``last``, read at once.

    Raises:
        HumsError: the range holds fewer than two frames.
    """
    reading = Reading(rig, scene, first, last)
    while reading.progress < 1.0:
        reading.advance(math.inf)
    return reading.motion


class Reading:
    """The movement of a rig's bones in the world, read by and by so that Blender stays usable.

    Where frames must be evaluated, only as many as the search compares are: 30 a second. The scene's current frame is
    left as it was after each step. Rig and scene are looked up by their names each time, since undo or a new file may
    come in between.

    Raises:
        HumsError: the range from frame ``first`` to ``last`` holds fewer than two frames.
    """

    def __init__(self, rig: Object, scene: Scene, first: int, last: int) -> None:
        if last <= first:
            raise errors.HumsError(
                f"Frames {first} to {last} hold no motion: choose a longer range or an action with more keys."
            )
        self._names = rig.name, scene.name
        self._bones = read_bones(rig)
        action = rig.animation_data.action if rig.animation_data else None
        self._origin = provenance.of_action(action)
        self._name = action.name if action else rig.name
        self._fps = scene.render.fps / scene.render.fps_base
        self._frames = range(first, last + 1)
        self._posed: list[Array] = []
        self._world: list[Array] = []
        self._done, self._frame_s = 0, _FIRST_GUESS_S
        channels = _own_channels(rig, self._bones, self._frames)
        if channels is not None:
            self._posed, self._world = [armature.pose(self._bones, *channels)], [np.array(rig.matrix_world)]
            self._done = len(self._frames)
        else:
            step = max(1, min(round(self._fps / normalize.FPS), last - first))
            self._frames, self._fps = self._frames[::step], self._fps / step

    @property
    def progress(self) -> float:
        """How much is read, 0 to 1."""
        return self._done / len(self._frames)

    @property
    def origin(self) -> provenance.Provenance:
        """Where the rig's action came from."""
        return self._origin

    @property
    def motion(self) -> motion.Motion:
        """What was read, once all of it is."""
        posed = np.concatenate(self._posed)
        world = self._world[0] if self._world[0].ndim == 2 else np.concatenate(self._world)
        return armature.to_motion(self._bones, posed, world, self._fps, name=self._name)

    def advance(self, budget_s: float) -> None:
        """Reads some more, for about so many seconds.

        Raises:
            HumsError: the rig is there no longer, or has other bones.
        """
        if self.progress >= 1.0:
            return
        rig, scene = bpy.data.objects.get(self._names[0]), bpy.data.scenes.get(self._names[1])
        if (
            rig is None
            or scene is None
            or rig.type != "ARMATURE"
            or set(self._bones.names) - set(rig.pose.bones.keys())
        ):
            raise errors.HumsError("The rig was changed while its motion was read: press Find Similar again.")
        left = len(self._frames) - self._done
        count = left if budget_s == math.inf else min(max(1, int(budget_s / self._frame_s)), left)
        began = time.perf_counter()
        posed, world = _evaluated(rig, self._bones, scene, self._frames[self._done : self._done + count])
        self._frame_s = (time.perf_counter() - began) / count
        self._posed.append(posed)
        self._world.append(world)
        self._done += count


def bone_in_world(rig: Object, scene: Scene, frame: int, name: str) -> Array:
    """The matrix ``[4, 4]`` of a posed bone in the world; at the current frame with what is posed but not keyed."""
    if frame == scene.frame_current and rig.visible_get():
        return np.array(rig.matrix_world @ rig.pose.bones[name].matrix)
    bones, frames = read_bones(rig), range(frame, frame + 1)
    channels = _own_channels(rig, bones, frames)
    if channels is not None:
        posed, world = armature.pose(bones, *channels), np.array(rig.matrix_world)[None]
    else:
        posed, world = _evaluated(rig, bones, scene, frames)
    return world[0] @ posed[0, bones.names.index(name)]


def _own_channels(rig: Object, bones: armature.Bones, frames: range) -> tuple[Array, Array] | None:
    """Pose locations ``[T, B, 3]`` and rotations ``[T, B, 4]`` from F-curves, or None where they do not tell all."""
    data = rig.animation_data
    if data is None or data.action is None or not action_api.has_one_layer(data.action) or _is_moved_by_more(rig):
        return None
    if (
        rig.mode == "EDIT"
        or rig.data.pose_position == "REST"
        or data.action_influence < 1
        or data.action_blend_type != "REPLACE"
    ):
        return None
    curves = [curve for curve in action_api.curves_of(rig) if not curve.mute]
    if any(_ANIMATED_OBJECT.match(curve.data_path) for curve in curves):
        return None
    values = _static_values(rig, bones, len(frames))
    for curve in curves:
        match = _BONE_CHANNEL.match(curve.data_path)
        column = values.get((bpy.utils.unescape_identifier(match[1]), match[2])) if match else None
        if column is not None and curve.array_index < column.shape[1]:
            column[:, curve.array_index] = _values(curve, frames)
    if any(np.abs(values[name, "scale"] - 1.0).max() > _UNIT for name in bones.names):
        return None
    locations = np.stack([values[name, "location"] for name in bones.names], axis=1)
    return locations, np.stack(list(_rotations(rig, bones, values)), axis=1)


def _static_values(rig: Object, bones: armature.Bones, count: int) -> dict[tuple[str, str], Array]:
    """What the channels of every bone hold now, repeated for each frame: keys overwrite what they animate."""
    values = {}
    for name in bones.names:
        bone = rig.pose.bones[name]
        rotation, _ = rotation_modes.channels(bone.rotation_mode)
        for channel in ("location", rotation, "scale"):
            values[name, channel] = np.tile(np.array(getattr(bone, channel), dtype=np.float64), (count, 1))
    return values


def _rotations(rig: Object, bones: armature.Bones, values: dict[tuple[str, str], Array]) -> Iterable[Array]:
    for name in bones.names:
        mode = rig.pose.bones[name].rotation_mode
        yield rotation_modes.to_quaternions(values[name, rotation_modes.channels(mode)[0]], mode)


def _values(curve: FCurve, frames: range) -> Array:
    """The curve at each frame ``[T]``; read in bulk where it has a key on each."""
    points = curve.keyframe_points
    if not len(curve.modifiers) and len(points) >= len(frames):
        keys = np.empty((len(points), 2), dtype=np.float32)
        points.foreach_get("co", keys.ravel())
        start = int(np.searchsorted(keys[:, 0], frames.start - _UNIT))
        found = keys[start : start + len(frames)]
        if len(found) == len(frames) and np.abs(found[:, 0] - np.asarray(frames)).max() < _UNIT:
            return found[:, 1].astype(np.float64)
    return np.fromiter((curve.evaluate(frame) for frame in frames), dtype=np.float64, count=len(frames))


def _evaluated(rig: Object, bones: armature.Bones, scene: Scene, frames: range) -> tuple[Array, Array]:
    """Pose matrices ``[T, B, 4, 4]`` and object matrices ``[T, 4, 4]`` as Blender evaluates them."""
    posed = np.empty((len(frames), len(bones.names), 16), dtype=np.float32)
    world = np.empty((len(frames), 4, 4))
    current = scene.frame_current, scene.frame_subframe
    try:
        for i, frame in enumerate(frames):
            scene.frame_set(frame)
            rig.pose.bones.foreach_get("matrix", posed[i].ravel())
            world[i] = rig.matrix_world
    finally:
        scene.frame_set(current[0], subframe=current[1])
    order = [rig.pose.bones.find(name) for name in bones.names]
    return _matrices(posed[:, order]), world


def _matrices(values: NDArray[np.float32]) -> Array:
    """Blender's flat matrices ``[..., 16]``, column after column, as ``[..., 4, 4]``."""
    return np.swapaxes(values.reshape(*values.shape[:-1], 4, 4), -1, -2).astype(np.float64)


def selected_bones(rig: Object) -> list[int]:
    """Places in ``rig.data.bones`` of the bones that are selected in Pose Mode."""
    bones = rig.data.bones
    if "select" in bpy.types.PoseBone.bl_rna.properties:  # since 5.0
        return [i for i, bone in enumerate(bones) if rig.pose.bones[bone.name].select]
    return [i for i, bone in enumerate(bones) if bone.select]
