# SPDX-License-Identifier: GPL-3.0-or-later
"""SignatureNet: the encoder that ships. A convolutional net whose tokens, averaged, are the signature.

One token stands for four frames and sees about two seconds on either side. The signature of any stretch is
the mean of its tokens at unit length, so one pass over a long take gives the signature of the whole and of every
moment in it. Each frame is seen from the figure's own place and heading in that frame, so a token does
not depend on where in a take it lies.

The blocks are those of Liu et al., "A ConvNet for the 2020s" (CVPR 2022), over time instead of an image.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hums_engine.skeleton import INDEX

from .augment import Batch, inside
from .model import CHANNELS, JOINTS, SIGNATURE, MotionInput

STRIDE = 4
HEADING_WINDOW = 15  # frames: half a second, over which the heading of a frame is averaged
LEFT = [INDEX["left_hip"], INDEX["left_shoulder"]]
RIGHT = [INDEX["right_hip"], INDEX["right_shoulder"]]
_ROOT_WEIGHT = torch.zeros(JOINTS)
_ROOT_WEIGHT[[INDEX["left_hip"], INDEX["right_hip"]]] = 1.0
_ROOT_WEIGHT[INDEX["pelvis"]] = 1e-4  # stands in where both hips are missing


class Encoded(NamedTuple):
    """What one pass gives: ``signature [N, 512]`` of unit length and ``tokens [N, ceil(T / 4), 512]``."""

    signature: Tensor
    tokens: Tensor


class LocalInput(nn.Module):
    """Joint locations and motion to the next frame, as the figure itself has them: from its hips, along its heading.

    Heights stay heights above the floor. Beside the six channels of each joint stands whether it is valid.
    """

    root_weight: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.standard = MotionInput()  # only its constants are used
        self.register_buffer("root_weight", _ROOT_WEIGHT.clone())
        self.register_buffer("window", torch.ones(1, 1, HEADING_WINDOW))

    def fit(self, batch: Batch) -> None:
        """Takes the mean and deviation of each channel over the frames of a batch as constants."""
        local = self.local(batch.joints, batch.valid.float(), batch.length)
        shown = (inside(batch.length, local.shape[1])[:, :, None] & batch.valid[:, None])[..., None].float()
        count = shown.sum(dim=(0, 1)).clamp_min(1)
        mean = (local * shown).sum(dim=(0, 1)) / count
        deviation = ((local - mean).square() * shown).sum(dim=(0, 1)).div(count).sqrt()
        self.standard.fit(mean, deviation)

    def local(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """``[N, T, 22, 6]`` metres, not yet standardised nor masked by joint."""
        frames = torch.arange(joints.shape[1], device=joints.device)[None, :]
        within = (frames < length[:, None]).float()
        has_next = (frames < length[:, None] - 1).float()[..., None, None]
        following = torch.cat([joints[:, 1:], joints[:, -1:]], dim=1)
        motion = (following - joints) * has_next
        weight = valid * self.root_weight
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
        across = (across * within[..., None]).transpose(1, 2).flatten(0, 1)[:, None]
        across = nn.functional.conv1d(across, self.window, padding=HEADING_WINDOW // 2)
        x, y = across.reshape(len(joints), 2, -1).unbind(1)
        x = x + 1e-4  # with hips and shoulders missing: as it started
        size = (x * x + y * y).sqrt() + 1e-9
        return (x / size)[..., None], (y / size)[..., None]

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Features ``[N, T, 155]``, zero after ``length``."""
        features = (self.local(joints, valid, length) - self.standard.mean) * self.standard.scale
        features = (features * valid[:, None, :, None]).flatten(2)
        frames = torch.arange(joints.shape[1], device=joints.device)[None, :]
        within = (frames < length[:, None]).float()[..., None]
        seen = valid[:, None].expand(-1, joints.shape[1], -1)
        return torch.cat([features, seen, torch.ones_like(within)], dim=-1) * within


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
    """Motions to signatures and tokens."""

    def __init__(
        self, width: int = 192, blocks: int = 6, kernel: int = 7, expansion: int = 4, drop: float = 0.1
    ) -> None:
        super().__init__()
        self.input = LocalInput()
        self.stem = nn.Linear(STRIDE * (JOINTS * (CHANNELS + 1) + 1), width)
        self.blocks = nn.ModuleList(Block(width, kernel, expansion, drop) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, SIGNATURE)

    def encode(self, joints: Tensor, valid: Tensor, length: Tensor) -> Encoded:
        """Signature and tokens of a padded batch."""
        features = self.input(joints, valid, length)
        spare = -joints.shape[1] % STRIDE
        features = nn.functional.pad(features, (0, 0, 0, spare))
        x = self.stem(features.reshape(len(features), -1, STRIDE * features.shape[2]))
        first_frame = torch.arange(x.shape[1], device=x.device)[None, :] * STRIDE
        within = (first_frame < length[:, None]).to(x.dtype)[..., None]
        for block in self.blocks:
            x = block(x, within)
        tokens = self.head(self.norm(x)) * within
        return Encoded(nn.functional.normalize(tokens.sum(dim=1), dim=-1), tokens)

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Signatures ``[N, 512]`` of unit length."""
        return self.encode(joints, valid, length).signature
