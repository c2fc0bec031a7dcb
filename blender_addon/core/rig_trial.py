# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying what a control rig does: its controls turned, its custom properties set, and what Blender makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Matrix
from numpy.typing import NDArray

from .engine import quat

Array = NDArray[np.float64]

_CONSTRAINT = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.constraints\[')
_PROPERTY = re.compile(r'(?:pose\.bones\["((?:[^"\\]|\\.)*)"\]|(data)(?=\[))?\["((?:[^"\\]|\\.)*)"\]$')
_CHANNELS = {"location": 3, "rotation_quaternion": 4, "rotation_euler": 3, "rotation_axis_angle": 4, "scale": 3}
_SMALLEST_TURN = 0.35
_WIDEST_RANGE = 100.0


@dataclass(frozen=True)
class Property:
    """A custom property that drives constraints.

    Attributes:
        name: what it is called.
        bone: the pose bone that has it; empty where the object or its data has it.
        of_data: whether the armature's data has it, which all objects with that data share.
    """

    name: str
    bone: str = ""
    of_data: bool = False

    @property
    def channel(self) -> str:
        """The property, seen from its owner."""
        return f'["{bpy.utils.escape_identifier(self.name)}"]'

    @property
    def path(self) -> str:
        """The property, seen from the object; an action of the object cannot key that of its data."""
        return f'pose.bones["{bpy.utils.escape_identifier(self.bone)}"]{self.channel}' if self.bone else self.channel

    def owner(self, rig: Object) -> Any:  # noqa: ANN401 - bones, objects and armatures hold custom properties
        """What has it."""
        if self.of_data:
            return rig.data
        return rig.pose.bones[self.bone] if self.bone else rig

    def value(self, rig: Object) -> Any:  # noqa: ANN401 - custom properties have any type
        """What it holds now."""
        return self.owner(rig)[self.name]

    def put(self, rig: Object, value: Any) -> None:  # noqa: ANN401 - custom properties have any type
        """Gives it a value."""
        self.owner(rig)[self.name] = value

    def ends(self, rig: Object) -> tuple[Any, Any]:
        """The two ends of its range, the upper first."""
        value = self.value(rig)
        if isinstance(value, bool):
            return True, False
        told = self.owner(rig).id_properties_ui(self.name).as_dict()
        low, high = told.get("min", 0), told.get("max", 1)
        if not high - low < _WIDEST_RANGE:
            low, high = 0, 1
        return type(value)(high), type(value)(low)


def properties(rig: Object) -> dict[Property, set[str]]:
    """The custom properties that drive constraints of a rig, and the bones that have those constraints."""
    found: dict[Property, set[str]] = {}
    for curve in rig.animation_data.drivers if rig.animation_data is not None else ():
        driven = _CONSTRAINT.match(curve.data_path)
        bone = bpy.utils.unescape_identifier(driven[1]) if driven else ""
        if bone not in rig.pose.bones:
            continue
        for target in (target for variable in curve.driver.variables for target in variable.targets):
            named = _named(rig, target)
            if named is not None:
                found.setdefault(named, set()).add(bone)
    return found


def _named(rig: Object, target: Any) -> Property | None:  # noqa: ANN401 - Blender's stubs lack driver targets
    """The property that a driver reads, where it is one of the rig's and holds a number."""
    path = _PROPERTY.match(target.data_path) if target.id in (rig, rig.data) else None
    if path is None:
        return None
    bone, name = (bpy.utils.unescape_identifier(part or "") for part in (path[1], path[3]))
    named = Property(name, bone, of_data=target.id == rig.data or path[2] is not None)
    if bone and ((named.of_data and target.id == rig.data) or bone not in rig.pose.bones):
        return None
    return named if isinstance(named.owner(rig).get(name), (bool, int, float)) else None


class Trial:
    """A rig whose controls are turned, each by a turn of its own."""

    def __init__(self, rig: Object, names: Sequence[str], controls: list[int]) -> None:
        self.rig, self.names, self.controls = rig, names, controls
        self.order = [rig.pose.bones.find(name) for name in names]
        axes = np.random.default_rng(7).normal(size=(len(controls), 3))
        angles = _SMALLEST_TURN * (1.0 + np.arange(len(controls)) / len(controls))
        self.turns = quat.from_axis_angle(quat.unit(axes), angles)

    def at_rest(self) -> Array:
        """Pose matrices ``[B, 4, 4]`` with all channels of all bones at rest."""
        for bone in self.rig.pose.bones:
            bone.matrix_basis = Matrix()
        return self.evaluated()

    def turned(self, turns: Array) -> Array:
        """Pose matrices ``[B, 4, 4]`` with the controls turned ``[C, 4]`` in their own axes."""
        for control, turn in zip(self.controls, turns, strict=True):
            self.rig.pose.bones[self.names[control]].matrix_basis = Matrix(quat.to_matrix(turn).tolist()).to_4x4()
        return self.evaluated()

    def evaluated(self) -> Array:
        """Pose matrices ``[B, 4, 4]`` as Blender makes them now."""
        self.rig.update_tag()
        self.rig.data.update_tag()
        bpy.context.view_layer.update()
        posed = np.empty((len(self.order), 16), dtype=np.float32)
        self.rig.pose.bones.foreach_get("matrix", posed.ravel())
        return np.swapaxes(posed[self.order].reshape(-1, 4, 4), -1, -2).astype(np.float64)


@contextmanager
def left_as_it_was(rig: Object, tried: Iterable[Property]) -> Iterator[None]:
    """Puts the pose and the custom properties of a rig back afterwards."""
    bones = rig.pose.bones
    channels = {name: np.empty(len(bones) * width, dtype=np.float32) for name, width in _CHANNELS.items()}
    for name, values in channels.items():
        bones.foreach_get(name, values)
    before = {one: one.value(rig) for one in tried}
    try:
        yield
    finally:
        for name, values in channels.items():
            bones.foreach_set(name, values)
        for one, value in before.items():
            one.put(rig, value)
        rig.update_tag()
        rig.data.update_tag()
        bpy.context.view_layer.update()


def feeds(rig: Object) -> dict[str, set[str]]:
    """What each bone hangs on: its parent, and the rig's bones that its constraints look at."""
    found: dict[str, set[str]] = {}
    for bone in rig.pose.bones:
        above = {bone.parent.name} if bone.parent else set()
        for constraint in bone.constraints:
            targets = getattr(constraint, "targets", None) or [constraint]
            above |= {t.subtarget for t in targets if getattr(t, "target", None) == rig and t.subtarget}
        found[bone.name] = {name for name in above if name in rig.pose.bones}
    return found


def closure(hangs_on: Mapping[str, set[str]], start: Iterable[str]) -> set[str]:
    """The bones that ``start`` hang on, over any number of steps, and themselves."""
    found: set[str] = set()
    ahead = list(start)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(hangs_on[name])
    return found
