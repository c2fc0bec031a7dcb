# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH files for tests: a small person, and poses worked out another way than the reader does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

XYZ = ("Xposition", "Yposition", "Zposition")
ZXY = ("Zrotation", "Xrotation", "Yrotation")


@dataclass
class Joint:
    """A joint of a BVH to be written; without channels and children it is an End Site."""

    name: str
    offset: Sequence[float]
    channels: Sequence[str] = ZXY
    children: list[Joint] = field(default_factory=list)


def end(*offset: float) -> Joint:
    return Joint("Site", offset, channels=())


def person() -> Joint:
    """Seven joints and four ends, in centimetres, Y up and facing +Z: 100 to the hips, 165 to the head."""
    return Joint("Hips", (0, 100, 0), (*XYZ, *ZXY), [
        Joint("Spine", (0, 10, 0), children=[
            Joint("Head", (0, 55, 0), children=[end(0, 15, 0)]),
            Joint("LeftArm", (18, 45, 0), children=[end(60, 0, 0)]),
            Joint("RightArm", (-18, 45, 0), children=[end(-60, 0, 0)]),
        ]),
        Joint("LeftUpLeg", (10, -5, 0), children=[Joint("LeftFoot", (0, -87, 0), children=[end(0, -8, 12)])]),
        Joint("RightUpLeg", (-10, -5, 0), children=[Joint("RightFoot", (0, -87, 0), children=[end(0, -8, 12)])]),
    ])  # fmt: skip


def joints_of(*roots: Joint) -> list[Joint]:
    """All joints in the order of a HIERARCHY."""
    found: list[Joint] = []
    for root in roots:
        found += [root, *joints_of(*root.children)]
    return found


def width(*roots: Joint) -> int:
    """How many channels there are."""
    return sum(len(joint.channels) for joint in joints_of(*roots))


def hierarchy(*roots: Joint) -> str:
    return "HIERARCHY\n" + "".join(_joint(root, "ROOT", "") for root in roots)


def _joint(joint: Joint, keyword: str, indent: str) -> str:
    inner = f"{indent}  "
    lines = [f"{indent}{keyword} {joint.name}", f"{indent}{{", f"{inner}OFFSET {' '.join(map(str, joint.offset))}"]
    if joint.channels:
        lines.append(f"{inner}CHANNELS {len(joint.channels)} {' '.join(joint.channels)}")
    children = [
        _joint(child, "JOINT" if child.channels or child.children else "End", inner) for child in joint.children
    ]
    return "\n".join(lines) + "\n" + "".join(children) + f"{indent}}}\n"


def motion(values: NDArray[np.float64], frame_time: str = "0.0333333", frames: int | None = None) -> str:
    count = len(values) if frames is None else frames
    rows = "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in values)
    return f"MOTION\nFrames: {count}\nFrame Time: {frame_time}\n{rows}"


def standing(*roots: Joint, frames: int = 3) -> NDArray[np.float64]:
    """Frames in which every joint is at rest: positions are OFFSETs, angles zero."""
    row = [
        joint.offset["XYZ".index(channel[0])] if channel.endswith("position") else 0.0
        for joint in joints_of(*roots)
        for channel in joint.channels
    ]
    return np.tile(np.array(row, dtype=np.float64), (frames, 1))


def posed(root: Joint, row: Sequence[float]) -> list[NDArray[np.float64]]:
    """Where the joints stand in one frame, in the file's axes and unit, by matrices and recursion."""
    rest = iter(row)

    def place(joint: Joint, at: NDArray[np.float64], turn: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        offset, local = np.array(joint.offset, dtype=np.float64), np.eye(3)
        moved: dict[int, float] = {}
        for channel in joint.channels:
            axis, value = "XYZ".index(channel[0]), next(rest)
            if channel.endswith("position"):
                moved[axis] = moved.get(axis, 0.0) + value
            else:
                local = local @ _about(axis, np.radians(value))
        for axis, value in moved.items():
            offset[axis] = value
        here, turned = at + turn @ offset, turn @ local
        found = [here]
        for child in joint.children:
            found += place(child, here, turned)
        return found

    return place(root, np.zeros(3), np.eye(3))


def _about(axis: int, angle: float) -> NDArray[np.float64]:
    """The matrix of a right-handed turn about x, y or z."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix
