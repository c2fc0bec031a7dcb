# SPDX-License-Identifier: GPL-3.0-or-later
"""One skeleton as other riggers would have made it: other names, other bones, another rest pose, other axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.skeletons import Skeleton
from hums_engine import quat

Array = NDArray[np.float64]
Variation = Callable[[Skeleton], Skeleton]

_GERMAN = {
    "pelvis": "Becken", "hip": "Oberschenkel", "knee": "Unterschenkel", "ankle": "Fuss",
    "shoulder": "Oberarm", "elbow": "Unterarm", "wrist": "Hand",
}  # fmt: skip
_SIDES = ("left", "right")


def renamed(spelling: str) -> Variation:
    """Every name spelt so: ``{name}`` is the old name, ``{i}`` the bone's number."""
    return lambda s: replace(s, names=[spelling.format(name=name, i=i) for i, name in enumerate(s.names)])


def anonymous(s: Skeleton) -> Skeleton:
    """Bones named as Blender names new ones."""
    return replace(s, names=["Bone", *(f"Bone.{i:03d}" for i in range(1, len(s.names)))])


def german(s: Skeleton) -> Skeleton:
    """Bones named in German, with the side at the end."""
    names = [f"Knochen{i}" for i in range(len(s.names))]
    for joint, bone in s.truth.items():
        side, _, part = joint.rpartition("_")
        names[bone] = _GERMAN[part] + (f".{side[0].upper()}" if side else "")
    return replace(s, names=names)


# other bones


def with_leaves(s: Skeleton) -> Skeleton:
    """A bone "_end" at the tip of each last bone, as importers of FBX and glTF leave them."""
    assert s.tips is not None
    if any(name.lower().endswith("end") for name in s.names):
        return s
    last = [j for j in range(len(s.names)) if j not in s.parents]
    return _added(s, [f"{s.names[j]}_end" for j in last], last, s.tips[last])


def with_twists_inside(s: Skeleton) -> Skeleton:
    """Two twist bones in every part of every limb that has none, in line between its joints."""
    for upper, lower in _limb_parts():
        if upper not in s.truth or lower not in s.truth or s.parents[s.truth[lower]] != s.truth[upper]:
            continue
        s = _split(s, s.truth[upper], s.truth[lower], 2, f"{upper} twist")
    return s


def with_twists_aside(s: Skeleton) -> Skeleton:
    """Two twist bones in every part of every limb that carry nothing."""
    for upper, lower in _limb_parts():
        if upper in s.truth and lower in s.truth and s.heads is not None:
            start, end = s.heads[s.truth[upper]], s.heads[s.truth[lower]]
            places = np.array([start + (end - start) / 3, start + (end - start) * 2 / 3])
            s = _added(s, [f"{upper} twist {k}" for k in (1, 2)], [s.truth[upper]] * 2, places)
    return s


def with_long_spine(s: Skeleton) -> Skeleton:
    """Two to four more bones in the trunk, up to seven."""
    trunk = _trunk(s)
    if len(trunk) < 2 or len(trunk) > 5:
        return s
    return _split(s, trunk[-2], trunk[-1], 7 - len(trunk) if len(trunk) > 2 else 2, "more spine")


def without_toes(s: Skeleton) -> Skeleton:
    """Nothing below the ankles."""
    return _without(
        s, [j for side in _SIDES if (ankle := s.truth.get(f"{side}_ankle", -1)) >= 0 for j in _below(s, ankle)[1:]]
    )


def without_collars(s: Skeleton) -> Skeleton:
    """Upper arms right on the trunk."""
    trunk = _trunk(s)
    collars = [
        j
        for side in _SIDES
        if (shoulder := s.truth.get(f"{side}_shoulder", -1)) >= 0
        for j in _above(s, shoulder)[1:]
        if j not in trunk and j not in _above(s, s.truth["pelvis"])
    ]
    return _without(s, [j for j in collars if not set(s.truth.values()) & {j}])


def with_helpers(s: Skeleton) -> Skeleton:
    """A root under the feet, targets and poles of inverse kinematics, a prop in the right hand."""
    assert s.heads is not None
    size = float(np.ptp(s.heads, axis=0).max())
    forward = _forward(s)
    joints = [j for j in s.truth if j.partition("_")[2] in ("knee", "ankle", "elbow", "wrist")]
    ahead = {"knee": 0.3, "elbow": -0.3, "ankle": 0.0, "wrist": 0.0}
    places = np.array([s.heads[s.truth[j]] + ahead[j.partition("_")[2]] * size * forward for j in joints])
    root = next(j for j, parent in enumerate(s.parents) if parent < 0)
    s = _added(s, [f"{j} target" for j in joints], [root] * len(joints), places)
    hand = s.truth.get("right_wrist", s.truth["pelvis"])
    assert s.heads is not None
    return _added(s, ["prop"], [hand], s.heads[hand][None] + 0.3 * size * forward)


# other rest poses


def arms_at(degrees: float) -> Variation:
    """Arms straight out (0) or so far down."""

    def posed(s: Skeleton) -> Skeleton:
        up, left, _ = _axes(s)
        for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
            aim = sign * np.cos(np.radians(degrees)) * left - np.sin(np.radians(degrees)) * up
            s = _aimed(s, f"{side}_shoulder", f"{side}_wrist", aim)
        return s

    return posed


def in_stance(s: Skeleton) -> Skeleton:
    """Legs apart and bent, arms down and bent forward, as game characters rest."""
    up, left, forward = _axes(s)
    for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
        s = _aimed(s, f"{side}_shoulder", f"{side}_elbow", 0.5 * sign * left - up)
        s = _aimed(s, f"{side}_elbow", f"{side}_wrist", 0.2 * sign * left - up + 0.6 * forward)
        s = _aimed(s, f"{side}_hip", f"{side}_knee", 0.2 * sign * left - up + 0.3 * forward)
        s = _aimed(s, f"{side}_knee", f"{side}_ankle", 0.1 * sign * left - up - 0.3 * forward)
    return s


# other axes


def turned(matrix: ArrayLike) -> Variation:
    """All places through a matrix ``[3, 3]``: turned, or in another unit."""
    by = np.array(matrix, dtype=np.float64).T

    def moved(s: Skeleton) -> Skeleton:
        views = (None if view is None else view @ by for view in (s.heads, s.tips, s.poses))
        return replace(s, **dict(zip(("heads", "tips", "poses"), views, strict=True)))

    return moved


# what they are made of


def _limb_parts() -> list[tuple[str, str]]:
    parts = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    return [(f"{side}_{upper}", f"{side}_{lower}") for side in _SIDES for upper, lower in parts]


def _above(s: Skeleton, joint: int) -> list[int]:
    chain = [joint]
    while s.parents[chain[-1]] >= 0:
        chain.append(int(s.parents[chain[-1]]))
    return chain


def _below(s: Skeleton, joint: int) -> list[int]:
    found = [joint]
    for j in found:
        found.extend(np.flatnonzero(s.parents == j).tolist())
    return found


def _trunk(s: Skeleton) -> list[int]:
    """From the pelvis (left out) to the bone that carries both arms, from below."""
    left, right = (_above(s, s.truth[f"{side}_shoulder"]) for side in _SIDES)
    common = [j for j in left if j in right]
    pelvis = s.truth["pelvis"]
    return common[: common.index(pelvis)][::-1] if pelvis in common else []


def _axes(s: Skeleton) -> tuple[Array, Array, Array]:
    """The figure's up, left and forward at rest, unit vectors."""
    assert s.heads is not None
    at = {joint: s.heads[bone] for joint, bone in s.truth.items()}
    hips, shoulders = ((at[f"left_{n}"] + at[f"right_{n}"]) / 2 for n in ("hip", "shoulder"))
    up = quat.unit(shoulders - hips)
    across = at["left_shoulder"] - at["right_shoulder"]
    left = quat.unit(across - up * (across @ up))
    return up, left, np.cross(left, up)


def _forward(s: Skeleton) -> Array:
    return _axes(s)[2]


def _aimed(s: Skeleton, joint: str, end: str, aim: Array) -> Skeleton:
    """The limb from a joint on turned, so that its end lies in the direction ``aim``."""
    if joint not in s.truth or end not in s.truth or s.heads is None or s.tips is None:
        return s
    pivot = s.heads[s.truth[joint]]
    turn = quat.between(quat.unit(s.heads[s.truth[end]] - pivot), quat.unit(aim))
    heads, tips, moved = s.heads.copy(), s.tips.copy(), _below(s, s.truth[joint])
    tips[moved] = pivot + quat.rotate(turn, tips[moved] - pivot)
    heads[moved] = pivot + quat.rotate(turn, heads[moved] - pivot)
    return replace(s, heads=heads, tips=tips)


def _added(s: Skeleton, names: list[str], parents: list[int], places: Array) -> Skeleton:
    """The skeleton with more bones at its end, each a short one."""
    assert s.heads is not None and s.tips is not None
    step = places - s.heads[parents]
    length = np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-9)
    short = step / length * 0.02 * np.ptp(s.heads, axis=0).max()
    return replace(
        s,
        names=[*s.names, *names],
        parents=np.append(s.parents, np.array(parents, dtype=np.intp)),
        heads=np.concatenate([s.heads, places]),
        tips=np.concatenate([s.tips, places + short]),
    )


def _split(s: Skeleton, upper: int, lower: int, count: int, name: str) -> Skeleton:
    """So many bones put between a bone and what follows it in the line to another."""
    assert s.heads is not None
    line = _above(s, lower)
    child = line[line.index(upper) - 1]
    start, end = s.heads[upper], s.heads[child]
    parent, size = upper, len(s.names)
    for k in range(count):
        s = _added(s, [f"{name} {k}"], [parent], (start + (end - start) * (k + 1) / (count + 1))[None])
        parent = size + k
    parents = s.parents.copy()
    parents[child] = parent
    return replace(s, parents=parents)


def _without(s: Skeleton, bones: list[int]) -> Skeleton:
    """The skeleton without some bones; what hung on them hangs on what they hung on."""
    gone = set(bones)
    kept = [j for j in range(len(s.names)) if j not in gone]
    place = {j: k for k, j in enumerate(kept)}
    parents = [next((place[p] for p in _above(s, j)[1:] if p in place), -1) for j in kept]
    return replace(
        s,
        names=[s.names[j] for j in kept],
        parents=np.array(parents, dtype=np.intp),
        heads=None if s.heads is None else s.heads[kept],
        tips=None if s.tips is None else s.tips[kept],
        poses=None if s.poses is None else s.poses[:, kept],
        truth={joint: place[j] for joint, j in s.truth.items() if j in place},
    )
