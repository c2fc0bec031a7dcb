# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures out of Blender: the bones at rest as a rig, and a range of frames as a Motion.

Where nothing but the object's own action moves the bones, the F-curves are read and the bones posed by arrays,
a hundred times faster than Blender's evaluation; else every frame is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from bpy.types import FCurve, Object, Scene
from numpy.typing import NDArray

from . import action_api
from .engine import armature, errors, motion, normalize, rotation_modes

Array = NDArray[np.float64]

_BONE_CHANNEL = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.(location|rotation_\w+|scale)$')
_ANIMATED_OBJECT = re.compile(r"(delta_)?(location|rotation_\w+|scale)$")
_UNIT = 1e-4


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
    )


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
    """The movement of a rig's bones in the world from the scene's frame ``first`` to ``last``.

    Where frames must be evaluated, only as many as the search compares are: 30 a second. The scene's current frame is
    left as it was.

    Raises:
        HumsError: the range holds fewer than two frames.
    """
    if last <= first:
        raise errors.HumsError(
            f"Frames {first} to {last} hold no motion: choose a longer range or an action with more keys."
        )
    bones = read_bones(rig)
    frames = range(first, last + 1)
    fps = scene.render.fps / scene.render.fps_base
    channels = _own_channels(rig, bones, frames)
    if channels is not None:
        posed, world = armature.pose(bones, *channels), np.array(rig.matrix_world)
    else:
        step = max(1, min(round(fps / normalize.FPS), last - first))
        posed, world = _evaluated(rig, bones, scene, frames[::step])
        fps /= step
    action = rig.animation_data.action if rig.animation_data else None
    return armature.to_motion(bones, posed, world, fps, name=action.name if action else rig.name)


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
