# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoders: from the joints of a motion to one signature of unit length.

Every encoder here takes what ``hums_engine.normalize`` gives, padded to one length:

    joints ``[N, T, 22, 3]`` float32, valid ``[N, 22]`` float32 of ones and zeros, length ``[N]`` int64

and computes the motion to the next frame itself, so that an exported model carries its whole input
layout inside.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

JOINTS = 22
CHANNELS = 6  # per joint: where it is, and where it goes in the next frame
SIGNATURE = 512
_LEAST_DEVIATION = 1e-3  # metres: a joint that hardly moves in training must not be blown up elsewhere
_LEAP = 0.5  # metres in a thirtieth of a second: no joint moves so far


class MotionInput(nn.Module):
    """Per frame the joint locations and the motion to the next frame, standardised (DeepHuMS, section 3).

    Joints that are not valid are zero after standardising, which is to say: as the training data on
    average. The last frame of a motion has no next one; its motion is zero.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(JOINTS, CHANNELS))
        self.register_buffer("scale", torch.ones(JOINTS, CHANNELS))

    def fit(self, mean: Tensor, deviation: Tensor) -> None:
        """Takes the training data's mean and deviation ``[22, 6]`` of each channel as constants."""
        self.mean.copy_(mean)
        self.scale.copy_(1.0 / deviation.clamp_min(_LEAST_DEVIATION))

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Features ``[N, T, 132]``, zero for the frames after ``length``."""
        frames = torch.arange(joints.shape[1], device=joints.device)[None, :]
        has_next = (frames < length[:, None] - 1)[..., None, None]
        following = torch.cat([joints[:, 1:], joints[:, -1:]], dim=1)
        features = torch.cat([joints, (following - joints) * has_next], dim=-1)
        features = (features - self.mean) * self.scale * valid[:, None, :, None]
        inside = (frames < length[:, None])[..., None]
        return features.flatten(2) * inside


def channel_statistics(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation ``[22, 6]`` of the input's channels over normalised frames ``[F, 22, 3]``.

    Where two motions meet in ``frames`` the step between them is none; such leaps are left out.
    """
    motion = frames[1:] - frames[:-1]
    within = motion.norm(dim=-1).amax(dim=1) < _LEAP
    channels = torch.cat([frames[:-1], motion], dim=-1)[within]
    return channels.mean(dim=0), channels.std(dim=0)


class IndRNN(nn.Module):
    """One layer of independently recurrent neurons: ``h_t = relu(W x_t + b + u * h_{t-1})``.

    Li et al., "Independently Recurrent Neural Network" (CVPR 2018), equation 2: every neuron remembers
    itself alone, by one weight.
    """

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        self.input = nn.Linear(inputs, size)
        self.recurrent = nn.Parameter(torch.empty(size).uniform_(0.0, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """States ``[N, T, size]`` of inputs ``[N, T, inputs]``."""
        return recur(self.input(x), self.recurrent)


def recur(drive: Tensor, weight: Tensor) -> Tensor:
    """The recurrence alone: ``h_t = relu(drive_t + weight * h_{t-1})`` from zero, ``[N, T, size]``."""
    state = torch.zeros_like(drive[:, 0])
    states: list[Tensor] = []
    for step in drive.unbind(1):
        state = torch.relu(step + weight * state)
        states.append(state)
    return torch.stack(states, 1)


class DeepHuMS(nn.Module):
    """The paper's encoder: layers of IndRNN over the frames, the signature read at the last frame.

    The paper gives the input, the kind of layer and the size of the signature. Where it is silent,
    this follows the paper of IndRNN: six layers of 512, normalisation between them, residual
    connections, and recurrent weights clipped so that no neuron can grow over the longest motion. The
    normalisation is by layer, not by batch, so that a signature never depends on the motions it was
    encoded with. The signature is a linear map of the last state, at unit length.
    """

    def __init__(self, layers: int = 6, size: int = SIGNATURE, longest: int = 600) -> None:
        super().__init__()
        self.longest = longest
        self.input = MotionInput()
        self.embed = nn.Linear(JOINTS * CHANNELS, size)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(layers))
        self.layers = nn.ModuleList(IndRNN(size, size) for _ in range(layers))
        self.norm = nn.LayerNorm(size)
        self.signature = nn.Linear(size, SIGNATURE)
        self.clip_recurrent()

    @torch.no_grad()
    def clip_recurrent(self) -> None:
        """Keeps every recurrent weight within 2^(1/longest): a state at most doubles over a motion."""
        bound = 2.0 ** (1.0 / self.longest)
        for layer in self.layers:
            assert isinstance(layer, IndRNN)
            layer.recurrent.clamp_(-bound, bound)

    def forward(self, joints: Tensor, valid: Tensor, length: Tensor) -> Tensor:
        """Signatures ``[N, 512]`` of unit length."""
        x = self.embed(self.input(joints, valid, length))
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(norm(x))
        last = x[torch.arange(len(x), device=x.device), length - 1]
        return nn.functional.normalize(self.signature(self.norm(last)), dim=-1)
