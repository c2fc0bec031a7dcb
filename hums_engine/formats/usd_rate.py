# SPDX-License-Identifier: GPL-3.0-or-later
"""How many time codes of a USD file make a second, which Blender's importer leaves out: it takes them for frames.

Source: Pixar, "OpenUSD" 24.11: ``pxr/usd/sdf/crateFile.cpp`` (the binary "crate" layout), ``integerCoding.cpp``,
``pxr/base/tf/fastCompression.cpp``; Collet, "LZ4 Block Format" (2022). Read are the names of a crate's fields and the
one field that says it; a file of text is looked through. Own code, because the wheels of USD have a hundred megabytes,
and Blender's module comes without its Python side.
"""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

USUAL: Final = 24.0
"""Of a file that does not say it, after the specification."""

_NAMES: Final = (b"timeCodesPerSecond", b"framesPerSecond")
_RATE: Final = re.compile(rb"(?:%s)\s*=\s*(\d+(?:\.\d*)?)" % b"|".join(_NAMES))
_HEAD: Final = 100_000  # bytes of a text in which its metadata stand
_MOST_BYTES: Final = 200_000_000
_SLOWEST, _FASTEST = 0.1, 10_000.0
_DOUBLE: Final = 9
_INLINED: Final = 1 << 62
_DAMAGE: Final = (OSError, ValueError, IndexError, KeyError, struct.error, zipfile.BadZipFile, OverflowError)


def time_codes_per_second(path: Path) -> float:
    """What a file says, or `USUAL` where it says nothing, or nothing sensible. Never raises."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
        if data.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                data = archive.read(archive.infolist()[0])
        rate = _of_crate(data) if data.startswith(b"PXR-USDC") else _of_text(data)
    except _DAMAGE:
        return USUAL
    return rate if _SLOWEST <= rate <= _FASTEST else USUAL


def _of_text(data: bytes) -> float:
    found = dict(reversed([(m[0][: m[0].index(b"=")].strip(), m[1]) for m in _RATE.finditer(data[:_HEAD])]))
    return next((float(found[name]) for name in _NAMES if name in found), USUAL)


def _of_crate(data: bytes) -> float:
    (contents,) = struct.unpack_from("<q", data, 16)
    (count,) = struct.unpack_from("<Q", data, contents)
    sections = {}
    for number in range(min(count, 64)):
        name, start, _ = struct.unpack_from("<16s2q", data, contents + 8 + 32 * number)
        sections[name.rstrip(b"\0")] = start
    _, size, packed = struct.unpack_from("<3Q", data, sections[b"TOKENS"])
    start = sections[b"TOKENS"] + 24
    tokens = _unpacked(data[start : start + packed], size).split(b"\0")
    count, packed = struct.unpack_from("<2Q", data, sections[b"FIELDS"])
    start = sections[b"FIELDS"] + 16
    names = _integers(data[start : start + packed], count)
    start += packed
    (packed,) = struct.unpack_from("<Q", data, start)
    values = np.frombuffer(_unpacked(data[start + 8 : start + 8 + packed], 8 * count), dtype="<u8")
    for name in _NAMES:
        for place in np.flatnonzero(names == tokens.index(name)) if name in tokens else ():
            return _double(data, int(values[place]))
    return USUAL


def _double(data: bytes, value: int) -> float:
    """The double that a field's value is, or says the place of."""
    if value >> 48 & 0xFF != _DOUBLE:
        return USUAL
    if value & _INLINED:  # doubles that are floats, too, stand in the value itself
        return struct.unpack("<f", struct.pack("<I", value & 0xFFFFFFFF))[0]
    return struct.unpack_from("<d", data, value & 0xFFFFFFFFFFFF)[0]


def _integers(packed: bytes, count: int) -> NDArray[np.int64]:
    """Whole numbers of 32 bits, packed as differences: a common one, or one of 8, 16 or 32 bits."""
    widths = {1: "<i1", 2: "<i2", 3: "<i4"}
    codes_size = (2 * count + 7) // 8
    data = _unpacked(packed, 4 + codes_size + 4 * count)
    bits = np.frombuffer(data, np.uint8, codes_size, 4)
    codes = (bits[:, None] >> np.array([0, 2, 4, 6]) & 3).reshape(-1)[:count]
    sizes = np.array([0, 1, 2, 4])[codes]
    starts = 4 + codes_size + np.cumsum(sizes) - sizes
    steps = np.full(count, struct.unpack_from("<i", data)[0], dtype=np.int64)
    raw = np.frombuffer(data + bytes(4), np.uint8)
    for code, kind in widths.items():
        at = starts[codes == code, None] + np.arange(np.dtype(kind).itemsize)
        steps[codes == code] = np.ascontiguousarray(raw[at]).view(kind).reshape(-1)
    return np.cumsum(steps)


def _unpacked(data: bytes, most: int) -> bytes:
    """What was packed in one piece, or in several of which each says its size."""
    if most > _MOST_BYTES:
        raise ValueError("absurdly large")
    pieces = data[0]
    if not pieces:
        return _lz4(data[1:], most)
    at, whole = 1, b""
    for _ in range(pieces):
        (size,) = struct.unpack_from("<i", data, at)
        if not 0 < size <= len(data):
            raise ValueError("a piece of no size")
        whole += _lz4(data[at + 4 : at + 4 + size], most - len(whole))
        at += 4 + size
    return whole


def _lz4(data: bytes, most: int) -> bytes:
    """A block of LZ4: bytes as they are, then bytes from before, and so on."""
    out, at = bytearray(), 0
    while at < len(data):
        token = data[at]
        length, at = _length(data, at + 1, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= len(data):
            break
        (back,) = struct.unpack_from("<H", data, at)
        length, at = _length(data, at + 2, token & 15)
        if not 0 < back <= len(out) or len(out) + length > most:
            raise ValueError("damaged")
        length += 4
        begin = len(out) - back
        out += out[begin : begin + length] if back >= length else (out[begin:] * (length // back + 1))[:length]
    return bytes(out)


def _length(data: bytes, at: int, short: int) -> tuple[int, int]:
    """A length that goes on in the next bytes where it is 15, and where it ends."""
    if short == 15:
        while True:
            more = data[at]
            at += 1
            short += more
            if more != 255:
                break
    return short, at
