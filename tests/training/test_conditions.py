# SPDX-License-Identifier: GPL-3.0-or-later
"""What befalls queries is what its name says, and the same for every row."""

from __future__ import annotations

import numpy as np
import pytest

from training.data import Take
from training.protocols import CLEAN, CONDITIONS, SEVERITIES, SWEEPS, under

from .synthetic_motions import swinging

TAKE = Take(swinging(1, 1, frames=120), "mhad", "s08", "a01")


@pytest.mark.parametrize(("share", "left"), [(10, 20), (20, 18), (30, 15), (40, 13)])
def test_so_many_joints_are_missing(share: int, left: int) -> None:
    assert under(f"{share} % joints missing", [TAKE])[0].motion.valid.sum() in (left, left + 1)


@pytest.mark.parametrize(
    ("condition", "length_s"),
    [("half speed", 8.0), ("0.7 x speed", 4 / 0.7), ("double speed", 2.0), ("40 % crop", 1.6), ("80 % crop", 3.2)],
)
def test_clips_are_as_long_as_their_speed_or_crop_makes_them(condition: str, length_s: float) -> None:
    assert under(condition, [TAKE])[0].motion.duration_s == pytest.approx(length_s, rel=0.03)


def test_noise_is_as_large_as_its_name_says() -> None:
    noisy = under("20 mm noise", [TAKE])[0].motion.positions
    assert np.std(noisy - TAKE.motion.positions) == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("condition", [*CONDITIONS, *SEVERITIES])
def test_queries_are_altered_alike_for_every_row(condition: str) -> None:
    first, again = (under(condition, [TAKE, TAKE]) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.motion.positions, b.motion.positions)
        np.testing.assert_array_equal(a.motion.valid, b.motion.valid)


def test_every_curve_has_the_clean_queries_and_nothing_but_known_conditions() -> None:
    for sweep in SWEEPS:
        assert CLEAN in sweep.points.values()
        assert set(sweep.points.values()) <= set(CONDITIONS) | set(SEVERITIES)
    assert {c for sweep in SWEEPS for c in sweep.points.values()} >= set(SEVERITIES)
