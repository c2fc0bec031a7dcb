# SPDX-License-Identifier: GPL-3.0-or-later
"""SourcePaths: how a library writes down where its files lie, so that the library and its files may move together.

A path below the folder that holds the library (its *home*) is kept relative to it, as ``./mocap/walk.bvh``; any other
is kept whole, because a path that climbs out of the home says nothing of what moves with what. Slashes lean forward
on all systems, so that what Windows wrote is read elsewhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

RELATIVE: Final = "./"
"""How a kept path begins that is relative to the home; a whole one begins with a slash or a drive."""

_FOREIGN: Final = re.compile(r"/(?!/)" if os.name == "nt" else r"[A-Za-z]:[\\/]|\\\\")
_FOREIGN_SLASH: Final = "/" if os.name == "nt" else "\\"


class SourcePaths:
    """Paths as they are on this computer, and as they are kept.

    Args:
        home: the folder that holds the library's folder, absolute.
    """

    def __init__(self, home: str) -> None:
        self.home: Final = os.path.join(home.replace("/", os.sep), "")  # noqa: PTH118 - with the separator at its end

    def kept(self, path: str) -> str:
        """An absolute path as it is written down."""
        inside = _same_case(path).startswith(_same_case(self.home))
        if inside or _same_case(os.path.join(path, "")) == _same_case(self.home):  # noqa: PTH118
            return RELATIVE + _leaning_forward(path[len(self.home) :])
        return _leaning_forward(path)

    def whole(self, kept: str) -> str:
        """The absolute path of what was written down."""
        if kept.startswith(RELATIVE):
            return self.home + kept[len(RELATIVE) :].replace("/", os.sep) if kept != RELATIVE else self._bare()
        return kept.replace("/", os.sep)

    def _bare(self) -> str:
        return self.home.rstrip(os.sep) or os.sep


def absolute(path: str | Path) -> str:
    """A path that a person wrote, from the root; links stay as they are, and so does a path of another system."""
    text = os.fspath(path)
    if _FOREIGN.match(text):
        return text.replace(_FOREIGN_SLASH, os.sep).rstrip(os.sep)
    return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - a Path would follow links


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder's or that of something in it."""
    return path == folder or path.startswith(os.path.join(folder, ""))  # noqa: PTH118 - with its separator


def _leaning_forward(path: str) -> str:
    return path.replace(os.sep, "/")


def _same_case(path: str) -> str:
    """Equal for the two spellings that one file may have where case does not count."""
    return os.path.normcase(path)
