# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion lands on rigs of every rest pose, facing, scale and bone roll with the limbs where the source has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from hums_engine import quat, rest_pose
from hums_engine.mapping import JointMap
from hums_engine.motion import accumulate
from hums_engine.rest_pose import LIMBS
from hums_engine.retarget import BoneCurves, RetargetOptions, Stand, retarget, stand_of
from hums_engine.rig import Rig
from hums_engine.skeleton import INDEX, JOINT_COUNT, JOINTS, PARENTS, TWINS
from tests.engine.reference_body import crouching, resting, swaying, wandering

LEG_NAMES = [f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle", "foot")]
EVERY_JOINT = JointMap(joints=np.arange(JOINT_COUNT), family="test", score=1.0)


def posed(rig: Rig, curves: BoneCurves) -> np.ndarray:
    """Joint positions ``[T, B, 3]`` of the rig with the curves on it, by Blender's rule for pose bones."""
    frames = len(curves.times_s)
    matrices = np.empty((frames, len(rig.names), 4, 4))
    basis = np.tile(np.eye(4), (frames, len(rig.names), 1, 1))
    basis[:, curves.bones, :3, :3] = quat.to_matrix(curves.rotations)
    basis[:, curves.root_bone, :3, 3] = curves.root_locations
    basis[:, curves.loose_bones, :3, 3:] = curves.loose_locations[..., None]
    for b, parent in enumerate(rig.parents):
        local = rig.rest[b] if parent < 0 else np.linalg.inv(rig.rest[parent]) @ rig.rest[b]
        above = np.eye(4) if parent < 0 else matrices[:, parent]
        matrices[:, b] = above @ local @ basis[:, b]
    return matrices[:, :, :3, 3]


def limb_errors(source: np.ndarray, target: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Degrees between the eight long bones of source and target, the source turned by ``turn``."""
    pairs = [(a, b) for upper, lower, end in LIMBS for a, b in ((upper, lower), (lower, end))]
    first, second = map(list, zip(*pairs, strict=True))
    a = quat.rotate(turn, quat.unit(source[:, second] - source[:, first]))
    b = quat.unit(target[:, second] - target[:, first])
    return np.degrees(np.arccos(np.clip(np.sum(a * b, axis=-1), -1, 1)))


@pytest.mark.parametrize("arm_drop_deg", [0, 45, 85])
@pytest.mark.parametrize("yaw_deg", [0, 180, 57])
@pytest.mark.parametrize(("scale", "unit"), [(1.0, 1.0), (0.6, 0.01)])
def test_limbs_point_as_in_the_source_whatever_the_rig_rests_in(
    arm_drop_deg: float, yaw_deg: float, scale: float, unit: float
) -> None:
    motion = wandering()
    rig = resting(arm_drop_deg, yaw_deg, scale, unit)
    target = posed(rig, retarget(motion, rig, EVERY_JOINT, RetargetOptions(placement="source")))
    assert limb_errors(motion.positions, target, quat.IDENTITY).max() < 0.01


def test_a_motion_placed_on_the_rig_starts_where_it_stands_and_faces_as_it_rests() -> None:
    motion, rig = wandering(), resting(yaw_deg=180)
    rig = replace(rig, rest=rig.rest + np.pad(np.array([[5.0], [2.0], [0.0]]), ((0, 1), (3, 0)))[None])
    target = posed(rig, retarget(motion, rig, EVERY_JOINT))
    hips = target[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1)
    np.testing.assert_allclose(hips[0, :2], [5.0, 2.0], atol=1e-4)
    source = motion.positions[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1)
    walked, walked_source = (np.linalg.norm(p[-1, :2] - p[0, :2]) for p in (hips, source))
    assert walked == pytest.approx(walked_source, rel=1e-3)


def test_the_path_scales_with_the_legs() -> None:
    motion = wandering()
    path = {
        scale: posed(rig, retarget(motion, rig, EVERY_JOINT, RetargetOptions(placement="source")))[:, 0]
        for scale in (1.0, 0.5)
        for rig in [resting(scale=scale)]
    }
    np.testing.assert_allclose(np.ptp(path[0.5], axis=0), 0.5 * np.ptp(path[1.0], axis=0), rtol=0.02)


def test_in_place_keeps_the_figure_over_its_start_and_still_lets_it_bob() -> None:
    motion, rig = wandering(), resting()
    target = posed(rig, retarget(motion, rig, EVERY_JOINT, RetargetOptions(root="in_place")))
    hips = target[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1)
    assert np.ptp(hips[:, :2], axis=0).max() < 1e-4
    assert np.ptp(hips[:, 2]) > 0.05


def hips_of(joints: np.ndarray) -> np.ndarray:
    return joints[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1)


def test_the_way_over_the_ground_can_be_given_to_the_object() -> None:
    motion, rig = wandering(), resting(yaw_deg=30)
    whole = posed(rig, retarget(motion, rig, EVERY_JOINT))
    curves = retarget(motion, rig, EVERY_JOINT, RetargetOptions(root="object"))
    target = posed(rig, curves)
    assert np.ptp(hips_of(target)[:, :2], axis=0).max() < 1e-4
    np.testing.assert_allclose(target + curves.travel[:, None], whole, atol=1e-4)


@pytest.mark.parametrize("anchor", [0, 12])
def test_a_motion_goes_on_from_where_a_pose_stands_and_faces(anchor: int) -> None:
    """The rig is posed by a frame of another motion; the clip's anchor must stand and face as that frame does."""
    rig, motion = resting(45, yaw_deg=57), wandering()
    before = retarget(wandering(seed=8), rig, EVERY_JOINT)
    pelvis = rig.rest[0].copy()
    pelvis[:3, :3] = rig.rest[0, :3, :3] @ quat.to_matrix(before.rotations[20, 0])
    pelvis[:3, 3] = posed(rig, before)[20, 0]
    stand = stand_of(rig, EVERY_JOINT, pelvis)
    np.testing.assert_allclose(stand[:2], hips_of(posed(rig, before))[20, :2], atol=1e-6)
    options = RetargetOptions(stand=stand, anchor_s=anchor / motion.fps)
    after = retarget(motion, rig, EVERY_JOINT, options)
    joints = posed(rig, after)
    np.testing.assert_allclose(hips_of(joints)[anchor, :2], stand[:2], atol=1e-4)
    pelvis[:3, :3] = rig.rest[0, :3, :3] @ quat.to_matrix(after.rotations[anchor, 0])
    pelvis[:3, 3] = joints[anchor, 0]
    np.testing.assert_allclose(stand_of(rig, EVERY_JOINT, pelvis), stand, atol=1e-4)


def test_a_stand_is_told_of_rigs_whose_objects_are_scaled() -> None:
    small, large = resting(45, yaw_deg=57, unit=0.01), resting(45, yaw_deg=57)
    expected = Stand(0.0, 0.0, np.radians(57 - 90))
    for rig in (small, large):
        np.testing.assert_allclose(stand_of(rig, EVERY_JOINT, rig.rest[0]), expected, atol=1e-6)


@pytest.mark.parametrize("root", ["motion", "object"])
def test_a_motion_lands_upright_under_a_tilted_parent(root: Literal["motion", "object"]) -> None:
    motion, rig = wandering(), replace(resting(45, yaw_deg=57), floor=None)
    place, tilt = np.eye(4), np.eye(4)
    place[:3, 3] = 2.0, -1.0, 0.3
    tilt[:3, :3] = quat.to_matrix(quat.from_axis_angle(np.array([0.6, 0.8, 0.0]), 0.7))
    landed = []
    for world in (place, place @ tilt):
        tips = rig.tips @ world[:3, :3].T + world[:3, 3]
        placed = replace(rig, rest=world @ rig.rest, tips=tips, world=world)
        curves = retarget(motion, placed, EVERY_JOINT, RetargetOptions(root=root))
        landed.append(posed(placed, curves) + curves.travel[:, None])
    np.testing.assert_allclose(*landed, atol=1e-6)


@pytest.mark.parametrize("origin_m", [0.0, 0.9])
def test_a_rig_that_rests_with_its_pelvis_on_the_ground_stands_on_it(origin_m: float) -> None:
    """As importers leave a figure; one that was put up with its feet on the ground of the world stays there."""
    motion, standing = wandering(), replace(resting(), floor=None)
    landed = posed(standing, retarget(motion, standing, EVERY_JOINT))
    soles = np.array([0.0, 0.0, min(standing.tips[:, 2].min(), standing.heads[:, 2].min())])
    down = np.array([0.0, 0.0, origin_m - standing.heads[0, 2]])
    rest = standing.rest.copy()
    rest[:, :3, 3] += down
    lowered = replace(standing, rest=rest, tips=standing.tips + down, floor=origin_m)
    expected = landed - soles if origin_m == 0.0 else landed + down
    np.testing.assert_allclose(posed(lowered, retarget(motion, lowered, EVERY_JOINT)), expected, atol=1e-6)


def test_a_motion_lands_the_right_way_round_on_a_rig_whose_object_is_mirrored() -> None:
    motion, rig, world = wandering(), resting(arm_drop_deg=30), np.diag([-1.5, 1.5, 1.5, 1.0])
    rig = replace(rig, rest=world @ rig.rest, tips=rig.tips @ world[:3, :3], world=world)
    curves = retarget(motion, rig, EVERY_JOINT, RetargetOptions(placement="source"))
    seen = posed(rig, curves)[:, TWINS]
    assert limb_errors(motion.positions, seen, quat.IDENTITY).max() < 0.01
    unmoved = stand_of(rig, EVERY_JOINT, rig.rest[0])
    np.testing.assert_allclose(unmoved.heading, -np.pi / 2, atol=1e-6)


def test_the_mirror_image_of_a_motion_lands_as_the_mirror_image() -> None:
    motion, rig = wandering(), resting()
    plain = posed(rig, retarget(motion, rig, EVERY_JOINT, RetargetOptions(placement="source")))
    mirrored = posed(rig, retarget(motion.mirror_image(), rig, EVERY_JOINT, RetargetOptions(placement="source")))
    np.testing.assert_allclose(mirrored[:, TWINS] * [-1.0, 1.0, 1.0], plain, atol=1e-4)
    np.testing.assert_allclose(motion.mirror_image().mirror_image().rotations, motion.rotations)


def test_planted_feet_do_not_slide_on_legs_of_other_proportions() -> None:
    """The rig's shins are half as long again as the body's that stood: it sways, and its feet must not."""
    motion = swaying()
    rig = resting()
    stretched = rig.rest.copy()
    for side in ("left", "right"):
        below = [INDEX[f"{side}_{name}"] for name in ("ankle", "foot")]
        stretched[below, 2, 3] -= 0.2
    rig = replace(rig, rest=stretched, tips=stretched[:, :3, 3])
    slides = {}
    for plant in (False, True):
        target = posed(rig, retarget(motion, rig, EVERY_JOINT, RetargetOptions(plant_feet=plant)))
        ankles = target[:, [INDEX["left_ankle"], INDEX["right_ankle"]], :2]
        slides[plant] = np.linalg.norm(np.diff(ankles, axis=0), axis=-1).mean() * motion.fps * 100
    assert slides[False] > 1.0
    assert slides[True] < 1.0


def test_a_crouch_on_long_thighs_moves_the_hips_and_not_the_feet() -> None:
    """Thighs half as long again as the shins would carry both feet ahead as they rise."""
    motion, rig = crouching(), resting()
    rest = rig.rest.copy()
    for side in ("left", "right"):
        rest[INDEX[f"{side}_knee"], 2, 3] -= 0.08
    rig = replace(rig, rest=rest, tips=rest[:, :3, 3])
    options = RetargetOptions(placement="source")
    target = posed(rig, retarget(motion, rig, EVERY_JOINT, options))
    ankles = target[:, [INDEX["left_ankle"], INDEX["right_ankle"]], :2]
    slide = np.linalg.norm(np.diff(ankles, axis=0), axis=-1).mean() * motion.fps * 100
    assert slide < 2.0
    assert limb_errors(motion.positions, target, quat.IDENTITY).max() < 3.0
    hips = rest_pose.hips(target)
    assert 0.02 < np.ptp(hips[:, 1]) < 0.1
    np.testing.assert_allclose(hips[0, :2], rest_pose.hips(motion.positions.astype(float))[0, :2], atol=1e-6)


def test_keys_come_at_the_rate_that_is_asked_for_and_last_as_long() -> None:
    motion, rig = wandering(frames=61), resting()
    curves = retarget(motion, rig, EVERY_JOINT, fps=24.0)
    assert curves.times_s[-1] == pytest.approx(motion.duration_s, abs=1 / 24)
    np.testing.assert_allclose(np.diff(curves.times_s), 1 / 24)


def test_rotation_curves_never_take_the_long_way_round() -> None:
    curves = retarget(wandering(), resting(45), EVERY_JOINT)
    assert (np.sum(curves.rotations[1:] * curves.rotations[:-1], axis=-1) > 0).all()


def test_bones_between_mapped_ones_ride_along() -> None:
    """A twist bone inside the forearm, not mapped, must not spoil what hangs below it."""
    plain = resting(45)
    wrist, elbow = INDEX["left_wrist"], INDEX["left_elbow"]
    names = (*JOINTS[:wrist], "twist", *JOINTS[wrist:])
    order = np.array([*range(wrist), -1, *range(wrist, JOINT_COUNT)])
    new_index = {old: i for i, old in enumerate(order) if old >= 0}
    parents = np.array([-1 if o == 0 else elbow if o < 0 else new_index[PARENTS[o]] for o in order])
    parents[wrist + 1] = wrist
    twist = np.eye(4)
    twist[:3, 3] = plain.heads[[elbow, wrist]].mean(axis=0)
    rest = np.insert(plain.rest, wrist, twist, axis=0)
    rig = Rig(names, parents, rest, tips=rest[:, :3, 3])
    joint_map = JointMap(np.array([new_index[j] for j in range(JOINT_COUNT)]), "test", 1.0)
    motion = wandering()
    target = posed(rig, retarget(motion, rig, joint_map, RetargetOptions(placement="source")))
    assert limb_errors(motion.positions, target[:, joint_map.joints], quat.IDENTITY).max() < 0.01


def test_world_rotations_are_the_products_of_local_ones() -> None:
    motion = wandering()
    world = motion.rotations.astype(np.float64)
    local = world.copy()
    local[:, 1:] = quat.mul(quat.inv(world[:, PARENTS[1:]]), world[:, 1:])
    assert quat.angle(accumulate(local, PARENTS), world).max() < 1e-3


def test_legs_that_no_parent_ties_to_the_pelvis_move_with_it() -> None:
    motion, rig = wandering(), resting(arm_drop_deg=45)
    parents = rig.parents.copy()
    parents[[INDEX["left_hip"], INDEX["right_hip"]]] = -1
    whole, apart = (posed(r, retarget(motion, r, EVERY_JOINT)) for r in (rig, replace(rig, parents=parents)))
    np.testing.assert_allclose(apart, whole, atol=1e-6)


def test_a_pelvis_that_is_tied_to_its_parent_is_carried_by_it() -> None:
    """Blender ignores the location of a connected bone: the path must be on the bone above."""
    motion, plain = wandering(), resting()
    root = np.eye(4)
    root[:3, 3] = [0.0, 0.0, 0.2]
    rest = np.concatenate([root[None], plain.rest])
    rig = Rig(("root", *JOINTS), np.concatenate([[-1], PARENTS + 1]), rest, rest[:, :3, 3])
    joint_map = JointMap(np.arange(JOINT_COUNT) + 1, "test", 1.0)
    connected = np.arange(JOINT_COUNT + 1) == 1
    free, tied = (retarget(motion, r, joint_map) for r in (rig, replace(rig, connected=connected)))
    assert (free.root_bone, tied.root_bone) == (1, 0)
    np.testing.assert_allclose(posed(rig, tied)[:, 1:], posed(rig, free)[:, 1:], atol=1e-6)


def test_a_trunk_of_other_proportions_leans_as_the_source_does() -> None:
    """One long bone below, one short above: copied turn by turn, the shoulders would be elsewhere."""
    motion, rig = wandering(), resting()
    rest = rig.rest.copy()
    above = [j for j, name in enumerate(JOINTS) if name not in ("pelvis", "spine1", "spine2", *LEG_NAMES)]
    rest[above, 2, 3] += 0.25
    joints = np.arange(JOINT_COUNT)
    joints[INDEX["spine2"]] = -1
    rig = replace(rig, rest=rest, tips=rest[:, :3, 3])
    options = RetargetOptions(placement="source")
    target = posed(rig, retarget(motion, rig, JointMap(joints, "test", 1.0), options))
    a, b = (rest_pose.trunk_direction(p.astype(float)) for p in (motion.positions, target))
    assert np.degrees(np.arccos(np.clip(np.sum(a * b, axis=-1), -1, 1))).max() < 1.0


def test_hands_come_where_the_sources_are_when_they_are_asked_to_reach() -> None:
    """Upper arms longer by a fifth: hands that met would pass each other."""
    motion, rig = wandering(), resting()
    rest = rig.rest.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rest[[INDEX[f"{side}_elbow"], INDEX[f"{side}_wrist"]], 0, 3] += sign * 0.05
    rig = replace(rig, rest=rest, tips=rest[:, :3, 3])
    wrists = [INDEX["left_wrist"], INDEX["right_wrist"]]
    apart = {}
    for reach in (False, True):
        options = RetargetOptions(placement="source", reach_hands=reach, plant_feet=False)
        target = posed(rig, retarget(motion, rig, EVERY_JOINT, options))
        hips = rest_pose.hips(motion.positions.astype(float))[:, None] - rest_pose.hips(target)[:, None]
        apart[reach] = np.linalg.norm(target[:, wrists] + hips - motion.positions[:, wrists], axis=-1).max()
    assert apart[False] > 0.03
    assert apart[True] < 0.005


def test_joints_that_either_side_lacks_leave_no_key_without_a_number() -> None:
    rng, motion = np.random.default_rng(1), wandering(frames=12)
    for _ in range(40):
        valid = motion.valid.copy()
        valid[rng.choice(np.arange(1, JOINT_COUNT), rng.integers(0, 9), replace=False)] = False
        source = replace(motion, valid=valid, positions=np.where(valid[:, None], motion.positions, 0))
        joints = np.arange(JOINT_COUNT)
        joints[rng.choice(np.arange(1, JOINT_COUNT), rng.integers(0, 8), replace=False)] = -1
        options = RetargetOptions(reach_hands=True)
        curves = retarget(source, resting(45), JointMap(joints, "test", 1.0), options)
        assert np.isfinite(curves.rotations).all(), (valid, joints)
        assert np.isfinite(curves.root_locations).all(), (valid, joints)
