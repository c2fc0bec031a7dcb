# SPDX-License-Identifier: GPL-3.0-or-later
"""A small data folder in MHAD's true format, written from motions of known kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hums_engine.canonical import CanonicalMotion
from hums_engine.formats.mhad import JOINTS as MHAD_JOINTS
from hums_engine.skeleton import INDEX

from .synthetic_motions import swinging

# which canonical joint stands where each of MHAD's 35 does; its extra ones lie on a limb or at its end
_PLACES = {
    "Hips": "pelvis", "spine": "spine1", "spine1": "spine2", "spine2": "spine3", "Neck": "neck", "Head": "head",
    "Shoulder": "collar", "Arm": "shoulder", "ArmRoll": "shoulder", "ForeArm": "elbow", "ForeArmRoll": "elbow",
    "Hand": "wrist", "Hand_end": "wrist", "UpLeg": "hip", "UpLegRoll": "hip", "Leg": "knee", "LegRoll": "knee",
    "Foot": "ankle", "ToeBase": "foot", "ToeBase_end": "foot", "Head_end": "head",
}  # fmt: skip


def _canonical(name: str) -> int:
    for side in ("Left", "Right"):
        if name.startswith(side):
            return INDEX[f"{side.lower()}_{_PLACES[name.removeprefix(side)]}"]
    return INDEX[_PLACES[name]]


def mhad_text(motion: CanonicalMotion) -> str:
    """A motion as MHAD's text has it: centimetres, Y up, 35 joints."""
    picked = motion.positions[:, [_canonical(name) for name in MHAD_JOINTS]] * 100.0
    y_up = np.stack([picked[..., 0], picked[..., 2], -picked[..., 1]], axis=-1)
    rows = [f"{x:.6f} {y:.6f} {z:.6f} 1" for x, y, z in y_up.reshape(-1, 3)]
    return "\n".join([f"{len(picked)} {len(MHAD_JOINTS)}", *rows]) + "\n"


def write_mhad(folder: Path, actions: int, subjects: list[int], repetitions: int, frames: int = 40) -> None:
    """``folder/mhad`` with files named as MHAD's are; an action is a kind of `swinging`."""
    place = folder / "mhad"
    place.mkdir(parents=True, exist_ok=True)
    for action in range(1, actions + 1):
        for subject in subjects:
            for repetition in range(1, repetitions + 1):
                motion = swinging(action, 10 * subject + repetition, frames, fps=24.0)
                name = f"a{action:02d}_s{subject:02d}_e{repetition:02d}_skeleton.txt"
                (place / name).write_text(mhad_text(motion), encoding="ascii")
