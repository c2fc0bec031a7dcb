# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions land on rigs that no family of names knows and that are built as few are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hums_engine import quat, rig
from hums_engine.mapping import JointMap
from hums_engine.retarget import RetargetOptions, retarget
from hums_engine.skeleton import JOINTS
from tests.engine.reference_body import wandering
from tests.engine.synthetic_rigs import Build, Rig, make
from tests.engine.test_retarget import limb_errors, posed

USUAL = Build()


def long_armed() -> Rig:
    """Arms longer than the legs, as an ape has."""
    return make(replace(USUAL, upper_arm=0.5, forearm=0.5, thigh=0.3, shin=0.3))


def neckless() -> Rig:
    """A head right on a trunk of one bone, and no collars."""
    return make(replace(USUAL, necks=0, collars=0, spine=1))


def carried_by_rolls() -> Rig:
    """Twist and roll bones that carry the limbs, and two more bones before each leg and arm."""
    return make(replace(USUAL, leg_twists=2, arm_twists=2, hip_bones=2, collars=2))


def with_a_chain_of_roots() -> Rig:
    """Three bones over the pelvis, and targets, a weapon, a tail and hair beside it."""
    return make(replace(USUAL, roots=3, extras=("controls", "weapon", "tail", "hair")))


def on_its_paws() -> Rig:
    """Legs with a heel in the air: thigh ahead, shin back, and a long foot down to the ball."""
    made = make(replace(USUAL, toes=False))
    for side in ("left", "right"):
        hip, knee, ankle = (made.truth[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        made.heads[knee] = made.tips[hip] = made.heads[hip] + [0.0, -0.16, -0.38]
        made.heads[ankle] = made.tips[knee] = made.heads[knee] + [0.0, 0.3, -0.3]
        made.tips[ankle] = made.heads[ankle] * [1.0, 1.0, 0.0] + [0.0, -0.14, 0.04]
        toes = made.add(f"{side} toes", ankle, made.tips[ankle], f"{side}_foot")
        made.tips[toes] = made.heads[toes] + [0.0, -0.12, -0.02]
    return made


def seated() -> Rig:
    """Resting on a chair, thighs level."""
    made = make(USUAL)
    for side in ("left", "right"):
        hip, knee = made.truth[f"{side}_hip"], made.truth[f"{side}_knee"]
        moved = made.heads[hip] + [0.0, -USUAL.thigh, 0.0] - made.heads[knee]
        for bone in _below(made, knee):
            made.heads[bone], made.tips[bone] = made.heads[bone] + moved, made.tips[bone] + moved
        made.tips[hip] = made.heads[knee]
    return made


def _below(made: Rig, top: int) -> list[int]:
    found = [top]
    for bone, parent in enumerate(made.parents):
        if parent in found:
            found.append(bone)
    return found


@pytest.mark.parametrize(
    "build",
    [long_armed, neckless, carried_by_rolls, with_a_chain_of_roots, on_its_paws, seated],
    ids=lambda b: b.__name__,
)
def test_limbs_point_as_in_the_source_by_the_map_that_is_found_without_names(build: Callable[[], Rig]) -> None:
    made = build()
    target, motion = _without_names(made), wandering()
    joint_map = target.map()
    joints = np.array([made.truth.get(joint, -1) for joint in JOINTS])
    limbs = [j for j, joint in enumerate(JOINTS) if joint.split("_")[-1] in _MAIN]
    np.testing.assert_array_equal(joint_map.joints[limbs], joints[limbs])
    options = RetargetOptions(placement="source", plant_feet=False)
    landed = posed(target, retarget(motion, target, JointMap(joint_map.joints, "test", 1.0), options))
    errors = limb_errors(motion.positions, landed[:, np.maximum(joint_map.joints, 0)], quat.IDENTITY)
    assert errors.max() < 0.01


_MAIN = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def _without_names(made: Rig) -> rig.Rig:
    """The rig with bones rolled and named at random."""
    count, dice = len(made.names), np.random.default_rng(4)
    rest = np.tile(np.eye(4), (count, 1, 1))
    rest[:, :3, :3] = quat.to_matrix(quat.normalize(dice.normal(size=(count, 4))))
    rest[:, :3, 3] = made.heads
    names = tuple(f"b{k:04d}" for k in dice.permutation(count))
    return rig.Rig(names, np.array(made.parents), rest, np.array(made.tips), floor=0.0)
