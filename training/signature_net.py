# SPDX-License-Identifier: GPL-3.0-or-later
"""SignatureNet: the encoder that ships. A convolutional net whose tokens, averaged, are the signature.

One token stands for four frames and sees up to 2.8 s on either side. The signature of any stretch is
the mean of its tokens at unit length, so one pass over a long take gives the signature of the whole and of every
moment in it. Each frame is seen from the figure's own place and heading in that frame, so a token does
not depend on where in a take it lies.

The blocks are those of Liu et al., "A ConvNet for the 2020s" (CVPR 2022), over time instead of an image.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hums_engine.completion import Poses
from hums_engine.skeleton import INDEX

from .augment import Batch, inside
from .model import CHANNELS, JOINTS, SIGNATURE, MotionInput

STRIDE = 4
HEADING_WINDOW = 15  # frames: half a second, over which the heading of a frame is averaged
STRAY_WINDOW = 61  # frames: the two seconds within which a joint strays from its mean
SPEED_WEIGHT = 9.0  # a step of 1 m a frame counts as so many metres: a third of its speed in m/s
STATISTICS = 3  # place, straying, speed
LEFT = [INDEX["left_hip"], INDEX["left_shoulder"]]
RIGHT = [INDEX["right_hip"], INDEX["right_shoulder"]]
HIPS = [INDEX["left_hip"], INDEX["right_hip"]]


class Encoded(NamedTuple):
    """What one pass gives: ``signature [N, 512]`` of unit length and ``tokens [N, ceil(T / 4), 512]``."""

    signature: Tensor
    tokens: Tensor


def frames_within(joints: Tensor, length: Tensor) -> Tensor:
    """``[N, T, 1]`` 1.0 for the first ``length [N]`` frames of ``joints [N, T, ...]``, else 0."""
    frames = torch.arange(joints.shape[1], device=joints.device)[None, :]
    return (frames < length[:, None]).float()[..., None]


class LocalInput(nn.Module):
    """Joint locations and motion to the next frame, as the figure itself has them: from its hips, along its heading.

    Heights stay heights above the floor. Beside the six channels of each joint stands whether it is valid.
    """

    hips: Tensor
    pelvis: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.standard = MotionInput()  # only its constants are used
        numbers = torch.arange(JOINTS)
        self.register_buffer("hips", torch.isin(numbers, torch.tensor(HIPS)).float())
        self.register_buffer("pelvis", (numbers == INDEX["pelvis"]).float())  # stands in where a hip is missing
        self.register_buffer("window", torch.ones(1, 1, HEADING_WINDOW))

    def fit(self, local: Tensor, shown: Tensor) -> None:
        """Takes mean and deviation of ``local [N, T, 22, 6]`` as constants; ``shown [N, T, 22]``: which of them."""
        weight = shown[..., None].float()
        count = weight.sum(dim=(0, 1)).clamp_min(1)
        mean = (local * weight).sum(dim=(0, 1)) / count
        deviation = ((local - mean).square() * weight).sum(dim=(0, 1)).div(count).sqrt()
        self.standard.fit(mean, deviation)

    def local(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """``[N, T, 22, 6]`` metres, not yet standardised nor masked by joint."""
        within = frames_within(joints, length)
        has_next = frames_within(joints, length - 1)[..., None]
        following = torch.cat([joints[:, 1:], joints[:, -1:]], dim=1)
        motion = (following - joints) * has_next
        both = valid[:, HIPS[:1]] * valid[:, HIPS[1:]]  # [N, 1]
        weight = valid * (both * self.hips + (1.0 - both) * self.pelvis + 1e-4 * self.hips)
        weight = weight / (weight.sum(dim=1, keepdim=True) + 1e-9)
        root = (joints * weight[:, None, :, None]).sum(dim=2)
        cos, sin = self._heading(joints, valid, within)
        place = joints[..., :2] - root[:, :, None, :2]
        return torch.cat(
            [_turned(place, cos, sin), joints[..., 2:], _turned(motion, cos, sin), motion[..., 2:]], dim=-1
        )

    def _heading(self, joints: Tensor, valid: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine ``[N, T, 1]`` of the heading: across hips and shoulders, averaged over half a second."""
        both = valid[:, LEFT] * valid[:, RIGHT]
        across = ((joints[:, :, LEFT, :2] - joints[:, :, RIGHT, :2]) * both[:, None, :, None]).sum(dim=2)
        across = (across * within).transpose(1, 2).flatten(0, 1)[:, None]
        across = nn.functional.conv1d(across, self.window, padding=HEADING_WINDOW // 2)
        x, y = across.reshape(len(joints), 2, -1).unbind(1)
        x = x + 1e-4  # with hips and shoulders missing: as it started
        size = (x * x + y * y).sqrt() + 1e-9
        return (x / size)[..., None], (y / size)[..., None]

    def forward(self, local: Tensor, valid: Tensor, within: Tensor) -> Tensor:
        """Features ``[N, T, 155]`` of ``local [N, T, 22, 6]``; zero for missing joints and where ``within`` is."""
        features = (local - self.standard.mean) * self.standard.scale * valid[:, None, :, None]
        seen = valid[:, None].expand(-1, local.shape[1], -1)
        return torch.cat([features.flatten(2), seen, torch.ones_like(within)], dim=-1) * within


class Statistics(nn.Module):
    """What of a motion tells much when it is merely averaged: each coordinate, how far it strays, and how fast.

    Per frame: where each joint is from its mean over all motions, how far it is from its own mean over the two seconds
    about the frame, and the speed along each axis; all in metres. Their averages over a motion are close to the
    mean and deviation of its pose, the strongest baseline there is without a network.
    """

    centre: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(STATISTICS, JOINTS, 3))

    def fit(self, local: Tensor, shown: Tensor) -> None:
        """Takes the means over frames ``local [N, T, 22, 6]`` as constants; ``shown [N, T, 22]`` says which count."""
        within = shown.any(dim=2, keepdim=True).float()
        values = self._values(local, within)
        weight = shown[:, :, None, :, None].float()
        self.centre.copy_((values * weight).sum(dim=(0, 1)) / weight.sum(dim=(0, 1)).clamp_min(1))

    def _values(self, local: Tensor, within: Tensor) -> Tensor:
        """``[N, T, 3, 22, 3]``: place, straying, speed."""
        place = local[..., :3]
        flat = torch.cat([place.flatten(2) * within, within], dim=-1).transpose(1, 2)
        means = nn.functional.avg_pool1d(flat, STRAY_WINDOW, stride=1, padding=STRAY_WINDOW // 2).transpose(1, 2)
        around = (means[..., :-1] / means[..., -1:].clamp_min(1e-6)).reshape(place.shape)
        speed = local[..., 3:].abs() * SPEED_WEIGHT
        return torch.stack([place, (place - around).abs(), speed], dim=2)

    def forward(self, local: Tensor, valid: Tensor, within: Tensor) -> Tensor:
        """``[N, T, 198]``, zero for missing joints and where ``within [N, T, 1]`` is."""
        values = (self._values(local, within) - self.centre) * valid[:, None, None, :, None]
        return values.flatten(2) * within


def _turned(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The horizontal part of ``vectors [N, T, J, 2 or 3]``, turned back by the heading."""
    x, y = vectors[..., 0], vectors[..., 1]
    return torch.stack([cos * x + sin * y, cos * y - sin * x], dim=-1)


class Block(nn.Module):
    """Depthwise convolution over the tokens, then two linear layers per token, added to what came in."""

    def __init__(self, width: int, kernel: int, expansion: int, drop: float) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, expansion * width)
        self.down = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor, within: Tensor) -> Tensor:
        """``x [N, K, width]``, ``within [N, K, 1]``: padding is zero before it is mixed in."""
        mixed = self.mix((x * within).transpose(1, 2)).transpose(1, 2)
        inner = nn.functional.gelu(self.up(self.norm(mixed)), approximate="tanh")
        return x + self.drop(self.down(inner)) * self.scale


class SignatureNet(nn.Module):
    """Motions to signatures and tokens.

    Beside its weights it keeps how poses are distributed, for who completes motions before they come here.
    """

    pose_mean: Tensor
    pose_covariance: Tensor

    def __init__(
        self, width: int = 192, blocks: int = 6, kernel: int = 7, expansion: int = 4, drop: float = 0.1
    ) -> None:
        super().__init__()
        self.input = LocalInput()
        self.stem = nn.Linear(STRIDE * (JOINTS * (CHANNELS + 1) + 1), width)
        self.blocks = nn.ModuleList(Block(width, kernel, expansion, drop) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, SIGNATURE)
        self.statistics = Statistics()
        self.shortcut = nn.Linear(STATISTICS * JOINTS * 3, SIGNATURE, bias=False)
        nn.init.orthogonal_(self.shortcut.weight)  # at first the signature is the statistics, and keeps their distances
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("pose_mean", torch.zeros(JOINTS * 3))
        self.register_buffer("pose_covariance", torch.eye(JOINTS * 3))

    def fit(self, batch: Batch) -> None:
        """Takes the constants of the inputs from the motions of a batch."""
        local = self.input.local(batch.joints, batch.valid.float(), batch.length)
        shown = inside(batch.length, local.shape[1])[:, :, None] & batch.valid[:, None]
        self.input.fit(local, shown)
        self.statistics.fit(local, shown)

    def know(self, poses: Poses) -> None:
        """Takes how poses are distributed as constants."""
        self.pose_mean.copy_(torch.from_numpy(poses.mean))
        self.pose_covariance.copy_(torch.from_numpy(poses.covariance))

    def encode(self, joints: Tensor, valid: Tensor, length: Tensor) -> Encoded:
        """Signature and tokens of a padded batch."""
        local, within = self.input.local(joints, valid, length), frames_within(joints, length)
        x = self.stem(_patches(self.input(local, valid, within)).flatten(2))
        means = _patches(self.statistics(local, valid, within)).mean(dim=2)
        shown = frames_within(x, (length + STRIDE - 1) // STRIDE)
        for block in self.blocks:
            x = block(x, shown)
        tokens = (self.head(self.norm(x)) + self.shortcut(means)) * shown
        return Encoded(nn.functional.normalize(tokens.sum(dim=1), dim=-1), tokens)

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Signatures ``[N, 512]`` of unit length."""
        return self.encode(joints, valid, length).signature


def _patches(features: Tensor) -> Tensor:
    """``[N, T, F]`` as ``[N, K, 4, F]``, the last patch filled up with zeros."""
    features = nn.functional.pad(features, (0, 0, 0, -features.shape[1] % STRIDE))
    return features.unflatten(1, (-1, STRIDE))
