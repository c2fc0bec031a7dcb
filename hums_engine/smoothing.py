# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves over time without their jerks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def smoothed(values: Array, sigma: float) -> Array:
    """``values`` ``[T, C]`` through a Gaussian window of ``sigma`` frames, ends held."""
    half = int(np.ceil(3.0 * sigma))
    window = np.exp(-0.5 * (np.arange(-half, half + 1) / max(sigma, 1e-6)) ** 2)
    window /= window.sum()
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, window, mode="valid") for column in padded.T], axis=-1)
