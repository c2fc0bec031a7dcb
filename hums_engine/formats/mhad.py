# SPDX-License-Identifier: GPL-3.0-or-later
"""Berkeley MHAD's skeletons as text, ``aAA_sSS_eEE_skeleton.txt``: joint positions and nothing else.

Source: Ofli et al., "Berkeley MHAD: A Comprehensive Multimodal Human Action Database" (WACV 2013), in the text form of
the Edinburgh database. Line 1 is ``frames joints``; then one line ``x y z flag`` for each joint of each frame, in
centimetres, Y up. A flag of 0 is a joint not seen. The 35 joints are those of MHAD's own BVH files in their order,
end sites among them; the recordings are thinned to 24 frames a second (480 a second of the capture, one in 20).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ..errors import MotionFileError
from ..motion import Motion
from . import numbers
from .axes import CENTIMETRE, to_motion
from .files import read_bytes

FPS: Final = 24.0

# joint, parent
_TABLE: Final = (
    ("Hips", ""), ("spine", "Hips"), ("spine1", "spine"), ("spine2", "spine1"), ("Neck", "spine2"), ("Head", "Neck"),
    ("Head_end", "Head"),
    ("RightShoulder", "spine2"), ("RightArm", "RightShoulder"), ("RightArmRoll", "RightArm"),
    ("RightForeArm", "RightArmRoll"), ("RightForeArmRoll", "RightForeArm"), ("RightHand", "RightForeArmRoll"),
    ("RightHand_end", "RightHand"),
    ("LeftShoulder", "spine2"), ("LeftArm", "LeftShoulder"), ("LeftArmRoll", "LeftArm"),
    ("LeftForeArm", "LeftArmRoll"), ("LeftForeArmRoll", "LeftForeArm"), ("LeftHand", "LeftForeArmRoll"),
    ("LeftHand_end", "LeftHand"),
    ("RightUpLeg", "Hips"), ("RightUpLegRoll", "RightUpLeg"), ("RightLeg", "RightUpLegRoll"),
    ("RightLegRoll", "RightLeg"), ("RightFoot", "RightLegRoll"), ("RightToeBase", "RightFoot"),
    ("RightToeBase_end", "RightToeBase"),
    ("LeftUpLeg", "Hips"), ("LeftUpLegRoll", "LeftUpLeg"), ("LeftLeg", "LeftUpLegRoll"),
    ("LeftLegRoll", "LeftLeg"), ("LeftFoot", "LeftLegRoll"), ("LeftToeBase", "LeftFoot"),
    ("LeftToeBase_end", "LeftToeBase"),
)  # fmt: skip
JOINTS: Final = tuple(name for name, _ in _TABLE)
PARENTS: Final = np.array([JOINTS.index(parent) if parent else -1 for _, parent in _TABLE], dtype=np.intp)

_FIRST_LINE: Final = re.compile(rb"\s*(\d{1,9})[ \t]+35[ \t]*(?:\r?\n|\r|$)")
_LARGEST: Final = 1e5  # centimetres; beyond a kilometre from the origin it is damage


def is_mhad(path: Path) -> bool:
    """Whether a text file begins as MHAD's do, with a count of frames and 35 joints. Never raises."""
    try:
        with path.open("rb") as file:
            return _FIRST_LINE.match(file.read(64)) is not None
    except OSError:
        return False


def read(path: Path) -> list[Motion]:
    """The one motion of a file, without rotations.

    Raises:
        MotionFileError: the file is another kind of text, or not whole.
    """
    raw = read_bytes(path)
    head = _FIRST_LINE.match(raw)
    if head is None:
        raise MotionFileError('of text files only MHAD skeletons are read, which begin with "frames 35"; this is none.')
    try:
        values = numbers.parse(raw[head.end() :])
    except ValueError as error:
        raise MotionFileError(f"the file has a word that is no number ({error}); download it again.") from None
    frames, wanted = len(values) // (len(JOINTS) * 4), int(head[1])
    if not frames or frames < wanted:
        raise MotionFileError(f"the file was cut off: it has {frames} of its {wanted} frames; download it again.")
    if len(values) % (len(JOINTS) * 4):
        raise MotionFileError(f"the file ends in the middle of frame {frames + 1}; download it again.")
    table = values.reshape(frames, len(JOINTS), 4)
    seen = (table[..., 3:] != 0) & np.all(np.abs(table) < _LARGEST, axis=-1, keepdims=True)
    if not np.any(seen):
        raise MotionFileError("no joint is seen in any frame; leave this file out.")
    motion = to_motion(np.where(seen, table[..., :3], np.nan), None, None, PARENTS, JOINTS, FPS, CENTIMETRE)
    return [replace(motion, name=path.stem, source=str(path))]
