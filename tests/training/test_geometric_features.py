# SPDX-License-Identifier: GPL-3.0-or-later
"""The boolean geometric features say of a pose what a person would say of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from hums_engine.normalize import NormalizedMotion, normalize
from hums_engine.skeleton import INDEX, JOINT_COUNT, REFERENCE
from training.geometric_features import FEATURES, TEMPLATE_PARTS, features, template
from training.metrics import retrieval
from training.rows import geometric_template

from .synthetic_motions import swinging
from .test_fit import KINDS, examples

NAMES = [feature.name for feature in FEATURES]
ALL = np.ones(JOINT_COUNT, dtype=bool)


Moved = Mapping[str, tuple[float, float, float]]


def standing(moved: Moved | None = None, frames: int = 12) -> NormalizedMotion:
    """The reference body with its arms down, joints moved by metres, the same in all frames."""
    joints = np.tile(REFERENCE.astype(np.float32), (frames, 1, 1))
    for side, x in (("left", 0.18), ("right", -0.18)):
        joints[:, INDEX[f"{side}_elbow"]] = (x, 0.0, 1.12)
        joints[:, INDEX[f"{side}_wrist"]] = (x, 0.0, 0.86)
    for name, by in (moved or {}).items():
        joints[:, INDEX[name]] += by
    return NormalizedMotion(joints, ALL)


def said(motion: NormalizedMotion) -> set[str]:
    """The features that hold in most frames."""
    return {name for name, share in zip(NAMES, features(motion).mean(axis=0), strict=True) if share > 0.5}


def test_of_a_figure_that_stands_at_ease_nothing_is_said() -> None:
    assert said(standing()) == set()


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({"right_wrist": (0.0, 0.0, 0.8)}, "right hand above neck"),
        ({"left_wrist": (0.0, 0.0, -0.6)}, "left hand near the floor"),
        ({"left_wrist": (0.0, -0.26, 0.26)}, "left elbow bent"),
        ({"right_elbow": (-0.2, 0.0, 0.2)}, "right upper arm raised"),
        ({"right_ankle": (0.0, 0.3, 0.0)}, "right foot behind the other"),
        ({"left_ankle": (0.0, 0.3, 0.4)}, "left foot raised"),
        ({"left_ankle": (0.0, 0.3, 0.4)}, "left knee bent"),
        ({"right_knee": (0.0, -0.4, 0.3)}, "right thigh raised"),
        ({"left_ankle": (0.3, 0.0, 0.0)}, "feet far apart"),
        ({"left_ankle": (-0.3, 0.0, 0.0)}, "feet crossed"),
        ({"left_wrist": (0.4, 0.0, 0.0), "right_wrist": (-0.4, 0.0, 0.0)}, "hands far apart"),
        ({"left_shoulder": (0.0, -0.1, 0.0)}, "left shoulder turned forwards"),
        ({"neck": (0.0, -0.5, -0.4)}, "spine horizontal"),
    ],
)
def test_a_joint_that_is_moved_is_told(moved: Moved, told: str) -> None:
    assert told in said(standing(moved))


def moving(name: str, metres_a_second: tuple[float, float, float]) -> NormalizedMotion:
    motion = standing(frames=10)
    motion.joints[:, INDEX[name]] += np.arange(10)[:, None] / 30.0 * np.array(metres_a_second, dtype=np.float32)
    return motion


@pytest.mark.parametrize(
    ("name", "velocity", "told"),
    [
        ("right_wrist", (0.0, -1.0, 0.0), "right hand moves forwards"),
        ("right_wrist", (0.0, 0.0, 1.0), "right hand moves upwards"),
        ("left_wrist", (1.0, 0.0, 0.0), "left hand moves away from hips"),
        ("left_wrist", (-1.0, 0.0, 0.0), "hands come together"),
        ("left_ankle", (0.0, -1.0, 0.0), "left foot fast"),
        ("left_ankle", (1.0, 0.0, 0.0), "feet part"),
        ("left_ankle", (-1.0, 0.0, 0.0), "feet come together"),
    ],
)
def test_a_joint_that_moves_is_told(name: str, velocity: tuple[float, float, float], told: str) -> None:
    assert told in said(moving(name, velocity))
    assert told not in said(moving(name, (0.0, 0.0, 0.0)))


def test_a_missing_joint_silences_only_the_features_that_need_it() -> None:
    valid = ALL.copy()
    valid[INDEX["left_wrist"]] = False
    silent = np.isnan(features(NormalizedMotion(standing().joints, valid)))
    assert (silent.all(axis=0) == silent.any(axis=0)).all()
    needing = {name for name in NAMES if name.startswith("left hand") or name in {"left elbow bent"}}
    assert {NAMES[i] for i in np.flatnonzero(silent[0])} == needing | {"hands far apart", "hands come together"}


@pytest.mark.parametrize("frames", [1, 2, 7, 10, 95])
def test_a_template_is_a_share_of_every_tenth_at_any_length(frames: int) -> None:
    motion = standing(frames=frames)
    up = np.arange(frames) >= frames / 2
    motion.joints[up, INDEX["right_wrist"], 2] += 0.8
    shares = template(motion).reshape(TEMPLATE_PARTS, -1)[:, NAMES.index("right hand above neck")]
    assert ((shares >= 0.0) & (shares <= 1.0 + 1e-6)).all()
    np.testing.assert_allclose(shares.mean(), up.mean(), atol=1e-6)


def test_motions_of_a_kind_are_found_by_their_geometry() -> None:
    gallery, labels = examples(range(4))
    queries, asked = examples(range(10, 12))
    figures = retrieval(geometric_template(queries, gallery), asked, labels)
    assert figures.top_1 > 0.7 > 2 / KINDS
    assert geometric_template([normalize(swinging(1, 1, frames=1))], gallery).shape == (1, len(gallery))
