# SPDX-License-Identifier: GPL-3.0-or-later
"""Every n-th frame of a motion in text, where a library keeps no more of it.

What is read is then what reading all of the file gives of these frames: of a file that is damaged, or written in an
uncommon way, nothing is read here, and all of it has to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import methodcaller

import numpy as np
from numpy.typing import NDArray

from ..motion import OPENING
from . import numbers
from .channels import LARGEST

_BLANKS = methodcaller("count", b" ")


def read(frames: Sequence[bytes], every: int, width: int) -> NDArray[np.float64] | None:
    """The first `OPENING` frames, then every n-th from the first, ``[.., width]``.

    The others are looked over: each of their words is a number, and every frame has as many. None where something is
    otherwise, or where a number is none or so large that what it moves is not seen.

    Args:
        frames: the text of each.
        every: the n; 1 for all, without an opening.
        width: how many numbers a frame has.
    """
    if not width or (every > 1 and (len(frames) <= OPENING or not _are_alike(frames, width))):
        return None
    kept = frames if every == 1 else [*frames[:OPENING], *frames[::every]]
    left_out = [frame for number, frame in enumerate(frames) if number % every]
    values = numbers.parse_plain(b"\n".join(kept))
    if values is None or len(values) != len(kept) * width:
        return None
    if not numbers.are_plain(b"\n".join(left_out), len(left_out) * width):
        return None
    if every > 1 and not np.max(np.abs(values)) < LARGEST:
        return None
    return values.reshape(len(kept), width)


def _are_alike(frames: Sequence[bytes], width: int) -> bool:
    """Whether every frame has as many words: as many single blanks, or ``width`` words, which are slower to count."""
    text = b"\n".join(frames)
    if b"\t" not in text and b"  " not in text and len(set(map(_BLANKS, frames))) == 1:
        return True
    return {len(frame.split()) for frame in frames} == {width}
