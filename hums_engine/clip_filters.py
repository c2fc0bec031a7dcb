# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of clips, by name, tags, folder, rig, rate, duration and what else the catalogue knows, as SQL conditions.

The conditions use SQLite's functions and ``folded``, which ignores upper case, and ``home``, where relative paths
begin (`sealed_database`, `catalogue`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .errors import LibraryError
from .source_paths import absolute

CLIPS: Final = "clips JOIN sources ON sources.id = source_id LEFT JOIN axes ON axes.id = clips.id"
"""Clips with their files, and with unit and up, which those have that were read since there is a table of these."""

_PATH: Final = "CASE substr(sources.path, 1, 2) WHEN './' THEN home() || substr(sources.path, 3) ELSE sources.path END"
"""The whole path of a kept one (`source_paths`), with slashes that lean forward."""

FILTERS: Final = {
    "name": "instr(folded(clips.name), folded(?)) > 0",
    "tags": "instr(folded(clips.tags), folded(char(10) || ? || char(10))) > 0",
    "text": "instr(folded(clips.name || clips.tags), folded(?)) > 0",
    "folder": f"instr({_PATH}, ?) = 1",
    "source": f"{_PATH} = ?",
    "rig": "instr(clips.family, ?) = 1",
    "fps": "abs(clips.fps / ? - 1.0) < 0.015",  # 29.97 is 30, and so is a frame time of .033 s; 24 is not 25
    "min_fps": "clips.fps >= 0.985 * ?",
    "max_fps": "clips.fps <= 1.015 * ?",
    "min_duration_s": "clips.duration_s >= ?",
    "max_duration_s": "clips.duration_s <= ?",
    "favourite": "clips.favourite = ?",
    "unit": "axes.unit = lower(?)",
    "up": "axes.up = upper(?)",
}
_ONE_OF: Final = ("folder", "source", "rig", "fps", "unit", "up")
"""Of these a clip has one, so it need be only one of several values; of the others all must hold."""

_ALSO_CALLED: Final = {
    "tag": "tags",
    "favourites": "favourite",
    "favorite": "favourite",
    "favorites": "favourite",
    "family": "rig",
    "min_duration": "min_duration_s",
    "max_duration": "max_duration_s",
}
_YES_NO: Final = {"yes": 1, "true": 1, "on": 1, "1": 1, "no": 0, "false": 0, "off": 0, "0": 0}

Where = Mapping[str, Any]
"""What clips to take: by name (a part of it), tags (all of them), text (a part of name or tags), folder, source, rig
(how its family begins), fps, min_fps, max_fps, min_duration_s, max_duration_s, favourite, unit, up (docs/search.md)."""


def condition(where: Where | None) -> tuple[str, list[Any]]:
    """An SQL condition over clips and their sources, and its values.

    Raises:
        LibraryError: a filter of this name does not exist.
    """
    conditions: list[str] = ["1"]
    values: list[Any] = []
    for spelled, wanted in (where or {}).items():
        name = _filter_name(spelled)
        each = [wanted] if isinstance(wanted, str) or not isinstance(wanted, Sequence) else wanted
        if each:
            joint = " OR " if name in _ONE_OF else " AND "
            conditions.append(f"({joint.join([FILTERS[name]] * len(each))})")
            values += [_filter_value(name, value) for value in each]
    return " AND ".join(conditions), values


def _filter_name(spelled: str) -> str:
    """The filter that a person means, such as ``favourite`` by ``favorites``.

    Raises:
        LibraryError: a filter of this name does not exist.
    """
    name = _ALSO_CALLED.get(spelled, spelled)
    if name not in FILTERS:
        raise LibraryError(f"Clips cannot be filtered by '{spelled}'; use one of: {', '.join(FILTERS)}.")
    return name


def _filter_value(name: str, value: Any) -> Any:  # noqa: ANN401 - what SQLite holds
    if name in ("folder", "source"):
        path = absolute(value)
        folder = os.path.join(path, "")  # noqa: PTH118 - with the separator at its end
        return (folder if name == "folder" else path).replace(os.sep, "/")
    if name.endswith(("fps", "_s")):
        return _number(name, value)
    if name == "favourite":
        return _yes_or_no(name, value)
    return "_".join(str(value).casefold().replace("-", " ").split()) if name == "rig" else str(value)


def _number(name: str, value: Any) -> float:  # noqa: ANN401 - what a person gave
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        unit = "frames a second" if name.endswith("fps") else "seconds"
        raise LibraryError(f"The filter {name} needs a number of {unit}, not '{value}'.") from error


def _yes_or_no(name: str, value: Any) -> int:  # noqa: ANN401 - what a person gave
    if not isinstance(value, str):
        return int(bool(value))
    try:
        return _YES_NO[value.strip().casefold()]
    except KeyError as error:
        raise LibraryError(f"The filter {name} is yes or no, not '{value}'.") from error
