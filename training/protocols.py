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
from hums_engine.normalize import normalize
from hums_engine.skeleton import INDEX, JOINT_COUNT

from . import data
from .data import Take
from .repetition import one_period

_ROOT = [INDEX["pelvis"], INDEX["left_hip"], INDEX["right_hip"]]

_REPEATED = ("a01", "a02", "a03", "a04", "a05", "a06", "a07", "a09")
"""MHAD's actions that are done five times or more in a take: all but a throw, sitting down and standing up."""


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


def _mhad_repetition(folder: Path, cache: Path) -> Protocol:
    """One period of what MHAD's subjects 8 to 12 repeat, among the whole takes of subjects 1 to 7."""
    xsub = _mhad_xsub(folder, cache)
    repeated = [take for take in xsub.queries if take.label in _REPEATED]
    queries = [take._replace(motion=one_period(take.motion)) for take in repeated]
    return Protocol("mhad-repetition", queries, xsub.gallery)


def _mhad_choice(folder: Path, cache: Path) -> Protocol:
    """For choosing between encoders, without the test subjects: MHAD's 1 to 4 are the gallery, 5 to 7 ask.

    An encoder to be judged by it must not have been trained on MHAD, or not on those who ask.
    """
    takes = data.load(folder, "mhad", cache)
    gallery, queries = [t for t in takes if t.subject <= "s04"], [t for t in takes if "s05" <= t.subject <= "s07"]
    return Protocol("mhad-choice", queries, gallery)


def _hdm05_25(folder: Path, cache: Path) -> Protocol:
    """HDM05's cuts in the 25 classes of DeepHuMS: the actors bd, bk, dg are the gallery, mm and tr ask.

    Who asks is not published; actors who are not in the gallery are the harder way, and the one of HDM05-11.
    """
    takes = [take for take in data.load(folder, "hdm05-25", cache) if take.label]
    return Protocol("hdm05-25", [t for t in takes if t.split == "test"], [t for t in takes if t.split == "train"])


def _ntu_xsub(folder: Path, cache: Path) -> Protocol:
    """NTU RGB+D, cross-subject: the published training subjects are the gallery, the others ask.

    Of each recording its first body counts, which is the one that moves most.
    """
    recordings: dict[str, Take] = {}
    for take in data.load(folder, "ntu", cache):
        recordings.setdefault(take.motion.source, take)
    takes = recordings.values()
    return Protocol("ntu-xsub", [t for t in takes if t.split == "test"], [t for t in takes if t.split == "train"])


PROTOCOLS: dict[str, Callable[[Path, Path], Protocol]] = {
    "hdm05-11": _hdm05_11,
    "mhad-xsub": _mhad_xsub,
    "mhad-repetition": _mhad_repetition,
    "mhad-choice": _mhad_choice,
    "hdm05-25": _hdm05_25,
    "ntu-xsub": _ntu_xsub,
}

Condition = Callable[[CanonicalMotion, np.random.Generator], CanonicalMotion]


def _clean(motion: CanonicalMotion, _random: np.random.Generator) -> CanonicalMotion:
    return motion


def _missing(share: float) -> Condition:
    """A share of the 22 joints missing from all frames; one of pelvis and hips stays, or nothing could be placed.

    A joint that a converter put onto its parent was never seen, so it does not stand in for one that is missing.
    """

    def change(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
        valid = normalize(motion).valid
        valid[random.permutation(JOINT_COUNT)[: round(share * JOINT_COUNT)]] = False
        if not valid[_ROOT].any():
            valid[_ROOT[0]] = motion.valid[_ROOT[0]]
        return replace(motion, valid=valid)

    return change


def _speed(factor: float) -> Condition:
    """Played so many times as fast."""
    return lambda motion, _random: replace(motion, fps=motion.fps * factor)


def _frame_rate(fps: float) -> Condition:
    """Recorded at another rate."""
    return lambda motion, _random: motion.resampled(fps)


def _noise(deviation_m: float) -> Condition:
    """Gaussian noise on every coordinate of every frame, as a sensor has."""

    def change(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
        noise = random.normal(0.0, deviation_m, motion.positions.shape).astype(np.float32)
        return replace(motion, positions=motion.positions + noise)

    return change


def _heading(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """Turned about the vertical by any angle."""
    turn = quat.from_axis_angle([0.0, 0.0, 1.0], random.uniform(0.0, 2.0 * np.pi))
    return replace(motion, positions=quat.rotate(turn, motion.positions).astype(np.float32))


def _crop(share: float) -> Condition:
    """Any stretch of the motion that is so long a share of it."""

    def change(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
        start = random.uniform(0.0, 1.0 - share) * motion.duration_s
        return motion.cut(start, start + share * motion.duration_s)

    return change


CLEAN = "clean"
CONDITIONS: dict[str, Condition] = {
    CLEAN: _clean,
    "20 % joints missing": _missing(0.2),
    "half speed": _speed(0.5),
    "double speed": _speed(2.0),
    "60 % crop": _crop(0.6),
    "10 mm noise": _noise(0.01),
    "random heading": _heading,
    "30 fps": _frame_rate(30.0),
    "60 fps": _frame_rate(60.0),
}
"""The columns of the table."""

SEVERITIES: dict[str, Condition] = {
    "10 % joints missing": _missing(0.1),
    "30 % joints missing": _missing(0.3),
    "40 % joints missing": _missing(0.4),
    "0.7 x speed": _speed(0.7),
    "1.4 x speed": _speed(1.4),
    "80 % crop": _crop(0.8),
    "40 % crop": _crop(0.4),
    "5 mm noise": _noise(0.005),
    "20 mm noise": _noise(0.02),
}
"""More of the same, for curves."""


class Sweep(NamedTuple):
    """One disturbance from none to much.

    Attributes:
        axis: what the numbers are, with their unit.
        points: the condition at each number.
        ratio: whether the numbers are factors, and evenly spaced as such.
        worst_first: whether small numbers are the hard ones.
    """

    axis: str
    points: dict[float, str]
    ratio: bool = False
    worst_first: bool = False


SWEEPS: tuple[Sweep, ...] = (
    Sweep(
        "joints missing (%)", {0.0: CLEAN} | {float(share): f"{share} % joints missing" for share in (10, 20, 30, 40)}
    ),
    Sweep(
        "speed (x original)",
        {0.5: "half speed", 0.7: "0.7 x speed", 1.0: CLEAN, 1.4: "1.4 x speed", 2.0: "double speed"},
        ratio=True,
    ),
    Sweep(
        "part of the clip asked with (%)",
        {float(part): f"{part} % crop" for part in (40, 60, 80)} | {100.0: CLEAN},
        worst_first=True,
    ),
    Sweep("noise on every coordinate (mm)", {0.0: CLEAN} | {float(size): f"{size} mm noise" for size in (5, 10, 20)}),
)


def under(condition: str, takes: Sequence[Take], seed: int = 0) -> list[Take]:
    """The takes with what the condition does to them; the same for every row of a table."""
    change, random = (CONDITIONS | SEVERITIES)[condition], np.random.default_rng(seed)
    return [take._replace(motion=change(take.motion, random)) for take in takes]
