# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons to be mapped, each with the truth about its joints: of rigs in Blender, of motion files, and made up."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from benchmarks import benchmark_rigs
from hums_engine.errors import MotionFileError
from hums_engine.formats import load
from hums_engine.mapping import JointMap, map_joints
from hums_engine.motion import Motion
from hums_engine.skeleton import INDEX, JOINTS, MAIN_JOINTS
from tests.engine import synthetic_rigs

Array = NDArray[np.float64]

# A file of each kind of skeleton in the data folder, by the name that its truth has in rig_truth.json.
MOTION_FILES = {
    "mixamo.bvh": "fixtures/bvh/20tab+bvh-python/test_freebvh.bvh",
    "mocapbank.bvh": "fixtures/bvh/20tab+bvh-python/test_mocapbank.bvh",
    "mocapnet.bvh": "fixtures/bvh/MocapNET/CMU_Sample_05_01.bvh",
    "mocapnet_header.bvh": "fixtures/bvh/MocapNET/headerWithHeadAndOneMotion.bvh",
    "walk01.bvh": "fixtures/bvh/OlafHaag+bvh-toolbox/walk01.bvh",
    "neck1.bvh": "fixtures/bvh/VictorS-67+pybvh/bvh_example.bvh",
    "chest4.bvh": "fixtures/bvh/VictorS-67+pybvh/bvh_test2.bvh",
    "fingers.bvh": "fixtures/bvh/VictorS-67+pybvh/bvh_test3.bvh",
    "dab.bvh": "fixtures/bvh/facebookresearch+AnimatedDrawings/dab.bvh",
    "jesse_dance.bvh": "fixtures/bvh/facebookresearch+AnimatedDrawings/jesse_dance.bvh",
    "jumping_jacks.bvh": "fixtures/bvh/facebookresearch+AnimatedDrawings/jumping_jacks.bvh",
    "low_limbs.bvh": "fixtures/bvh/kevinxie4c+Mocap-BVH/sample.bvh",
    "azumi.bvh": "fixtures/bvh/mocapdata_com/greeting-01-hello-azumi.bvh",
    "Geno_bind.bvh": "fixtures/rigs/geno/Geno_bind.bvh",
    "cmu_daz.bvh": "cmu/bvh/02_04.bvh",
    "cmu_motionbuilder.bvh": "cmu/bvh/16_21.bvh",
    "hdm05.amc": "hdm05/train/1/*.amc",
    "mhad.txt": "mhad/a01_s01_e01_skeleton.txt",
}


@dataclass(frozen=True, eq=False)
class Skeleton:
    """What `map_joints` is given, and what it should answer.

    Attributes:
        label: what the table calls it.
        names: ``J`` names.
        parents: ``[J]`` index of the parent, -1 for a root.
        heads: ``[J, 3]`` at rest, or None.
        tips: ``[J, 3]`` where bones end at rest, or None.
        poses: ``[T, J, 3]`` posed positions, or None.
        controls: ``[J]`` bool, which bones a person poses; None: all.
        truth: main joint -> index of its bone; joints that the skeleton lacks are left out.
    """

    label: str
    names: list[str]
    parents: NDArray[np.intp]
    heads: Array | None
    tips: Array | None
    poses: Array | None
    controls: NDArray[np.bool_] | None
    truth: dict[str, int]

    def map(self) -> JointMap:
        """The map that the product finds.

        Raises:
            MappingError: it finds no figure.
        """
        return map_joints(self.names, self.parents, self.heads, self.tips, self.poses, controls=self.controls)

    def wrong(self, found: JointMap) -> dict[str, str]:
        """Main joints that are on another bone than they should, with that bone."""
        bones = found.joints.tolist()
        return {
            joint: self.names[bones[INDEX[joint]]] if bones[INDEX[joint]] >= 0 else "none"
            for joint in MAIN_JOINTS
            if bones[INDEX[joint]] != self.truth.get(joint, -1)
        }


def of_rigs(data: Path) -> Iterator[Skeleton]:
    """The rigs of the fixtures and those that come with Blender."""
    for rig in benchmark_rigs.MAPPED:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        yield of_armature(rig, benchmark_rigs.load(rig, data))


def of_armature(label: str, rig: Object) -> Skeleton:
    """The bones of an armature as the add-on reads them."""
    bones = rig.data.bones
    names = list(bones.keys())
    return Skeleton(
        label=label,
        names=names,
        parents=np.array([names.index(b.parent.name) if b.parent else -1 for b in bones], dtype=np.intp),
        heads=np.array([b.head_local for b in bones], dtype=np.float64),
        tips=np.array([b.tail_local for b in bones], dtype=np.float64),
        poses=None,
        controls=importlib.import_module("bl_ext.user_default.deephums.core.rig_map").controls_of(rig),
        truth=_truth(label, names) if label else {},
    )


def of_motions(data: Path) -> Iterator[Skeleton]:
    """One motion file of each distinct skeleton."""
    for label, pattern in MOTION_FILES.items():
        path = next(iter(sorted(data.glob(pattern))), None)
        if path is None:
            continue
        try:
            yield of_motion(label, load(path))
        except MotionFileError as error:
            print(f"{label} cannot be read: {error}")


def of_motion(label: str, motion: Motion) -> Skeleton:
    """The joints of a motion as a library reads them."""
    rest = None if motion.rest_positions is None else motion.rest_positions.astype(np.float64)
    names = list(motion.joint_names)
    poses = motion.sampled().astype(np.float64)
    return Skeleton(label, names, motion.parents, rest, None, poses, None, _truth(label, names) if label else {})


def made_up(count: int) -> Iterator[Skeleton]:
    """Rigs of random build."""
    for seed in range(count):
        rig = synthetic_rigs.make(synthetic_rigs.random_build(np.random.default_rng(seed)))
        truth = {joint: bone for joint, bone in rig.truth.items() if joint in MAIN_JOINTS}
        parents = np.array(rig.parents, dtype=np.intp)
        heads, tips = np.array(rig.heads), np.array(rig.tips)
        yield Skeleton(f"made up {seed}", list(rig.names), parents, heads, tips, None, None, truth)


def _truth(label: str, names: list[str]) -> dict[str, int]:
    bones = dict(zip(JOINTS, benchmark_rigs.true_bones(label), strict=True))
    return {joint: names.index(bones[joint]) for joint in MAIN_JOINTS if bones[joint]}
