# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a signature: protocols (which queries, which gallery) and conditions (what befell the queries)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.skeleton import INDEX, JOINT_COUNT

from . import data
from .data import Take

_ROOT = [INDEX["pelvis"], INDEX["left_hip"], INDEX["right_hip"]]


class Protocol(NamedTuple):
    """Queries and the gallery in which each must find motions of its class."""

    name: str
    queries: list[Take]
    gallery: list[Take]


def _hdm05_11(folder: Path, cache: Path) -> Protocol:
    """HDM05's 11 classes: the actors bd, bk, dg are the gallery, mm and tr ask."""
    takes = data.load(folder, "hdm05", cache)
    return Protocol("hdm05-11", [t for t in takes if t.split == "test"], [t for t in takes if t.split == "train"])


def _mhad_xsub(folder: Path, cache: Path) -> Protocol:
    """Berkeley MHAD: subjects 1 to 7 are the gallery, 8 to 12 ask."""
    takes = data.load(folder, "mhad", cache)
    return Protocol("mhad-xsub", [t for t in takes if t.subject > "s07"], [t for t in takes if t.subject <= "s07"])


def _mhad_choice(folder: Path, cache: Path) -> Protocol:
    """For choosing between encoders, without the test subjects: MHAD's 1 to 4 are the gallery, 5 to 7 ask.

    An encoder to be judged by it must not have been trained on MHAD, or not on those who ask.
    """
    takes = data.load(folder, "mhad", cache)
    gallery, queries = [t for t in takes if t.subject <= "s04"], [t for t in takes if "s05" <= t.subject <= "s07"]
    return Protocol("mhad-choice", queries, gallery)


PROTOCOLS: dict[str, Callable[[Path, Path], Protocol]] = {
    "hdm05-11": _hdm05_11,
    "mhad-xsub": _mhad_xsub,
    "mhad-choice": _mhad_choice,
}

Condition = Callable[[CanonicalMotion, np.random.Generator], CanonicalMotion]


def _clean(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return motion


def _missing(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """A fifth of the 22 joints missing from all frames; one of pelvis and hips stays, or nothing could be placed."""
    valid = motion.valid.copy()
    valid[random.permutation(JOINT_COUNT)[: round(0.2 * JOINT_COUNT)]] = False
    if not valid[_ROOT].any():
        valid[_ROOT[0]] = motion.valid[_ROOT[0]]
    return replace(motion, valid=valid)


def _half_speed(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return replace(motion, fps=motion.fps / 2)


def _double_speed(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return replace(motion, fps=motion.fps * 2)


def _at_30_fps(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return motion.resampled(30.0)


def _at_60_fps(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return motion.resampled(60.0)


def _noise(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Gaussian noise of 10 mm on every coordinate of every frame, as a sensor has."""
    noise = random.normal(0.0, 0.01, motion.positions.shape).astype(np.float32)
    return replace(motion, positions=motion.positions + noise)


def _heading(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Turned about the vertical by any angle."""
    turn = quat.from_axis_angle([0.0, 0.0, 1.0], random.uniform(0.0, 2.0 * np.pi))
    return replace(motion, positions=quat.rotate(turn, motion.positions).astype(np.float32))


def _crop(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Any 60 % of the motion."""
    start = random.uniform(0.0, 0.4) * motion.duration_s
    return motion.cut(start, start + 0.6 * motion.duration_s)


CONDITIONS: dict[str, Condition] = {
    "clean": _clean,
    "20 % joints missing": _missing,
    "half speed": _half_speed,
    "double speed": _double_speed,
    "60 % crop": _crop,
    "10 mm noise": _noise,
    "random heading": _heading,
    "30 fps": _at_30_fps,
    "60 fps": _at_60_fps,
}


def under(condition: str, takes: Sequence[Take], seed: int = 0) -> list[Take]:
    """The takes with what the condition does to them; the same for every row of a table."""
    change, random = CONDITIONS[condition], np.random.default_rng(seed)
    return [take._replace(motion=change(take.motion, random)) for take in takes]
