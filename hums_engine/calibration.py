# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration: how probable it is that a hit is the same action as the query, from what was measured of the two.

Two things are measured: how far the aligned joints are apart (`dtw`), and the angle between the signatures. The odds
fall with a power of each, which is logistic regression on their logarithms (Platt, "Probabilistic Outputs for Support
Vector Machines", 1999): the same motion is certain, and no scale has to be chosen. ``benchmarks/score_calibration.py``
fits the numbers on motions that no figure is measured on, and docs/search.md shows how well they hold.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEAREST_M: Final = 0.001
"""Added to distances: what half precision leaves between equal motions."""
NEAREST_RAD: Final = 0.05
"""The same of angles."""


class Odds(NamedTuple):
    """The logarithm of the odds: ``bias - distance * log(metres) - angle * log(radians)``."""

    bias: float
    distance: float
    angle: float


ALIGNED: Final = Odds(-6.81, 2.02, 3.82)
"""With both."""
SIGNED: Final = Odds(-3.46, 0.0, 4.65)
"""By the signatures alone."""


def probability(cosine: ArrayLike, distance: ArrayLike | None = None) -> NDArray[np.float64]:
    """0 to 1, rising with the cosine and falling with the distance.

    Args:
        cosine: of the signatures, any shape.
        distance: metres a joint along the best alignment, of the same shape; None where nothing was aligned.
    """
    evidence = logarithms(cosine, 0.0 if distance is None else distance)
    odds = SIGNED if distance is None else ALIGNED
    exponent = odds.bias - evidence @ [odds.distance, odds.angle]
    return 1.0 / (1.0 + np.exp(-np.clip(exponent, -500.0, 500.0)))


def logarithms(cosine: ArrayLike, distance: ArrayLike) -> NDArray[np.float64]:
    """What the odds are made of, ``[..., 2]``: the logarithms of distance and angle; a cosine of NaN counts as -1."""
    cosine = np.nan_to_num(np.asarray(cosine, dtype=np.float64), nan=-1.0)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    metres = np.broadcast_to(np.asarray(distance, dtype=np.float64), angle.shape)
    return np.stack([np.log(metres + NEAREST_M), np.log(angle + NEAREST_RAD)], axis=-1)
