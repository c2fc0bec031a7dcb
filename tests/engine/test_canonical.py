# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion of any skeleton becomes the same canonical motion, whatever its file rests in or leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import quat
from hums_engine.canonical import canonicalize
from hums_engine.errors import MappingError
from hums_engine.motion import Motion
from hums_engine.skeleton import INDEX, JOINTS, PARENTS, REFERENCE
from tests.engine.reference_body import wandering

TRUTH = wandering(frames=60)


def body(**changes: object) -> Motion:
    """The wandering body as a motion of positions alone, named as SMPL names its joints."""
    given = {"positions": TRUTH.positions, "fps": 30.0, "joint_names": JOINTS, "parents": PARENTS}
    return Motion(**{**given, **changes})  # type: ignore[arg-type]


def test_positions_alone_give_positions_and_orientations() -> None:
    found = canonicalize(body())
    np.testing.assert_allclose(found.positions, TRUTH.positions, atol=1e-6)
    assert found.valid.all()
    hip, knee = INDEX["left_hip"], INDEX["left_knee"]
    thigh = quat.rotate(found.rotations[:, hip], quat.unit(REFERENCE[knee] - REFERENCE[hip]))
    np.testing.assert_allclose(thigh, quat.unit(TRUTH.positions[:, knee] - TRUTH.positions[:, hip]), atol=1e-5)


def test_rotations_with_a_rest_pose_are_taken_exactly() -> None:
    world = TRUTH.rotations.astype(np.float64)
    local = world.copy()
    local[:, 1:] = quat.mul(quat.inv(world[:, PARENTS[1:]]), world[:, 1:])
    found = canonicalize(body(rotations=local, rest_positions=REFERENCE))
    limbs = [INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "knee", "shoulder", "elbow")]
    assert np.degrees(quat.angle(found.rotations, world))[:, limbs].max() < 0.1


def test_a_gap_in_a_joint_is_bridged_and_a_joint_hardly_seen_is_missing() -> None:
    positions = TRUTH.positions.copy()
    positions[20:24, INDEX["left_wrist"]] = np.nan
    positions[5:, INDEX["head"]] = np.nan
    found = canonicalize(body(positions=positions))
    np.testing.assert_allclose(found.positions[20:24, 20], TRUTH.positions[20:24, 20], atol=0.06)
    assert list(np.flatnonzero(~found.valid)) == [INDEX["head"]]
    assert np.isfinite(found.positions).all()
    assert np.isfinite(found.rotations).all()


@pytest.mark.parametrize("frames", [1, 2])
def test_a_calibration_pose_before_the_motion_neither_places_nor_turns_it(frames: int) -> None:
    t_pose = np.tile(REFERENCE + [4.0, 4.0, 0.0], (frames, 1, 1)).astype(np.float32)
    found = canonicalize(body(positions=np.concatenate([t_pose, TRUTH.positions])))
    np.testing.assert_allclose(found.positions[:frames], np.tile(TRUTH.positions[:1], (frames, 1, 1)), atol=1e-6)
    np.testing.assert_allclose(found.positions[frames:], TRUTH.positions, atol=1e-6)


def test_a_calibration_pose_that_is_blended_into_the_motion_is_held_back_with_the_blend() -> None:
    t_pose = np.broadcast_to(REFERENCE, (4, *REFERENCE.shape))
    share = np.array([0.0, 0.25, 0.55, 0.8])[:, None, None]
    blend = t_pose + share * (TRUTH.positions[:1] - t_pose)
    blended = np.concatenate([blend, TRUTH.positions]).astype(np.float32)
    found = canonicalize(body(positions=blended, fps=120.0))
    np.testing.assert_allclose(found.positions[:4], np.tile(TRUTH.positions[:1], (4, 1, 1)), atol=0.05)
    np.testing.assert_allclose(found.positions[4:], TRUTH.positions, atol=1e-6)


def test_a_motion_that_starts_at_a_run_keeps_its_first_frame() -> None:
    running = TRUTH.positions + np.linspace(0, 14, 60, dtype=np.float32)[:, None, None] * np.array(
        [0, -1, 0], dtype=np.float32
    )
    np.testing.assert_allclose(canonicalize(body(positions=running)).positions, running, atol=1e-5)


def test_a_motion_in_which_nothing_is_ever_seen_is_refused() -> None:
    with pytest.raises(MappingError):
        canonicalize(body(positions=np.full_like(TRUTH.positions, np.nan)))
