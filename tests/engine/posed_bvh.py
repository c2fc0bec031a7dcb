# SPDX-License-Identifier: GPL-3.0-or-later
"""Small BVH files of a figure that walks, jumps or waves: motions to fill libraries with, two kilobytes a second."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

# joint, parent, offset in centimetres (Y up, facing +Z), under the names of the CMU conversions
SKELETON = (
    ("hip", "", (0, 95, 0)),
    ("abdomen", "hip", (0, 10, 0)),
    ("chest", "abdomen", (0, 15, 0)),
    ("neck", "chest", (0, 25, 0)),
    ("head", "neck", (0, 10, 0)),
    ("lCollar", "chest", (4, 20, 0)),
    ("lShldr", "lCollar", (14, 0, 0)),
    ("lForeArm", "lShldr", (27, 0, 0)),
    ("lHand", "lForeArm", (25, 0, 0)),
    ("rCollar", "chest", (-4, 20, 0)),
    ("rShldr", "rCollar", (-14, 0, 0)),
    ("rForeArm", "rShldr", (-27, 0, 0)),
    ("rHand", "rForeArm", (-25, 0, 0)),
    ("lThigh", "hip", (9, -4, 0)),
    ("lShin", "lThigh", (0, -42, 0)),
    ("lFoot", "lShin", (0, -41, 0)),
    ("rThigh", "hip", (-9, -4, 0)),
    ("rShin", "rThigh", (0, -42, 0)),
    ("rFoot", "rShin", (0, -41, 0)),
)
_ENDS = {"head": (0, 15, 0), "lHand": (8, 0, 0), "rHand": (-8, 0, 0), "lFoot": (0, -5, 14), "rFoot": (0, -5, 14)}
ARMS_DOWN = {"lShldr": (-75.0, 0.0, 0.0), "rShldr": (75.0, 0.0, 0.0)}

Pose = tuple[tuple[float, float, float], dict[str, tuple[float, float, float]]]
"""Where the hip is, centimetres, and the turns of joints about Z, X and Y, degrees."""


def walk(t: float, speed: float = 1.2, swing: float = 30.0) -> Pose:
    """Steps forward, arms swinging against the legs."""
    phase = 2.0 * math.pi * 0.9 * speed * t
    left, right = swing * math.sin(phase), -swing * math.sin(phase)
    joints = {
        "lThigh": (0.0, -left, 0.0),
        "rThigh": (0.0, -right, 0.0),
        "lShin": (0.0, max(0.0, 45.0 * math.cos(phase)), 0.0),
        "rShin": (0.0, max(0.0, -45.0 * math.cos(phase)), 0.0),
        "lShldr": (-75.0, 0.0, 0.8 * left),
        "rShldr": (75.0, 0.0, 0.8 * left),
    }
    return (0.0, 93.0 + 2.0 * math.cos(2 * phase), 100.0 * speed * t), joints


def jump(t: float, height: float = 40.0, rate: float = 0.8) -> Pose:
    """Crouches and leaps on the spot, arms up in the air."""
    up = math.sin(2.0 * math.pi * rate * t)
    bend = 70.0 * max(0.0, -up)
    joints = {
        "lThigh": (0.0, -bend, 0.0),
        "rThigh": (0.0, -bend, 0.0),
        "lShin": (0.0, 1.8 * bend, 0.0),
        "rShin": (0.0, 1.8 * bend, 0.0),
        "lShldr": (60.0 * up, 0.0, 0.0),
        "rShldr": (-60.0 * up, 0.0, 0.0),
    }
    return (0.0, 95.0 + height * up, 0.0), joints


def wave(t: float, rate: float = 1.5, raised: float = 60.0) -> Pose:
    """Stands and waves with the right arm."""
    joints = ARMS_DOWN | {
        "rShldr": (-raised, 0.0, 0.0),
        "rForeArm": (-40.0 + 30.0 * math.sin(2.0 * math.pi * rate * t), 0.0, 0.0),
    }
    return (0.0, 95.0, 0.0), joints


def parade(t: float, seconds_each: float = 3.0) -> Pose:
    """Walks, then jumps, then waves, then all over again faster: a long take of many things."""
    number = int(t / seconds_each)
    inner, faster = t - number * seconds_each, 1.0 + 0.15 * (number // 3)
    motion: Callable[[float], Pose] = (walk, jump, wave)[number % 3]
    (x, y, z), joints = motion(inner * faster)
    return (x, y, z), joints | {"abdomen": (0.0, 4.0 * number, 7.0 * number)}


def text(motion: Callable[[float], Pose], seconds: float = 2.0, fps: float = 30.0, size: float = 1.0) -> str:
    """A BVH of a motion, sampled; ``size`` scales the figure and its path."""
    frames = round(seconds * fps) + 1
    rows = []
    for frame in range(frames):
        root, joints = motion(frame / fps)
        turns = [angle for name, *_ in SKELETON for angle in joints.get(name, (0.0, 0.0, 0.0))]
        rows.append(" ".join(f"{value:.3f}" for value in (*(size * value for value in root), *turns)))
    head = f"MOTION\nFrames: {frames}\nFrame Time: {1.0 / fps:.7f}\n"
    return f"HIERARCHY\n{_joint('hip', size, 0)}{head}" + "\n".join(rows) + "\n"


def _joint(name: str, size: float, depth: int) -> str:
    offset = next(offset for one, _, offset in SKELETON if one == name)
    pad = "  " * depth
    numbers = " ".join(f"{size * value:.3f}" for value in offset)
    channels = "3 Zrotation Xrotation Yrotation"
    if not depth:
        channels = "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    inside = "".join(_joint(child, size, depth + 1) for child, parent, _ in SKELETON if parent == name)
    if name in _ENDS:
        end = " ".join(f"{size * value:.3f}" for value in _ENDS[name])
        inside += f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET {end}\n{pad}  }}\n"
    kind = "JOINT" if depth else "ROOT"
    return f"{pad}{kind} {name}\n{pad}{{\n{pad}  OFFSET {numbers}\n{pad}  CHANNELS {channels}\n{inside}{pad}}}\n"


def write(
    path: Path, motion: Callable[[float], Pose], seconds: float = 2.0, fps: float = 30.0, size: float = 1.0
) -> Path:
    """Writes a BVH of a motion, with the folders it needs; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(motion, seconds, fps, size))
    return path


def write_several(folder: Path, count: int, seconds: float = 1.2) -> list[Path]:
    """Writes ``count`` files, each of another motion; their names sort in the order given."""
    kinds: tuple[Callable[[float, float], Pose], ...] = (
        lambda t, x: walk(t, speed=0.8 + x),
        lambda t, x: jump(t, height=20.0 + 30.0 * x),
        lambda t, x: wave(t, rate=1.0 + x),
    )
    return [
        write(
            folder / f"{['walk', 'jump', 'wave'][i % 3]}_{i:03}.bvh",
            lambda t, i=i: kinds[i % 3](t, i / count),
            seconds,
        )
        for i in range(count)
    ]
