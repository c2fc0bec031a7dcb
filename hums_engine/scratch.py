# SPDX-License-Identifier: GPL-3.0-or-later
"""Scratch memory: arrays that are needed again and again for a moment.

Memory of megabytes goes back to the system when an array is freed, and comes anew page by page: that takes longer than
the arithmetic of an alignment.
"""

from __future__ import annotations

import math
import threading
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

_KEPT_BYTES: Final = 16 << 20
"""What is larger, as of a take of more than an hour, is not kept."""


class Scratch(threading.local):
    """Arrays by their names; each thread has its own."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of whatever was there before; the next call with this name takes its memory."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or len(memory) < size:
            memory = np.empty(size, dtype=np.uint8)
            if size <= _KEPT_BYTES:
                self._memory[name] = memory
        return memory[:size].view(dtype).reshape(shape)
