# SPDX-License-Identifier: GPL-3.0-or-later
"""HDM05's motion classes: the 130 of its published cuts, merged to 65 and to 25 by `hdm05_classes.json`.

A cut is named ``HDM_bd_cartwheelLHandStart1Reps_001_120.amc``: the actor, the class, a number, frames a second.
The JSON says of each merging where it comes from. HDM05-11, a part of the cuts, lies in folders of its own:
``train/1/`` to ``test/11/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from .corpus import Described

Level = Literal[130, 65, 25]

CITATION: Final = "The data used in this project was obtained from HDM05."
TEST_ACTORS: Final = ("mm", "tr")
"""Of the five actors, those who are the test part of HDM05-11; all corpora made of HDM05 keep to it."""

_CUT: Final = re.compile(r"HDM_([a-z]+)_(\w+?)_\d+_\d+", re.IGNORECASE)


@lru_cache(maxsize=1)
def _merges() -> dict[str, dict[str, list[str]]]:
    return json.loads(Path(__file__).with_name("hdm05_classes.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=3)
def classes(level: Level) -> dict[str, str]:
    """The class at a level of each of the 130; 25 leave one out, which has an empty one.

    Args:
        level: how many classes: 130, 65 or 25.
    """
    of_65 = {cut: merged for merged, cuts in _merges()["65"].items() for cut in cuts}
    if level == 130:
        return {cut: cut for cut in of_65}
    if level == 65:
        return of_65
    of_25 = {small: merged for merged, smalls in _merges()["25"].items() for small in smalls}
    return {cut: of_25.get(small, "") for cut, small in of_65.items()}


def describe_as(level: Level) -> Callable[[Path, Path], Described]:
    """What says of a cut its actor, its class at a level, and by the actor the part that it is in.

    The class stands in the file's name, or else it is the name of the folder that the file is in.
    """

    def describe(path: Path, _folder: Path) -> Described:
        actor, name = _actor_and_class(path)
        return Described(actor, classes(level)[name], "test" if actor in TEST_ACTORS else "train")

    return describe


def describe(path: Path, folder: Path) -> Described:
    """As HDM05-11 has it, whose class is the folder's number; files elsewhere are described by their 130 classes."""
    split = path.parent.parent.name
    if split not in ("train", "test"):
        return describe_as(130)(path, folder)
    return Described(_cut(path)[1], path.parent.name, split)


def _cut(path: Path) -> re.Match[str]:
    match = _CUT.fullmatch(path.stem)
    if match is None:
        raise ValueError("the name is not that of a cut of HDM05, such as HDM_bd_clap1Reps_001_120.amc.")
    return match


def _actor_and_class(path: Path) -> tuple[str, str]:
    cut = _cut(path)
    for name in (cut[2], path.parent.name):
        if name in classes(130):
            return cut[1].lower(), name
    raise ValueError(f'"{cut[2][:60]}" is none of the 130 classes of HDM05\'s cuts.')
