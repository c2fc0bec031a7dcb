# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a source's joints or bones are the 22 canonical ones: by names first, by shape when names say nothing.

A map that a person made for the skeleton is taken as it is (`own_maps`). Else every family of rigs, one data file each
in ``rig_maps/`` (docs/rig-maps.md), is tried; what the skeleton contradicts is set right or trusted less
(`figure_check`), and where no family fits, the skeleton's shape decides (`shape_mapping`). Names that fit half are
completed by the shape.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import bone_tree, figure_check, own_maps
from .bone_tree import BoneTree
from .errors import MappingError
from .motion import Motion
from .rig_families import RigFamily, families, plain
from .shape_mapping import map_by_shape, spine_of
from .skeleton import INDEX, JOINT_COUNT, JOINTS, MAIN_JOINTS

_BEGINNING = re.compile(r"^.*?[\s._:\-|]+(?=.)")
_ENDING = re.compile(r"(?<=.)[\s._\-]+[^\s._\-]*$")
_NUMBER = re.compile(r"(?<=.)_\d+$")  # glTF files from Sketchfab number every node
_MOST = 0.6  # share of the names that have a beginning or ending which tells nothing
_SURE = 0.85  # score from which on names need no second opinion
_FAIR = 0.5  # score below which names are not taken, and share of a family's joints that it must find
_AGREE = 0.8  # share of the main joints in which names and shape must agree to complete each other
_ONE_PLACE = 0.02  # of the skeleton's size: joints nearer than this stand together
_TRIED = 6  # families that fit best and are checked against the skeleton

SHAPE = "shape"
"""The family of a map that was found by shape."""
HAND = "hand"
"""The family of a map that a person corrected."""
_TITLES = {SHAPE: "Found by its shape", HAND: "Corrected by hand"}

_MAIN = np.array([INDEX[name] for name in MAIN_JOINTS], dtype=np.intp)
_PAIRS = [[INDEX[f"{side}_{name}"] for side in ("left", "right")] for name in ("hip", "shoulder")]
_NEEDED = {"pelvis": [INDEX["pelvis"]], "hip": _PAIRS[0], "shoulder": _PAIRS[1]}


Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class JointMap:
    """Where the canonical joints are in a source.

    Attributes:
        joints: ``[22]`` index into the source's joints or bones, -1 where it has none. A canonical joint is
            the head of the bone; the bone's rotation turns what leaves the joint.
        family: the rig family whose names fit, or "shape".
        score: 0 to 1, how sure the map is.
    """

    joints: NDArray[np.intp]
    family: str
    score: float

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which canonical joints ``[22]`` the source has."""
        return self.joints >= 0

    def as_names(self, names: Sequence[str]) -> dict[str, str]:
        """The map as canonical joint -> the source's name, joints that it lacks left out."""
        return {JOINTS[j]: names[int(i)] for j, i in enumerate(self.joints) if i >= 0}


class _Source(NamedTuple):
    """A skeleton to be mapped, as `map_joints` is given it."""

    names: Sequence[str]
    parents: NDArray[np.intp]
    rest: NDArray[np.floating] | None
    tips: NDArray[np.floating] | None
    poses: NDArray[np.floating] | None

    def tree(self) -> BoneTree | None:
        """Its shape, or None where it has no positions."""
        return bone_tree.build(self.parents, self.rest, self.tips, self.poses)

    def part(self, kept: NDArray[np.intp]) -> _Source:
        """Only the joints ``kept``, each hung on the nearest of them above it."""
        place = np.full(len(self.parents), -1, dtype=np.intp)
        place[kept] = np.arange(len(kept))
        parents = self.parents[kept]
        for _ in self.parents:
            gone = (parents >= 0) & (place[parents] < 0)
            if not gone.any():
                break
            parents = np.where(gone, self.parents[parents], parents)
        rest, tips = (None if points is None else np.asarray(points)[kept] for points in (self.rest, self.tips))
        poses = None if self.poses is None else np.asarray(self.poses)[:, kept]
        names = [str(self.names[j]) for j in kept]
        return _Source(names, np.where(parents >= 0, place[parents], -1), rest, tips, poses)


def map_motion(motion: Motion) -> JointMap:
    """The canonical joints of a motion's skeleton; some of its poses help where names and rest pose say too little.

    Raises:
        MappingError: no human figure is found.
    """
    return map_joints(motion.joint_names, motion.parents, motion.rest_positions, poses=motion.sampled())


def map_joints(
    names: Sequence[str],
    parents: NDArray[np.intp],
    rest_positions: NDArray[np.floating] | None = None,
    tips: NDArray[np.floating] | None = None,
    poses: NDArray[np.floating] | None = None,
    controls: NDArray[np.bool_] | None = None,
    said: Mapping[str, str] | None = None,
) -> JointMap:
    """Finds the canonical joints in a skeleton.

    Args:
        names: ``J`` names of joints or bones.
        parents: ``[J]`` index of the parent, -1 for a root.
        rest_positions: ``[J, 3]`` in any unit, or None.
        tips: ``[J, 3]`` bone tails at rest, or None.
        poses: ``[T, J, 3]`` posed positions, which tell what a rest pose hides, or None.
        controls: ``[J]`` which bones a person poses, where others only follow them, or None: all are.
        said: what a person knows better: canonical joint -> the source's name, empty where it has no such joint.
            Names that the skeleton does not have do not count.

    Raises:
        MappingError: there is no human figure in the skeleton; the text says what is missing.
    """
    source = _Source(names, np.asarray(parents, dtype=np.intp), rest_positions, tips, poses)
    if not said:
        return _found(source, controls)
    try:
        found = _found(source, controls)
    except MappingError:
        found = None
    return corrected_by_hand(found, said, names)


def _found(source: _Source, controls: Mask | None) -> JointMap:
    """The map that names or shape tell, onto bones that a person poses where a rig has such for all of a figure."""
    own = own_maps.fitting(source.names, source.parents)
    if own is not None:
        return JointMap(own.joints, own.family, 1.0)
    tree = source.tree()
    named = map_by_names(source.names, source.parents, tree)
    if tree is None:
        if named is None or named.score < _FAIR:
            raise MappingError("No human figure was found: no known names of legs, arms and a spine, and no positions.")
        return named
    sure = named if named is not None and named.score >= _SURE else None
    if controls is not None and (sure is None or not controls[sure.joints[_MAIN][sure.valid[_MAIN]]].all()):
        posed = _among(controls, source)
        if posed is not None and (sure is None or _stand_together(posed, sure, tree)):
            return posed
    return sure or _completed(named, source, tree)


def _completed(named: JointMap | None, source: _Source, tree: BoneTree) -> JointMap:
    """What the shape tells, with names that say something but too little, if there are any."""
    try:
        joints, score = map_by_shape(tree, source.names)
    except MappingError:
        if named is None or named.score < _FAIR:
            raise
        return named
    shaped = JointMap(joints, SHAPE, score)
    return shaped if named is None else _better(named, shaped)


def _among(controls: Mask, source: _Source) -> JointMap | None:
    """The figure that a rig's controls make by themselves, or None where they make none."""
    kept = np.flatnonzero(controls)
    part = source.part(kept)
    try:
        tree = part.tree()
        if tree is None:
            return None
        joints, score = map_by_shape(tree, part.names)
    except MappingError:
        return None
    return JointMap(np.where(joints >= 0, kept[joints], -1), SHAPE, score) if score >= _FAIR else None


def _stand_together(one: JointMap, other: JointMap, tree: BoneTree) -> bool:
    """Whether two maps have most of the main joints in the same places."""
    both = _MAIN[(one.valid & other.valid)[_MAIN]]
    apart = np.linalg.norm(tree.views[0, one.joints[both]] - tree.views[0, other.joints[both]], axis=-1)
    return len(both) > 0 and float((apart < _ONE_PLACE * tree.size).mean()) >= _AGREE


def _better(named: JointMap, shaped: JointMap) -> JointMap:
    """Names where they fit the shape, completed by it; else the surer of the two."""
    both = named.valid & shaped.valid
    both[[j for j in range(JOINT_COUNT) if j not in _MAIN]] = False
    agree = float((named.joints == shaped.joints)[both].mean()) if both.any() else 0.0
    if agree >= _AGREE:
        joints = np.where(named.valid, named.joints, shaped.joints)
        unused = ~np.isin(shaped.joints, named.joints[named.valid])
        joints = np.where(named.valid | unused, joints, -1)
        return JointMap(joints, named.family, max(named.score, shaped.score))
    return named if named.score >= shaped.score else shaped


def title_of(family: str) -> str:
    """What people call the family of a map."""
    known = {one.family: one.title for one in (*families(), *own_maps.maps())}
    return _TITLES.get(family) or known.get(family, family)


def corrected_by_hand(found: JointMap | None, said: Mapping[str, str], names: Sequence[str]) -> JointMap:
    """A map with what a person said of it, which is taken before what was found.

    Args:
        found: the map that names or shape tell, if they do.
        said: canonical joint -> the source's name, empty where the source has no such joint. Names that are not among
            ``names`` do not count.
        names: ``J`` names of the source's joints or bones.

    Raises:
        MappingError: what is left is no figure: it has no pelvis, no hip or no shoulder.
    """
    index = {name: i for i, name in enumerate(names)} | {"": -1}
    sure = {INDEX[joint]: index[name] for joint, name in said.items() if joint in INDEX and name in index}
    joints = np.full(JOINT_COUNT, -1, dtype=np.intp) if found is None else found.joints.copy()
    joints[np.isin(joints, list(sure.values()))] = -1
    joints[list(sure)] = list(sure.values())
    missing = [part for part, at in _NEEDED.items() if (joints[at] < 0).all()]
    if missing:
        raise MappingError(f"The map made by hand has no {' and no '.join(missing)}: choose the bones of these joints.")
    return JointMap(joints, HAND, 1.0)


def map_by_names(names: Sequence[str], parents: NDArray[np.intp], tree: BoneTree | None = None) -> JointMap | None:
    """The family whose names fit a skeleton best, or None where none fits at all.

    Args:
        names: ``J`` names.
        parents: ``[J]`` index of the parent, -1 for a root.
        tree: the skeleton's shape, against which names are checked, or None.
    """
    best: JointMap | None = None
    for bare in _spellings(names):
        for fit in _best_fits(tuple(bare), tuple(parents.tolist())):
            found = fit.map if tree is None else _checked(fit.map, tree)
            if best is None or found.score > best.score + 1e-9:
                best = found
        if best is not None and best.score >= _SURE:
            break
    return best


@dataclass(frozen=True)
class _Fit:
    """One family's reading of a skeleton's names."""

    map: JointMap
    priority: int
    prefixed: int
    named: int


@functools.lru_cache(maxsize=64)  # the files of a library mostly share one of a few skeletons
def _best_fits(names: tuple[str, ...], parents: tuple[int, ...]) -> list[_Fit]:
    """The families that fit a skeleton's names best, the best first."""
    index = functools.cache(functools.partial(_index, names))
    fits = [_fit(family, *index(family.prefix), np.array(parents, dtype=np.intp)) for family in families()]
    return sorted((fit for fit in fits if fit), key=_rank, reverse=True)[:_TRIED]


def _rank(fit: _Fit) -> tuple[float, int, int, int]:
    return round(fit.map.score, 3), fit.priority, fit.named, fit.prefixed


def _fit(family: RigFamily, index: Mapping[str, int], prefixed: int, parents: NDArray[np.intp]) -> _Fit | None:
    """How a family reads names, or None where it does not find hips, shoulders or half of its main joints."""
    joints = np.full(JOINT_COUNT, -1, dtype=np.intp)
    for joint, keys in family.keys.items():
        if joint not in ("neck", "head"):
            joints[INDEX[joint]] = next((index[key] for key in keys if key in index), -1)
    own = [j for j in _MAIN if JOINTS[j] in family.joints]
    share = float((joints[own] >= 0).mean())
    if share < _FAIR or any((joints[pair] < 0).all() for pair in _PAIRS):
        return None
    for name, j in _spine(family, index, joints, parents).items():
        joints[INDEX[name]] = j
    for name in ("neck", "head"):
        others = set(np.delete(joints, INDEX[name]))
        joints[INDEX[name]] = next(
            (i for key in family.keys.get(name, ()) if (i := index.get(key, -1)) not in others), -1
        )
    score = share * (0.7 + 0.3 * float((joints[_MAIN] >= 0).mean()))
    return _Fit(JointMap(joints, family.family, score), family.priority, prefixed, int((joints >= 0).sum()))


def _spine(
    family: RigFamily, index: Mapping[str, int], joints: NDArray[np.intp], parents: NDArray[np.intp]
) -> dict[str, int]:
    """The spine joints among the family's trunk names: those that carry the arms, where parents tell."""
    found = [index[key] for key in map(plain, family.spine) if key in index]
    arms = [int(j) for j in joints[_PAIRS[1]] if j >= 0]
    carrying = [j for j in found if all(_carries(parents, j, arm) for arm in arms)]
    chain = carrying or found
    depth = {j: len(_above(parents, j)) for j in chain}
    return spine_of(sorted(dict.fromkeys(chain), key=lambda j: depth[j]) if carrying else list(dict.fromkeys(chain)))


def _above(parents: NDArray[np.intp], joint: int) -> list[int]:
    """The joint and everything above it; stops where parents go in circles."""
    chain = [joint]
    while (parent := int(parents[chain[-1]])) >= 0 and parent not in chain:
        chain.append(parent)
    return chain


def _carries(parents: NDArray[np.intp], joint: int, other: int) -> bool:
    return joint in _above(parents, other)


def _checked(found: JointMap, tree: BoneTree) -> JointMap:
    joints, trust = figure_check.corrected(found.joints, tree)
    return replace(found, joints=joints, score=found.score * trust)


def _spellings(names: Sequence[str]) -> list[list[str]]:
    """The names as they are, then without a beginning, a number or an ending that most of them share."""
    found = [list(names)]
    for pattern in (_BEGINNING, _ENDING):
        shared = Counter(m.group() for name in found[-1] if (m := pattern.search(name)))
        affix, count = shared.most_common(1)[0] if shared else ("", 0)
        if count >= _MOST * len(names):
            start = pattern is _BEGINNING
            found.append([n.removeprefix(affix) if start else n.removesuffix(affix) for n in found[-1]])
    if sum(bool(_NUMBER.search(name)) for name in names) >= _MOST * len(names):
        found.append([_NUMBER.sub("", name) for name in found[-1]])
    return found


def _index(names: Sequence[str], prefix: str) -> tuple[dict[str, int], int]:
    """Plain name -> joint, the first of several alike; and how many names had the family's prefix."""
    pattern = re.compile(prefix, re.IGNORECASE) if prefix else None
    index: dict[str, int] = {}
    prefixed = 0
    for i, name in enumerate(names):
        hit = pattern.match(name) if pattern else None
        bare = name[hit.end() :] if hit else re.split(r"[:|]", name)[-1]
        hit_later = pattern.match(bare) if pattern and not hit else None
        prefixed += bool(hit or hit_later)
        index.setdefault(plain(bare[hit_later.end() :] if hit_later else bare), i)
    return index, prefixed
