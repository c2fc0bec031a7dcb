# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that are open, and motions by what a button or a script names them."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path

from . import patience
from .engine import canonical, encoder, errors, formats, library, motion

_PATIENCE_S = 3.0
"""For a look whether a library is there."""
_READING_S = 10.0
"""For a motion of it."""

_open: dict[Path, library.Library] = {}
_encoders: list[encoder.Encoder] = []
_guard = threading.RLock()  # libraries are opened by threads that search
_guards: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)  # none waits for another's disk


def shared_encoder() -> encoder.Encoder:
    """The shipped model, loaded once for all libraries.

    Raises:
        HumsError: it cannot be loaded.
    """
    with _guard:
        if not _encoders:
            _encoders.append(encoder.Encoder())
        return _encoders[0]


def open_library(path: Path) -> library.Library:
    """The library at ``path``, opened once; it follows what others write into it.

    Raises:
        LibraryError: it is missing, damaged, made with another model, or on a server that does not answer.
    """
    if not patience.wait_for(path, path.is_dir, _PATIENCE_S):
        forget(path)  # should it come back, it may be another one
        raise errors.LibraryError(
            f"There is no library in {path}: connect its drive, or take it off the list of libraries."
        )
    with _guards[path]:
        if path not in _open:
            _open[path] = library.Library.open(path, readonly=True, encoder=shared_encoder())
        return _open[path]


def open_for_marks(path: Path) -> library.Library:
    """The library at ``path``, for writing what people mark on its motions; to be closed at once.

    Raises:
        LibraryError: it is missing or damaged.
    """
    return library.Library.open(path)


def forget(path: Path) -> None:
    """Closes a library; one that is being opened from a disk that does not answer is left to itself."""
    if _guards[path].acquire(timeout=_PATIENCE_S):
        try:
            if path in _open:
                _open.pop(path).close()
        finally:
            _guards[path].release()


def close_all() -> None:
    """Closes all libraries, and lets go of the model."""
    for path in list(_open):
        forget(path)
    _encoders.clear()


def stored_motion(path: Path, clip_id: str) -> canonical.CanonicalMotion:
    """A clip's motion as its library keeps it.

    Raises:
        HumsError: there is no such clip, or the library cannot be opened.
    """
    return patience.wait_for(path, lambda: open_library(path).motion(_number(clip_id)), _READING_S)


def clip(path: Path, clip_id: str) -> library.Clip:
    """What a library knows of a clip.

    Raises:
        HumsError: there is no such clip, or the library cannot be opened.
    """
    return patience.wait_for(path, lambda: open_library(path).clip(_number(clip_id)), _READING_S)


def own_motion(path: Path, clip_id: str) -> motion.Motion:
    """A clip's motion as its file has it, with the file's own skeleton.

    Raises:
        HumsError: there is no such clip, or its file cannot be read any more.
    """
    known = clip(path, clip_id)
    file = Path(known.source)
    patience.wait_for(file.parent, file.exists, _PATIENCE_S)  # it may lie on another server than its library
    takes = formats.load_all(known.source)
    return takes[min(known.take, len(takes) - 1)]


def _number(clip_id: str) -> int:
    try:
        return int(clip_id)
    except ValueError:
        raise errors.HumsError(f"'{clip_id}' is no clip's id: take one from the results of a search.") from None
