# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of a motion file, whatever its encoding, or one sentence why there are none."""

from __future__ import annotations

import codecs
from pathlib import Path

from ..errors import MotionFileError

MAX_BYTES = 2_000_000_000
"""Larger files are refused: two hours of a full body with fingers at 120 frames a second are smaller."""

_END_MARKS = b"\0\x1a"
_NOTHING = b"\0\x1a \t\r\n"


def read_binary(path: Path, most: int = -1) -> bytes:
    """The file as it is, or its first ``most`` bytes.

    Raises:
        MotionFileError: the file is missing, a folder, not permitted, empty or larger than ``MAX_BYTES``.
    """
    try:
        if path.is_dir():
            raise MotionFileError("this is a folder; give the path of one motion file, or index the folder.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MotionFileError(
                f"{size / 1e9:.1f} GB are more than the {MAX_BYTES / 1e9:g} GB that can be read; cut it."
            )
        with path.open("rb") as file:
            raw = file.read(most)
    except FileNotFoundError:
        raise MotionFileError(f"there is no such file in {path.parent}; check the path.") from None
    except PermissionError:
        raise MotionFileError("you are not permitted to read this file; ask its owner for access.") from None
    except (OSError, ValueError, MemoryError) as error:
        raise MotionFileError(f"the file cannot be read ({error}); check the disk and the path.") from None
    start = _without_mark(raw[:1000])
    if not start.strip(_NOTHING) and not _without_mark(raw).strip(_NOTHING):
        raise MotionFileError("the file is empty; export or download it again.")
    return raw


def read_bytes(path: Path) -> bytes:
    """The file as text of one byte a character: UTF-8, or what the file has if it is no Unicode.

    Byte order marks are taken off, and UTF-16 is turned into UTF-8. Trailing zero bytes and the end-of-file
    mark of old Windows programs are cut; the line ends of old Macintosh programs become today's.

    Raises:
        MotionFileError: as of `read_binary`.
    """
    raw = _without_mark(read_binary(path))
    if raw[-1] in _END_MARKS:
        raw = raw.rstrip(_NOTHING)
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def decode(raw: bytes) -> str:
    """``raw`` as text: UTF-8 where it is that, else Latin-1, which always succeeds."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def printable(text: str) -> str:
    """What a file or an error says, fit to stand in one line: a blank in place of each sign that cannot be shown."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _without_mark(raw: bytes) -> bytes:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace").encode("utf-8")
    return raw.removeprefix(codecs.BOM_UTF8)
