# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the sample library: the stretches of CMU takes that ``samples/samples.csv`` lists, small enough to commit.

``HUMS_DATA=<unpacked archives> python benchmarks/make_samples.py`` reads ``$HUMS_DATA/cmu`` and writes
``samples/*.bvh``. The joints keep the names, offsets and channels of the conversion they come from. Every second
frame is kept (120 becomes 60 frames a second), fingers and eyes are left out, and numbers are rounded to what the
capture could resolve.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
STEP = 2
LEFT_OUT = re.compile(r"(Eye|Thumb|Index|Mid|Ring|Pinky|FingerBase)\w*$")
HEAD_TOP = np.array([0.0, 16.0, 0.0])
"""Centimetres from the head's joint: where a head ends whose only children were eyes."""


@dataclass
class Joint:
    """A joint of a BVH hierarchy; an End Site has no name and no channels."""

    name: str
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)
    children: list[Joint] = field(default_factory=list)


def main() -> None:
    """Writes every sample of the table, and says what they weigh together."""
    data = os.environ.get("HUMS_DATA")
    if not data:
        sys.exit("Set HUMS_DATA to the folder that holds the unpacked CMU archive (cmu/bvh, cmu/dance_martial).")
    with (SAMPLES / "samples.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        source = (Path(data) / "cmu" / row["source"]).read_text()
        target = SAMPLES / row["file"]
        target.write_text(excerpt(source, int(row["first_frame"]), int(row["last_frame"])), newline="\n")
    total = sum((SAMPLES / row["file"]).stat().st_size for row in rows)
    print(f"{len(rows)} samples, {total / 1e6:.1f} MB")


def excerpt(source: str, first: int, last: int) -> str:
    """The BVH text of frames ``first`` to ``last`` (from 0, both included) of ``source``, thinned out and rounded."""
    header, _, motion = source.partition("MOTION")
    root = parse_hierarchy(header)
    lines = motion.strip().splitlines()
    frame_time = float(lines[1].split()[-1]) * STEP
    channels = [channel for joint in walk(root) for channel in joint.channels]
    kept = [keep for joint, keep in walk_kept(root) for _ in joint.channels]
    frames = np.array([line.split() for line in lines[2:][first : last + 1 : STEP]], dtype=np.float64)[:, kept]
    places = [3 if "position" in channel else 2 for channel, keep in zip(channels, kept, strict=True) if keep]
    prune(root)
    body = "\n".join(" ".join(number(x, p) for x, p in zip(frame, places, strict=True)) for frame in frames)
    return f"HIERARCHY\n{hierarchy(root)}MOTION\nFrames: {len(frames)}\nFrame Time: {frame_time:.7f}\n{body}\n"


def parse_hierarchy(header: str) -> Joint:
    """The root joint of a BVH header of the ordinary kind."""
    words = iter(header.split())
    stack = [Joint("")]
    for word in words:
        if word in {"ROOT", "JOINT", "End"}:
            name = next(words)
            joint = Joint("" if word == "End" else name)
            stack[-1].children.append(joint)
        elif word == "{":
            stack.append(stack[-1].children[-1])
        elif word == "}":
            stack.pop()
        elif word == "OFFSET":
            stack[-1].offset = np.array([float(next(words)) for _ in range(3)])
        elif word == "CHANNELS":
            stack[-1].channels = [next(words) for _ in range(int(next(words)))]
    return stack[0].children[0]


def walk(joint: Joint) -> Iterator[Joint]:
    """``joint`` and all below it, in the order of the file's channels."""
    for each, _ in walk_kept(joint):
        yield each


def walk_kept(joint: Joint, kept: bool = True) -> Iterator[tuple[Joint, bool]]:
    """``joint`` and all below it, each with whether it stays in the sample."""
    kept = kept and not LEFT_OUT.search(joint.name)
    yield joint, kept
    for child in joint.children:
        yield from walk_kept(child, kept)


def prune(joint: Joint) -> None:
    """Takes fingers and eyes out below ``joint``; where nothing is left, an End Site stands for them."""
    dropped = [child for child in joint.children if LEFT_OUT.search(child.name)]
    joint.children = [child for child in joint.children if child not in dropped]
    if dropped and not joint.children:
        eyes = any("Eye" in child.name for child in dropped)
        joint.children = [Joint("", HEAD_TOP if eyes else np.mean([tip(child) for child in dropped], axis=0))]
    for child in joint.children:
        prune(child)


def tip(joint: Joint) -> NDArray[np.float64]:
    """Where the chain that starts with ``joint`` ends at rest, seen from the joint's parent."""
    return joint.offset + (tip(joint.children[0]) if joint.children else 0.0)


def hierarchy(joint: Joint, depth: int = 0) -> str:
    """The BVH text of ``joint`` and all below it."""
    indent, inner = "\t" * depth, "\t" * (depth + 1)
    kind = "End Site" if not joint.name else f"JOINT {joint.name}" if depth else f"ROOT {joint.name}"
    lines = [f"{indent}{kind}", f"{indent}{{", f"{inner}OFFSET {' '.join(number(x, 4) for x in joint.offset)}"]
    if joint.channels:
        lines.append(f"{inner}CHANNELS {len(joint.channels)} {' '.join(joint.channels)}")
    below = "".join(hierarchy(child, depth + 1) for child in joint.children)
    return "\n".join(lines) + f"\n{below}{indent}}}\n"


def number(value: float, places: int) -> str:
    """``value`` rounded to ``places`` decimals, with no trailing zeros and no minus zero."""
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


if __name__ == "__main__":
    main()
