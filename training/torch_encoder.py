# SPDX-License-Identifier: GPL-3.0-or-later
"""A network in torch as an encoder of motions: for peers that have no ONNX form, and for frozen teachers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hums_engine.encoder import BATCH_FRAMES, LONGEST
from hums_engine.normalize import NormalizedMotion

from .model import SIGNATURE


class TorchEncoder:
    """Signs motions as `hums_engine.encoder.Encoder` does, with a network instead of a file.

    A motion of more than 600 frames is signed by its equal parts, whose signatures are averaged.

    Args:
        network: ``(joints, valid, length)`` to signatures ``[N, 512]`` of unit length; it is set to evaluation.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network.eval()

    @torch.no_grad()
    def encode(self, motions: Sequence[NormalizedMotion], /) -> NDArray[np.float32]:
        """Signatures ``[N, 512]`` of unit length, in the order given."""
        parts = [
            (i, NormalizedMotion(joints, motion.valid))
            for i, motion in enumerate(motions)
            for joints in np.array_split(motion.joints, -(-len(motion.joints) // LONGEST))
        ]
        parts.sort(key=lambda part: len(part[1].joints))
        sums = torch.zeros(len(motions), SIGNATURE)
        for batch in _batches([len(motion.joints) for _, motion in parts]):
            owner = torch.tensor([i for i, _ in parts[batch]])
            sums.index_add_(0, owner, self.network(*_padded([motion for _, motion in parts[batch]])))
        return nn.functional.normalize(sums, dim=-1).numpy()


def _batches(lengths: Sequence[int]) -> Iterator[slice]:
    """Runs of rising ``lengths``, each of at most ``BATCH_FRAMES`` frames with its padding."""
    start = 0
    for stop in range(1, len(lengths) + 1):
        if stop == len(lengths) or lengths[stop] * (stop + 1 - start) > BATCH_FRAMES:
            yield slice(start, stop)
            start = stop


def _padded(motions: Sequence[NormalizedMotion]) -> tuple[Tensor, Tensor, Tensor]:
    """The network's three inputs."""
    joints = nn.utils.rnn.pad_sequence([torch.from_numpy(motion.joints) for motion in motions], batch_first=True)
    valid = torch.from_numpy(np.stack([motion.valid for motion in motions])).float()
    return joints, valid, torch.tensor([len(motion.joints) for motion in motions])
