# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes until a motion does the same again."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from hums_engine.canonical import canonicalize
from hums_engine.formats import bvh
from tests.engine import posed_bvh
from training.repetition import one_period, period_s

from .synthetic_motions import swinging


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.3])
def test_a_jump_repeated_has_the_period_of_one_jump(rate: float, tmp_path: Path) -> None:
    path = posed_bvh.write(tmp_path / "jump.bvh", lambda t: posed_bvh.jump(t, rate=rate), seconds=8.0)
    (motion,) = bvh.read(path)
    canonical = canonicalize(motion)
    assert period_s(canonical) == pytest.approx(1.0 / rate, abs=0.07)
    assert one_period(canonical).duration_s == pytest.approx(1.0 / rate, abs=0.07)


def test_half_a_wave_is_no_period() -> None:
    """A swing passes each pose twice, there and back: only after both it does the same again."""
    motion = swinging(4, 0, frames=240)
    doubled = replace(motion, fps=motion.fps / 2)
    assert period_s(doubled) == pytest.approx(2.0 * period_s(motion), rel=0.1)


def test_what_never_repeats_is_cut_in_its_middle(tmp_path: Path) -> None:
    path = posed_bvh.write(
        tmp_path / "bow.bvh",
        lambda t: ((0.0, 95.0, 0.0), {"abdomen": (0.0, 80.0 * math.tanh(t - 1.5), 0.0)}),
        seconds=3.0,
    )
    (motion,) = bvh.read(path)
    canonical = canonicalize(motion)
    assert period_s(canonical) == pytest.approx(canonical.duration_s / 2.0, abs=0.05)


def test_a_moment_is_shorter_than_any_period() -> None:
    assert period_s(swinging(1, 1, frames=9)) == pytest.approx(8 / 30 / 2)
