# SPDX-License-Identifier: GPL-3.0-or-later
"""Control rigs: which switches let the mapped controls move the figure, and what each control turns with.

In a control rig constraints stand between the bones that are keyed and those that move the skin, and custom properties
blend them: hands and feet by IK or by FK, a head that follows the neck or the torso. What a rig does is not told by its
names; it is tried. Each control is turned by a turn of its own, the switches at one end and then at the other, and the
bones that turned alike tell which way the figure follows the controls, and what carries what. All is put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from bpy.types import Object
from mathutils import Matrix
from numpy.typing import NDArray

from .engine import mapping, quat, retarget

Array = NDArray[np.float64]

_CONSTRAINT = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]\.constraints\[')
_PROPERTY = re.compile(r'(?:pose\.bones\["((?:[^"\\]|\\.)*)"\])?\["((?:[^"\\]|\\.)*)"\]$')
_CHANNELS = {"location": 3, "rotation_quaternion": 4, "rotation_euler": 3, "rotation_axis_angle": 4, "scale": 3}
_SMALLEST_TURN = 0.35
_ALIKE = np.radians(0.5)
_ONE_PLACE = 1e-3  # of the figure's height
_WIDEST_RANGE = 100.0


@dataclass(frozen=True)
class Switch:
    """A custom property of a pose bone, or of the object, and the value with which the controls move the figure."""

    bone: str
    name: str
    value: float

    @property
    def channel(self) -> str:
        """The property, seen from the bone."""
        return f'["{bpy.utils.escape_identifier(self.name)}"]'


@dataclass(frozen=True, eq=False)
class Controls:
    """What a motion must know of a control rig; empty for a rig without constraints on its figure.

    Attributes:
        switches: properties that have another value now.
        resting: bones without a joint of their own whose pose would add to the figure's.
        rest: ``[B, 4, 4]`` bones in the armature's space as the constraints leave them at rest, or None.
        carriers: ``[B]`` the bone that each bone turns with, -1 for none; or None.
    """

    switches: tuple[Switch, ...] = ()
    resting: tuple[str, ...] = ()
    rest: Array | None = None
    carriers: NDArray[np.intp] | None = None

    def on(self, rig: retarget.Rig, world: Array) -> retarget.Rig:
        """The rig as its controls move it, for an object whose matrix is ``world`` ``[4, 4]``."""
        return rig if self.rest is None else replace(rig, rest=world @ self.rest, carriers=self.carriers)


def prepare(rig: Object, joint_map: mapping.JointMap) -> Controls:
    """Finds out how a rig's controls move its figure; the rig is as before afterwards.

    Args:
        rig: an armature.
        joint_map: its canonical joints, as places in ``rig.data.bones``.
    """
    names = [bone.name for bone in rig.data.bones]
    controls = [int(j) for j in dict.fromkeys(joint_map.joints[joint_map.valid])]
    mapped = {names[control] for control in controls}
    feeds = _feeds(rig)
    above = _closure(feeds, mapped)
    if not any(name in above or feeds[name] & mapped for name in names if _is_constrained(rig, name)):
        return Controls()
    trial = _Trial(rig, names, controls)
    with _left_as_it_was(rig):
        switches = _best_values(trial, _properties(rig), above)
        for switch in switches:
            _owner(rig, switch.bone)[switch.name] = switch.value
        rest = trial.at_rest()
        carriers = _carriers(trial, rest)
    return Controls(switches, tuple(name for name in names if name in above - mapped), rest, carriers)


def _is_constrained(rig: Object, name: str) -> bool:
    return any(not constraint.mute for constraint in rig.pose.bones[name].constraints)


def _feeds(rig: Object) -> dict[str, set[str]]:
    """What each bone hangs on: its parent, and the rig's bones that its constraints look at."""
    feeds: dict[str, set[str]] = {}
    for bone in rig.pose.bones:
        found = {bone.parent.name} if bone.parent else set()
        for constraint in bone.constraints:
            targets = getattr(constraint, "targets", None) or [constraint]
            found |= {t.subtarget for t in targets if getattr(t, "target", None) == rig and t.subtarget}
        feeds[bone.name] = {name for name in found if name in rig.pose.bones}
    return feeds


def _closure(feeds: Mapping[str, set[str]], start: Iterable[str]) -> set[str]:
    """The bones that ``start`` hang on, over any number of steps, and themselves."""
    found: set[str] = set()
    ahead = list(start)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(feeds[name])
    return found


# ---------------------------------------------------------------- trying


class _Trial:
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
        return self._evaluated()

    def turned(self, rest: Array) -> Array:
        """Turns ``[B, 4]`` of all bones from ``rest`` in the armature's space, with the controls turned."""
        for control, turn in zip(self.controls, self.turns, strict=True):
            self.rig.pose.bones[self.names[control]].matrix_basis = Matrix(quat.to_matrix(turn).tolist()).to_4x4()
        posed = self._evaluated()
        return quat.from_matrix(retarget.without_scale(posed[:, :3, :3] @ np.linalg.inv(rest[:, :3, :3])))

    def _evaluated(self) -> Array:
        self.rig.update_tag()
        bpy.context.view_layer.update()
        posed = np.empty((len(self.order), 16), dtype=np.float32)
        self.rig.pose.bones.foreach_get("matrix", posed.ravel())
        return np.swapaxes(posed[self.order].reshape(-1, 4, 4), -1, -2).astype(np.float64)


@contextmanager
def _left_as_it_was(rig: Object) -> Iterator[None]:
    """Puts the pose and the custom properties of a rig's bones back afterwards."""
    bones = rig.pose.bones
    channels = {name: np.empty(len(bones) * width, dtype=np.float32) for name, width in _CHANNELS.items()}
    for name, values in channels.items():
        bones.foreach_get(name, values)
    properties = {(bone, name): _owner(rig, bone)[name] for bone, name in _properties(rig)}
    try:
        yield
    finally:
        for name, values in channels.items():
            bones.foreach_set(name, values)
        for (bone, name), value in properties.items():
            _owner(rig, bone)[name] = value
        rig.update_tag()
        bpy.context.view_layer.update()


# ---------------------------------------------------------------- switches


def _owner(rig: Object, bone: str) -> Any:  # noqa: ANN401 - both hold custom properties
    """The pose bone of that name, or the object for none."""
    return rig.pose.bones[bone] if bone else rig


def _properties(rig: Object) -> dict[tuple[str, str], set[str]]:
    """The custom properties (bone, name) that drive constraints, and the bones that have those constraints."""
    found: dict[tuple[str, str], set[str]] = {}
    for curve in rig.animation_data.drivers if rig.animation_data is not None else ():
        driven = _CONSTRAINT.match(curve.data_path)
        if not driven:
            continue
        targets = [target for variable in curve.driver.variables for target in variable.targets]
        for target in targets:
            named = _PROPERTY.match(target.data_path) if target.id == rig else None
            bone, name = (bpy.utils.unescape_identifier(part) for part in named.groups("")) if named else ("", "")
            owner = _owner(rig, bone) if not bone or bone in rig.pose.bones else {}
            if isinstance(owner.get(name), (bool, int, float)):
                found.setdefault((bone, name), set()).add(bpy.utils.unescape_identifier(driven[1]))
    return {key: {name for name in bones if name in rig.pose.bones} for key, bones in found.items()}


def _best_values(trial: _Trial, properties: Mapping[tuple[str, str], set[str]], above: set[str]) -> tuple[Switch, ...]:
    """The switches that must change for the constrained bones to turn as controls do; those that need not stay."""
    owners = {key: _owner(trial.rig, key[0]) for key in properties}
    choices = {key: (owner[key[1]], *_ends(owner, key[1])) for key, owner in owners.items()}
    scores: dict[tuple[str, str], list[int]] = {key: [] for key in properties}
    for choice in range(3):
        for key, values in choices.items():
            owners[key][key[1]] = values[choice]
        rest = trial.at_rest()
        follows = _followers(trial, rest, above)
        for key, bones in properties.items():
            scores[key].append(len(bones & follows))
    best = {key: int(np.argmax(found)) for key, found in scores.items()}
    for key, values in choices.items():
        owners[key][key[1]] = values[0]
    return tuple(Switch(bone, name, choices[bone, name][at]) for (bone, name), at in best.items() if at > 0)


def _ends(owner: Any, name: str) -> tuple[Any, Any]:  # noqa: ANN401 - custom properties have any type
    """The two ends of a property's range, the upper first."""
    value = owner[name]
    if isinstance(value, bool):
        return True, False
    told = owner.id_properties_ui(name).as_dict()
    low, high = told.get("min", 0), told.get("max", 1)
    if not high - low < _WIDEST_RANGE:
        low, high = 0, 1
    return type(value)(high), type(value)(low)


def _followers(trial: _Trial, rest: Array, above: set[str]) -> set[str]:
    """The bones that turn as a control does: as any one where they carry controls, else as the one at their place."""
    turned = trial.turned(rest)
    alike = quat.angle(turned[:, None], turned[trial.controls]) < _ALIKE
    heads = rest[:, :3, 3]
    near = _ONE_PLACE * max(float(np.ptp(heads, axis=0).max()), 1e-9)
    beside = np.linalg.norm(heads[:, None] - heads[trial.controls], axis=-1) < near
    carries = np.array([name in above for name in trial.names])
    follows = (alike & (beside | carries[:, None])).any(axis=1)
    return {name for name, found in zip(trial.names, follows, strict=True) if found}


# ---------------------------------------------------------------- what carries what


def _carriers(trial: _Trial, rest: Array) -> NDArray[np.intp]:
    """The bone that each bone turns with ``[B]``, -1 for none: as tried for controls, else the parent."""
    bones = trial.rig.data.bones
    index = {name: i for i, name in enumerate(trial.names)}
    carriers = np.array(
        [index[b.parent.name] if b.parent and b.use_inherit_rotation else -1 for b in bones], dtype=np.intp
    )
    turned = trial.turned(rest)
    axes = quat.from_matrix(retarget.without_scale(rest[:, :3, :3]))
    for control, turn in zip(trial.controls, trial.turns, strict=True):
        own = quat.mul(quat.mul(axes[control], turn), quat.inv(axes[control]))
        carried = quat.mul(turned[control], quat.inv(own))
        off = quat.angle(carried[None], turned[trial.controls])
        if quat.angle(carried, quat.IDENTITY) < _ALIKE:
            carriers[control] = -1
        elif off.min() < _ALIKE:
            carriers[control] = trial.controls[int(np.argmin(off))]
    return carriers
