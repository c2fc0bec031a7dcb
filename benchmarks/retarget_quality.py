# SPDX-License-Identifier: GPL-3.0-or-later
"""How well motions land on rigs: the installed extension's Apply in a real Blender, measured against the source.

    python build_addon.py && python benchmarks/retarget_quality.py --data DATA [--rigs Knight Geno ...] [--variants]

DATA is the folder of the unpacked motion data. Each rig plays five CMU takes; the table gives the median over the
takes, for the worst rig in its last rows, beside two ways in which rotations are commonly copied. Positions are read
off Blender's evaluated pose, frame by frame, at bones named by hand in rig_truth.json. With --variants the same rigs
rest in other poses, face elsewhere, are of other scales, stand under turned and scaled parents, or have no names.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if "BLENDER_USER_RESOURCES" not in os.environ:  # before Blender starts, or it uses the person's own settings
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()

import bpy
import numpy as np
from bpy.types import Object

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import benchmark_rigs, rig_variants, rotation_copying
from benchmarks.installed_extension import install, newest_zip
from benchmarks.retarget_measures import LEG_M, Measures, Performance, leg_of, measure
from hums_engine import skeleton
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.formats import load

TAKES = {"walk": "02_01", "run": "09_01", "jump": "13_11", "kick": "10_01", "dance": "05_02"}
_LONGEST_S = 8.0
_LONG_FRAMES = 1000


@dataclass
class Row:
    """One rig: a line of measures for each take and method, and what else was seen.

    ``skin_cm`` is how far its skin is in the floor, in the 95th percentile over a take, for legs of 0.9 m.
    """

    takes: list[Measures] = field(default_factory=list)
    copied: dict[str, list[Measures]] = field(default_factory=dict)
    skin_cm: list[float] = field(default_factory=list)
    long_s: float = float("nan")
    changed: list[str] = field(default_factory=list)


def main() -> int:
    """Prints the table, and its figures as JSON with --json."""
    parser = argparse.ArgumentParser(description="How well motions land on rigs, against the source.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the unpacked motion data")
    parser.add_argument("--rigs", nargs="*", default=list(benchmark_rigs.FILES), choices=list(benchmark_rigs.FILES))
    parser.add_argument("--variants", nargs="*", choices=list(rig_variants.VARIANTS), help="in other rests and scales")
    parser.add_argument("--fps", type=int, default=30, help="frames a second of the scene")
    parser.add_argument("--options", type=json.loads, default={}, help="options of Apply Motion, as JSON")
    parser.add_argument("--takes", nargs="*", default=list(TAKES), choices=list(TAKES))
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    install(newest_zip())
    sources = {take: _source(arguments, take) for take in arguments.takes}
    chosen = [""] if arguments.variants is None else arguments.variants or list(rig_variants.VARIANTS)
    rows: dict[str, Row] = {}
    for rig in arguments.rigs:
        for variant in chosen:
            name = f"{rig}, {variant}" if variant else rig
            try:
                rows[name] = play(rig, variant, sources, arguments)
            except Exception:  # one rig that cannot be played must not hide the others
                traceback.print_exc()
                rows[name] = Row(changed=["failed"])
    print(
        f"Blender {bpy.app.version_string}, {arguments.fps} frames a second, {arguments.options or 'default options'}"
    )
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({name: _figures(row) for name, row in rows.items()}, indent=1), "utf-8")
    return 0


def _source(arguments: argparse.Namespace, take: str) -> CanonicalMotion:
    motion = canonicalize(load(_file(arguments, take)))
    return motion.cut(0.0, _LONGEST_S).resampled(arguments.fps)


def _file(arguments: argparse.Namespace, take: str) -> Path:
    return arguments.data / "cmu" / "bvh" / f"{TAKES[take]}.bvh"


def play(rig: str, variant: str, sources: dict[str, CanonicalMotion], arguments: argparse.Namespace) -> Row:
    """Applies all takes to one rig in a fresh scene, one after the other."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)  # keeps the add-ons as they are
    scene = bpy.context.scene
    armature = benchmark_rigs.load(rig, arguments.data)
    bones = benchmark_rigs.true_pairs(rig)
    if variant:
        bones = rig_variants.VARIANTS[variant](armature, bones)
    scene.render.fps, scene.render.fps_base = arguments.fps, 1.0  # after the import, which may set its own
    benchmark_rigs.to_rest(armature)
    row, before = Row(), benchmark_rigs.what_must_stay(armature)
    rest = _rest(armature, bones)
    ground = benchmark_rigs.lowest_skin(armature, range(1, 2))[0]
    for take, source in sources.items():
        frames = range(1, 1 + source.frame_count)
        bpy.ops.hums.apply_motion(filepath=str(_file(arguments, take)), end_s=_LONGEST_S, **arguments.options)
        played = benchmark_rigs.performance(benchmark_rigs.posed(armature, bones, frames), rest)
        row.takes.append(measure(seen(source), played, arguments.fps))
        depth = ground - np.percentile(benchmark_rigs.lowest_skin(armature, frames), 5)
        row.skin_cm.append(max(float(depth), 0.0) * LEG_M / leg_of(played) * 100 if np.isfinite(depth) else np.nan)
        scene.frame_set(1)
        after = benchmark_rigs.what_must_stay(armature)
        row.changed += [what for what in before if before[what] != after[what] and what not in row.changed]
        if not variant:
            for name, copied in rotation_copying.WAYS.items():
                target = copied(load(_file(arguments, take)), source, rest)
                row.copied.setdefault(name, []).append(measure(seen(source), target, arguments.fps))
        benchmark_rigs.to_rest(armature)
    row.long_s = _long_apply(armature, arguments)
    return row


def _rest(armature: Object, bones: rig_variants.Bones) -> benchmark_rigs.Posed:
    """The rig as its bones were made to rest, whatever its constraints make of it, and upright."""
    parent = bpy.data.objects.get(rig_variants.PARENT)
    turn = parent.rotation_euler.copy() if parent is not None else None
    armature.data.pose_position = "REST"
    if parent is not None:
        parent.rotation_euler.zero()
    rest = benchmark_rigs.posed(armature, bones, range(1, 2))
    armature.data.pose_position = "POSE"
    if parent is not None:
        parent.rotation_euler = turn
    bpy.context.view_layer.update()
    return rest


def _long_apply(armature: Object, arguments: argparse.Namespace) -> float:
    """Seconds of the processor for 1,000 frames on a rig with a skinned mesh, until Blender has posed it."""
    scene = bpy.context.scene
    benchmark_rigs.skin(armature)
    scene.render.fps = 120
    start = time.process_time()
    options = {**arguments.options, "end_s": (_LONG_FRAMES - 1) / 120}
    bpy.ops.hums.apply_motion(filepath=str(_file(arguments, "dance")), **options)
    bpy.context.view_layer.update()
    seconds = time.process_time() - start
    scene.render.fps = arguments.fps
    return seconds


def seen(motion: CanonicalMotion) -> Performance:
    """The motion's joints, NaN where it has none, and its turns from the reference pose."""
    joints = np.where(motion.valid[:, None], motion.positions.astype(np.float64), np.nan)
    return Performance(joints, motion.rotations.astype(np.float64), skeleton.REFERENCE)


def _figures(row: Row) -> dict[str, Any]:
    return {
        "takes": [m._asdict() for m in row.takes],
        "copied": {name: [m._asdict() for m in takes] for name, takes in row.copied.items()},
        "skin_cm": row.skin_cm,
        "long_s": row.long_s,
        "changed": row.changed,
    }


def medians(takes: list[Measures]) -> list[float]:
    """The median of each measure over the takes, of those that it can be told for."""
    return [
        statistics.median([v for v in column if np.isfinite(v)] or [float("nan")])
        for column in zip(*takes, strict=True)
    ]


def table(rows: dict[str, Row]) -> str:
    """A Markdown table: a row a rig, the median over the takes; then the worst rig, and the rotations copied."""
    names = (*Measures._fields, "skin_in_floor_cm", "1,000 frames (s)", "changed")
    lines = ["| rig | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    played = {name: row for name, row in rows.items() if row.takes}
    for name, row in rows.items():
        found = _found(row) if row.takes else []
        lines.append(_line(name, found, ", ".join(row.changed) or "nothing"))
    every = np.array([_found(row) for row in played.values()])
    lines.append(_line("**worst rig**", list(np.nanmax(every, axis=0)), ""))
    lines.append(_line("**median rig**", list(np.nanmedian(every, axis=0)), ""))
    for way in rotation_copying.WAYS:
        found = np.array([medians(row.copied[way]) for row in played.values() if way in row.copied])
        if len(found):
            lines.append(_line(f"{way}, worst rig", [*np.nanmax(found, axis=0)], ""))
            lines.append(_line(f"{way}, median rig", [*np.nanmedian(found, axis=0)], ""))
    return "\n".join(lines)


def _found(row: Row) -> list[float]:
    return [*medians(row.takes), float(np.median(row.skin_cm)), row.long_s]


def _line(name: str, figures: list[float], last: str) -> str:
    return f"| {name} | " + " | ".join(f"{value:.2f}" for value in figures) + f" | {last} |"


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Blender's module of 4.5 may hang while it cleans up
