# SPDX-License-Identifier: GPL-3.0-or-later
"""Subspace: the few directions that signatures really use, so that a search compares 48 numbers and not 512.

Principal axes about the origin, so that inner products are kept; of a vector of unit length, what the subspace does not
hold is ``1 - |y|^2``. A network's signatures may fill a small part of their 512 dimensions (the shipped model's need
some 40); where they fill all, the subspace is the whole space and nothing is saved or lost.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .vector_index import Vectors

_LOST: Final = 1e-5
"""Share of the squared length that may be lost: it moves a cosine by 0.00001."""
_STEP: Final = 16  # dimensions come in multiples, which processors multiply in one go
_STEPS: Final = 32_767


def packed(reduced: Vectors) -> NDArray[np.int16]:
    """Coordinates of unit vectors in 16-bit steps: they move a cosine by 0.00001, where halves move it by 0.0002."""
    return np.rint(np.clip(reduced, -1.0, 1.0) * _STEPS).astype(np.int16)


def unpacked(steps: NDArray[np.int16]) -> Vectors:
    """Coordinates that were `packed`."""
    return steps * np.float32(1.0 / _STEPS)


class Subspace(NamedTuple):
    """Orthonormal ``axes`` ``[D, d]``."""

    axes: Vectors

    @classmethod
    def of(cls, sample: Vectors) -> Self:
        """The smallest subspace that holds a sample ``[N, D]`` of unit vectors."""
        _, power, axes = np.linalg.svd(sample.T @ sample)
        lost = 1.0 - np.cumsum(power) / max(float(power.sum()), 1e-30)
        needed = int(np.count_nonzero(lost > _LOST)) + 1
        return cls(np.ascontiguousarray(axes[: -(-needed // _STEP) * _STEP].T))

    def reduced(self, vectors: Vectors) -> Vectors:
        """Coordinates ``[N, d]`` of unit vectors ``[N, D]``, rounded as `packed` will store them."""
        return unpacked(packed(vectors @ self.axes))

    def holds(self, vectors: Vectors) -> bool:
        """Whether unit vectors ``[N, D]`` lose no more than ten times what the sample did."""
        return bool(1.0 - np.square(vectors @ self.axes).sum(axis=1).mean() <= 10 * _LOST)
