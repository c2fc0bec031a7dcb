# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting: a canonical motion as the local rotations and root locations of any rig.

The canonical rotation of a joint turns the reference pose into the frame. The rig's own rest pose differs from
the reference pose by a known turn (`rest_pose`), so the bone's world rotation *from its rest pose* is the one
times the inverse of the other, and every limb points where the source's pointed, whatever the rig rests in.
Bones that are not mapped keep their rest pose relative to their parents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import floors, foot_planting, in_between_bones, proportions, quat, rest_pose, skeleton, soles, two_bones
from .canonical import CanonicalMotion
from .mapping import JointMap
from .normalize import leg_length
from .rig import Rig
from .skeleton import INDEX

Array = NDArray[np.float64]

_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]
_BALLS = [INDEX["left_foot"], INDEX["right_foot"]]
_LEGS = np.array(rest_pose.LEGS)
_MOST_SHIFT = 0.03
"""In leg lengths: how far a planted foot is brought over the ground, before its leg would point elsewhere."""
_RUNNING_PERCENTILE = 25
_SLACK = 0.006
"""In leg lengths: how far from its height a planted foot is left, since straight knees bend much for little."""


class Stand(NamedTuple):
    """Where a figure stands and faces, seen from above.

    Attributes:
        x: metres, of the point midway between the hips.
        y: metres.
        heading: radians from the world's +X to where the pelvis faces.
    """

    x: float
    y: float
    heading: float


@dataclass(frozen=True)
class RetargetOptions:
    """How a motion lands on a rig.

    Attributes:
        root: "motion" moves the figure as recorded; "in_place" keeps it over its start; "object" does so too, and
            gives the way over the ground for the rig's object.
        placement: "rig" starts where the rig stands, facing as it rests; "source" keeps the recorded place and heading.
        stand: where to start and which way to face instead, such as where the rig's pose is now; goes before placement.
        anchor_s: the second of the motion that is brought to the start: what lies before it leads up to it.
        scale: size of the path; 0 takes the ratio of the legs.
        plant_feet: hold feet on the spot while they stand in the source, and toes above the floor, by bending the legs.
        reach_hands: bring the hands where the source's are, seen from the hips and at the rig's size, by bending the
            arms; else arms point as the source's do.
    """

    root: Literal["motion", "in_place", "object"] = "motion"
    placement: Literal["rig", "source"] = "rig"
    stand: Stand | None = None
    anchor_s: float = 0.0
    scale: float = 0.0
    plant_feet: bool = True
    reach_hands: bool = False

    @property
    def starts_as_recorded(self) -> bool:
        """Whether the recorded place and heading are kept."""
        return self.stand is None and self.placement == "source"


@dataclass(frozen=True, eq=False)
class BoneCurves:
    """Keys of a rig's bones, in each bone's own axes as Blender's pose channels hold them.

    Attributes:
        times_s: ``[T]`` seconds from the start.
        bones: ``[K]`` indices of the turned bones.
        rotations: ``[T, K, 4]`` pose rotations, w first, without sign flips between frames.
        root_bone: index of the bone that carries the path.
        root_locations: ``[T, 3]`` pose locations of it.
        loose_bones: ``[L]`` indices of bones that must be carried along, since no parent ties them to the root bone.
        loose_locations: ``[T, L, 3]`` pose locations of them.
        travel: ``[T, 3]`` metres that the rig's object moves in the world, from where it stands.
        joints: ``[T, 22, 3]`` where the figure's joints are in the world, without the travel.
        turns: ``[T, 22, 4]`` turns of its joints from the rig's rest, in the world.
    """

    times_s: Array
    bones: NDArray[np.intp]
    rotations: Array
    root_bone: int
    root_locations: Array
    loose_bones: NDArray[np.intp]
    loose_locations: Array
    travel: Array
    joints: Array
    turns: Array


def retarget(
    motion: CanonicalMotion,
    rig: Rig,
    joint_map: JointMap | None = None,
    options: RetargetOptions | None = None,
    fps: float = 0.0,
) -> BoneCurves:
    """Puts a motion on a rig.

    Args:
        motion: what to play.
        rig: what plays it.
        joint_map: which bones are the canonical joints; found when None.
        options: how it lands.
        fps: frames a second of the keys; 0 keeps the motion's.

    Raises:
        MappingError: the rig is not that of a human figure.
    """
    joint_map = rig.sides_as_seen(joint_map or rig.map())
    rig = rig.upright(joint_map)
    options = options or RetargetOptions()
    motion = motion.resampled(fps) if fps > 0 else motion
    body = _body(rig, joint_map)
    hips, turns = _fitted(motion, rig, joint_map, body, options)
    travel = (hips - hips[_anchor(motion, options)]) * [1.0, 1.0, 0.0]
    if options.root != "motion":
        hips = hips - travel
    joints = np.flatnonzero(joint_map.valid & _turns(motion, options.plant_feet))
    loose = _loose_bones(rig, joint_map, body.rest)
    wanted = {bone: turns[:, joint] for bone, joint in loose.items()}
    wanted |= {int(joint_map.joints[j]): turns[:, j] for j in joints}
    if _spreads(rig):
        wanted |= in_between_bones.spread(rig.parents, rig.heads, joint_map.joints, wanted)
    deltas = _bone_deltas(rig, wanted)
    root_bone = _root_bone(rig, joint_map)
    figure = hips[:, None] + proportions.posed(turns, body.rest, body.bends)
    carried = [_locations(rig, b, deltas, _carried(rig, b, j, figure, turns, body.rest)) for b, j in loose.items()]
    bones = np.array(sorted(wanted), dtype=np.intp)
    return BoneCurves(
        times_s=np.arange(motion.frame_count) / motion.fps,
        bones=bones,
        rotations=quat.unroll(_pose_rotations(rig, bones, deltas)),
        root_bone=root_bone,
        root_locations=_locations(rig, root_bone, deltas, _root_heads(rig, joint_map, root_bone, deltas, figure)),
        loose_bones=np.array(list(loose), dtype=np.intp),
        loose_locations=np.stack(carried, axis=1) if carried else np.empty((motion.frame_count, 0, 3)),
        travel=travel if options.root == "object" else np.zeros_like(travel),
        joints=figure,
        turns=turns if rig.tilt is None else quat.mul(turns, quat.inv(rig.tilt)),
    )


class _Body(NamedTuple):
    """A rig as a figure at rest.

    Attributes:
        rest: ``[22, 3]`` its joints, NaN where missing.
        bends: the ways through its trunk.
        floor: height that it stands on.
        ankle: height of its ankles over that.
        leg: length of its legs; where it has no knees, how high its hips are over its ankles.
    """

    rest: Array
    bends: in_between_bones.Bends
    floor: float
    ankle: float
    leg: float


def _body(rig: Rig, joint_map: JointMap) -> _Body:
    rest = rig.joints(joint_map)
    bends = in_between_bones.bends(rig.parents, rig.heads, joint_map.joints) if _spreads(rig) else {}
    floor, ankle = floors.rest_floor(rig, joint_map, rest)
    leg = leg_length(rest)
    return _Body(rest, bends, floor, ankle, leg if np.isfinite(leg) else float(rest_pose.hips(rest)[2]) - floor - ankle)


def _spreads(rig: Rig) -> bool:
    """Whether bones between joints are turned; what is between the controls of a control rig, constraints move."""
    return rig.carriers is None


def _fitted(
    motion: CanonicalMotion, rig: Rig, joint_map: JointMap, body: _Body, options: RetargetOptions
) -> tuple[Array, Array]:
    """The motion on the rig's body: where its hips are ``[T, 3]``, and turns from rest of its joints ``[T, 22, 4]``."""
    turn, rest = _placement_turn(motion, body.rest, options), body.rest
    source = quat.rotate(turn, np.where(motion.valid[:, None], motion.positions.astype(np.float64), np.nan))
    ratio = proportions.size(source, rest, body.floor)
    turns = quat.mul(quat.mul(turn, motion.rotations), quat.inv(rest_pose.from_reference(rest, joint_map.valid)))
    turns = proportions.with_whole_limbs(turns, source, rest)
    turns = proportions.with_own_sway(turns, source, rest, ratio, motion.fps, _anchor(motion, options))
    turns = proportions.with_source_lean(turns, source, rest, body.bends)
    if options.reach_hands:
        turns = proportions.with_hands_reaching(turns, source, rest, body.bends, ratio)
    hips = _hip_path(motion, turn, body, ratio, options)
    hips, turns = _standing(motion, source, body, hips, turns, ratio, options)
    if options.plant_feet:
        hips, turns = _out_of_the_floor(rig, joint_map, body, hips, turns, motion, source)
    return hips + floors.out_of_the_ground(rig, rest, body.floor, body.leg) * rest_pose.UP, turns


def stand_of(rig: Rig, joint_map: JointMap, pelvis: Array) -> Stand:
    """Where a rig stands and faces whose pelvis bone is posed as ``pelvis`` ``[4, 4]`` in the world."""
    joint_map = rig.sides_as_seen(joint_map)
    rig = rig.upright(joint_map)
    bone = int(joint_map.joints[INDEX["pelvis"]])
    rest = rig.joints(joint_map)
    axes = pelvis[None, :3, :3] @ np.linalg.inv(rig.rest[bone, :3, :3])
    turned = quat.from_matrix(without_scale(axes)[0])
    x, y, _ = pelvis[:3, 3] + _hips_from_root(rest, turned)
    forward = quat.rotate(quat.mul(turned, rest_pose.heading(rest)), rest_pose.FORWARD)
    return Stand(float(x), float(y), float(np.arctan2(forward[1], forward[0])))


def _turns(motion: CanonicalMotion, bend_toes: bool) -> NDArray[np.bool_]:
    """Which joints ``[22]`` have a rotation to give: all do, but toes without data would only repeat the foot."""
    turns = np.ones(skeleton.JOINT_COUNT, dtype=bool)
    turns[_BALLS] = motion.valid[_BALLS] | bend_toes
    return turns


def _placement_turn(motion: CanonicalMotion, rest: Array, options: RetargetOptions) -> Array:
    """The turn ``[4]`` about the vertical from the recorded heading to the rig's or the stand's, or none."""
    if options.starts_as_recorded:
        return quat.IDENTITY
    start = quat.rotate(motion.rotations[_anchor(motion, options), INDEX["pelvis"]], rest_pose.FORWARD)
    facing = quat.rotate(rest_pose.heading(rest), rest_pose.FORWARD)
    if options.stand is not None:
        facing = np.array([np.cos(options.stand.heading), np.sin(options.stand.heading), 0.0])
    flat = np.hypot(start[0], start[1])
    return rest_pose.about_vertical(start, facing) if flat > 0.2 else quat.IDENTITY


def _anchor(motion: CanonicalMotion, options: RetargetOptions) -> int:
    """The frame that is brought to the start."""
    return min(max(round(options.anchor_s * motion.fps), 0), motion.frame_count - 1)


def _loose_bones(rig: Rig, joint_map: JointMap, rest: Array) -> dict[int, int]:
    """Top bones of parts of the figure that do not hang on the pelvis, and the joint that each must move with."""
    if rig.carriers is not None:
        return {}
    found: dict[int, int] = {}
    main = _top(rig, int(joint_map.joints[INDEX["pelvis"]]))
    for joint in np.flatnonzero(joint_map.valid):
        top = _top(rig, int(joint_map.joints[joint]))
        if top != main:
            found.setdefault(top, proportions.carrier(int(joint), rest))
    return found


def _top(rig: Rig, bone: int) -> int:
    while rig.parents[bone] >= 0:
        bone = int(rig.parents[bone])
    return bone


def _carried(rig: Rig, bone: int, joint: int, figure: Array, from_rest: Array, rest: Array) -> Array:
    """Where a bone's head is ``[T, 3]`` that is carried by a joint."""
    return figure[:, joint] + quat.rotate(from_rest[:, joint], rig.heads[bone] - rest[joint])


def _root_bone(rig: Rig, joint_map: JointMap) -> int:
    """The bone that carries the path: the pelvis, or the first above it that can be given a location."""
    bone = int(joint_map.joints[INDEX["pelvis"]])
    while rig.connected is not None and rig.connected[bone] and rig.parents[bone] >= 0:
        bone = int(rig.parents[bone])
    return bone


def _root_heads(rig: Rig, joint_map: JointMap, root: int, deltas: dict[int, Array], figure: Array) -> Array:
    """Where the root bone's head must be ``[T, 3]`` for the pelvis to be where the figure has it."""
    pelvis = int(joint_map.joints[INDEX["pelvis"]])
    return figure[:, INDEX["pelvis"]] - quat.rotate(deltas[root], rig.heads[pelvis] - rig.heads[root])


def _bone_deltas(rig: Rig, wanted: dict[int, Array]) -> dict[int, Array]:
    """World rotation from rest ``[T, 4]`` of every bone; one that has none of its own turns as what carries it does."""
    deltas = dict(wanted)
    deltas[-1] = np.broadcast_to(quat.IDENTITY if rig.tilt is None else rig.tilt, next(iter(wanted.values())).shape)
    for bone in range(len(rig.names)):
        chain = [bone]
        while chain[-1] not in deltas:
            chain.append(rig.carrier(chain[-1]))
        deltas.update(dict.fromkeys(chain, deltas[chain[-1]]))
    return deltas


def _parent_delta(rig: Rig, bone: int, deltas: dict[int, Array]) -> Array:
    return deltas[rig.carrier(bone)]


def _rest_rotations(rig: Rig) -> Array:
    """World rest rotations ``[B, 4]``: the bones' matrices without scale or shear, by polar decomposition.

    Axes under a mirrored object are told through the origin: a turn is the same in the axes and in their opposites.
    """
    axes = rig.rest[:, :3, :3]
    return quat.from_matrix(without_scale(axes * np.sign(np.linalg.det(axes))[:, None, None]))


def without_scale(axes: Array) -> Array:
    """The rotations ``[N, 3, 3]`` nearest to matrices ``[N, 3, 3]``."""
    u, _, vt = np.linalg.svd(axes)
    mirrored: Array = np.where(np.linalg.det(u @ vt) < 0, -1.0, 1.0)
    turned: Array = u @ (vt * np.stack([np.ones_like(mirrored), np.ones_like(mirrored), mirrored], axis=-1)[:, :, None])
    return turned


def _pose_rotations(rig: Rig, bones: NDArray[np.intp], deltas: dict[int, Array]) -> Array:
    """Pose rotations ``[T, K, 4]``: a bone's turn from rest less its parent's, told in the bone's rest axes."""
    rest = _rest_rotations(rig)
    local = [
        quat.mul(quat.mul(quat.inv(rest[b]), quat.mul(quat.inv(_parent_delta(rig, b, deltas)), deltas[b])), rest[b])
        for b in (int(bone) for bone in bones)
    ]
    return np.stack(local, axis=1)


def _hip_path(motion: CanonicalMotion, turn: Array, body: _Body, ratio: float, options: RetargetOptions) -> Array:
    """Where the rig's hips go ``[T, 3]`` in the world: the source's path from its floor, at the rig's size."""
    joints = np.where(motion.valid[:, None], motion.positions.astype(np.float64), np.nan)
    hips = rest_pose.hips(joints)
    scale = options.scale or ratio
    floor, ankle = floors.source_floor(joints, leg_length(joints))
    height = body.floor + body.ankle + ratio * (hips[:, 2] - floor - (ankle if body.ankle > 0 else 0.0))
    start = np.zeros(3) if options.starts_as_recorded else hips[_anchor(motion, options)]
    path = quat.rotate(turn, hips - start) * scale
    if options.stand is not None:
        path = path + [options.stand.x, options.stand.y, 0.0]
    elif options.placement == "rig":
        path = path + rest_pose.hips(body.rest)
    return np.concatenate([path[:, :2], height[:, None]], axis=-1)


def _standing(
    motion: CanonicalMotion,
    source: Array,
    body: _Body,
    hips: Array,
    turns: Array,
    ratio: float,
    options: RetargetOptions,
) -> tuple[Array, Array]:
    """Hips ``[T, 3]`` and turns ``[T, 22, 4]`` with feet on the floor where the source's stand.

    The hips give first, as little as that may show; planted, the legs bend for the rest.
    """
    rest = body.rest
    if not (np.isfinite(rest[_ANKLES]).all() and motion.valid[_ANKLES].all()):
        return hips, turns
    leg = leg_length(source)
    floor, ankle = floors.source_floor(source, leg)
    heights = body.floor + body.ankle + ratio * (source[:, _ANKLES, 2] - floor - ankle)
    standing = foot_planting.stands(source[:, _ANKLES], motion.fps, leg)
    joints = hips[:, None] + proportions.posed(turns, rest)
    given = np.zeros_like(hips)
    given[:, 2] = proportions.height_given(heights - joints[:, _ANKLES, 2], standing, body.leg, motion.fps)
    if not (options.plant_feet and np.isfinite(rest[_LEGS]).all()):
        return hips + given, turns
    if not options.scale:  # on a path of another size feet slide all along, and hips should not go after them
        ground = foot_planting.ground_given(joints[:, _ANKLES], standing, body.leg, motion.fps)
        given[:, :2] = ground - ground[_anchor(motion, options)]
    joints = joints + given[:, None]
    wanted = foot_planting.planted(joints[:, _ANKLES], heights, standing, _SLACK * body.leg, _MOST_SHIFT * body.leg)
    hip, knee, ankles = (_LEGS[:, i] for i in range(3))
    thigh, shin = two_bones.reach(joints[:, hip], joints[:, knee], joints[:, ankles], wanted)
    bent = turns.copy()
    bent[:, hip] = quat.mul(thigh, turns[:, hip])
    bent[:, knee] = quat.mul(shin, turns[:, knee])
    return hips + given, bent


def _out_of_the_floor(
    rig: Rig, joint_map: JointMap, body: _Body, hips: Array, turns: Array, motion: CanonicalMotion, source: Array
) -> tuple[Array, Array]:
    """Hips ``[T, 3]`` and turns ``[T, 22, 4]`` with no sole in the floor: feet turn; a figure without stands higher."""
    if np.isfinite(body.rest[_ANKLES]).any():
        tips = {ball: rig.tips[joint_map.joints[ball]] for ball in _BALLS if joint_map.valid[ball]}
        joints = hips[:, None] + proportions.posed(turns, body.rest)
        slack = _SLACK * body.leg
        return hips, soles.out_of_the_floor(turns, joints, body.rest, tips, rig.skin, slack, motion.fps)
    if rig.skin is None or not motion.valid[_ANKLES].all():
        return hips, turns
    standing = foot_planting.stands(source[:, _ANKLES], motion.fps, leg_length(source)).any(axis=1)
    if not standing.any():  # it runs, and no foot rests for long
        ankle = source[:, _ANKLES, 2].min(axis=1)
        standing = ankle <= np.percentile(ankle, _RUNNING_PERCENTILE)
    return hips + soles.sunk(hips, turns, body.rest, rig.skin, body.floor, standing) * rest_pose.UP, turns


def _hips_from_root(rest: Array, root_delta: Array) -> Array:
    """From the pelvis bone's head to between the hips ``[T, 3]``, as the pelvis is turned."""
    return quat.rotate(root_delta, rest_pose.hips(rest) - rest[INDEX["pelvis"]])


def _locations(rig: Rig, bone: int, deltas: dict[int, Array], heads: Array) -> Array:
    """Pose locations ``[T, 3]`` that bring the bone's head to ``heads`` ``[T, 3]`` in the world."""
    parent_turn = _parent_delta(rig, bone, deltas)
    axes = rig.rest[bone, :3, :3]
    moved = quat.rotate(quat.inv(parent_turn), heads - rig.standing_heads[bone])
    return np.linalg.solve(axes, moved.T).T
