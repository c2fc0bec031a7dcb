# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that are open, and motions by what a button or a script names them."""

from __future__ import annotations

from pathlib import Path

from .engine import canonical, errors, library, load_all, motion

_open: dict[Path, library.Library] = {}


def open_library(path: Path) -> library.Library:
    """The library at ``path``, opened once.

    Raises:
        LibraryError: it is missing, damaged, or made with another model.
    """
    if path not in _open:
        _open[path] = library.Library.open(path, readonly=True)
    return _open[path]


def forget(path: Path) -> None:
    """Closes a library that has changed on disk; it is opened anew when it is next needed."""
    if path in _open:
        _open.pop(path).close()


def close_all() -> None:
    """Closes all libraries."""
    for path in list(_open):
        forget(path)


def stored_motion(path: Path, clip_id: str) -> canonical.CanonicalMotion:
    """A clip's motion as its library keeps it.

    Raises:
        HumsError: there is no such clip, or the library cannot be opened.
    """
    if not clip_id.isdigit():
        raise errors.HumsError(f"'{clip_id}' is no clip's id: take one from the results of a search.")
    return open_library(path).motion(int(clip_id))


def motion_from_file(path: Path, take: str = "") -> motion.Motion:
    """The motion in a file, the one called ``take`` where it holds several, else its first.

    Raises:
        MotionFileError: the file cannot be read as motion.
    """
    takes = load_all(path)
    return next((candidate for candidate in takes if candidate.name == take), takes[0])
