# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a whole rig as one new action: what an imported motion plays."""

from __future__ import annotations

import numpy as np
from bpy.types import Action, Object
from numpy.typing import NDArray

from . import action_api, key_table, tracks
from .engine import armature

Array = NDArray[np.float64]


def write_keys(
    rig: Object, name: str, bones: armature.Bones, frames: Array, rotations: Array, locations: Array
) -> Action:
    """An action that plays pose rotations ``[T, B, 4]`` and, where they are not zero, locations ``[T, B, 3]``."""
    new = action_api.create(name, rig)
    moving = np.abs(locations).max(axis=(0, 2)) > 1e-5
    for b, bone in enumerate(bones.names):
        made = [tracks.rotation(rig.pose.bones[bone], bone, rotations[:, b])]
        if moving[b] or bones.parents[b] < 0:
            made.append(tracks.location(bone, locations[:, b]))
        for track in made:
            for channel, values in enumerate(track.channels().T):
                curve = new.ensure(track.path, channel, track.group)
                key_table.write(curve, key_table.linear(frames, values))
    action_api.assign(rig, new)
    return new.action
