# SPDX-License-Identifier: GPL-3.0-or-later
"""What a panel says of a library, looked up in a thread: reading a catalogue or a share's folders takes its time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from . import libraries, patience
from .engine import errors, library

_LOOKING_S = 30.0
"""For a look whether all motion files are there."""


@dataclass(frozen=True)
class Facts:
    """What is in a library.

    Attributes:
        clips: how many motions.
        duration_s: how long they last together.
        missing: files that are not where they were.
        failed: path and reason of files that could not be read.
        readonly: its files cannot be written here.
        tags: all tags of its motions.
        rigs: the rig families of its motions.
        trouble: why it cannot be opened, or empty.
    """

    clips: int = 0
    duration_s: float = 0.0
    missing: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    readonly: bool = False
    tags: list[str] = field(default_factory=list)
    rigs: list[str] = field(default_factory=list)
    trouble: str = ""


_known: dict[Path, Facts] = {}


def look_up(folder: Path) -> Facts:
    """The facts of the library in ``folder`` as they are now; what keeps it from being opened is one of them."""
    try:
        opened = libraries.open_library(folder)
        info, (tags, rigs) = opened.info(), opened.vocabulary()
        writable = os.access(folder, os.W_OK)
        facts = Facts(info.clips, info.duration_s, _missing(opened), info.failed, not writable, tags, rigs)
    except errors.HumsError as error:
        facts = Facts(trouble=str(error))
    _known[folder] = facts
    return facts


def _missing(opened: library.Library) -> list[str]:
    """Files that are not where they were; none where their server does not answer, since that is not known then."""
    try:
        return patience.wait_for(opened.path / "its motion files", opened.missing, _LOOKING_S)
    except errors.LibraryError:
        return []


def known(folder: Path) -> Facts:
    """The facts that were looked up last."""
    return _known.get(folder, Facts())


def all_known() -> list[Facts]:
    """The facts of all libraries that were looked up."""
    return list(_known.values())


def forget(folder: Path) -> None:
    """Lets go of a library's facts."""
    _known.pop(folder, None)
