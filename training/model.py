# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoders: from the joints of a motion to one signature of unit length.

Every encoder here takes what ``hums_engine.normalize`` gives, padded to one length:

    joints ``[N, T, 22, 3]`` float32, valid ``[N, 22]`` float32 of ones and zeros, length ``[N]`` int64

and computes the motion to the next frame itself, so that an exported model carries its whole input
layout inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

    def forward(self, x: Tensor, rows: Sequence[int]) -> Tensor:
        """States ``[F, size]`` of packed inputs ``[F, inputs]``; ``rows`` as in `recur`."""
        return recur(self.input(x), self.recurrent, rows)


def recur(drive: Tensor, weight: Tensor, rows: Sequence[int]) -> Tensor:
    """The recurrence alone: ``h_t = relu(drive_t + weight * h_{t-1})`` from zero.

    Packed motions lie frame by frame, without padding: the first frames of all motions, longest motion first, then
    the second frames of those that have one, and so on (the layout of ``torch.nn.utils.rnn.PackedSequence``).

    Args:
        drive: ``[F, size]`` over all F frames of a packed batch.
        weight: ``[size]``.
        rows: how many motions have a first frame, a second, and so on; never growing.
    """
    states = _Recurrence.apply(drive, weight, rows)
    assert isinstance(states, Tensor)
    return states


class _Recurrence(torch.autograd.Function):
    """`recur` with its derivative written out: autograd's own record of every frame takes twice the time."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, weight: Tensor, rows: Sequence[int]) -> Tensor:  # noqa: ANN401
        states = torch.empty_like(drive)
        steps, given = states.split(list(rows)), drive.split(list(rows))
        torch.clamp_min(given[0], 0.0, out=steps[0])
        for before, now, drive_now in zip(steps, steps[1:], given[1:], strict=False):
            torch.addcmul(drive_now, before[: len(now)], weight, out=now).relu_()
        ctx.save_for_backward(states, weight)
        ctx.rows = rows
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401
        """A state's own gradient, plus ``weight`` times that of the next; nothing where the state is zero."""
        states, weight = ctx.saved_tensors
        alive = (states > 0).to(states.dtype)
        gradient = gradients[0] * alive
        steps, masks = gradient.split(list(ctx.rows)), alive.split(list(ctx.rows))
        for before, now, mask in zip(reversed(steps[:-1]), reversed(steps[1:]), reversed(masks[:-1]), strict=True):
            count = len(now)
            before[:count].addcmul_(now * mask[:count], weight)
        counts, second = torch.tensor(ctx.rows), ctx.rows[0]
        previous = torch.arange(second, len(states)) - counts[:-1].repeat_interleave(counts[1:])
        return gradient, (gradient[second:] * states[previous]).sum(dim=0), None


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
        features = self.input(joints, valid, length)
        packed = nn.utils.rnn.pack_padded_sequence(features, length, batch_first=True, enforce_sorted=False)
        assert packed.sorted_indices is not None
        assert packed.unsorted_indices is not None
        x, rows = self.embed(packed.data), packed.batch_sizes.tolist()
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(norm(x), rows)
        first = packed.batch_sizes.cumsum(0) - packed.batch_sizes
        last = x[first[length[packed.sorted_indices] - 1] + torch.arange(len(length))]
        return nn.functional.normalize(self.signature(self.norm(last)), dim=-1)[packed.unsorted_indices]
