# SPDX-License-Identifier: GPL-3.0-or-later
"""AppendFile: bytes are only ever added, and how many of them count is written elsewhere.

The catalogue keeps the length up to which a file counts. What a killed process wrote behind it is garbage that
the next append overwrites, so a file needs no repair, and readers never see half a record.
"""

from __future__ import annotations

import os
from pathlib import Path

from .errors import LibraryError


class AppendFile:
    """A file open for appending behind its committed length.

    Args:
        path: of the file; made when ``length`` is 0.
        length: how many of its bytes count.

    Raises:
        LibraryError: the file is missing or shorter than ``length``.
        OSError: it cannot be opened for writing.
    """

    def __init__(self, path: Path, length: int) -> None:
        there = path.stat().st_size if path.exists() else -1
        if there < length and length > 0:
            raise LibraryError(
                f"{path.name} in the library {path.parent.parent.name} has lost its end; see: hums verify --repair."
            )
        self.path = path
        self.length = length
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        self._unsynced = False

    def append(self, data: bytes | memoryview) -> int:
        """Writes ``data`` at the end and returns where it starts.

        Raises:
            OSError: the disk is full or gone; the length is as before.
        """
        offset, rest = self.length, memoryview(data).cast("B")
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self.length += len(memoryview(data).cast("B"))
        self._unsynced = True
        return offset

    def sync(self) -> None:
        """Waits until the disk has everything, so that a record may be reported as done."""
        if self._unsynced:
            os.fsync(self._descriptor)
            self._unsynced = False

    def rewind(self, length: int) -> None:
        """Forgets what was appended behind ``length``."""
        self.length = length

    def close(self) -> None:
        """Closes the file; what was not committed is garbage behind the end."""
        os.close(self._descriptor)
