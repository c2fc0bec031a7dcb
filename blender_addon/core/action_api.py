# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions in Blender 4.2 to 5.2: the only module that knows how their interface changed.

Up to 4.3 an action holds its F-curves. From 4.4 on it holds layers, whose strips hold one bag of F-curves for each
slot, and an animated object names its slot. From 5.0 on the old interface is gone and groups are made by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from bpy.types import Action, FCurve, Object
from numpy.typing import NDArray

_SLOTTED = bpy.app.version >= (4, 4, 0)
_GROUPS_BY_NAME = bpy.app.version >= (5, 0, 0)
_LINEAR = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value


@dataclass(frozen=True)
class NewAction:
    """An action made for one object, its F-curves, and its slot where Blender has slots."""

    action: Action
    curves: Any
    groups: Any
    slot: Any = None


def create(name: str, owner: Object) -> NewAction:
    """An empty action that can animate ``owner``."""
    action: Any = bpy.data.actions.new(name)
    if not _SLOTTED:
        action.id_root = "OBJECT"
        return NewAction(action, action.fcurves, action.groups)
    slot = action.slots.new("OBJECT", owner.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    return NewAction(action, bag.fcurves, bag.groups, slot)


def assign(owner: Object, new: NewAction) -> None:
    """Makes ``new`` the action of ``owner``; the one it had stays in the file, with a fake user if need be."""
    data: Any = owner.animation_data or owner.animation_data_create()
    old = data.action
    if old is not None and old.users <= 1:
        old.use_fake_user = True
    data.action = new.action
    if _SLOTTED:
        data.action_slot = new.slot


def add_curves(new: NewAction, path: str, group: str, frames: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Linear keys for the channels of one property.

    Args:
        new: the action.
        path: the property, seen from the object.
        group: the name of the group that the channels stand in.
        frames: ``[T]`` frames of the keys, rising.
        values: ``[T, C]`` one column for each channel.
    """
    for channel, column in enumerate(np.asarray(values).T):
        curve = _new_curve(new, path, channel, group)
        curve.keyframe_points.add(len(frames))
        points = np.stack([frames, column], axis=-1).astype(np.float32)
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), _LINEAR, dtype=np.uint8))
        curve.update()


def _new_curve(new: NewAction, path: str, channel: int, group: str) -> Any:  # noqa: ANN401 - differs by version
    if _GROUPS_BY_NAME:
        return new.curves.new(path, index=channel, group_name=group)
    if not _SLOTTED:
        return new.curves.new(path, index=channel, action_group=group)
    curve = new.curves.new(path, index=channel)
    curve.group = new.groups.get(group) or new.groups.new(group)
    return curve


def curves_of(owner: Object) -> list[FCurve]:
    """The F-curves by which its own action animates ``owner``; none without an action or a slot in it."""
    data: Any = owner.animation_data
    if data is None or data.action is None:
        return []
    if not _SLOTTED:
        return list(data.action.fcurves)
    return [curve for bag in _bags(data) for curve in bag.fcurves]


def has_one_layer(action: Action) -> bool:
    """Whether the action's F-curves alone tell what it does, without layers that mix."""
    layers: Any = getattr(action, "layers", ())
    return len(layers) <= 1


def _bags(data: Any) -> Iterator[Any]:  # noqa: ANN401 - the types are newer than 4.2's
    if data.action_slot is None:
        return
    for layer in data.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot)
            if bag is not None:
                yield bag
