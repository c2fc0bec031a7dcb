# SPDX-License-Identifier: GPL-3.0-or-later
"""The IK controls of a control rig: which of them hold its hands, feet and toes, and which tell where limbs point.

A limb's IK constraint is found by where its bones rest, and its controls by what the constraint looks at. Then it is
tried: the controls are brought to where a posed limb is, the switches are set to IK, and only limbs that keep their
pose are taken. `control_rig` puts all back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from bpy.types import Object, PoseBone
from mathutils import Matrix
from numpy.typing import NDArray

from . import armature_reader, rig_map, rig_trial
from .engine import armature, ik_matching, mapping, quat, retarget, skeleton
from .rig_trial import Property, Trial

Array = NDArray[np.float64]

_LIMBS: Final = tuple(
    tuple(skeleton.INDEX[f"{side}_{name}"] for name in names)
    for side in ("left", "right")
    for names in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)
_TOES: Final = {skeleton.INDEX[f"{side}_ankle"]: skeleton.INDEX[f"{side}_foot"] for side in ("left", "right")}
_ONE_PLACE: Final = 1e-3  # of the figure's height
_CARRIED_ALIKE: Final = 0.01
_KEPT: Final = np.radians(4.0)
"""How far a limb may point elsewhere under IK: the bones of some rigs (Rigify's) give in length where they bend."""


@dataclass(frozen=True, eq=False)
class IkControls:
    """What brings a rig's IK to the pose of its limbs.

    Attributes:
        ends: controls that hold hands, feet and toes.
        poles: controls that tell where elbows and knees point.
        switches: custom properties, and the values with which the limbs follow these poles.
        resting: names of controls between, which would add to the pose.
        joints: ``[22, 3]`` where the rig's joints rest in its own space.
    """

    ends: tuple[ik_matching.End, ...]
    poles: tuple[ik_matching.Pole, ...]
    switches: tuple[tuple[Property, Any], ...]
    resting: tuple[str, ...]
    joints: Array

    def channels(self, bones: armature.Bones, moved: Array) -> dict[int, tuple[Array, Array | None]]:
        """For each control its location channels and, for ends, its pose rotation.

        Args:
            bones: the armature at rest.
            moved: ``[..., 22, 4, 4]`` what the joints did since rest, in the armature's space.
        """
        made: dict[int, tuple[Array, Array | None]] = {}
        for end in self.ends:
            places, turns = ik_matching.place_end(end, moved)
            made[end.bone] = armature.location_channels(bones, end.bone, places), turns
        for pole in self.poles:
            places = ik_matching.place_pole(pole, self.joints, moved)
            made[pole.bone] = armature.location_channels(bones, pole.bone, places), None
        return made


@dataclass(frozen=True, eq=False)
class _Limb:
    """A limb that an IK constraint with a pole moves: its joints, its two bones, and the controls by their places."""

    joints: tuple[int, ...]
    upper: int
    lower: int
    end: int
    pole: int
    toes: int
    switches: tuple[tuple[Property, Any], ...]


@dataclass(frozen=True, eq=False)
class _Search:
    """What the search for IK controls goes by."""

    trial: Trial
    joint_map: mapping.JointMap
    rest: Array
    above: set[str]
    properties: Mapping[Property, set[str]]
    feeds: Mapping[str, set[str]]
    free: NDArray[np.bool_]

    @property
    def rig(self) -> Object:
        return self.trial.rig

    @property
    def size(self) -> float:
        """The figure's height, in the armature's units."""
        return max(float(np.ptp(self.rest[:, :3, 3], axis=0).max()), 1e-9)

    @property
    def joints(self) -> Array:
        """Where the joints rest ``[22, 3]``, NaN where there is none."""
        places = self.rest[np.maximum(self.joint_map.joints, 0), :3, 3]
        return np.where(self.joint_map.valid[:, None], places, np.nan)

    def is_at(self, place: Array, joint: int) -> bool:
        """Whether a place ``[3]`` is that of a joint."""
        return bool(np.linalg.norm(place - self.joints[joint]) < _ONE_PLACE * self.size)

    def moved(self, posed: Array) -> Array:
        """What the joints did to what they carry ``[22, 4, 4]``, NaN where there is none."""
        bones = np.maximum(self.joint_map.joints, 0)
        return np.where(self.joint_map.valid[:, None, None], posed[bones] @ np.linalg.inv(self.rest[bones]), np.nan)

    def carrier(self, posed: Array, bone: int, moved: Array) -> int | None:
        """The joint that the parents of a control at rest moved with."""
        own = posed[bone] @ np.linalg.inv(self.rest[bone])
        return ik_matching.carrier(own, moved, self.rest[bone, :3, 3], self.size, _CARRIED_ALIKE)

    def index(self, name: str) -> int:
        return self.trial.names.index(name)


def find(
    trial: Trial,
    joint_map: mapping.JointMap,
    rest: Array,
    above: set[str],
    properties: Mapping[Property, set[str]],
    others: Mapping[Property, Any],
) -> IkControls | None:
    """The IK controls with which limbs keep their pose, or None; the trial's pose and properties are changed.

    Args:
        trial: a rig whose switches let its mapped controls move the figure.
        joint_map: its canonical joints.
        rest: ``[B, 4, 4]`` its bones at rest, with these switches.
        above: bones that its mapped controls hang on, and these.
        properties: custom properties, and the bones whose constraints they drive.
        others: switches, and the value at which the mapped controls do not move what they drive.
    """
    controls = rig_map.controls_of(trial.rig)
    free = np.ones(len(trial.names), dtype=bool) if controls is None else controls
    search = _Search(trial, joint_map, rest, above, properties, rig_trial.feeds(trial.rig), free)
    limbs = [limb for joints in _LIMBS if (limb := _limb(search, joints)) is not None]
    if not limbs:
        return None
    others = {one: value for one, value in others.items() if _bends(search, properties[one])}
    now = {one: one.value(trial.rig) for one in others}
    bones = armature_reader.read_bones(trial.rig)
    _set(search.rig, [switch for limb in limbs for switch in limb.switches])
    found = _measured(search, bones, limbs, now, others)
    kept = _kept(search, bones, limbs, found, now, others)
    limbs = [limb for limb in limbs if limb.end in kept and limb.pole in kept]
    if not limbs:
        return None
    return replace(
        found,
        ends=tuple(end for end in found.ends if end.bone in kept),
        poles=tuple(pole for pole in found.poles if pole.bone in kept),
        switches=tuple(switch for limb in limbs for switch in limb.switches),
        resting=_between(search, limbs, kept),
    )


# ---------------------------------------------------------------- where they are


def _bends(search: _Search, driven: Iterable[str]) -> bool:
    """Whether an elbow or a knee is among the bones that a switch drives."""
    places = [search.rest[search.index(name), :3, 3] for name in driven]
    return any(search.is_at(place, middle) for place in places for _, middle, _ in _LIMBS)


def _limb(search: _Search, joints: tuple[int, ...]) -> _Limb | None:
    """The limb of these joints, where two bones at their places reach for a control."""
    if not search.joint_map.valid[list(joints)].all():
        return None
    for bone in search.rig.pose.bones:
        reaches = [c for c in bone.constraints if c.type == "IK" and c.target == search.rig and c.subtarget]
        if reaches and bone.parent is not None and _spans(search, bone, joints):
            limb = _controls(search, joints, bone, reaches)
            if limb is not None:
                return limb
    return None


def _spans(search: _Search, lower: PoseBone, joints: tuple[int, ...]) -> bool:
    """Whether a bone and its parent rest at a limb's joints; at the armature's rest, since a pole may bend them."""
    upper, under = (search.rig.data.bones[name] for name in (lower.parent.name, lower.name))
    places = (upper.head_local, under.head_local, under.tail_local)
    return all(search.is_at(np.array(place), joint) for place, joint in zip(places, joints, strict=True))


def _controls(search: _Search, joints: tuple[int, ...], lower: PoseBone, reaches: Sequence[Any]) -> _Limb | None:
    poled = next((c for c in reaches if c.pole_target == search.rig and c.pole_subtarget), None)
    if poled is None:
        return None
    end, pole = (_topmost(search, name) for name in (poled.subtarget, poled.pole_subtarget))
    switches = _to_pole(search, lower, poled)
    if end is None or pole is None or switches is None:
        return None
    upper, below = search.index(lower.parent.name), search.index(lower.name)
    toes = _toes(search, joints[-1], {end, pole})
    return _Limb(joints, upper, below, end, pole, toes, switches)


def _topmost(search: _Search, name: str) -> int | None:
    """The topmost control that carries a bone, below those that carry the figure."""
    found = None
    bone = search.rig.pose.bones.get(name)
    while bone is not None and bone.name not in search.above:
        place = search.index(bone.name)
        found = place if search.free[place] else found
        bone = bone.parent
    return found


def _to_pole(
    search: _Search,
    lower: PoseBone,
    poled: Any,  # noqa: ANN401 - Blender's stubs lack constraints
) -> tuple[tuple[Property, Any], ...] | None:
    """The switch, if one is needed, with which the constraint that has a pole is the one that acts."""
    if _acts(poled):
        return ()
    for one in (one for one, bones in search.properties.items() if lower.name in bones):
        now = one.value(search.rig)
        for value in one.ends(search.rig):
            one.put(search.rig, value)
            search.trial.evaluated()
            if _acts(poled):
                one.put(search.rig, now)
                return ((one, value),)
        one.put(search.rig, now)
    return None


def _acts(constraint: Any) -> bool:  # noqa: ANN401 - Blender's stubs lack constraints
    return not constraint.mute and constraint.influence > 0.0


def _toes(search: _Search, ankle: int, taken: set[int]) -> int:
    """The control that turns the toes under IK, -1 for none: one at their place that is not mapped."""
    ball = _TOES.get(ankle, -1)
    if ball < 0 or not search.joint_map.valid[ball]:
        return -1
    mapped = {search.trial.names[control] for control in search.trial.controls}
    beside = [name for name in search.trial.names if search.is_at(search.rest[search.index(name), :3, 3], ball)]
    driven = {name for bones in search.properties.values() for name in bones}
    seen = {name for name in beside if name in driven for name in search.feeds[name]}
    found = [search.index(name) for name in beside if name in seen - mapped - search.above]
    return next((bone for bone in found if search.free[bone] and bone not in taken), -1)


def _between(search: _Search, limbs: Iterable[_Limb], kept: set[int]) -> tuple[str, ...]:
    """Controls that the limbs' IK hangs on, but those that are brought to their places."""
    starts = [search.trial.names[limb.lower] for limb in limbs]
    names = rig_trial.closure(search.feeds, starts) - search.above - {search.trial.names[bone] for bone in kept}
    return tuple(name for name in search.trial.names if name in names and search.free[search.index(name)])


# ---------------------------------------------------------------- trying


def _measured(
    search: _Search,
    bones: armature.Bones,
    limbs: Sequence[_Limb],
    now: Mapping[Property, Any],
    others: Mapping[Property, Any],
) -> IkControls:
    """The controls, what carries them and where poles stand, read off a pose; those that move oddly are left out."""
    trial = search.trial
    posed = trial.turned(trial.turns)
    moved = search.moved(posed)
    ends = []
    for limb in limbs:
        carrier = search.carrier(posed, limb.end, moved)
        if carrier is not None:
            ends.append(ik_matching.End(limb.end, limb.joints[-1], carrier, search.rest[limb.end]))
    found = IkControls(tuple(ends), (), (), (), search.joints)
    _set(search.rig, others.items())
    _pose(search, bones, found, moved)
    reached = trial.evaluated()
    for limb in (limb for limb in limbs if limb.toes >= 0):
        carrier = search.carrier(reached, limb.toes, moved)
        if carrier is not None:
            ends.append(ik_matching.End(limb.toes, _TOES[limb.joints[-1]], carrier, search.rest[limb.toes]))
    poles = [pole for limb in limbs if (pole := _pole(search, limb, reached, moved)) is not None]
    _set(search.rig, now.items())
    return replace(found, ends=tuple(ends), poles=tuple(poles))


def _pole(search: _Search, limb: _Limb, reached: Array, moved: Array) -> ik_matching.Pole | None:
    carrier = search.carrier(reached, limb.pole, moved)
    if carrier is None:
        return None
    lower, tip = reached[limb.lower], search.joints[limb.joints[-1]]
    end = (lower @ np.linalg.inv(search.rest[limb.lower]) @ [*tip, 1.0])[:3]
    angle = ik_matching.pole_angle(reached[limb.upper, :3, 3], lower[:3, 3], end, reached[limb.pole, :3, 3])
    root, middle, last = limb.joints
    rest = search.rest[limb.pole]
    return ik_matching.Pole(
        limb.pole,
        (root, middle, last),
        carrier,
        rest,
        search.joints[root],
        float(np.linalg.norm(rest[:3, 3] - search.joints[middle])),
        angle,
    )


def _kept(
    search: _Search,
    bones: armature.Bones,
    limbs: Sequence[_Limb],
    found: IkControls,
    now: Mapping[Property, Any],
    others: Mapping[Property, Any],
) -> set[int]:
    """The places of the controls with which limbs keep a pose that they were not measured in."""
    trial = search.trial
    trial.at_rest()
    posed = trial.turned(quat.inv(trial.turns))
    _set(search.rig, others.items())
    _pose(search, bones, found, search.moved(posed))
    reached = trial.evaluated()
    _set(search.rig, now.items())
    driven = {name for one in others for name in search.properties[one]}
    off = {joint: _off(search, joint, driven, posed, reached) for limb in _LIMBS for joint in limb}
    off |= {joint: _off(search, joint, driven, posed, reached) for joint in _TOES.values()}
    kept: set[int] = set()
    for limb in limbs:
        if max(off[joint] for joint in limb.joints) < _KEPT:
            kept |= {limb.end, limb.pole}
            if limb.toes >= 0 and off[_TOES[limb.joints[-1]]] < _KEPT:
                kept.add(limb.toes)
    return kept & {one.bone for one in (*found.ends, *found.poles)}


def _off(search: _Search, joint: int, driven: set[str], posed: Array, reached: Array) -> float:
    """How far the bones at a joint that switches move point elsewhere than they did, radians; infinite for none."""
    places = [search.index(name) for name in driven if search.is_at(search.rest[search.index(name), :3, 3], joint)]
    if not places:
        return np.inf
    axes = [retarget.without_scale(pose[places, :3, :3]) for pose in (posed, reached)]
    cosine = np.sum(axes[0][..., 1] * axes[1][..., 1], axis=-1)
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)).max())


def _set(rig: Object, values: Iterable[tuple[Property, Any]]) -> None:
    for one, value in values:
        one.put(rig, value)


def _pose(search: _Search, bones: armature.Bones, found: IkControls, moved: Array) -> None:
    """Brings the controls to where the joints are that moved so."""
    for bone, (place, turn) in found.channels(bones, moved).items():
        matrix = Matrix.Translation(place.tolist())
        if turn is not None:
            matrix = matrix @ Matrix(quat.to_matrix(turn).tolist()).to_4x4()
        search.rig.pose.bones[search.trial.names[bone]].matrix_basis = matrix
