# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig families: the data files that say how the makers of rigs name their bones (docs/rig-maps.md)."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import MappingError
from .skeleton import INDEX

_FOLDER = Path(__file__).parent / "rig_maps"
_SEPARATORS = re.compile(r"[\s._\-]+")
_LARGEST_FILE = 1 << 20
_LONGEST_PREFIX = 100
_MOST_REPEATS = 4


@dataclass(frozen=True)
class RigFamily:
    """One rig family's names, as its data file has them.

    Attributes:
        family: the file's name without its ending.
        title: what people call it.
        joints: canonical joint -> spellings of the source's name, the first that is there counts.
        spine: names that may be in the trunk between pelvis and neck, from below; they take the place of spine1 to 3.
        prefix: regular expression of what may stand before each name.
        priority: of two families that fit equally, the one with the higher number is taken.
        carriers: of a map of one skeleton (`own_maps`): canonical joint -> the joint that it hangs on; else empty.
    """

    family: str
    title: str
    joints: Mapping[str, Sequence[str]]
    spine: Sequence[str] = ()
    prefix: str = ""
    priority: int = 0
    carriers: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        compared = {joint: [plain(s) for s in spellings] for joint, spellings in self.joints.items()}
        object.__setattr__(self, "keys", compared)


@functools.cache
def families() -> tuple[RigFamily, ...]:
    """All rig families that ship, sorted by name."""
    return tuple(read_family(path) for path in sorted(_FOLDER.glob("*.json")))


def read_family(path: Path) -> RigFamily:
    """Reads a rig family's data file.

    Raises:
        MappingError: the file is not a rig map.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        return RigFamily(
            family=str(data["family"]),
            title=str(data["title"]),
            joints={joint: _spellings(names) for joint, names in data["joints"].items() if joint in INDEX},
            spine=tuple(map(str, data.get("spine", ()))),
            prefix=_checked_prefix(str(data.get("prefix", ""))),
            priority=int(data.get("priority", 0)),
            carriers={str(joint): str(above) for joint, above in data.get("carriers", {}).items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, re.error) as error:
        raise MappingError(
            f"{path.name} is not a rig map ({error}): see docs/rig-maps.md for what one holds."
        ) from None


def _spellings(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(map(str, names))


def _checked_prefix(prefix: str) -> str:
    """A prefix that matches quickly whatever the name: maps are shared, and some expressions take for ever."""
    re.compile(prefix)
    repeats = len(re.findall(r"(?<!\\)[*+{]", prefix))
    if len(prefix) > _LONGEST_PREFIX or repeats > _MOST_REPEATS or re.search(r"\)[*+{]", prefix):
        raise ValueError("its prefix is too intricate")
    return prefix


@functools.lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name as it is compared: one Unicode form, lower case, no separators."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())
