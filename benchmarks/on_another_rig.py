# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a motion on another rig find the take that it was cut from?

``python benchmarks/on_another_rig.py`` plays the middle half of every sample on the sample character, whose
proportions are nothing like a person's, reads it off the character, and searches the samples with it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Object

import hums_engine as hums
from hums_engine.armature import Bones, pose, to_motion
from hums_engine.canonical import canonicalize
from hums_engine.retarget import retarget

ROOT = Path(__file__).resolve().parents[1]
_FPS = 30.0


def main() -> None:
    """Prints the rank of each take that is not first, and how many are."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "character" / "knight.glb"))
    character = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    with tempfile.TemporaryDirectory() as folder:
        library = hums.Library.create(Path(folder) / "samples.hums")
        library.add([ROOT / "samples"], workers=1)
        ranks = {path.stem: rank(path, character, library) for path in sorted((ROOT / "samples").glob("*.bvh"))}
        library.close()
    for name, place in ranks.items():
        if place != 1:
            print(f"{name}: {place or 'not among the first 20'}")
    print(f"{sum(place == 1 for place in ranks.values())} of {len(ranks)} takes are found first")


def rank(path: Path, character: Object, library: hums.Library) -> int:
    """The place of the take among the hits of its own middle half on the character; 0 where it is not among 20."""
    take = canonicalize(hums.load(path))
    excerpt = take.cut(0.25 * take.duration_s, 0.75 * take.duration_s)
    names = [hit.name for hit in library.search(played(excerpt, character), k=20)]
    return names.index(path.stem) + 1 if path.stem in names else 0


def played(motion: hums.CanonicalMotion, character: Object) -> hums.Motion:
    """The motion as the character's bones play it."""
    bones, world = bones_of(character), np.array(character.matrix_world)
    curves = retarget(motion, bones.in_world(world), fps=_FPS)
    shape = (len(curves.times_s), len(bones.names))
    locations, rotations = np.zeros((*shape, 3)), np.tile([1.0, 0.0, 0.0, 0.0], (*shape, 1))
    rotations[:, curves.bones] = curves.rotations
    locations[:, curves.root_bone] = curves.root_locations
    return to_motion(bones, pose(bones, locations, rotations), world, _FPS)


def bones_of(character: Object) -> Bones:
    """The character's bones at rest."""
    bones = character.data.bones
    names = tuple(bone.name for bone in bones)
    return Bones(
        names=names,
        parents=np.array([names.index(bone.parent.name) if bone.parent else -1 for bone in bones], dtype=np.intp),
        rest=np.array([bone.matrix_local for bone in bones]),
        tips=np.array([bone.tail_local for bone in bones]),
        inherits_rotation=np.array([bone.use_inherit_rotation for bone in bones]),
        local_location=np.array([bone.use_local_location for bone in bones]),
    )


if __name__ == "__main__":
    main()
