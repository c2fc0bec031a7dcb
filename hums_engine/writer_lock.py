# SPDX-License-Identifier: GPL-3.0-or-later
"""WriterLock: one writer at a time, held by the operating system so that it dies with its process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from .errors import LibraryError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class WriterLock:
    """Held inside a ``with`` block; the file stays, only the system's lock on it counts.

    Raises:
        LibraryError: another process (or another `Library` of this one) is writing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        name = self._path.parent.name
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise LibraryError(f"The library {name} cannot be written ({error.strerror}).") from error
        try:
            _try_lock(self._descriptor)
        except OSError as error:
            self.__exit__()
            raise LibraryError(
                f"The library {name} is being changed by another program; try again when it is done."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)  # which also gives the lock back
