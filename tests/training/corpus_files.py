# SPDX-License-Identifier: GPL-3.0-or-later
"""Small data folders in the true formats of MHAD, NTU RGB+D and HDM05, written from motions of known kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hums_engine.canonical import CanonicalMotion
from hums_engine.formats.mhad import JOINTS as MHAD_JOINTS
from hums_engine.skeleton import INDEX, REFERENCE
from tests.engine.ntu_text import FIRST_ID, body, kinect, text

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


def write_ntu(folder: Path, *names: str, bystander: bool = False) -> None:
    """``folder/ntu`` with recordings of these names; their action is a kind of `swinging`, their subject its example.

    A bystander is a second body, which stands still and stands first in the file.
    """
    for name in names:
        action, subject = int(name.split("A")[1]), int(name.split("P")[1][:3])
        moving = body(kinect(swinging(action, subject, frames=30)), number=FIRST_ID + 1)
        still = body(np.repeat(moving.joints[:1] + [1.0, 0.0, 0.0], 30, axis=0))
        path = folder / "ntu" / f"{name}.skeleton"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(still, moving) if bystander else text(moving), encoding="ascii")


# bone of an ASF, its parent, the canonical joint that it ends at; those with a * turn
_BONES = (
    ("lowerback", "root", "spine1"), ("upperback", "lowerback", "spine2"), ("thorax", "upperback", "neck"),
    ("lowerneck*", "thorax", "head"),
    *(
        (bone.replace("@", side[0]), parent.replace("@", side[0]), f"{side}_{end}")
        for side in ("left", "right")
        for bone, parent, end in (
            ("@hipjoint", "root", "hip"), ("@femur*", "@hipjoint", "knee"), ("@tibia*", "@femur", "ankle"),
            ("@foot*", "@tibia", "foot"), ("@clavicle", "thorax", "shoulder"), ("@humerus*", "@clavicle", "elbow"),
            ("@radius*", "@humerus", "wrist"),
        )
    ),
)  # fmt: skip
# beyond those, ends that no canonical joint marks: bone, its parent, the vector along it
_TIPS = (
    ("head", "lowerneck", (0.0, 0.0, 0.15)),
    ("lhand", "lradius", (0.08, 0.0, 0.0)), ("rhand", "rradius", (-0.08, 0.0, 0.0)),
    ("ltoes", "lfoot", (0.0, -0.05, 0.0)), ("rtoes", "rfoot", (0.0, -0.05, 0.0)),
)  # fmt: skip
_INCH = 0.0254 / 0.45  # an ASF of HDM05 counts in inches times 0.45
_ASF_HEAD = """:units
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
"""


def _asf_bone(name: str, vector: np.ndarray, turns: bool) -> str:
    length = float(np.linalg.norm(vector))
    x, y, z = np.array([vector[0], vector[2], -vector[1]]) / length
    dof = "dof rx ry rz\n" if turns else ""
    size = f"direction {x:.6f} {y:.6f} {z:.6f}\nlength {length / _INCH:.6f}\naxis 0 0 0 XYZ"
    return f"begin\nname {name}\n{size}\n{dof}end\n"


def asf_text() -> str:
    """The reference body as an ASF under the names of HDM05's."""
    ends = {"root": REFERENCE[INDEX["pelvis"]]}
    bones, children = "", ""
    for bone, parent, joint in _BONES:
        name = bone.rstrip("*")
        ends[name] = REFERENCE[INDEX[joint]]
        bones += _asf_bone(name, ends[name] - ends[parent], turns="*" in bone)
        children += f"{parent} {name}\n"
    for name, parent, vector in _TIPS:
        bones += _asf_bone(name, np.array(vector), turns=False)
        children += f"{parent} {name}\n"
    return f"{_ASF_HEAD}{bones}:hierarchy\nbegin\n{children}end\n"


def amc_text(kind: int, example: int, frames: int = 60) -> str:
    """The body of `asf_text` swinging its limbs the way of a kind, for frames of 120 a second."""
    turning = [bone.rstrip("*") for bone, _, _ in _BONES if "*" in bone]
    way = np.random.default_rng(kind)
    size, phase = way.uniform(-40, 40, (len(turning), 3)), way.uniform(0, 6, (len(turning), 3))
    rows = [":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        angles = size * np.sin(frame / 20 * (1 + 0.05 * example) + phase)
        rows += [str(frame + 1), f"root 0 {0.94 / _INCH:.4f} {frame / 10:.4f} 0 0 0"]
        rows += [f"{name} {x:.4f} {y:.4f} {z:.4f}" for name, (x, y, z) in zip(turning, angles, strict=True)]
    return "\n".join(rows) + "\n"


def write_hdm05(folder: Path, *paths: str) -> None:
    """``folder/hdm05`` with cuts at these paths, and the skeleton of each actor on top."""
    for number, path in enumerate(paths):
        place = folder / "hdm05" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(amc_text(kind=len(path), example=number), encoding="ascii")
        actor = "_".join(place.name.split("_")[:2])
        (folder / "hdm05" / f"{actor}.asf").write_text(asf_text(), encoding="ascii")
