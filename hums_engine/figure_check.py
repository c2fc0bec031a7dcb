# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a map of canonical joints agrees with the skeleton: built in order, left on the left, a biped.

Names lie: a rig has its sides swapped, a hand hangs on the other arm, an animal has a "forearm". What the
skeleton contradicts is set right where it can be, and trusted less where it cannot.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from . import quat
from .bone_tree import BoneTree
from .rest_pose import middle
from .skeleton import INDEX, TWINS

Array = NDArray[np.float64]
Joints = NDArray[np.intp]

# Joints of a limb, each hanging on the one before it.
_LEGS = ("hip", "knee", "ankle", "foot")
_ARMS = ("collar", "shoulder", "elbow", "wrist")
_SURELY_SWAPPED = -0.05  # of a leg's length; correctly named figures measured show +0.07 and more
_SAME_PLACE = 0.005  # of the tree's size
_LESS_BY_LINK = 0.6
_LESS_BY_DOUBLE = 0.3
_LESS_ON_FOUR = 0.2


def corrected(joints: Joints, tree: BoneTree) -> tuple[Joints, float]:
    """A map with what the skeleton contradicts set right, and how far it is to be trusted, 0 to 1.

    Args:
        joints: ``[22]`` index into the tree's joints, -1 where missing.
        tree: the skeleton.
    """
    joints = _untangled(joints, tree)
    legs, arms = sidedness(joints, tree)
    for value, names in ((legs, _LEGS), (arms, _ARMS)):
        if value < _SURELY_SWAPPED:
            joints = swapped(joints, names)
    pelvis = _carrier(joints, tree)
    joints = np.where(joints == pelvis, -1, joints)
    joints[INDEX["pelvis"]] = pelvis
    trust = _LESS_BY_LINK ** _broken_links(joints, tree) * _LESS_BY_DOUBLE ** _doubled_places(joints, tree)
    return joints, trust * (_LESS_ON_FOUR if stands_on_four(joints, tree) else 1.0)


def _known(joints: Joints, tree: BoneTree) -> Joints:
    """The map without joints that have no position: of those nothing can be told."""
    return np.where((joints >= 0) & tree.placed[np.maximum(joints, 0)], joints, -1)


def swapped(joints: Joints, names: tuple[str, ...]) -> Joints:
    """The map with left and right of the joints called ``names`` (without their side) exchanged."""
    pick = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in names]
    result = joints.copy()
    result[pick] = joints[TWINS[pick]]
    return result


def legs_swapped(joints: Joints) -> Joints:
    """The map with its legs' sides exchanged."""
    return swapped(joints, _LEGS)


def arms_swapped(joints: Joints) -> Joints:
    """The map with its arms' sides exchanged."""
    return swapped(joints, _ARMS)


def _untangled(joints: Joints, tree: BoneTree) -> Joints:
    """The map with pairs exchanged that hang on each other's limb: a "left" hand on the right forearm."""
    joints = joints.copy()
    known = _known(joints, tree)
    for chain in (_LEGS, _ARMS):
        for upper, lower in itertools.pairwise(chain):
            ul, ur, ll, lr = (known[INDEX[f"{s}_{n}"]] for n in (upper, lower) for s in ("left", "right"))
            if min(ul, ur, ll, lr) < 0 or _hangs(tree, ll, ul) or _hangs(tree, lr, ur):
                continue
            if _hangs(tree, ll, ur) and _hangs(tree, lr, ul):
                joints, known = swapped(joints, (lower,)), swapped(known, (lower,))
    return joints


def _hangs(tree: BoneTree, joint: int, on: int) -> bool:
    return on in tree.ancestors(joint)


def _carrier(joints: Joints, tree: BoneTree) -> int:
    """The joint that carries legs and arms, where the pelvis of the map does not; else that pelvis."""
    pelvis, known = int(joints[INDEX["pelvis"]]), _known(joints, tree)
    limbs = [int(known[INDEX[f"{s}_{n}"]]) for s in ("left", "right") for n in ("hip", "shoulder")]
    if min(limbs) < 0:
        return pelvis
    if pelvis >= 0 and all(_hangs(tree, j, pelvis) for j in limbs):
        return pelvis
    meeting = limbs[0]
    for j in limbs[1:]:
        meeting = tree.meeting(meeting, j)
    return meeting if meeting not in limbs else pelvis


def _broken_links(joints: Joints, tree: BoneTree) -> int:
    """How many joints of the limbs do not hang on the joint before them; controls of collars need not carry arms."""
    broken, joints = 0, _known(joints, tree)
    for chain in (_LEGS, _ARMS[1:]):
        for side in ("left", "right"):
            limb = [int(j) for n in chain if (j := joints[INDEX[f"{side}_{n}"]]) >= 0]
            broken += sum(not _hangs(tree, lower, upper) for upper, lower in itertools.pairwise(limb))
    return broken


def _doubled_places(joints: Joints, tree: BoneTree) -> int:
    """How many pairs of joints that cannot be in one place are: a rig whose bones are named by their far end."""
    doubled, joints = 0, _known(joints, tree)
    for name in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        pair = [joints[INDEX[f"{side}_{name}"]] for side in ("left", "right")]
        if min(pair) >= 0:
            apart = np.linalg.norm(tree.views[:, pair[0]] - tree.views[:, pair[1]], axis=-1).max()
            doubled += bool(apart < _SAME_PLACE * tree.size)
    return doubled


def stands_on_four(joints: Joints, tree: BoneTree) -> bool:
    """Whether the rest pose is an animal's: arms along the legs, the trunk square to both."""
    points = places(joints, tree)[0]
    trunk, leg, arm = (
        middle(points, "shoulder") - middle(points, "hip"),
        _down(points, "hip"),
        _down(points, "shoulder"),
    )
    cosines = [_cosine(trunk, leg), _cosine(trunk, arm), _cosine(leg, arm)]
    return tree.has_rest and bool(abs(cosines[0]) < 0.5 and abs(cosines[1]) < 0.6 and cosines[2] > 0.7)


def places(joints: Joints, tree: BoneTree) -> Array:
    """Where the canonical joints are ``[V, 22, 3]``, NaN where missing."""
    joints = _known(joints, tree)
    return np.where((joints >= 0)[:, None], tree.views[:, np.maximum(joints, 0)], np.nan)


def sidedness(joints: Joints, tree: BoneTree) -> tuple[float, float]:
    """How clearly the left leg and the left arm are on the figure's left.

    The figure faces where its toes and knees point and its elbows do not. Positive: left is left; negative:
    the sides are exchanged; near zero: nothing tells. The unit is a leg's length.

    Args:
        joints: ``[22]`` index into the tree's joints, -1 where missing.
        tree: the skeleton.
    """
    points = places(joints, tree)
    up = middle(points, "shoulder") - middle(points, "hip")
    forward = np.nan_to_num(_forward(points)) + np.nan_to_num(_toes_ahead(joints, tree))
    leg = np.linalg.norm(points[:, INDEX["left_hip"]] - points[:, INDEX["left_ankle"]], axis=-1)
    usual = np.nanmedian(leg) if np.isfinite(leg).any() else 0.5 * tree.size
    left_of_figure = np.cross(quat.unit(up), forward) / max(float(usual), 1e-9)
    found = []
    for name in ("hip", "shoulder"):
        across = quat.unit(points[:, INDEX[f"left_{name}"]] - points[:, INDEX[f"right_{name}"]])
        found.append(float(np.mean(np.nan_to_num((left_of_figure * across).sum(axis=-1)))))
    return found[0], found[1]


def _forward(points: Array) -> Array:
    """Where knees and elbows say the figure faces ``[V, 3]``: knees bend forward, elbows back."""
    total = np.zeros((len(points), 3))
    for (root, bend, end), sign in ((("hip", "knee", "ankle"), 1.0), (("shoulder", "elbow", "wrist"), -0.5)):
        for side in ("left", "right"):
            a, b, c = (points[:, INDEX[f"{side}_{n}"]] for n in (root, bend, end))
            total += 0.5 * sign * np.nan_to_num(b - 0.5 * (a + c))
    return total


def _toes_ahead(joints: Joints, tree: BoneTree) -> Array:
    """From the ankles to what is farthest beyond them ``[V, 3]``, both feet's mean."""
    total = np.zeros((len(tree.views), 3))
    joints = _known(joints, tree)
    for side in ("left", "right"):
        ankle = int(joints[INDEX[f"{side}_ankle"]])
        if ankle >= 0:
            foot = tree.below(ankle)
            reached = tree.views[:, foot]
            if tree.tips is not None:
                reached = np.concatenate([reached, tree.tips[None, foot]], axis=1)
            away = reached - tree.views[:, ankle][:, None]
            farthest = int(np.argmax(np.linalg.norm(away, axis=-1).mean(axis=0)))
            total += 0.5 * away[:, farthest]
    return total


def _down(points: Array, root: str) -> Array:
    """From the roots of both limbs to their ends ``[3]``."""
    return middle(points, "ankle" if root == "hip" else "wrist") - middle(points, root)


def _cosine(a: Array, b: Array) -> float:
    return float(np.nan_to_num((quat.unit(a) * quat.unit(b)).sum(axis=-1), nan=1.0))
