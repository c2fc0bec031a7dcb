# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rig's maker or its animator wants left alone: locked, driven and muted channels get no keys.

A rotation that is held in part keeps its other angles. Locks on a part of a quaternion turn the bone within them, as
Blender's own tools do; where a part of it is driven, all of it is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
from bpy.types import FCurve, Object

from .action_api import OwnAction
from .engine import rotation_modes
from .tracks import Track

rpt = bpy.app.translations.pgettext_rpt

_ANGLES = 3
_NAMED = 3  # bones that a sentence names; the rest are counted


def without_held(rig: Object, tracks: list[Track], action: OwnAction | None = None) -> tuple[list[Track], list[str]]:
    """The tracks that may be keyed, and the names of the bones of which something was left out.

    Args:
        rig: the armature.
        tracks: what a clip would key.
        action: the action that is edited, whose locked and muted F-curves and groups are left alone too.
    """
    driven = _driven(rig)
    allowed, left = [], []
    for track in tracks:
        free = _free(rig, track, driven, action)
        if free is not None:
            allowed.append(free)
        if free is not track and (track.bone or rig.name) not in left:
            left.append(track.bone or rig.name)
    return allowed, left


def told(left: Sequence[str]) -> str:
    """The end of a sentence that names the bones of which something was left out; empty without any."""
    if not left:
        return ""
    names, more = ", ".join(left[:_NAMED]), len(left) - _NAMED
    if more > 0:
        names += " " + rpt("and {count} more").format(count=more)
    return rpt("; left alone where locked, driven or muted: {names}").format(names=names)


def _driven(rig: Object) -> set[tuple[str, int]]:
    data = rig.animation_data
    return {(curve.data_path, curve.array_index) for curve in data.drivers} if data is not None else set()


def _free(rig: Object, track: Track, driven: set[tuple[str, int]], action: OwnAction | None) -> Track | None:
    """The part of a track that may be keyed: the track itself where all of it may."""
    held = {c for c in track.keyed if (track.path, c) in driven or _is_held_in(action, track.path, c)}
    if track.mode and len(track.keyed) > _ANGLES:
        return None if held else _within_locks(rig, track)
    held |= _locked(rig, track) & set(track.keyed)
    if not held:
        return track
    left = tuple(c for c in track.keyed if c not in held)
    return replace(track, keyed=left) if left else None


def is_held(curve: FCurve) -> bool:
    """Whether an animator has locked or muted an F-curve, or its group."""
    group = curve.group
    return curve.lock or curve.mute or (group is not None and (group.lock or group.mute))


def _is_held_in(action: OwnAction | None, path: str, channel: int) -> bool:
    curve = action.find(path, channel) if action is not None else None
    return curve is not None and is_held(curve)


def _locked(rig: Object, track: Track) -> set[int]:
    if track.is_custom:
        return set()
    owner = track.owner(rig)
    flags = owner.lock_location if track.channel == "location" else owner.lock_rotation
    return {axis for axis, locked in enumerate(flags) if locked}


def _within_locks(rig: Object, track: Track) -> Track | None:
    """A rotation of four channels as its owner's locks allow it."""
    owner = track.owner(rig)
    axes = [axis for axis, is_locked in enumerate(owner.lock_rotation) if is_locked]
    if len(axes) == _ANGLES:
        return None
    now = track.from_channels(track.now(rig))
    if not owner.lock_rotations_4d:
        return track.with_values(rotation_modes.locked_angles(track.values, axes, now)) if axes else track
    components = [0] * owner.lock_rotation_w + [1 + axis for axis in axes]
    if not components:
        return track
    if track.mode != "QUATERNION":
        return None
    values = rotation_modes.locked_components(track.values, components, now)
    return replace(track, values=values, keyed=tuple(c for c in track.keyed if c not in components))
