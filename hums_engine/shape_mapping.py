# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical joints of a skeleton found by its shape alone, for rigs whose names say nothing.

A human figure is two pairs of like limbs at the ends of a trunk: legs that go on where the trunk comes from, arms
at the other end, a head beyond them. Every two pairs are read as legs and arms, and the most human reading wins.
Left and right follow from where the feet, knees and elbows point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import figure_check
from .bone_tree import BoneTree
from .errors import MappingError
from .limb_pairs import ARMS, LEGS, Limb, LimbPair, Proportions, best_limb, limb_pairs
from .name_sides import side_of
from .skeleton import INDEX, JOINT_COUNT

Array = NDArray[np.float64]

_READINGS = 20  # the likeliest legs and arms that are tried with each other
_STANDING = 0.5  # cosine between legs and trunk below which nothing stands upright
_TELLING = 0.004  # of a leg's length: less of a bend does not tell where a figure faces
_DOUBTFUL = 9.0  # cost at which a reading is as likely wrong as right; chibi figures cost some 6
_STRANGEST = 11.5  # cost above which a reading is refused; animals cost 13 and more
_BESIDE = 0.12  # of the shoulders' width: what stands further aside is an eye or an ear, not the head
_HEAD_RISE = 0.47  # of the trunk: how high above the shoulders a head joint may stand; a crown stands higher
_FEW_BONES = 16  # a figure whose limbs are one bone each has no more bones than this
_LEG_TO_TRUNK = 1.6
_ARM_TO_TRUNK = 1.05


@dataclass(frozen=True, eq=False)
class Figure:
    """A skeleton read as a human figure.

    Attributes:
        tree: the skeleton.
        legs: which chains are the legs.
        arms: which chains are the arms.
        view: the view of the tree in which the figure stands straightest.
        cost: how far it is from a usual figure.
    """

    tree: BoneTree
    legs: Limb
    arms: Limb
    view: int
    cost: float

    @property
    def pelvis(self) -> int:
        """The joint that carries both legs and the trunk."""
        return self.tree.meeting(self.legs.pair.fork, self.arms.pair.fork)

    @property
    def hips(self) -> Array:
        """The point between the hips ``[3]``."""
        return self.legs.places(0)[self.view].mean(axis=0)

    @property
    def shoulders(self) -> Array:
        """The point between the shoulders ``[3]``."""
        return self.arms.places(0)[self.view].mean(axis=0)

    @property
    def trunk(self) -> Array:
        """From between the hips to between the shoulders ``[3]``."""
        return self.shoulders - self.hips


def map_by_shape(tree: BoneTree, names: Sequence[str] = ()) -> tuple[NDArray[np.intp], float]:
    """Finds the canonical joints ``[22]`` of a skeleton (-1 where it has none), and how sure that is (0 to 1).

    Args:
        tree: the skeleton.
        names: ``J`` names, asked only for sides ("L", "left", "links") where the shape does not tell them.

    Raises:
        MappingError: there is no human figure; the text says what is missing.
    """
    figure = _most_human(tree)
    joints = np.full(JOINT_COUNT, -1, dtype=np.intp)
    joints[INDEX["pelvis"]] = figure.pelvis
    _put_limbs(joints, figure)
    _put_trunk(joints, figure)
    return _sides_told(joints, figure, names), _score(figure)


def _most_human(tree: BoneTree) -> Figure:
    pairs = limb_pairs(tree)
    jointed = [p for p in pairs if p.places.shape[2] >= 3]
    blocky = not jointed and len(tree.order) <= _FEW_BONES
    legs, arms = (_readings(tree, pairs if blocky else jointed, usual) for usual in (LEGS, ARMS))
    apart = [(leg, arm) for leg in legs for arm in arms if _are_apart(tree, leg, arm)]
    figures = [f for leg, arm in apart if (f := _figure(tree, leg, arm)) is not None]
    best = min(figures, key=lambda f: f.cost, default=None)
    if best is None or best.cost > _STRANGEST:
        raise MappingError(f"No human figure was found in this skeleton: {_what_is_missing(pairs, apart, best)}.")
    return best


def _what_is_missing(pairs: Sequence[LimbPair], apart: Sequence[tuple[Limb, Limb]], best: Figure | None) -> str:
    if not pairs:
        return "it has no two limbs that are alike"
    if not apart:
        return "it has one pair of limbs, not legs and arms"
    if best is None:
        return "no pair of legs goes on from its trunk, as in an animal on four legs"
    return "its limbs are not built like legs and arms"


def _readings(tree: BoneTree, pairs: Sequence[LimbPair], usual: Proportions) -> list[Limb]:
    """The best readings of pairs as limbs; of those that differ only beyond the limb's end, the best one."""
    found: dict[tuple[int, ...], Limb] = {}
    for limb in sorted((best_limb(tree, p, usual) for p in pairs), key=lambda limb: limb.cost):
        found.setdefault(tuple(int(j) for place in range(3) for j in limb.joints(place)), limb)
    return list(found.values())[:_READINGS]


def _are_apart(tree: BoneTree, legs: Limb, arms: Limb) -> bool:
    """Whether two pairs share no joint and neither hangs on the other."""
    upper, lower = set(arms.pair.way.ravel()), set(legs.pair.way.ravel())
    return not (
        upper & lower or lower & set(tree.ancestors(arms.pair.fork)) or upper & set(tree.ancestors(legs.pair.fork))
    )


def _figure(tree: BoneTree, legs: Limb, arms: Limb) -> Figure | None:
    """Two pairs read as legs and arms, or None where the legs do not go on from the trunk."""
    view, standing = _straightest(tree, legs, arms)
    if standing < _STANDING:
        return None
    figure = Figure(tree, legs, arms, view, 0.0)
    cost = legs.cost + arms.cost + 12.0 * (1.0 - standing) + _size_cost(figure) + _place_cost(figure)
    return Figure(tree, legs, arms, view, cost)


def _straightest(tree: BoneTree, legs: Limb, arms: Limb) -> tuple[int, float]:
    """The view in which the legs go straightest on from the trunk, and how straight (cosine)."""
    hips, shoulders, ends = (p.mean(axis=1) for p in (legs.places(0), arms.places(0), legs.places(2)))
    trunk, leg = shoulders - hips, ends - hips
    size = np.linalg.norm(trunk, axis=-1) * np.linalg.norm(leg, axis=-1)
    straight = -(trunk * leg).sum(-1) / np.maximum(size, 1e-12)
    if legs.at[1] < 0:  # legs of one bone show no direction: they hang down
        straight = trunk[:, 2] / np.maximum(np.linalg.norm(trunk, axis=-1), 1e-12)
    straight[np.linalg.norm(trunk, axis=-1) < 0.05 * tree.size] = -1.0
    return int(np.argmax(straight)), float(straight.max())


def _size_cost(figure: Figure) -> float:
    """How far the limbs' lengths are from a human's, against the trunk's."""
    trunk = float(np.linalg.norm(figure.trunk))
    cost = 0.0
    for limb, usual in ((figure.legs, _LEG_TO_TRUNK), (figure.arms, _ARM_TO_TRUNK)):
        if limb.at[1] < 0:
            continue
        parts = np.linalg.norm(np.diff([limb.places(i)[figure.view] for i in range(3)], axis=0), axis=-1)
        way = float(parts.sum(axis=0).mean())
        cost += min(0.5 * (np.log(max(way, 1e-9) / (usual * trunk)) / 0.45) ** 2, 6.0)
    return float(cost)


def _place_cost(figure: Figure) -> float:
    """What tells legs from arms: they are the lowest, and a head is beyond the arms."""
    tree = figure.tree
    up = figure.trunk / np.linalg.norm(figure.trunk)
    heights = (tree.views[figure.view][list(tree.order)] - figure.hips) @ up
    leg = -float((figure.legs.places(2)[figure.view].mean(axis=0) - figure.hips) @ up)
    below = np.clip(-heights / max(leg, 1e-9) - 1.3, 0.0, 1.0).mean()
    cost = 10.0 * float(below) + 1.0 * (1.0 - float(up[2]))
    cost += 0.0 if _head_chain(figure) else 2.5
    if figure.arms.pair.fork not in tree.below(figure.legs.pair.fork):
        cost += 1.5
    return cost


def _head_chain(figure: Figure) -> list[int]:
    """Joints off the trunk that go up in the middle beyond the arms, highest last, one for each place."""
    tree = figure.tree
    away = tree.views[figure.view] - figure.shoulders
    up = figure.trunk / np.linalg.norm(figure.trunk)
    across = np.subtract(*figure.arms.places(0)[figure.view])
    aside = np.abs(away @ across) / max(float(np.linalg.norm(across)), 1e-9)
    carriers = set(tree.ancestors(figure.arms.pair.fork))
    taken = {*figure.arms.pair.way.ravel(), *figure.legs.pair.way.ravel(), *carriers}
    best, highest = -1, 0.0
    waiting = [c for j in _trunk_joints(figure) for c in tree.children[j] if c not in taken]
    while waiting:
        j = waiting.pop()
        rise = float(away[j] @ up - aside[j])
        if rise > highest + 1e-6 * tree.size:
            best, highest = j, rise
        waiting.extend(c for c in tree.children[j] if c not in taken)
    return tree.stations([j for j in reversed(tree.ancestors(best)) if j not in carriers]) if best >= 0 else []


def _trunk_joints(figure: Figure) -> list[int]:
    """Joints from above the pelvis to the one that carries the arms; that one alone where it is the pelvis."""
    tree, pelvis, fork = figure.tree, figure.pelvis, figure.arms.pair.fork
    chain = [j for j in reversed(tree.ancestors(fork)) if pelvis in tree.ancestors(j) and j != pelvis]
    return chain or [fork]


def _put_limbs(joints: NDArray[np.intp], figure: Figure) -> None:
    """Puts the limbs' joints, the first chain of each pair as the left one for now."""
    legs, arms = figure.legs, figure.arms
    for limb, names in ((legs, ("hip", "knee", "ankle")), (arms, ("shoulder", "elbow", "wrist"))):
        for place, name in enumerate(names):
            _put_pair(joints, name, limb.joints(place))
    after = legs.at[2] + 1
    if 0 < after < legs.pair.chains.shape[1]:
        _put_pair(joints, "foot", legs.pair.chains[:, after])
    if arms.at[0] > 0:
        _put_pair(joints, "collar", arms.pair.chains[:, 0])


def _put_pair(joints: NDArray[np.intp], name: str, pair: NDArray[np.intp]) -> None:
    joints[INDEX[f"left_{name}"]], joints[INDEX[f"right_{name}"]] = pair


def _sides_told(joints: NDArray[np.intp], figure: Figure, names: Sequence[str]) -> NDArray[np.intp]:
    """The map with left on the left: as the body tells, or the names' sides, or taking it to face -Y."""
    legs, arms = figure_check.sidedness(joints, figure.tree)
    if abs(legs) < _TELLING:
        legs = _side_by_names(figure.legs, names) or _side_by_x(figure, figure.legs)
    if abs(arms) < _TELLING:
        arms = _side_by_names(figure.arms, names) or _side_by_x(figure, figure.arms)
    if legs < 0:
        joints = figure_check.legs_swapped(joints)
    return figure_check.arms_swapped(joints) if arms < 0 else joints


def _side_by_names(limb: Limb, names: Sequence[str]) -> float:
    """Positive where the names call the first chain left, negative where right, 0 where they do not say."""
    if not names:
        return 0.0
    sides = np.array([[side_of(names[int(j)]) for j in chain] for chain in limb.pair.chains])
    return float(sides[0].sum() - sides[1].sum())


def _side_by_x(figure: Figure, limb: Limb) -> float:
    across = limb.places(0)[figure.view]
    return float(across[0, 0] - across[1, 0])


def _put_trunk(joints: NDArray[np.intp], figure: Figure) -> None:
    trunk = [j for j in _trunk_joints(figure) if j != figure.pelvis]
    for name, j in spine_of(figure.tree.stations(trunk)).items():
        joints[INDEX[name]] = j
    chain = _head_chain(figure)
    if chain:
        top = _head_among(chain, figure)
        joints[INDEX["head"]] = chain[top]
        if top > 0:
            joints[INDEX["neck"]] = chain[0]


def _head_among(chain: Sequence[int], figure: Figure) -> int:
    """Which joint of the neck's chain is the head's: the last one in the middle, the crown at its end left out."""
    tree = figure.tree
    away = tree.views[figure.view][list(chain)] - figure.shoulders
    rise = away @ figure.trunk / float(figure.trunk @ figure.trunk)
    across = np.subtract(*figure.arms.places(0)[figure.view])
    beside = np.abs(away @ across) / max(float(across @ across), 1e-12)
    short = len(chain) == 2 and rise[0] < 0.2 and rise[1] < _HEAD_RISE
    last = len(chain) - (1 if tree.tips is not None or len(chain) == 1 or short else 2)
    limit = _HEAD_RISE if tree.tips is not None else 0.6
    return max((k for k in range(last + 1) if rise[k] < limit and beside[k] < _BESIDE), default=0)


def spine_of(chain: Sequence[int]) -> dict[str, int]:
    """The three spine joints among the joints from the pelvis (left out) to the one that carries the arms.

    The last is spine3, the first spine1, and spine2 the middle one of those between (of two, the lower); a lone
    one is spine3.
    """
    if not chain:
        return {}
    found = {"spine3": chain[-1]}
    if len(chain) > 1:
        found["spine1"] = chain[0]
    if len(chain) > 2:
        found["spine2"] = chain[(len(chain) - 1) // 2]
    return found


def _score(figure: Figure) -> float:
    return float(1.0 / (1.0 + np.exp((figure.cost - _DOUBTFUL) / 1.5)))
