# SPDX-License-Identifier: GPL-3.0-or-later
"""How many keys a landed motion needs within an error, and what as many keys at equal distances would cost.

    python benchmarks/key_reduction.py

Sample motions on the reference body at 30 frames a second. A key is one frame of one bone's rotation. Errors are
degrees of a bone's rotation at its worst frame, the largest of all bones and motions; times are the processor's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine import formats, key_reduction, quat, retarget, skeleton
from hums_engine.canonical import canonicalize
from hums_engine.key_reduction import KeptKeys
from hums_engine.mapping import JointMap

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
TAKES = ("walk_07_04", "run_09_01", "jump_13_11", "kick_11_01", "salsa_60_01", "cartwheel_49_06")
BOUNDS_DEG = (0.25, 0.5, 1.0, 2.0)
FPS = 30.0


def main() -> int:
    """Prints the table."""
    bones = [turns for take in TAKES for turns in rotations(take)]
    frames = sum(len(turns) for turns in bones)
    print("| largest error allowed | curves | keys | largest error | the same number at equal distances | ms |")
    print("|---|---|---|---|---|---|")
    for bound in BOUNDS_DEG:
        for smooth in (True, False):
            started = time.process_time()
            kept = [key_reduction.reduce_rotation(turns, "QUATERNION", np.radians(bound), smooth) for turns in bones]
            spent = 1000.0 * (time.process_time() - started)
            share = sum(len(keys.frames) for keys in kept) / frames
            worst = max(error(turns, keys) for turns, keys in zip(bones, kept, strict=True))
            even = max(error(turns, evenly(turns, len(k.frames))) for turns, k in zip(bones, kept, strict=True))
            kind = "Bezier" if smooth else "lines"
            print(f"| {bound} | {kind} | {100 * share:.0f} % | {worst:.2f} | {even:.1f} | {spent:.0f} |")
    print(f"\n{len(TAKES)} motions, {len(bones)} bones, {frames} keys with one on each frame.")
    return 0


def rotations(take: str) -> list[np.ndarray]:
    """The rotations ``[T, 4]`` of each bone of the reference body that plays a sample."""
    rest = np.tile(np.eye(4), (skeleton.JOINT_COUNT, 1, 1))
    rest[:, :3, 3] = skeleton.REFERENCE
    rig = retarget.Rig(skeleton.JOINTS, skeleton.PARENTS, rest, tips=skeleton.REFERENCE)
    every = JointMap(np.arange(skeleton.JOINT_COUNT), "reference", 1.0)
    motion = canonicalize(formats.load(SAMPLES / f"{take}.bvh"))
    return list(np.moveaxis(retarget.retarget(motion, rig, every, fps=FPS).rotations, 1, 0))


def evenly(turns: np.ndarray, count: int) -> KeptKeys:
    """So many keys at equal distances, with lines between them."""
    return KeptKeys(np.unique(np.linspace(0, len(turns) - 1, count).round().astype(np.intp)))


def error(turns: np.ndarray, kept: KeptKeys) -> float:
    """Degrees at the worst frame."""
    made = quat.normalize(key_reduction.between(turns, kept))
    return float(np.degrees(quat.angle(made, turns)).max())


if __name__ == "__main__":
    raise SystemExit(main())
