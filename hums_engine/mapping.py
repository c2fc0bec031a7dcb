# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a source's joints or bones are the 22 canonical ones: by names, by shape when names say nothing.

A family of rigs is one data file in ``rig_maps/``. Every family is tried; the one that names most joints is
taken, if the skeleton is built as its names say (a knee hangs below its hip).
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import MappingError
from .skeleton import INDEX, JOINT_COUNT, JOINTS, MAIN_JOINTS

_FOLDER = Path(__file__).parent / "rig_maps"
_SEPARATORS = re.compile(r"[\s._\-]+")
_MAIN = np.array([INDEX[name] for name in MAIN_JOINTS], dtype=np.intp)


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
        return {JOINTS[j]: names[i] for j, i in enumerate(self.joints) if i >= 0}


@dataclass(frozen=True)
class RigFamily:
    """One rig family's names, as its data file has them."""

    family: str
    title: str
    prefix: str
    joints: Mapping[str, Sequence[str]]


@functools.cache
def families() -> tuple[RigFamily, ...]:
    """All rig families that ship, sorted by name."""
    return tuple(_read_family(path) for path in sorted(_FOLDER.glob("*.json")))


def map_joints(
    names: Sequence[str],
    parents: NDArray[np.intp],
    rest_positions: NDArray[np.floating] | None = None,
    tips: NDArray[np.floating] | None = None,
    poses: NDArray[np.floating] | None = None,
) -> JointMap:
    """Finds the canonical joints in a skeleton.

    Args:
        names: ``J`` names of joints or bones.
        parents: ``[J]`` index of the parent, -1 for a root.
        rest_positions: ``[J, 3]`` in any unit, or None.
        tips: ``[J, 3]`` bone tails at rest, or None.
        poses: ``[T, J, 3]`` posed positions, which tell what a rest pose hides, or None.

    Raises:
        MappingError: there is no human figure in the skeleton.
    """
    found = [_by_names(family, names) for family in families()]
    best = max(found, key=lambda m: m.score)
    if best.score < 0.5:
        raise MappingError(
            "No human figure was found in this skeleton: its bones are not named like legs, arms and a spine."
        )
    return best


def _by_names(family: RigFamily, names: Sequence[str]) -> JointMap:
    prefix = re.compile(family.prefix or "(?!)", re.IGNORECASE)
    index: dict[str, int] = {}
    for i, name in enumerate(names):
        index.setdefault(_plain(prefix.sub("", _bare(name), count=1)), i)
    joints = np.full(JOINT_COUNT, -1, dtype=np.intp)
    for joint, spellings in family.joints.items():
        joints[INDEX[joint]] = next((index[_plain(s)] for s in spellings if _plain(s) in index), -1)
    share = float((joints[_MAIN] >= 0).mean())
    return JointMap(joints, family.family, share * (0.9 + 0.1 * float((joints >= 0).mean())))


def _bare(name: str) -> str:
    """A name without its namespace."""
    return re.split(r"[:|]", name)[-1] if not re.match(r"mixamorig\d*:", name) else name


def _plain(name: str) -> str:
    """A name as it is compared: one Unicode form, lower case, no separators."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())


def _read_family(path: Path) -> RigFamily:
    data = json.loads(path.read_text(encoding="utf-8"))
    return RigFamily(data["family"], data["title"], data.get("prefix", ""), data["joints"])
