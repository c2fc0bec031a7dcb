# SPDX-License-Identifier: GPL-3.0-or-later
"""How many skeletons are mapped right with no manual step, as they are and as other riggers would have made them.

    python build_addon.py && python benchmarks/mapping_quality.py --data DATA [--made-up 20] [--only NAME ...]

DATA is the folder of the unpacked motion data. A skeleton is right when none of its 13 main joints is on another
bone than a person put it on in rig_truth.json, and none that it lacks is invented. Every variation is tried
with the skeleton's own names and with names that say nothing; animals, props and single hands must be refused.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()  # before Blender starts, or it uses the person's own settings

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import benchmark_rigs, skeletons
from benchmarks import skeleton_variations as vary
from benchmarks.installed_extension import install, newest_zip
from benchmarks.skeletons import Skeleton
from hums_engine.errors import HumsError, MappingError
from hums_engine.formats import load
from hums_engine.rest_pose import is_standing
from hums_engine.skeleton import INDEX, JOINT_COUNT, MAIN_JOINTS

NAMES: dict[str, vary.Variation] = {
    "as it is": lambda s: s,
    "Bone.001": vary.anonymous,
    "in German": vary.german,
    "mixamorig7: before": vary.renamed("mixamorig7:{name}"),
    "Hero: before": vary.renamed("Hero:{name}"),
    "_jnt behind": vary.renamed("{name}_jnt"),
}
BONES: dict[str, vary.Variation] = {
    "_end leaves": vary.with_leaves,
    "twists in line": vary.with_twists_inside,
    "twists aside": vary.with_twists_aside,
    "long spine": vary.with_long_spine,
    "no toes": vary.without_toes,
    "no collars": vary.without_collars,
    "helpers": vary.with_helpers,
}
POSES: dict[str, vary.Variation] = {"T-pose": vary.arms_at(0.0), "A-pose": vary.arms_at(45.0), "stance": vary.in_stance}
AXES: dict[str, vary.Variation] = {
    "facing +Y": vary.turned(np.diag([-1.0, -1.0, 1.0])),
    "facing +X": vary.turned([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "unit 0.01": vary.turned(0.01 * np.eye(3)),
    "unit 100": vary.turned(100.0 * np.eye(3)),
    "Y up": vary.turned([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}
REFUSED_FILES = (
    "fixtures/bvh/MocapNET/axis.bvh",
    "fixtures/bvh/MocapNET/lhand.bvh",
    "fixtures/bvh/MocapNET/rhand.bvh",
    "fixtures/bvh/VictorS-67+pybvh/rotation_first_root.bvh",
)
REFUSED_METARIGS = ("basic_quadruped", "cat", "horse", "shark", "wolf")


def main() -> int:
    """Prints the tables; the exit code is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description="How many skeletons are mapped right with no manual step.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the unpacked motion data")
    parser.add_argument("--made-up", type=int, default=20, help="rigs of random build")
    parser.add_argument("--only", nargs="*", help="only skeletons with these in their names")
    arguments = parser.parse_args()
    install(newest_zip())
    wrong: list[str] = []
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    started = time.process_time()
    for skeleton in _all(arguments):
        if not arguments.only or any(part in skeleton.label for part in arguments.only):
            _try(skeleton, counts, wrong)
    print("| variation | right | of |\n|---|---|---|")
    for variation, (right, count) in counts.items():
        print(f"| {variation} | {right} | {count} |")
    if not arguments.only:
        wrong += [f"{label} is taken for a figure" for label in _not_refused(arguments.data)]
    print(f"\n{len(wrong)} wrong, {time.process_time() - started:.0f} s of processor time", *wrong, sep="\n")
    return 1 if wrong else 0


def _all(arguments: argparse.Namespace) -> Iterator[Skeleton]:
    yield from skeletons.of_rigs(arguments.data)
    yield from skeletons.of_motions(arguments.data)
    yield from skeletons.made_up(arguments.made_up)


def _try(skeleton: Skeleton, counts: dict[str, list[int]], wrong: list[str]) -> None:
    for variation, made in _variations(skeleton):
        try:
            bad = made.wrong(made.map())
        except MappingError as error:
            bad = {"refused": str(error)}
        except AssertionError as error:
            raise SystemExit(f"{skeleton.label}, {variation}: {error!r}") from error
        counts[variation][0] += not bad
        counts[variation][1] += 1
        if bad:
            wrong.append(f"{skeleton.label}, {variation}: {', '.join(f'{j} on {b}' for j, b in bad.items())}")


def _variations(skeleton: Skeleton) -> Iterator[tuple[str, Skeleton]]:
    for name, variation in NAMES.items():
        yield name, variation(skeleton)
    if not _is_standing(skeleton):
        return
    still = replace(skeleton, poses=None, tips=skeleton.tips if skeleton.tips is not None else _tips(skeleton))
    tables = (BONES, POSES, AXES) if skeleton.controls is None else (AXES,)
    for name, variation in (pair for table in tables for pair in table.items()):
        yield f"{name}, own names", variation(still)
        yield f"{name}, no names", vary.anonymous(variation(still))


def _is_standing(skeleton: Skeleton) -> bool:
    """Whether a rest pose is one that can be varied: of a whole figure, upright, arms aside."""
    if skeleton.heads is None or len(skeleton.truth) < len(MAIN_JOINTS):
        return False
    rest, known = np.full((JOINT_COUNT, 3), np.nan), np.zeros(JOINT_COUNT, dtype=bool)
    for joint, bone in skeleton.truth.items():
        rest[INDEX[joint]], known[INDEX[joint]] = skeleton.heads[bone], True
    return is_standing(rest, known)


def _tips(skeleton: Skeleton) -> np.ndarray:
    """Where the bones of a motion file end: at their first child."""
    assert skeleton.heads is not None
    tips = skeleton.heads.copy()
    for j in reversed(range(len(tips))):
        if skeleton.parents[j] >= 0:
            tips[skeleton.parents[j]] = skeleton.heads[j]
    return tips


def _not_refused(data: Path) -> Iterator[str]:
    """What is no human figure and yet is mapped."""
    for file in REFUSED_FILES:
        try:
            skeleton = skeletons.of_motion("", load(data / file))
        except HumsError:
            continue
        yield from _taken(skeleton, file)
    for animal in REFUSED_METARIGS:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        getattr(bpy.ops.object, f"armature_{animal}_metarig_add")()
        for rig in (bpy.context.active_object, benchmark_rigs.make_rig()):
            skeleton = skeletons.of_armature("", rig)
            yield from _taken(skeleton, animal)
            yield from _taken(vary.anonymous(skeleton), f"{animal} without names")


def _taken(skeleton: Skeleton, label: str) -> Iterator[str]:
    try:
        skeleton.map()
    except MappingError:
        return
    yield label


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # Blender's module of 4.5 may hang while it cleans up
