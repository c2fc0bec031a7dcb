# SPDX-License-Identifier: GPL-3.0-or-later
"""Control rigs: which switches let the mapped controls move the figure, and what each control turns with.

In a control rig constraints stand between the bones that are keyed and those that move the skin, and custom properties
blend them: hands and feet by IK or by FK, a head that follows the neck or the torso. What a rig does is not told by its
names; it is tried. Each control is turned by a turn of its own, the switches at one end and then at the other, and the
bones that turned alike tell which way the figure follows the controls, and what carries what. All is put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from . import action_api, ik_controls, rig_trial
from .engine import mapping, quat, retarget
from .ik_controls import IkControls
from .rig_trial import Property, Trial

Array = NDArray[np.float64]

_ALIKE = np.radians(0.5)
_ONE_PLACE = 1e-3  # of the figure's height


@dataclass(frozen=True)
class Switch:
    """A custom property, and the value with which the controls move the figure."""

    of: Property
    value: float


@dataclass(frozen=True, eq=False)
class Controls:
    """What a motion must know of a control rig; empty for a rig without constraints on its figure.

    Attributes:
        switches: properties that have another value now, or that the rig's action moves.
        resting: bones without a joint of their own whose pose would add to the figure's.
        rest: ``[B, 4, 4]`` bones in the armature's space as the constraints leave them at rest, or None.
        carriers: ``[B]`` the bone that each bone turns with, -1 for none; or None.
        ik: the controls that can be brought to where the limbs are, if that was asked for.
    """

    switches: tuple[Switch, ...] = ()
    resting: tuple[str, ...] = ()
    rest: Array | None = None
    carriers: NDArray[np.intp] | None = None
    ik: IkControls | None = None

    def on(self, rig: retarget.Rig, world: Array) -> retarget.Rig:
        """The rig as its controls move it, for an object whose matrix is ``world`` ``[4, 4]``."""
        return rig if self.rest is None else replace(rig, rest=world @ self.rest, carriers=self.carriers)


def prepare(rig: Object, joint_map: mapping.JointMap, match_ik: bool = False) -> Controls:
    """Finds out how a rig's controls move its figure; the rig is as before afterwards.

    Args:
        rig: an armature.
        joint_map: its canonical joints, as places in ``rig.data.bones``.
        match_ik: find the IK controls of its limbs too.
    """
    names = [bone.name for bone in rig.data.bones]
    controls = [int(j) for j in dict.fromkeys(joint_map.joints[joint_map.valid])]
    mapped = {names[control] for control in controls}
    feeds = rig_trial.feeds(rig)
    above = rig_trial.closure(feeds, mapped)
    if not any(name in above or feeds[name] & mapped for name in names if _is_constrained(rig, name)):
        return Controls()
    trial, properties = Trial(rig, names, controls), rig_trial.properties(rig)
    with rig_trial.left_as_it_was(rig, properties):
        ends = _ends(trial, properties, above)
        moved = {curve.data_path for curve in action_api.curves_of(rig)}
        switches = tuple(
            Switch(one, value)
            for one, (value, other) in ends.items()
            if value != one.value(rig) or (value != other and one.path in moved)
        )
        for switch in switches:
            switch.of.put(rig, switch.value)
        rest = trial.at_rest()
        carriers = _carriers(trial, rest)
        others = {one: other for one, (value, other) in ends.items() if other != value}
        ik = ik_controls.find(trial, joint_map, rest, above, properties, others) if match_ik else None
    return Controls(switches, tuple(name for name in names if name in above - mapped), rest, carriers, ik)


def _is_constrained(rig: Object, name: str) -> bool:
    return any(not constraint.mute for constraint in rig.pose.bones[name].constraints)


# ---------------------------------------------------------------- switches


def _ends(trial: Trial, properties: Mapping[Property, set[str]], above: set[str]) -> dict[Property, tuple[Any, Any]]:
    """For each switch the value with which most constrained bones turn as controls do, and the one with the fewest.

    What need not change stays as it is; where it makes no difference, both are what it has now.
    """
    choices = {one: (one.value(trial.rig), *one.ends(trial.rig)) for one in properties}
    scores: dict[Property, list[int]] = {one: [] for one in properties}
    for choice in range(3):
        for one, values in choices.items():
            one.put(trial.rig, values[choice])
        follows = _followers(trial, trial.at_rest(), above)
        for one, bones in properties.items():
            scores[one].append(len(bones & follows))
    for one, values in choices.items():
        one.put(trial.rig, values[0])
    return {
        one: (choices[one][int(np.argmax(found))], choices[one][int(np.argmin(found))]) for one, found in scores.items()
    }


def _turns(trial: Trial, rest: Array) -> Array:
    """Turns ``[B, 4]`` of all bones from ``rest`` in the armature's space, with the controls turned."""
    posed = trial.turned(trial.turns)
    return quat.from_matrix(retarget.without_scale(posed[:, :3, :3] @ np.linalg.inv(rest[:, :3, :3])))


def _followers(trial: Trial, rest: Array, above: set[str]) -> set[str]:
    """The bones that turn as a control does: as any one where they carry controls, else as the one at their place."""
    turned = _turns(trial, rest)
    alike = quat.angle(turned[:, None], turned[trial.controls]) < _ALIKE
    heads = rest[:, :3, 3]
    near = _ONE_PLACE * max(float(np.ptp(heads, axis=0).max()), 1e-9)
    beside = np.linalg.norm(heads[:, None] - heads[trial.controls], axis=-1) < near
    carries = np.array([name in above for name in trial.names])
    follows = (alike & (beside | carries[:, None])).any(axis=1)
    return {name for name, found in zip(trial.names, follows, strict=True) if found}


# ---------------------------------------------------------------- what carries what


def _carriers(trial: Trial, rest: Array) -> NDArray[np.intp]:
    """The bone that each bone turns with ``[B]``, -1 for none: as tried for controls, else the parent."""
    bones = trial.rig.data.bones
    index = {name: i for i, name in enumerate(trial.names)}
    carriers = np.array(
        [index[b.parent.name] if b.parent and b.use_inherit_rotation else -1 for b in bones], dtype=np.intp
    )
    turned = _turns(trial, rest)
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
