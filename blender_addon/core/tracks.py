# SPDX-License-Identifier: GPL-3.0-or-later
"""What a clip does to the properties of a rig: one track for each, over the clip's frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import bpy
import numpy as np
from bpy.types import Object, PoseBone
from numpy.typing import NDArray

from . import control_rig
from .engine import armature, quat, retarget, rotation_modes
from .ik_controls import IkControls

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """The course of one property.

    Attributes:
        bone: name of the pose bone; empty for the object itself.
        channel: the property, such as ``"location"``.
        mode: Blender's rotation mode where it holds a rotation, else empty.
        values: ``[T, C]``: unit quaternions (C = 4) where it holds a rotation, whatever its mode; else its channels.
        keyed: the channels that get keys.
    """

    bone: str
    channel: str
    mode: str
    values: Array
    keyed: tuple[int, ...]

    @property
    def path(self) -> str:
        """The property, seen from the object."""
        if not self.bone:
            return self.channel
        dot = "" if self.is_custom else "."
        return f'pose.bones["{bpy.utils.escape_identifier(self.bone)}"]{dot}{self.channel}'

    @property
    def is_custom(self) -> bool:
        """Whether it is a custom property."""
        return self.channel.startswith("[")

    @property
    def group(self) -> str:
        """The group of F-curves that Blender would put it in."""
        return self.bone or "Object Transforms"

    @property
    def is_still(self) -> bool:
        """Whether nothing of it ever changes."""
        return bool(np.ptp(self.values, axis=0).max(initial=0.0) < 1e-7)

    def owner(self, rig: Object) -> Object | PoseBone:
        """What has the property."""
        return rig.pose.bones[self.bone] if self.bone else rig

    def now(self, rig: Object) -> Array:
        """What its channels hold now ``[C]``."""
        return np.atleast_1d(np.array(self.owner(rig).path_resolve(self.channel), dtype=np.float64))

    def channels(self) -> Array:
        """What the channels hold ``[T, C]``, without jumps from frame to frame."""
        return rotation_modes.from_quaternions(self.values, self.mode) if self.mode else self.values

    def from_channels(self, channels: Array) -> Array:
        """Channels ``[..., C]`` in the form of ``values``."""
        return rotation_modes.to_quaternions(channels, self.mode) if self.mode else channels

    def with_values(self, values: Array) -> Track:
        """The same property with another course."""
        return replace(self, values=values)


def rotation(owner: Object | PoseBone, bone: str, turns: Array) -> Track:
    """The track of a rotation ``[T, 4]``, in the mode of its owner."""
    channel, count = rotation_modes.channels(owner.rotation_mode)
    return Track(bone, channel, owner.rotation_mode, turns, tuple(range(count)))


def location(bone: str, places: Array) -> Track:
    """The track of a location ``[T, 3]``."""
    return Track(bone, "location", "", places, (0, 1, 2))


def of_clip(rig: Object, bones: armature.Bones, curves: retarget.BoneCurves) -> list[Track]:
    """The tracks of a retargeted clip: turned bones, the bone that carries the path, and the object if it travels."""
    names = [bones.names[bone] for bone in curves.bones]
    made = [rotation(rig.pose.bones[name], name, curves.rotations[:, i]) for i, name in enumerate(names)]
    root = armature.location_channels(bones, curves.root_bone, curves.root_locations)
    made.append(location(bones.names[curves.root_bone], root))
    for i, bone in enumerate(curves.loose_bones):
        places = armature.location_channels(bones, int(bone), curves.loose_locations[:, i])
        made.append(location(bones.names[bone], places))
    if np.abs(curves.travel).max() > 0:
        made.append(location("", _object_locations(rig, curves.travel)))
    return made


def _object_locations(rig: Object, travel: Array) -> Array:
    """Locations ``[T, 3]`` of an object that travels in the world, in the axes of its parent."""
    above = np.array(rig.matrix_world @ rig.matrix_basis.inverted_safe())[:3, :3]
    return np.array(rig.location) + np.linalg.solve(above, travel.T).T


def of_switches(controls: control_rig.Controls, count: int) -> list[Track]:
    """Tracks of the switches that let a rig's controls move the figure; those of its data an action cannot key."""
    values = [(switch.of, switch.value) for switch in controls.switches]
    values += controls.ik.switches if controls.ik is not None else ()
    return [
        Track(of.bone, of.channel, "", np.full((count, 1), float(value)), (0,))
        for of, value in values
        if not of.of_data
    ]


def of_ik(rig: Object, bones: armature.Bones, ik: IkControls, moved: Array) -> list[Track]:
    """Tracks of the IK controls of limbs, for joints that ``moved`` ``[T, 22, 4, 4]`` since rest."""
    made = []
    for bone, (places, turns) in ik.channels(bones, moved).items():
        name = bones.names[bone]
        made.append(location(name, places))
        if turns is not None:
            made.append(rotation(rig.pose.bones[name], name, quat.unroll(turns)))
    return made


def at_rest(rig: Object, names: Iterable[str], count: int) -> list[Track]:
    """Tracks at rest, for so many frames, of bones that would carry the figure off in a pose of their own."""
    made = []
    for name in names:
        made.append(rotation(rig.pose.bones[name], name, np.tile(quat.IDENTITY, (count, 1))))
        made.append(location(name, np.zeros((count, 3))))
    return made


def of_standing_object(rig: Object, count: int) -> list[Track]:
    """Tracks that keep the object where it stands now, for so many frames."""
    turn = rig.matrix_basis.to_quaternion()
    return [location("", np.tile(rig.location, (count, 1))), rotation(rig, "", np.tile(turn, (count, 1)))]


def carriers(bones: armature.Bones, curves: retarget.BoneCurves) -> list[str]:
    """The bones above turned ones that are not turned themselves."""
    turned = {int(bone) for bone in curves.bones}
    above = {parent for bone in turned for parent in _ancestors(bones, bone)}
    return [bones.names[bone] for bone in sorted(above - turned)]


def _ancestors(bones: armature.Bones, bone: int) -> Iterator[int]:
    parent = int(bones.parents[bone])
    while parent >= 0:
        yield parent
        parent = int(bones.parents[parent])
