# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a glTF: its buffers, wherever they lie, and the accessors that say what is in them.

Source: Khronos, "glTF 2.0 Specification" (2.0.1), sections 3.6 (binary data) and 4.4 (GLB). A buffer is the binary
part of a GLB, a data URI, or a file beside the glTF or in a folder below it; a URI that leads anywhere else is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFileError
from .channels import LARGEST
from .files import read_binary

MOST_NUMBERS: Final = 200_000_000
"""Numbers unpacked from one file at most: the keys of four hours of 100 joints at 30 frames a second."""

_TYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_DATA: Final = re.compile(r"data:[^,;]{0,100}(?:;[^,;]{0,100}){0,4}?;base64,")
_LONGEST_NAME: Final = 500
_PACKED: Final = ("EXT_meshopt_compression", "KHR_meshopt_compression")

Floats = NDArray[np.float32]


def damaged(what: str) -> MotionFileError:
    """The error for a glTF that says what cannot be."""
    return MotionFileError(f"the glTF is damaged ({what}); export it again.")


def entries(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The list of objects under a key of a JSON object; empty without it."""
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise damaged(f'"{key}" is no list of objects')
    return found


def text(value: object) -> str:
    """A name in a JSON document, of characters that can be written; empty where it is no text."""
    return value[:_LONGEST_NAME].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def whole(value: object, what: str, below: int) -> int:
    """A whole number of a JSON document, from 0 to less than ``below``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int and 0 <= value < below:  # a bool is an int too
        return value
    raise damaged(f"{what} is not in the file")


class Buffers:
    """The accessors of a glTF, each unpacked once, when it is asked for."""

    def __init__(self, document: Mapping[str, Any], binary: bytes, folder: Path) -> None:
        """Of a document, the binary part of its GLB (empty without one) and the folder that it lies in."""
        self._accessors = entries(document, "accessors")
        self._views = entries(document, "bufferViews")
        self._buffers = entries(document, "buffers")
        self._binary, self._folder = binary, folder
        self._loaded: dict[int, bytes] = {}
        self._unpacked: dict[int, Floats] = {}
        self._left = MOST_NUMBERS

    def numbers(self, accessor: object) -> Floats:
        """The numbers ``[count, width]`` of an accessor, whole ones of normalized accessors as fractions.

        What is not finite or beyond ``LARGEST`` is NaN.

        Raises:
            MotionFileError: it lies beyond the file, or is packed in a way that is not read.
        """
        index = whole(accessor, "an accessor", len(self._accessors))
        if index not in self._unpacked:
            values = self._unpack(self._accessors[index])
            values[~(np.abs(values) < LARGEST)] = np.nan
            self._unpacked[index] = values
        return self._unpacked[index]

    def _unpack(self, accessor: Mapping[str, Any]) -> Floats:
        width = _WIDTHS.get(str(accessor.get("type")))
        if width is None:
            raise damaged("an accessor is of no known type")
        count = whole(accessor.get("count"), "the end of an accessor", self._left // width + 1)
        self._left -= count * width
        dtype = _dtype(accessor)
        values = np.zeros((count, width), dtype)
        if "bufferView" in accessor:
            values = self._table(accessor, dtype, count, width)
        if "sparse" in accessor:
            values = self._with_sparse(values.copy(), accessor["sparse"])
        return _fractions(values) if accessor.get("normalized") is True else values.astype(np.float32)

    def _table(self, place: Mapping[str, Any], dtype: np.dtype[Any], count: int, width: int) -> NDArray[Any]:
        """``[count, width]`` that begins at the offset of an accessor or of a part of a sparse one in its view."""
        view = self._views[whole(place.get("bufferView"), "a buffer view", len(self._views))]
        if isinstance(packing := view.get("extensions"), dict) and any(name in packing for name in _PACKED):
            raise MotionFileError("its numbers are packed with meshopt, which is not read; export it without packing.")
        data = self._buffer(view.get("buffer"))
        start = whole(view.get("byteOffset", 0), "a buffer view", len(data) + 1)
        end = start + whole(view.get("byteLength"), "the end of a buffer view", len(data) - start + 1)
        start += whole(place.get("byteOffset", 0), "the start of an accessor", end - start + 1)
        size = dtype.itemsize * width
        stride = whole(view.get("byteStride") or size, "the stride of a buffer view", 256)
        if stride < size or (count and start + stride * (count - 1) + size > end):
            raise damaged("an accessor is larger than its buffer view")
        return np.ndarray((count, width), dtype, data, start, (stride, dtype.itemsize))

    def _with_sparse(self, values: NDArray[Any], sparse: object) -> NDArray[Any]:
        """``values`` with those replaced that a sparse accessor lists."""
        if not isinstance(sparse, dict):
            raise damaged("a sparse accessor is no object")
        indices, replaced = sparse.get("indices"), sparse.get("values")
        if not isinstance(indices, dict) or not isinstance(replaced, dict):
            raise damaged("a sparse accessor lacks its parts")
        count = whole(sparse.get("count"), "a part of a sparse accessor", len(values) + 1)
        dtype = _dtype(indices)
        if dtype.kind != "u":
            raise damaged("a sparse accessor counts in other than whole numbers")
        places = self._table(indices, dtype, count, 1)[:, 0]
        if count and places.max() >= len(values):
            raise damaged("a sparse accessor reaches beyond its end")
        values[places] = self._table(replaced, values.dtype, count, values.shape[1])
        return values

    def _buffer(self, buffer: object) -> bytes:
        index = whole(buffer, "a buffer", len(self._buffers))
        if index not in self._loaded:
            data = self._load(self._buffers[index].get("uri"))
            if len(data) < whole(self._buffers[index].get("byteLength"), "the length of a buffer", 1 << 40):
                raise MotionFileError("a buffer is shorter than it should be, perhaps cut off; export the file again.")
            self._loaded[index] = data
        return self._loaded[index]

    def _load(self, uri: object) -> bytes:
        if uri is None:
            return self._binary
        if not isinstance(uri, str):
            raise damaged("the URI of a buffer is no text")
        if start := _DATA.match(uri):
            try:
                return base64.b64decode(urllib.parse.unquote_to_bytes(uri[start.end() :]))
            except (binascii.Error, ValueError):
                raise damaged("a data URI is not base64") from None
        return _read_beside(self._folder, urllib.parse.unquote(uri))


def _read_beside(folder: Path, name: str) -> bytes:
    """A buffer's file, which must lie in the glTF's folder or below it, by its name and by where links lead."""
    told = name[:80]
    outside = MotionFileError(f'its buffer "{told}" is not a file in its folder; export it again as one GLB.')
    if not name or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\]", name) or ".." in re.split(r"[/\\]", name):
        raise outside
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve())
        missing = not path.exists()
        a_file = path.is_file()
    except (OSError, ValueError, RuntimeError):
        raise outside from None
    if not inside or not (a_file or missing):
        raise outside
    if missing:
        raise MotionFileError(f'its buffer "{told}" is missing; put that file beside it.')
    try:
        return read_binary(path)
    except MotionFileError as error:
        raise MotionFileError(f'its buffer "{told}": {error}') from None


def _dtype(place: Mapping[str, Any]) -> np.dtype[Any]:
    kind = place.get("componentType")
    if not isinstance(kind, int) or kind not in _TYPES:
        raise damaged("an accessor is of no known type")
    return np.dtype(_TYPES[kind])


def _fractions(values: NDArray[Any]) -> Floats:
    """Whole numbers as parts of the largest of their type, from -1 to 1 (section 3.11, animations)."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return np.maximum(values.astype(np.float32) / np.iinfo(values.dtype).max, -1.0).astype(np.float32)
