# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions into Blender as keys: one new action for each, told in the bones' own rotation modes."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.types import Action, Object
from numpy.typing import NDArray

from . import action_api, armature_reader, provenance, rig_map
from .engine import armature, canonical, errors, retarget, rotation_modes

Array = NDArray[np.float64]


def apply_motion(
    rig: Object,
    motion: canonical.CanonicalMotion,
    options: retarget.RetargetOptions,
    start_frame: float,
    fps: float,
) -> Action:
    """Retargets a motion onto a rig as its new action.

    The action that the rig had stays in the file. Bones above the keyed ones go to rest, or they would carry
    the figure off; everything else about the rig and the scene is left alone.

    Args:
        rig: an armature.
        motion: what to play.
        options: how it lands.
        start_frame: frame of the first key.
        fps: frames a second of the scene.

    Raises:
        HumsError: the rig cannot be animated here, or is not that of a human figure.
    """
    check_can_be_animated(rig)
    bones = armature_reader.read_bones(rig)
    with armature_reader.named(rig):
        joint_map = rig_map.joint_map_of(rig)
    curves = retarget.retarget(motion, bones.in_world(np.array(rig.matrix_world)), joint_map, options, fps)
    frames = start_frame + curves.times_s * fps
    new = action_api.create(motion.name or "Motion", rig)
    for column, bone in enumerate(curves.bones):
        _key_rotation(new, rig, bones.names[bone], frames, curves.rotations[:, column])
    locations = armature.location_channels(bones, curves.root_bone, curves.root_locations)
    _key_location(new, bones.names[curves.root_bone], frames, locations)
    for name in _unkeyed_above(bones, curves):
        _put_to_rest(rig.pose.bones[name])
    action_api.assign(rig, new)
    provenance.mark(new.action, motion)
    return new.action


def write_keys(
    rig: Object, name: str, bones: armature.Bones, frames: Array, rotations: Array, locations: Array
) -> Action:
    """An action that plays pose rotations ``[T, B, 4]`` and, where they are not zero, locations ``[T, B, 3]``."""
    new = action_api.create(name, rig)
    moving = np.abs(locations).max(axis=(0, 2)) > 1e-5
    for b, bone in enumerate(bones.names):
        _key_rotation(new, rig, bone, frames, rotations[:, b])
        if moving[b] or bones.parents[b] < 0:
            _key_location(new, bone, frames, locations[:, b])
    action_api.assign(rig, new)
    return new.action


def check_can_be_animated(rig: Object) -> None:
    """Refuses a rig whose action cannot be set.

    Raises:
        HumsError: it is linked from another file, or its action is being edited as a strip.
    """
    if rig.library is not None:
        raise errors.HumsError(
            f"'{rig.name}' is linked from another file: make a library override of it first (menu Object)."
        )
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        raise errors.HumsError(f"'{rig.name}' has an NLA strip in tweak mode: leave it first (Tab in the NLA editor).")


def _key_rotation(new: action_api.NewAction, rig: Object, bone: str, frames: Array, rotations: Array) -> None:
    mode = rig.pose.bones[bone].rotation_mode
    channel, _ = rotation_modes.channels(mode)
    values = rotation_modes.from_quaternions(rotations, mode)
    action_api.add_curves(new, _path(bone, channel), bone, frames, values)


def _key_location(new: action_api.NewAction, bone: str, frames: Array, locations: Array) -> None:
    action_api.add_curves(new, _path(bone, "location"), bone, frames, locations)


def _path(bone: str, channel: str) -> str:
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'


def _unkeyed_above(bones: armature.Bones, curves: retarget.BoneCurves) -> list[str]:
    """The bones that carry keyed ones without being keyed."""
    keyed = {int(bone) for bone in curves.bones}
    above: set[int] = set()
    for bone in keyed:
        parent = int(bones.parents[bone])
        while parent >= 0 and parent not in above:
            above.add(parent)
            parent = int(bones.parents[parent])
    return [bones.names[bone] for bone in sorted(above - keyed)]


def _put_to_rest(bone: bpy.types.PoseBone) -> None:
    bone.location = (0.0, 0.0, 0.0)
    bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
    bone.rotation_euler = (0.0, 0.0, 0.0)
