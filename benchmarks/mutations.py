# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to damage a motion file: of its bytes, its numbers, its pieces, and of what its format packs or counts."""

from __future__ import annotations

import copy
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, Final

Damage = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
"""Damages a file, given other files to take pieces of."""

_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_WORD: Final = re.compile(rb"[A-Za-z_]\w{2,}")
_EXTREMES: Final = (
    b"0", b"-0", b"-1", b"1", b"2", b"nan", b"inf", b"-inf", b"1e308", b"-1e39", b"1e-320", b"65536", b"999999",
    b"2147483647", b"-2147483648", b"4294967296", b"9223372036854775807", b"18446744073709551616", b"9" * 400,
    b"1.#IND00", b"1,5", b"0x7fffffff", b"--3", b".", b"1e", b"3e3e3", b"", b"\xd9\xa3",
)  # fmt: skip
_PACKED: Final = tuple(
    struct.pack(code, value)
    for code, values in {
        "<i": (0, -1, 1, 255, 65535, 2**31 - 1, -(2**31)),
        "<q": (0, -1, 2**31, 2**32, 2**40, 2**63 - 1, -(2**63)),
        "<f": (0.0, float("nan"), float("inf"), 3e38, 1e-45),
        "<d": (0.0, float("nan"), float("-inf"), 1e308, 5e-324),
    }.items()
    for value in values
)
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 3, 5126, 2**31, 2**53, 10**30, 0.5, 1e308, -1e-300, float("nan"), float("inf"), "",
    "x", "\ud800", "a" * 3000, "../../x", "data:,", "file:///x", [], {}, [0], [[]], [0] * 20, [None], {"x": 1},
)  # fmt: skip
_SHAPES: Final = (b"(0, 22, 3)", b"(999999999, 22, 3)", b"(1, 1, 3)", b"(3,)", b"()", b"(2, 3, 22)", b"(-1, 22, 3)")
_GLB: Final = struct.Struct("<4s2L")
_CHUNK: Final = struct.Struct("<L4s")
_MOST: Final = 3_000_000  # bytes of a damaged file: what is looked for is not what large files cost


def damaged(rng: random.Random, kind: str, whole: bytes, others: Sequence[bytes]) -> bytes:
    """A file damaged in one to four ways.

    Args:
        rng: decides on everything.
        kind: the suffix, which tells what the file packs.
        whole: the file.
        others: files to take pieces of.
    """
    ways: list[Damage] = [*_ANY, *_OF_KIND.get(kind, ()) * 2]
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
        whole = rng.choice(ways)(rng, whole, others)[:_MOST]
    return whole


def _flip(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _bit in range(rng.choice((1, 1, 4, 64)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _noise(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + rng.randbytes(rng.choice((1, 4, 300))) + data[start + rng.choice((0, 1, 4, 300)) :]


def _cut_off(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _cut_out(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _stretch(rng, data)
    return data[:start] + data[stop:]


def _repeat(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _stretch(rng, data)
    return data[:stop] + data[start:stop] * rng.choice((1, 2, 30)) + data[stop:]


def _swap(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, middle = _stretch(rng, data)
    stop = rng.randint(middle, len(data))
    return data[:start] + data[middle:stop] + data[start:middle] + data[stop:]


def _splice(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    start, stop = _stretch(rng, other)
    place = rng.randint(0, len(data))
    return data[:place] + other[start:stop] + data[place + rng.choice((0, stop - start)) :]


def _crossing(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _number(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return _replaced(rng, data, _NUMBER, lambda: rng.choice(_EXTREMES))


def _word(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    words = _WORD.findall(data, 0, 20_000) or [b"x"]
    return _replaced(rng, data, _WORD, lambda: rng.choice(words))


def _packed(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    value = rng.choice(_PACKED)
    place = rng.randint(0, rng.choice((min(len(data), 256), len(data))))
    return data[:place] + value + data[place + len(value) :]


def _stretch(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(start + rng.choice((1, 8, 100, 3000)), len(data))


def _replaced(rng: random.Random, data: bytes, pattern: re.Pattern[bytes], new: Callable[[], bytes]) -> bytes:
    """The first few places after a random one that fit a pattern, replaced."""
    start = rng.choice((0, rng.randint(0, len(data))))
    skip = rng.choice((0, 1, 5, 30))
    for match in list(pattern.finditer(data[start : start + 20_000]))[skip : skip + rng.choice((1, 1, 3))][::-1]:
        data = data[: start + match.start()] + new() + data[start + match.end() :]
    return data


# formats


def _document(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """glTF: a value of the JSON replaced, taken away or moved; the lengths around it are right again."""
    is_glb = data.startswith(b"glTF") and len(data) > _GLB.size + _CHUNK.size
    size = _CHUNK.unpack_from(data, _GLB.size)[0] if is_glb else len(data)
    start = _GLB.size + _CHUNK.size if is_glb else 0
    try:
        document = json.loads(data[start : start + size])
    except (ValueError, RecursionError):
        return data
    for _time in range(rng.choice((1, 1, 3))):
        _change_value(rng, document)
    text = json.dumps(document).encode()
    if not is_glb:
        return text
    text += b" " * (-len(text) % 4)
    rest = data[start + size :]
    whole = start + len(text) + len(rest)
    return _GLB.pack(b"glTF", 2, whole) + _CHUNK.pack(len(text), b"JSON") + text + rest


def _change_value(rng: random.Random, document: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Changes one value anywhere in a document."""
    at, depth = document, rng.randint(1, 6)
    while isinstance(at, dict | list) and at:
        key = rng.choice(list(at) if isinstance(at, dict) else range(len(at)))
        depth -= 1
        inner: Any = at[key]  # type: ignore[index]
        if depth > 0 and isinstance(inner, dict | list) and inner:
            at = inner
            continue
        if isinstance(at, dict) and rng.random() < 0.2:
            del at[key]
        else:
            new = rng.choice(list(at.values()) if isinstance(at, dict) and rng.random() < 0.2 else _VALUES)
            at[key] = copy.deepcopy(new)  # type: ignore[index] # the next change must not reach it from elsewhere
        return


def _array(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """NPZ: an array damaged inside, its zip whole again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()[:20]}
    except Exception:  # an earlier damage has hit the zip
        return data
    name = rng.choice(sorted(members) or ["joints.npy"])
    inner = members.get(name, b"")
    match rng.randrange(5):
        case 0:
            members[name] = re.sub(rb"\([\d, ]*\)", rng.choice(_SHAPES), inner, count=1)
        case 1:
            kinds = (b"'<f8'", b"'>f4'", b"'|O'", b"'<U9'", b"'<i8'", b"'|S0'", b"'<f2'")
            members[name] = re.sub(rb"'[<>|]\w\d+'", rng.choice(kinds), inner, count=1)
        case 2:
            members[rng.choice(("fps.npy", "parents.npy", "joint_names.npy", "../x.npy", "unit.npy"))] = inner
        case 3:
            members.pop(name, None)
        case _:
            members[name] = rng.choice(_ANY)(rng, inner, others)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))) as made:
        for member, content in members.items():
            made.writestr(member, content)
    return packed.getvalue()


def _bomb(rng: random.Random, _data: bytes, _: Sequence[bytes]) -> bytes:
    """NPZ: a small zip of a large array, or one that says so."""
    frames = rng.choice((10_000, 1_000_000, 3_000_000))
    header = b"\x93NUMPY\x01\x00\x76\x00" + (
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 22, 3), }" % frames
    ).ljust(117) + b"\n"  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("joints.npy", header + bytes(264 * min(frames, rng.choice((10, 200_000)))))
        made.writestr("fps.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (), }"
                      .ljust(127) + b"\n" + struct.pack("<d", 30.0))  # fmt: skip
    return packed.getvalue()


_ANY: Final[tuple[Damage, ...]] = (
    _flip, _noise, _cut_off, _cut_out, _repeat, _swap, _splice, _crossing, _number, _number, _word, _packed,
)  # fmt: skip
_OF_KIND: Final[dict[str, tuple[Damage, ...]]] = {
    ".gltf": (_document,) * 4,
    ".glb": (_document,) * 4,
    ".npz": (_array, _array, _array, _bomb),
    ".fbx": (_number, _number, _number, _word, _packed, _flip),
    ".bvh": (_number, _number),
    ".amc": (_number, _number),
    ".asf": (_number, _word),
    ".txt": (_number, _number),
    ".skeleton": (_number, _number),
}
