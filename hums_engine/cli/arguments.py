# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the command line that several verbs take: what they must look like, and what they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..clip_filters import FILTERS

AddVerb = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
"""Adds a verb, its function and its help to a command line; gives the parser for its words."""


def frame_range(text: str) -> tuple[int, int]:
    """First and last frame of ``A:B``, from 0; -1 for the end where B is left out."""
    first, colon, last = text.partition(":")
    if not colon or not (first or "0").isdecimal() or not (last or "0").isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not A:B, two frame numbers from 0, such as 10:90")
    frames = int(first or 0), int(last) if last else -1
    if last and frames[1] < frames[0]:
        raise argparse.ArgumentTypeError(f"'{text}' ends before it begins")
    return frames


def add_where(parser: argparse.ArgumentParser) -> None:
    """Adds ``--where``, which is given once for each filter."""
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        type=_filter,
        metavar="NAME=VALUE",
        help=f"a filter, may be repeated: {', '.join(FILTERS)}",
    )


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Adds ``--paths``, for commands that go on with files."""
    parser.add_argument(
        "--paths", action="store_true", help="print nothing but the path of each one's file, one a line"
    )


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals and not name.startswith("favo"):  # favourite alone says all, in either spelling
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE, such as name=walk")
    return name, value if equals else "yes"


def where_of(filters: list[tuple[str, str]]) -> dict[str, Any] | None:
    """Filters of the command line as `Library.search` takes them; a repeated one collects its values."""
    where: dict[str, Any] = {}
    for name, value in filters:
        where.setdefault(name, []).append(value)
    return where or None
