# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of odd zero poses, places and units land as the same motion in an ordinary file does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hums_engine import quat
from hums_engine.canonical import canonicalize
from hums_engine.formats import load
from hums_engine.motion import Motion
from hums_engine.retarget import retarget
from hums_engine.skeleton import INDEX
from tests.engine import posed_bvh
from tests.engine.reference_body import resting
from tests.engine.test_retarget import EVERY_JOINT, limb_errors, posed


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return posed_bvh.write(tmp_path_factory.mktemp("odd") / "walk.bvh", posed_bvh.walk, seconds=2.0)


def landed(motion: Motion) -> np.ndarray:
    """Joints ``[T, 22, 3]`` of an A-posed rig that plays the motion."""
    rig = resting(arm_drop_deg=45)
    return posed(rig, retarget(canonicalize(motion), rig, EVERY_JOINT))


def with_zero_pose_along_one_axis(motion: Motion) -> Motion:
    """The same movement told from a rest pose in which every bone points to +X."""
    assert motion.rotations is not None
    assert motion.rest_positions is not None
    world, parents = motion.world_rotations(), motion.parents
    assert world is not None
    rest = np.zeros((len(parents), 3))
    fix = np.tile(quat.IDENTITY, (len(parents), 1))
    for j, parent in enumerate(parents):
        if parent >= 0:
            offset = motion.rest_positions[j] - motion.rest_positions[parent]
            rest[j] = rest[parent] + np.array([float(np.linalg.norm(offset)), 0.0, 0.0])
            if np.flatnonzero(parents == parent)[0] == j:  # a joint of several children follows its first
                fix[parent] = quat.between(np.array([1.0, 0.0, 0.0]), offset)
    told = quat.mul(world, fix)
    local = told.copy()
    local[:, 1:] = quat.mul(quat.inv(told[:, parents[1:]]), told[:, 1:])
    return replace(motion, rotations=local.astype(np.float32), rest_positions=rest.astype(np.float32))


def test_a_zero_pose_with_all_bones_along_one_axis_does_not_show(walk: Path) -> None:
    usual, odd = landed(load(walk)), landed(with_zero_pose_along_one_axis(load(walk)))
    assert limb_errors(usual, odd, quat.IDENTITY).max() < 3.0
    assert np.abs(usual[:, INDEX["pelvis"]] - odd[:, INDEX["pelvis"]]).max() < 0.03


def test_hips_that_rest_on_the_origin_put_no_foot_in_the_floor(walk: Path) -> None:
    motion = load(walk)
    low = replace(motion, positions=motion.positions - np.array([0.0, 0.0, 0.95], dtype=np.float32))
    usual, odd = landed(motion), landed(low)
    ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
    assert abs(usual[:, ankles, 2].min() - odd[:, ankles, 2].min()) < 0.02


@pytest.mark.parametrize("unit", [0.01, 1 / 2.54, 10.0])
def test_files_in_metres_inches_and_millimetres_land_alike(walk: Path, tmp_path: Path, unit: float) -> None:
    other = posed_bvh.write(tmp_path / "other.bvh", posed_bvh.walk, seconds=2.0, size=unit)
    usual, odd = landed(load(walk)), landed(load(other))
    np.testing.assert_allclose(odd, usual, atol=0.01)
