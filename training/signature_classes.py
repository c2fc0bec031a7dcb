# SPDX-License-Identifier: GPL-3.0-or-later
"""Classes over signatures: the linear layer that recognition is trained through, and that no encoder keeps."""

from __future__ import annotations

import math

from torch import Tensor, nn

from .model import SIGNATURE
from .motion_set import MotionSet


class SignatureClasses(nn.Module):
    """A linear layer from signatures of unit length to the classes of a `MotionSet`.

    Raises:
        ValueError: the motions have no classes.
    """

    def __init__(self, motions: MotionSet) -> None:
        super().__init__()
        if not motions.class_count:
            raise ValueError("None of the motions has a class, and this recipe learns classes; add a labelled corpus.")
        self.linear = nn.Linear(SIGNATURE, motions.class_count)

    def loss(self, signatures: Tensor, label: Tensor) -> Tensor:
        """Cross-entropy of the signatures ``[N, 512]`` that have a class; ``label [N]``, -1 for none.

        Signatures are blown up to one a number: on the unit sphere the layer would begin all but blind.
        """
        known = label >= 0
        if not known.any():
            return signatures.sum() * 0.0
        logits = self.linear(signatures[known] * math.sqrt(signatures.shape[1]))
        return nn.functional.cross_entropy(logits, label[known])
