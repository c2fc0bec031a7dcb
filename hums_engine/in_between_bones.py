# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones of a rig that are no joint of the canonical body: what they do so that the whole bends and twists as one.

- Trunk and neck bones between two joints turn a part of the way from the one to the other: a spine of seven bones bends
  in seven places and ends turned as a spine of three.
- Twist bones along a limb take the part of its twist that their place along it calls for.
- On a forearm without twist bones, the forearm takes half the twist of the hand, as its two bones do in a body.

All turns are ``[T, 4]`` in the world, from the rig's rest pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import quat
from .skeleton import INDEX

Array = NDArray[np.float64]
Turns = dict[int, Array]
Bends = dict[int, tuple[tuple[float, Array], ...]]
"""For a joint, the way to it from the joint below at rest: parts of the way ``[3]``, and how far each turns, 0 to 1."""

_TRUNK: Final = [INDEX[name] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
_SIDES: Final = ("left", "right")
_BESIDE: Final = 0.08
"""In lengths of the limb: how far from its line a twist bone may start."""
_ENDS: Final = (0.03, 1.03)
_FOREARM_SHARE: Final = 0.5


def spread(parents: NDArray[np.intp], heads: Array, joints: NDArray[np.intp], turns: Turns) -> Turns:
    """Turns of the bones between joints; those of joints that change are among them.

    Args:
        parents: ``[B]`` index of each bone's parent, -1 for a root.
        heads: ``[B, 3]`` where the bones start at rest.
        joints: ``[22]`` the bone of each canonical joint, -1 where there is none.
        turns: of the joints' bones.
    """
    found: Turns = {}
    trunk = [int(joints[j]) for j in _TRUNK if joints[j] >= 0]
    for upper in trunk[1:]:
        between, lower = _between(parents, upper, turns)
        for k, bone in enumerate(between if lower in trunk else ()):
            part = np.full(len(turns[upper]), (k + 1) / (len(between) + 1))
            found[bone] = quat.slerp(turns[lower], turns[upper], part)
    for side in _SIDES:
        for above, start, end in (("collar", "shoulder", "elbow"), ("pelvis", "hip", "knee")):
            names = ("pelvis" if above == "pelvis" else f"{side}_{above}", f"{side}_{start}", f"{side}_{end}")
            found |= _upper_twists(parents, heads, [int(joints[INDEX[name]]) for name in names], turns)
        for start, end in (("elbow", "wrist"), ("knee", "ankle")):
            limb = [int(joints[INDEX[f"{side}_{name}"]]) for name in (start, end)]
            found |= _lower_twists(parents, heads, limb, turns, lone_takes=_FOREARM_SHARE if start == "elbow" else 0.0)
    return found


def bends(parents: NDArray[np.intp], heads: Array, joints: NDArray[np.intp]) -> Bends:
    """The ways through a trunk whose bones between joints are spread; the arguments are those of `spread`."""
    bones = {int(bone): j for j, bone in enumerate(joints) if bone >= 0}
    trunk = {int(joints[j]): j for j in _TRUNK if joints[j] >= 0}
    found: Bends = {}
    for upper, joint in trunk.items():
        between, lower = _between(parents, upper, bones)
        if between and lower in trunk:
            way = np.diff(heads[[lower, *between, upper]], axis=0)
            found[joint] = tuple((k / len(way), offset) for k, offset in enumerate(way))
    return found


def _between(parents: NDArray[np.intp], bone: int, turns: Mapping[int, object]) -> tuple[list[int], int]:
    """The bones between a joint's bone and the next one above it that is a joint's, from below, and that one or -1."""
    chain: list[int] = []
    above = int(parents[bone])
    while above >= 0 and above not in turns:
        chain.append(above)
        above = int(parents[above])
    return chain[::-1], above


def _lower_twists(parents: NDArray[np.intp], heads: Array, limb: list[int], turns: Turns, lone_takes: float) -> Turns:
    """Forearm and shin: each twist bone takes of the hand's or foot's twist what its way along the bone is."""
    start, end = limb
    if start not in turns or end not in turns:
        return {}
    axis = quat.unit(heads[end] - heads[start])
    twist = twist_about(axis, quat.mul(quat.inv(turns[start]), turns[end]))
    bones = _twist_bones(parents, heads, start, end, turns)
    if not bones:
        bones = {start: lone_takes} if lone_takes else {}
    return {bone: quat.mul(turns[start], quat.from_axis_angle(axis, twist * part)) for bone, part in bones.items()}


def _upper_twists(parents: NDArray[np.intp], heads: Array, limb: list[int], turns: Turns) -> Turns:
    """Upper arm and thigh: a twist bone that carries nothing gives back, near the trunk, what the bone is twisted."""
    above, start, end = limb
    if any(bone not in turns for bone in limb):
        return {}
    axis = quat.unit(heads[end] - heads[start])
    twist = twist_about(axis, quat.mul(quat.inv(turns[above]), turns[start]))
    on_the_way = set(_between(parents, end, turns)[0])
    bones = _twist_bones(parents, heads, start, end, turns)
    return {
        bone: quat.mul(turns[start], quat.from_axis_angle(axis, twist * (min(part, 1.0) - 1.0)))
        for bone, part in bones.items()
        if bone not in on_the_way
    }


def _twist_bones(parents: NDArray[np.intp], heads: Array, start: int, end: int, turns: Turns) -> dict[int, float]:
    """Bones from ``start`` to ``end``, on the way or leaves beside it, and how far along each is, 0 to 1."""
    way = heads[end] - heads[start]
    length = max(float(np.linalg.norm(way)), 1e-9)
    carrying = set(parents.tolist())
    on_the_way, _ = _between(parents, end, turns)
    found = {}
    for bone in range(len(parents)):
        leaf = int(parents[bone]) == start and bone not in carrying
        if bone in turns or not (leaf or bone in on_the_way):
            continue
        part = float((heads[bone] - heads[start]) @ way) / length**2
        beside = float(np.linalg.norm(heads[bone] - heads[start] - part * way))
        if beside < _BESIDE * length and -_ENDS[0] < part < _ENDS[1]:
            found[bone] = min(max(part, 0.0), 1.0)
    return found


def twist_about(axis: Array, turn: Array) -> Array:
    """The angle ``[T]`` by which turns ``[T, 4]`` twist about a unit axis ``[3]``, without jumps over time."""
    angle = 2.0 * np.arctan2(turn[:, 1:] @ axis, turn[:, 0])
    angle = np.unwrap(angle)
    return angle - 2.0 * np.pi * np.round(np.median(angle) / (2.0 * np.pi))
