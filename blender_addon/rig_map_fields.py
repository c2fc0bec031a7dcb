# SPDX-License-Identifier: GPL-3.0-or-later
"""One field for each canonical joint of a rig: what it shows is the rig's map, and what is typed into it corrects it.

The fields belong to the armature, so that a correction is one step of undo; they hold nothing themselves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import BoolProperty, PointerProperty, StringProperty
from bpy.types import Context, Object, PropertyGroup, WindowManager

from .core import armature_reader, rig_map
from .core.engine import errors, skeleton

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

# What a person calls the bone that begins at a joint.
_BONES = {
    "hip": "Thigh", "knee": "Shin", "ankle": "Foot", "foot": "Toes", "collar": "Collar", "shoulder": "Upper Arm",
    "elbow": "Forearm", "wrist": "Hand", "pelvis": "Pelvis", "spine1": "Spine 1", "spine2": "Spine 2",
    "spine3": "Spine 3", "neck": "Neck", "head": "Head",
}  # fmt: skip
GROUPS = (
    ("Trunk", ("pelvis", "spine1", "spine2", "spine3", "neck", "head")),
    ("Left Arm", ("left_collar", "left_shoulder", "left_elbow", "left_wrist")),
    ("Right Arm", ("right_collar", "right_shoulder", "right_elbow", "right_wrist")),
    ("Left Leg", ("left_hip", "left_knee", "left_ankle", "left_foot")),
    ("Right Leg", ("right_hip", "right_knee", "right_ankle", "right_foot")),
)
"""The joints as the panel groups them."""


def label_of(joint: str) -> str:
    """What the panel calls a joint within its group."""
    return _BONES[joint.rpartition("_")[2]]


def _rig_with(armature: Any) -> Object | None:  # noqa: ANN401 - Blender's data
    """The active rig, if these are its bones."""
    try:
        rig = armature_reader.rig_of(bpy.context.active_object)
    except errors.HumsError:
        return None
    return rig if rig.data == armature else None


def _shown(joint: str) -> Callable[[PropertyGroup], str]:
    def get(fields: PropertyGroup) -> str:
        rig = _rig_with(fields.id_data)
        return "" if rig is None else rig_map.bones_of(rig).get(joint, "")

    return get


def _typed(joint: str) -> Callable[[PropertyGroup, str], None]:
    def put(fields: PropertyGroup, bone: str) -> None:
        rig = _rig_with(fields.id_data)
        if rig is not None and (not bone or bone in rig.data.bones):
            rig_map.correct(rig, joint, bone, state(bpy.context).mirrored)

    return put


@functools.cache
def _fields() -> type[PropertyGroup]:
    """The class with a field for each joint."""
    annotations = {
        joint: StringProperty(
            name=label_of(joint),
            description="The bone that begins at this joint; empty if the rig has none",
            get=_shown(joint),
            set=_typed(joint),
        )
        for joint in skeleton.JOINTS
    }
    return type("HUMS_RigMapFields", (PropertyGroup,), {"__annotations__": annotations})


class HUMS_RigMapState(PropertyGroup):
    """What the panel of the map shows."""

    mirrored: BoolProperty(
        name="Both Sides", description="What you set on one side is set on the other, too", default=True
    )
    chosen: StringProperty(name="Joint", description="The joint that stands out in the picture")


def state(context: Context) -> HUMS_RigMapState:
    """What the panel shows."""
    return context.window_manager.hums_rig_map  # type: ignore[attr-defined]


def register() -> None:
    """Registers the fields."""
    bpy.utils.register_class(HUMS_RigMapState)
    bpy.utils.register_class(_fields())
    WindowManager.hums_rig_map = PointerProperty(type=HUMS_RigMapState, options={"SKIP_SAVE"})  # type: ignore[attr-defined]
    bpy.types.Armature.hums_rig_map_fields = PointerProperty(type=_fields())  # type: ignore[attr-defined]


def unregister() -> None:
    """Unregisters the fields."""
    del bpy.types.Armature.hums_rig_map_fields  # type: ignore[attr-defined]
    del WindowManager.hums_rig_map  # type: ignore[attr-defined]
    bpy.utils.unregister_class(_fields())
    bpy.utils.unregister_class(HUMS_RigMapState)
    _fields.cache_clear()
