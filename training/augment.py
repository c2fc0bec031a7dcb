# SPDX-License-Identifier: GPL-3.0-or-later
"""What may happen to a motion without making it another one, on whole batches of torch tensors.

Everything works on padded batches ``joints [N, T, 22, 3]``, ``valid [N, 22]`` bool, ``length [N]``, in the
space of `hums_engine.normalize`. `place` is that module's twin in torch: what was cut or disturbed is brought
back to where the engine would have put it, so that training sees what the product sees.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from hums_engine import rest_pose, skeleton
from hums_engine.normalize import FPS
from hums_engine.skeleton import INDEX

_PARENTS = tuple(int(parent) for parent in skeleton.PARENTS)
_REFERENCE = torch.from_numpy(skeleton.REFERENCE).float()
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]
_SHOULDERS = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]
_TOES = [INDEX["left_foot"], INDEX["right_foot"]]
_ROOT = [INDEX["pelvis"], *_HIPS]
_LEGS = rest_pose.LEGS
_LIMBS = [
    [name in {f"{side}_{joint}" for joint in joints} for name in INDEX]
    for side in ("left", "right")
    for joints in (("elbow", "wrist"), ("knee", "ankle", "foot"))
]
_TWINS = torch.from_numpy(skeleton.TWINS)
_UPPER = torch.tensor([not any(word in name for word in ("pelvis", "hip", "knee", "ankle", "foot")) for name in INDEX])
_TRUNK_LENGTH = float((_REFERENCE[_SHOULDERS].mean(dim=0) - _REFERENCE[_HIPS].mean(dim=0)).norm())
_HEADING_FRAMES = max(1, round(0.25 * FPS))


class Batch(NamedTuple):
    """Padded motions: ``joints [N, T, 22, 3]`` metres, ``valid [N, 22]`` bool, ``length [N]`` frames."""

    joints: Tensor
    valid: Tensor
    length: Tensor


def inside(length: Tensor, frames: int) -> Tensor:
    """``[N, frames]`` bool: which frames of a padded batch belong to the motion."""
    return torch.arange(frames, device=length.device)[None, :] < length[:, None]


def sample(frames: Tensor, at: Tensor) -> Tensor:
    """Reads frames ``[F, 22, 3]`` at fractional places ``at [N, T]``, blending between neighbours."""
    before = at.floor().long().clamp(0, len(frames) - 1)
    after = (before + 1).clamp_max(len(frames) - 1)
    part = (at - before)[..., None, None]
    return torch.lerp(frames[before], frames[after], part)


def faster(batch: Batch) -> Batch:
    """Every other frame (the paper's faster copy)."""
    return Batch(batch.joints[:, ::2], batch.valid, (batch.length + 1) // 2)


def slower(batch: Batch) -> Batch:
    """A frame interpolated between every two (the paper's slower copy)."""
    joints = batch.joints
    between = (joints[:, 1:] + joints[:, :-1]) / 2
    woven = torch.stack([joints[:, :-1], between], dim=2).flatten(1, 2)
    return Batch(torch.cat([woven, joints[:, -1:]], dim=1), batch.valid, batch.length * 2 - 1)


def drop_joints(valid: Tensor, share: float | Tensor) -> Tensor:
    """``valid [N, 22]`` without a random ``share`` of the joints of each row (one, or ``[N]``), for all its frames.

    One of the pelvis and the hips stays, since a body without them cannot be placed.
    """
    count = torch.as_tensor(share * valid.shape[1]).round().reshape(-1, 1)
    order = torch.rand(valid.shape, device=valid.device).argsort(dim=1).argsort(dim=1)
    kept = valid & (order >= count)
    rootless = ~kept[:, _ROOT].any(dim=1)
    kept[rootless, INDEX["pelvis"]] = valid[rootless, INDEX["pelvis"]]
    return kept


def drop_limbs(valid: Tensor, chance: float) -> Tensor:
    """``valid [N, 22]`` without one whole arm or leg, below its first joint, in a share ``chance`` of the rows."""
    limb = torch.tensor(_LIMBS)[torch.randint(len(_LIMBS), (len(valid),))]
    hit = torch.rand(len(valid)) < chance
    return valid & ~(limb & hit[:, None])


def mirror(batch: Batch) -> Batch:
    """Left and right exchanged."""
    joints = batch.joints[:, :, _TWINS] * torch.tensor([-1.0, 1.0, 1.0])
    return batch._replace(joints=joints, valid=batch.valid[:, _TWINS])


def recombine(lower: Batch, upper: Batch) -> Batch:
    """The legs of one motion under the trunk and arms of another of the same lengths, frame by frame.

    The upper body is set on the hips of the lower one and turned to its heading.
    """
    root, other = _root(_seen(lower)), _root(_seen(upper))
    turn = _heading(_seen(lower)) - _heading(_seen(upper))
    about = (upper.joints - other[:, :, None]).flatten(0, 1)[:, None]
    body = _turned(about, turn.flatten())[:, 0].reshape(upper.joints.shape) + root[:, :, None]
    joints = torch.where(_UPPER[:, None], body, lower.joints)
    return Batch(joints.nan_to_num(0.0), torch.where(_UPPER, upper.valid, lower.valid), lower.length)


def exaggerate(batch: Batch, factor: Tensor) -> Batch:
    """Every joint's way from its mean place about the hips, made larger or smaller by ``factor [N]``."""
    root = _root(_seen(batch))[:, :, None]
    about = batch.joints - root
    within = inside(batch.length, about.shape[1])[..., None, None].float()
    mean = (about * within).sum(dim=1, keepdim=True) / within.sum(dim=1, keepdim=True)
    return batch._replace(joints=root + mean + (about - mean) * factor[:, None, None, None])


def add_noise(batch: Batch, metres: Tensor) -> Batch:
    """Gaussian noise of the deviation ``metres [N]`` on every coordinate of every frame."""
    return batch._replace(joints=batch.joints + torch.randn_like(batch.joints) * metres[:, None, None, None])


def move_markers(batch: Batch, metres: float) -> Batch:
    """Each joint of each motion moved by one random step for all its frames: another rig puts its joints elsewhere."""
    return batch._replace(joints=batch.joints + torch.randn_like(batch.joints[:, :1]) * metres)


def turn(batch: Batch, angle: Tensor) -> Batch:
    """Each motion turned about the vertical by its ``angle [N]`` radians."""
    return batch._replace(joints=_turned(batch.joints, angle))


def place(batch: Batch) -> Batch:
    """`hums_engine.normalize.normalize` for joints at its frame rate.

    Origin under the hips at the start, facing -Y at the start, floor at zero, bones at the reference body's
    length (a joint hangs on its nearest ancestor that is valid), missing joints and padding zero.
    """
    joints = _seen(batch)
    joints = _turned(joints, -_start_heading(joints, batch.length))
    root = _root(joints)
    start = torch.stack([root[:, 0, 0], root[:, 0, 1], _floor(joints, root, batch.length)], dim=1)
    path = (root - start[:, None]) * _leg_scale(joints, root, batch.length)[:, None, None]
    joints = _hung(joints, root, batch.valid) + path[:, :, None]
    keep = batch.valid[:, None, :] & inside(batch.length, joints.shape[1])[..., None]
    return batch._replace(joints=torch.where(keep[..., None], joints, 0.0))


def _seen(batch: Batch) -> Tensor:
    """The joints, NaN where missing."""
    return torch.where(batch.valid[:, None, :, None], batch.joints, torch.nan)


def _turned(joints: Tensor, angle: Tensor) -> Tensor:
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    x, y, z = joints.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], dim=-1)


def _root(joints: Tensor) -> Tensor:
    """`hums_engine.rest_pose.hips` of every frame ``[N, T, 3]``."""
    left, right, pelvis = (joints[:, :, INDEX[name]] for name in ("left_hip", "right_hip", "pelvis"))
    across = _between(joints, "shoulder")
    bones = [(joints[:, :, b] - joints[:, :, a]).norm(dim=-1) for leg in _LEGS for a, b in pairwise(leg)]
    inward = across * (rest_pose.HALF_HIPS * torch.stack(bones, dim=-1).nanmean(dim=-1, keepdim=True))
    found = (left + right) / 2
    for instead in (left - inward, right + inward, pelvis, left, right):
        found = torch.where(found.isnan(), instead, found)
    return found


def _leg_scale(joints: Tensor, root: Tensor, length: Tensor) -> Tensor:
    """How much larger ``[N]`` the reference body is, by thigh and shin, or by the trunk where no leg is whole."""
    shown = inside(length, joints.shape[1])[..., None]
    bones = [
        (joints[:, :, b] - joints[:, :, a]).norm(dim=-1) + (joints[:, :, c] - joints[:, :, b]).norm(dim=-1)
        for a, b, c in _LEGS
    ]
    legs = torch.where(shown, torch.stack(bones, dim=-1), torch.nan).nanquantile(0.5, dim=1).nanmean(dim=1)
    trunks = (joints[:, :, _SHOULDERS].nanmean(dim=2) - root).norm(dim=-1, keepdim=True)
    trunk = torch.where(shown, trunks, torch.nan).nanquantile(0.5, dim=1)[:, 0]
    by_trunk = (_TRUNK_LENGTH / trunk).nan_to_num(1.0)
    return torch.where(legs.isnan(), by_trunk, skeleton.LEG_LENGTH / legs)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def _start_heading(joints: Tensor, length: Tensor) -> Tensor:
    """Radians ``[N]`` from -Y to where the figure faces in the first quarter second."""
    joints = joints[:, :_HEADING_FRAMES]
    return _facing((_across(joints) * inside(length, joints.shape[1])[..., None]).sum(dim=1))


def _heading(joints: Tensor) -> Tensor:
    """Radians ``[N, T]`` from -Y to where the figure faces in each frame."""
    return _facing(_across(joints))


def _across(joints: Tensor) -> Tensor:
    """Unit direction ``[N, T, 3]`` from right to left, over hips and shoulders together."""
    return _unit(_between(joints, "hip").nan_to_num() + _between(joints, "shoulder").nan_to_num())


def _between(joints: Tensor, name: str) -> Tensor:
    """`hums_engine.rest_pose.across` of every frame ``[N, T, 3]``."""
    left, right = (joints[:, :, INDEX[f"{side}_{name}"]] for side in ("left", "right"))
    found = left - right
    for middle in rest_pose.BETWEEN[name]:
        between = joints[:, :, INDEX[middle]]
        for instead in (left - between, between - right):
            found = torch.where(found.isnan(), instead, found)
    return _unit(found)


def _facing(across: Tensor) -> Tensor:
    """The angle ``[...]`` of the heading that is square to ``across [..., 3]``; 0 where that stands upright."""
    seen = across[..., :2].norm(dim=-1) > 1e-6
    return torch.where(seen, torch.atan2(across[..., 1], across[..., 0]), 0.0)


def _floor(joints: Tensor, root: Tensor, length: Tensor) -> Tensor:
    """Height ``[N]`` of the floor: a low percentile of the lower ankle; of the toes or the root where there is none."""
    lowest = root[:, :, 2]
    for feet in (_TOES, _ANKLES):
        height = joints[:, :, feet, 2].nan_to_num(torch.inf).amin(dim=2)
        lowest = torch.where(height.isinf(), lowest, height)
    return torch.where(inside(length, lowest.shape[1]), lowest, torch.nan).nanquantile(0.02, dim=1)


def _hung(joints: Tensor, root: Tensor, valid: Tensor) -> Tensor:
    """Joints about the root with bones of the reference body's length; ``[N, T, 22, 3]``, NaN where not valid.

    The nearest valid ancestor differs by row, so both it and what hangs on it are gathered row by row.
    """
    rows = torch.arange(len(joints), device=joints.device)
    anchor_of = torch.zeros(valid.shape, dtype=torch.long, device=joints.device)  # 0: hangs on the root
    reference_root = _REFERENCE[_HIPS].mean(dim=0)
    rest = torch.cat([reference_root[None], _REFERENCE[1:]]).to(joints)
    start = torch.cat([root[:, :, None], joints[:, :, 1:]], dim=2)
    placed = torch.zeros_like(joints)
    body = torch.full_like(joints, torch.nan)
    for j, parent in enumerate(_PARENTS):
        if parent > 0:
            anchor_of[:, j] = torch.where(valid[:, parent], parent, anchor_of[:, parent])
        anchor = anchor_of[:, j]
        bone = (_REFERENCE[j].to(joints) - rest[anchor]).norm(dim=-1)
        direction = _unit(joints[:, :, j] - start[rows, :, anchor])
        body[:, :, j] = placed[rows, :, anchor] + bone[:, None, None] * direction
        if j > 0:
            placed[:, :, j] = body[:, :, j]
    return body
