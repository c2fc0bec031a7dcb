# SPDX-License-Identifier: GPL-3.0-or-later
"""How well motions land on rigs: the installed extension's Apply in a real Blender, measured against the source.

    python build_addon.py && python benchmarks/retarget_quality.py --data DATA [--rigs Knight Geno ...] [--fps 30]

DATA is the folder of the unpacked motion data. Each rig plays five CMU takes; the table gives the median over the
takes. Positions are read off Blender's evaluated pose, frame by frame, at bones named by hand in rig_truth.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()  # before Blender starts, or it uses the person's own settings

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import benchmark_rigs
from benchmarks.installed_extension import install, newest_zip
from benchmarks.retarget_measures import Measures, measure
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.formats import load

TAKES = {"walk": "02_01", "run": "09_01", "jump": "13_11", "kick": "10_01", "dance": "05_02"}
_LONGEST_S = 8.0


def main() -> int:
    """Prints the table, and its figures as JSON with --json."""
    parser = argparse.ArgumentParser(description="How well motions land on rigs, against the source.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the unpacked motion data")
    parser.add_argument("--rigs", nargs="*", default=list(benchmark_rigs.FILES), choices=list(benchmark_rigs.FILES))
    parser.add_argument("--fps", type=int, default=30, help="frames a second of the scene")
    parser.add_argument("--plant", action="store_true", help="plant the feet")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    install(newest_zip())
    rows = {rig: [play(rig, take, arguments) for take in TAKES.values()] for rig in arguments.rigs}
    print(table(rows))
    if arguments.json:
        figures = {rig: [m._asdict() | {"seconds": s} for m, s in row] for rig, row in rows.items()}
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def play(rig: str, take: str, arguments: argparse.Namespace) -> tuple[Measures, float]:
    """Applies one take to one rig in a fresh scene; gives the measures and the seconds taken."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)  # keeps the add-ons as they are
    scene = bpy.context.scene
    armature = benchmark_rigs.load(rig, arguments.data)
    scene.render.fps, scene.render.fps_base = arguments.fps, 1.0  # after the import, which may set its own
    path = arguments.data / "cmu" / "bvh" / f"{take}.bvh"
    source = canonicalize(load(path)).cut(0.0, _LONGEST_S).resampled(arguments.fps)
    bones = benchmark_rigs.true_bones(rig)
    rest = benchmark_rigs.posed_joints(armature, bones, range(1, 2))[0]
    start = time.perf_counter()
    options = {"plant_feet": True} if arguments.plant else {}
    bpy.ops.hums.apply_motion(filepath=str(path), end_s=_LONGEST_S, **options)
    seconds = time.perf_counter() - start
    joints = benchmark_rigs.posed_joints(armature, bones, range(1, 1 + source.frame_count))
    return measure(seen(source), joints, rest, arguments.fps), seconds


def seen(motion: CanonicalMotion) -> np.ndarray:
    """The motion's joints ``[T, 22, 3]``, NaN where it has none."""
    return np.where(motion.valid[:, None], motion.positions.astype(np.float64), np.nan)


def table(rows: dict[str, list[tuple[Measures, float]]]) -> str:
    """A Markdown table: a row a rig, the median over the takes."""
    names = (*Measures._fields, "seconds")
    lines = ["| rig | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for rig, row in rows.items():
        columns = zip(*((*m, s) for m, s in row), strict=True)
        figures = (statistics.median([v for v in c if np.isfinite(v)] or [float("nan")]) for c in columns)
        lines.append(f"| {rig} | " + " | ".join(f"{value:.2f}" for value in figures) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
