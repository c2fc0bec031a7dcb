# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-crafted signatures: yes-or-no relations between parts of the body, as a template over time.

Müller, Röder, Clausen, "Efficient content-based retrieval of motion capture data" (SIGGRAPH 2005) compare motions by
boolean geometric features; Müller and Röder, "Motion templates for automatic classification and retrieval of motion
capture data" (SCA 2006) use 39 of them for the whole body. The 39 here are of the same kinds: parts before, above or
far from others, moving towards or away from them, fast, bent, raised. Thresholds are given, as theirs are, in lengths
of the body (humerus, shoulder width, hip width), without their second threshold against flicker. A motion's template
is how often each feature holds in each tenth of it: their motion template of one example, warped evenly in time where
theirs is aligned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hums_engine import rest_pose
from hums_engine.normalize import FPS, NormalizedMotion
from hums_engine.skeleton import INDEX, REFERENCE

Array = NDArray[np.float64]

TEMPLATE_PARTS: Final = 10
_BENT: Final = -110.0  # degrees, negated: a joint bent to less than this angle
_VERTICAL: Final = np.array([0.0, 0.0, 1.0])


def _reference_length(first: str, second: str) -> float:
    return float(np.linalg.norm(REFERENCE[INDEX[first]] - REFERENCE[INDEX[second]]))


HUMERUS: Final = _reference_length("left_shoulder", "left_elbow")
SHOULDERS: Final = _reference_length("left_shoulder", "right_shoulder")
HIPS: Final = _reference_length("left_hip", "right_hip")


class Feature(NamedTuple):
    """A relation that holds in the frames in which a quantity exceeds a threshold."""

    name: str
    quantity: Callable[[Body], Array]
    threshold: float


class Body:
    """The joints of a motion by name, ``[T, 3]`` metres; NaN where missing, and all that follows from them."""

    def __init__(self, motion: NormalizedMotion) -> None:
        self._joints = np.where(motion.valid[:, None], motion.joints.astype(np.float64), np.nan)
        self.root: Final = rest_pose.hips(self._joints)
        across = self["left_hip"] - self["right_hip"]
        self.left: Final = _unit(across * [1.0, 1.0, 0.0])
        self.forward: Final = np.cross(self.left, _VERTICAL)

    def __getitem__(self, name: str) -> Array:
        return self._joints[:, INDEX[name]]

    def about_root(self, name: str) -> Array:
        """Metres a second ``[T, 3]`` as seen from the hips."""
        return velocity(self[name] - self.root)

    def extent(self) -> Array:
        """Size ``[T, 3]`` of the box about all joints that are there."""
        seen = self._joints[:, np.isfinite(self._joints).all(axis=(0, 2))]
        return np.ptp(seen, axis=1)


def velocity(places: Array) -> Array:
    """Metres a second ``[T, 3]``."""
    return np.gradient(places, axis=0) * FPS if len(places) > 1 else np.zeros_like(places)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _dot(a: Array, b: Array) -> Array:
    return (a * b).sum(axis=-1)


def _angle(a: Array, b: Array) -> Array:
    """Degrees ``[T]`` between two directions."""
    return np.degrees(np.arccos(np.clip(_dot(_unit(a), _unit(b)), -1.0, 1.0)))


def _nearing(a: Array, b: Array) -> Array:
    """How fast ``[T]`` two joints come nearer, metres a second."""
    return -velocity(np.linalg.norm(a - b, axis=-1, keepdims=True))[:, 0]


def _of_arm(side: str) -> list[Feature]:
    wrist, elbow, shoulder = (f"{side}_{name}" for name in ("wrist", "elbow", "shoulder"))
    return [
        Feature(f"{side} hand moves forwards", lambda b: _dot(b.about_root(wrist), b.forward), 1.8 * HUMERUS),
        Feature(f"{side} hand above neck", lambda b: b[wrist][:, 2] - b["neck"][:, 2], 0.2 * HUMERUS),
        Feature(f"{side} hand moves upwards", lambda b: b.about_root(wrist)[:, 2], 1.3 * HUMERUS),
        Feature(f"{side} elbow bent", lambda b: -_angle(b[shoulder] - b[elbow], b[wrist] - b[elbow]), _BENT),
        Feature(f"{side} hand moves away from hips", lambda b: -_nearing(b[wrist], b.root), 1.4 * HUMERUS),
        Feature(f"{side} hand fast", lambda b: np.linalg.norm(b.about_root(wrist), axis=-1), 2.5 * HUMERUS),
        Feature(f"{side} upper arm raised", lambda b: _angle(b.root - b["neck"], b[elbow] - b[shoulder]), 25.0),
        Feature(f"{side} hand near the floor", lambda b: -b[wrist][:, 2], -1.2 * HUMERUS),
    ]


def _of_leg(side: str, other: str) -> list[Feature]:
    hip, knee, ankle = (f"{side}_{name}" for name in ("hip", "knee", "ankle"))
    return [
        Feature(
            f"{side} foot behind the other", lambda b: _dot(b[f"{other}_ankle"] - b[ankle], b.forward), 0.38 * HUMERUS
        ),
        Feature(f"{side} foot raised", lambda b: b[ankle][:, 2], 1.2 * HUMERUS),
        Feature(f"{side} knee bent", lambda b: -_angle(b[hip] - b[knee], b[ankle] - b[knee]), _BENT),
        Feature(f"{side} foot fast", lambda b: np.linalg.norm(velocity(b[ankle]), axis=-1), 2.5 * HUMERUS),
        Feature(f"{side} thigh raised", lambda b: _angle(b.root - b["neck"], b[knee] - b[hip]), 50.0),
        Feature(f"{side} shoulder turned forwards", lambda b: _turned(b, side), 0.2 * SHOULDERS),
    ]


def _turned(body: Body, side: str) -> Array:
    """How far ``[T]`` one shoulder is before the other, metres."""
    other = "right" if side == "left" else "left"
    return _dot(body[f"{side}_shoulder"] - body[f"{other}_shoulder"], body.forward)


def _feet_sideways(body: Body) -> Array:
    """How far ``[T]`` the left ankle is to the left of the right one; negative when the feet are crossed."""
    return _dot(body["left_ankle"] - body["right_ankle"], body.left)


def _feet_parting(body: Body) -> Array:
    return velocity(_feet_sideways(body)[:, None])[:, 0]


_OF_BODY: Final = [
    Feature("hands far apart", lambda b: np.linalg.norm(b["left_wrist"] - b["right_wrist"], axis=-1), 2.5 * SHOULDERS),
    Feature("hands come together", lambda b: _nearing(b["left_wrist"], b["right_wrist"]), 1.4 * HUMERUS),
    Feature("feet far apart", _feet_sideways, 1.8 * HIPS),
    Feature("feet crossed", lambda b: -_feet_sideways(b), 0.0),
    Feature("feet come together", lambda b: -_feet_parting(b), 1.4 * HUMERUS),
    Feature("feet part", _feet_parting, 1.4 * HUMERUS),
    Feature("hips behind the feet", lambda b: _dot(_feet(b) - b.root, b.forward), 0.5 * HUMERUS),
    Feature("spine horizontal", lambda b: _angle(b["neck"] - b.root, np.broadcast_to(_VERTICAL, b.root.shape)), 70.0),
    Feature("body low", lambda b: -b.extent()[:, 2], -4.0 * HUMERUS),
    Feature("body wide", lambda b: np.linalg.norm(b.extent()[:, :2], axis=-1), 4.5 * HUMERUS),
    Feature("hips fast", lambda b: np.linalg.norm(velocity(b.root), axis=-1), 2.3 * HUMERUS),
]


def _feet(body: Body) -> Array:
    return (body["left_ankle"] + body["right_ankle"]) / 2.0


FEATURES: Final = [*_of_arm("left"), *_of_arm("right"), *_of_leg("left", "right"), *_of_leg("right", "left"), *_OF_BODY]


def features(motion: NormalizedMotion) -> NDArray[np.float32]:
    """Which features hold in each frame ``[T, 39]``: 1 or 0, NaN where a joint is missing that it needs."""
    body = Body(motion)
    quantities = np.stack([feature.quantity(body) for feature in FEATURES], axis=1)
    holds = quantities > [feature.threshold for feature in FEATURES]
    return np.where(np.isfinite(quantities), holds, np.nan).astype(np.float32)


def template(motion: NormalizedMotion) -> NDArray[np.float32]:
    """How often each feature holds in each tenth of the motion ``[390]``, from 0 to 1."""
    frames = features(motion)
    bounds = np.linspace(0.0, len(frames), TEMPLATE_PARTS + 1)
    before = np.concatenate([np.zeros((1, frames.shape[1])), frames.cumsum(axis=0, dtype=np.float64)])
    low = np.floor(bounds).astype(int)
    part = (bounds - low)[:, None]
    total = before[low] * (1.0 - part) + before[np.minimum(low + 1, len(frames))] * part
    return (np.diff(total, axis=0) * TEMPLATE_PARTS / len(frames)).astype(np.float32).ravel()
