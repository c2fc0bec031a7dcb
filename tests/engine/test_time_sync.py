# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hums_engine import load
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.time_sync import in_step

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def take(name: str) -> CanonicalMotion:
    return canonicalize(load(SAMPLES / f"{name}.bvh"))


def warped(motion: CanonicalMotion, times_s: np.ndarray) -> CanonicalMotion:
    """The motion with its frames taken at other times."""
    frames = np.clip(np.round(times_s * motion.fps), 0, motion.frame_count - 1).astype(int)
    return replace(motion, positions=motion.positions[frames], rotations=motion.rotations[frames])


def test_a_motion_is_in_step_with_itself() -> None:
    walk = take("walk_07_04")
    steps = in_step(walk, walk)
    assert np.abs(steps - np.arange(len(steps)) / 30).max() < 0.05


def test_what_was_slowed_down_in_its_middle_is_followed() -> None:
    walk = take("walk_07_04").cut(0.0, 3.0)
    even = np.arange(walk.frame_count) / walk.fps
    times = even + 0.35 * np.sin(2 * np.pi * even / even[-1]) / 2
    steps = in_step(walk, warped(walk, times))
    wanted = np.interp(np.arange(len(steps)) / 30, times, even)
    assert np.abs(steps - wanted).mean() < 0.06
    assert np.abs(np.arange(len(steps)) / 30 - wanted).mean() > 0.08, "time that passes evenly would not do"


def test_seconds_never_go_back_and_span_the_stretch() -> None:
    for name in ("run_09_01", "kick_11_01", "salsa_60_01"):
        stretch = take(name)
        steps = in_step(take("walk_07_04"), stretch)
        assert (np.diff(steps) >= 0).all()
        assert steps[0] == 0.0
        assert abs(steps[-1] - stretch.duration_s) < 1e-6


def test_without_hips_time_passes_evenly() -> None:
    walk = take("walk_07_04")
    valid = walk.valid.copy()
    valid[:3] = False
    steps = in_step(walk, replace(walk, valid=valid))
    assert np.ptp(np.diff(steps)) < 1e-9
