# SPDX-License-Identifier: GPL-3.0-or-later
"""SignatureStore: signatures on disk, in rows of half precision that are only ever appended.

A row is a signature, the stretch of its clip that it stands for, and a CRC-32 of both: 1,036 bytes for 512
dimensions. Half precision moves a cosine by less than 0.0005. Which clip a row belongs to, and which rows
are still in use, is in the catalogue.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import LibraryError
from .half_precision import single

_BLOCK_ROWS: Final = 16_384


class Rows(NamedTuple):
    """Some signatures ``[N, D]`` float32 and the stretches they stand for, ``[N]`` float32 seconds."""

    vectors: NDArray[np.float32]
    start_s: NDArray[np.float32]
    end_s: NDArray[np.float32]


def row_type(dimension: int) -> np.dtype:
    """The layout of a row, little-endian and without gaps."""
    return np.dtype([("vector", "<f2", (dimension,)), ("start_s", "<f4"), ("end_s", "<f4"), ("check", "<u4")])


def pack_rows(rows: Rows) -> bytes:
    """The bytes of some rows."""
    packed = np.zeros(len(rows.vectors), dtype=row_type(rows.vectors.shape[1]))
    packed["vector"], packed["start_s"], packed["end_s"] = rows
    packed["check"] = _checks(packed)
    return packed.tobytes()


def _checks(packed: NDArray) -> NDArray[np.uint32]:
    """The CRC-32 ``[N]`` of each row's other bytes."""
    size = packed.dtype.itemsize
    data = memoryview(packed.tobytes())
    return np.array([zlib.crc32(data[i * size : (i + 1) * size - 4]) for i in range(len(packed))], dtype=np.uint32)


class SignatureStore:
    """Reads rows out of a file, mapped into memory.

    Args:
        path: of the file.
        dimension: of the signatures.
        count: how many rows count.

    Raises:
        LibraryError: the file is missing or shorter than that.
    """

    def __init__(self, path: Path, dimension: int, count: int) -> None:
        self.path: Final = path
        self.count: Final = count
        kind = row_type(dimension)
        try:
            if count and path.stat().st_size < count * kind.itemsize:
                raise _damaged(path)
            rows = np.memmap(path, dtype=kind, mode="r", shape=(count,)) if count else np.empty(0, dtype=kind)
            self._rows = np.asarray(rows)  # slices quicker
        except OSError as error:
            raise _damaged(path) from error

    def read(self, rows: NDArray[np.int64] | slice) -> Rows:
        """The rows of these numbers, as float32; half precision has bent their length, which is one again."""
        vectors = single(self._rows["vector"][rows])
        vectors /= np.maximum(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)), 1e-12)[:, None]
        return Rows(vectors, *self.times(rows))

    def sample(self, count: int, start: int = 0) -> NDArray[np.float32]:
        """At most ``count`` signatures, evenly chosen from row ``start`` on."""
        step = max(1, -(-(self.count - start) // count))
        return self.read(np.arange(start, self.count, step)).vectors

    def times(self, rows: NDArray[np.int64] | slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Start and end ``[N]`` in seconds of the stretches that the rows stand for."""
        return np.array(self._rows["start_s"][rows]), np.array(self._rows["end_s"][rows])

    def blocks(self, start: int = 0) -> Iterator[tuple[NDArray[np.int64], Rows]]:
        """All rows from ``start`` on, with their numbers, some at a time."""
        for first in range(start, self.count, _BLOCK_ROWS):
            numbers = np.arange(first, min(first + _BLOCK_ROWS, self.count), dtype=np.int64)
            yield numbers, self.read(slice(first, first + _BLOCK_ROWS))

    def damaged(self) -> NDArray[np.int64]:
        """The numbers of the rows whose bytes have changed since they were written."""
        bad = [
            first + np.flatnonzero(_checks(block) != block["check"])
            for first in range(0, self.count, _BLOCK_ROWS)
            for block in (self._rows[first : first + _BLOCK_ROWS],)
        ]
        return np.concatenate(bad).astype(np.int64) if bad else np.empty(0, dtype=np.int64)


def _damaged(path: Path) -> LibraryError:
    return LibraryError(f"The signatures in {path.name} are damaged; mend them with: hums verify --repair.")
