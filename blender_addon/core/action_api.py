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
from bpy.types import Action, FCurve, Object

_SLOTTED = bpy.app.version >= (4, 4, 0)
_GROUPS_BY_NAME = bpy.app.version >= (5, 0, 0)


@dataclass(frozen=True)
class OwnAction:
    """An action as one object uses it: its F-curves, and its slot where Blender has slots."""

    action: Action
    curves: Any
    groups: Any
    slot: Any = None

    def find(self, path: str, channel: int) -> FCurve | None:
        """The F-curve of one channel of a property, if there is one."""
        return self.curves.find(path, index=channel)

    def ensure(self, path: str, channel: int, group: str) -> FCurve:
        """The F-curve of one channel of a property, made if need be, in the group of that name."""
        found = self.find(path, channel)
        if found is not None:
            return found
        if _GROUPS_BY_NAME:
            return self.curves.new(path, index=channel, group_name=group)
        if not _SLOTTED:
            return self.curves.new(path, index=channel, action_group=group)
        curve = self.curves.new(path, index=channel)
        curve.group = self.groups.get(group) or self.groups.new(group)
        return curve


def create(name: str, owner: Object) -> OwnAction:
    """An empty action that can animate ``owner``."""
    action: Any = bpy.data.actions.new(name)
    if not _SLOTTED:
        action.id_root = "OBJECT"
        return OwnAction(action, action.fcurves, action.groups)
    return _with_slot(action, action.slots.new("OBJECT", owner.name))


def current(owner: Object) -> OwnAction | None:
    """The action that animates ``owner`` now, or None."""
    data: Any = owner.animation_data
    if data is None or data.action is None:
        return None
    action = data.action
    if not _SLOTTED:
        return OwnAction(action, action.fcurves, action.groups)
    if data.action_slot is None:
        data.action_slot = _own_slot(action, data, owner) or action.slots.new("OBJECT", owner.name)
    return _with_slot(action, data.action_slot)


def _own_slot(action: Any, data: Any, owner: Object) -> Any:  # noqa: ANN401 - the types are newer than 4.2's
    """The slot that an action has for an object which names none: the one it used last, or that of its name."""
    suitable = {slot.identifier: slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED")}
    return suitable.get(data.last_slot_identifier) or suitable.get(f"OB{owner.name}")


def _with_slot(action: Any, slot: Any) -> OwnAction:  # noqa: ANN401 - the types are newer than 4.2's
    layer = action.layers[0] if len(action.layers) else action.layers.new("Layer")
    strip = layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    return OwnAction(action, bag.fcurves, bag.groups, slot)


def assign(owner: Object, new: OwnAction) -> None:
    """Makes ``new`` the action of ``owner``; the one it had stays in the file, with a fake user if need be."""
    data: Any = owner.animation_data or owner.animation_data_create()
    old = data.action
    if old is not None and old.users <= 1 and old.library is None:
        old.use_fake_user = True
    data.action = new.action
    if _SLOTTED:
        data.action_slot = new.slot


def add_strip(owner: Object, new: OwnAction, frame: int, blend_in: int, blend_out: int) -> None:
    """Plays ``new`` as a strip from ``frame`` on, on a track of its own above all others.

    Outside the strip what lies below is seen, and the strip keeps its length when the action changes.
    """
    data: Any = owner.animation_data or owner.animation_data_create()
    track = data.nla_tracks.new(prev=data.nla_tracks[-1] if len(data.nla_tracks) else None)
    track.name = new.action.name
    strip = track.strips.new(new.action.name, frame, new.action)
    if _SLOTTED:
        strip.action_slot = new.slot
    strip.extrapolation, strip.blend_type = "NOTHING", "REPLACE"
    strip.use_sync_length, strip.use_auto_blend = False, False
    strip.blend_in, strip.blend_out = blend_in, blend_out


def curves_of(owner: Object) -> list[FCurve]:
    """The F-curves by which its own action animates ``owner``; none without an action or a slot in it."""
    data: Any = owner.animation_data
    if data is None or data.action is None:
        return []
    if not _SLOTTED:
        return list(data.action.fcurves)
    return [curve for bag in _bags(data) for curve in bag.fcurves]


def others_playing(owner: Object) -> list[str]:
    """Names of the other objects that the F-curves of ``owner``'s own action animate too."""
    data: Any = owner.animation_data
    if data is None or data.action is None:
        return []
    return [obj.name for obj in bpy.data.objects if obj != owner and _shares(data, obj.animation_data)]


def _shares(data: Any, other: Any) -> bool:  # noqa: ANN401 - the types are newer than 4.2's
    if other is None or other.action != data.action:
        return False
    return not _SLOTTED or other.action_slot_handle == data.action_slot_handle


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
