# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion files: one module a format, and the one door through which every file is read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import MotionFileError
from ..motion import Motion
from . import asf_amc, blender, bvh, fbx, gltf, mhad, npz, ntu
from .files import printable

READERS: Final[dict[str, Callable[..., list[Motion]]]] = {
    ".bvh": bvh.read,
    ".amc": asf_amc.read,
    ".txt": mhad.read,
    ".skeleton": ntu.read,
    ".npz": npz.read,
    ".gltf": gltf.read,
    ".glb": gltf.read,
    ".fbx": fbx.read,
    ".blend": blender.read,
    ".usd": blender.read,
    ".usda": blender.read,
    ".usdc": blender.read,
    ".usdz": blender.read,
    ".dae": blender.read,
}
"""What reads each kind of file, by its suffix in small letters. A reader gives every figure or take of its file."""

_LOOKED_INTO: Final = {
    ".txt": mhad.is_mhad,
    ".npz": npz.holds_motion,
    ".gltf": gltf.holds_motion,
    ".glb": gltf.holds_motion,
    ".fbx": fbx.holds_motion,
    ".blend": blender.holds_motion,
    ".usd": blender.holds_motion,
    ".usda": blender.holds_motion,
    ".usdc": blender.holds_motion,
    ".usdz": blender.holds_motion,
    ".dae": blender.holds_motion,
}
_THINNING: Final = (bvh.read, asf_amc.read)
_READ_WITH: Final = {".amc": asf_amc.read_with, ".gltf": gltf.read_with}
REFUSALS: Final = {
    ".c3d": "a C3D file holds markers, not a skeleton; solve them in your capture program and export BVH.",
    ".abc": "an Alembic file holds moving meshes, no skeleton; export the motion as FBX, glTF or BVH.",
    ".asf": "an ASF file is a skeleton without motion; open the AMC file that goes with it.",
}
"""Why files of these kinds hold nothing to be read, and what to do."""


def load(path: str | os.PathLike[str]) -> Motion:
    """The motion in a file; of several figures the one with most joints, of those the first.

    Args:
        path: a file of a kind in ``READERS``; ``~`` is the home folder.

    Raises:
        MotionFileError: the file cannot be read; one sentence that begins with its name and says what to do.
    """
    return max(load_all(path), key=lambda motion: len(motion.parents))


def load_all(path: str | os.PathLike[str], most_fps: float = math.inf) -> list[Motion]:
    """Every motion in a file: the figures of a BVH, the bodies that a Kinect saw. Errors as of `load`.

    Args:
        path: as of `load`.
        most_fps: what the caller can use. Of a file that has more, some readers leave out all but every n-th frame
            (`motion.thinning`), which ``Motion.thinned`` tells; the others read all.
    """
    path = Path(path).expanduser()
    name = " ".join(path.name.splitlines())  # a name may have line ends
    try:
        reader = _reader(path)
        return reader(path, most_fps) if reader in _THINNING else reader(path)
    except MotionFileError as error:
        raise MotionFileError(f"{name}: {printable(str(error))}") from None
    except MemoryError:
        raise MotionFileError(f"{name}: the motion does not fit into memory; cut it into parts.") from None


def is_readable(path: str | os.PathLike[str]) -> bool:
    """Whether `load` would try this file: one of a kind in ``READERS``.

    A ``.txt`` or ``.npz`` may be anything, and most glTF and FBX are models; such a file only where it looks like a
    motion inside.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in READERS or not path.is_file():
        return False
    return suffix not in _LOOKED_INTO or _LOOKED_INTO[suffix](path)


def read_with(path: str | os.PathLike[str]) -> list[Path]:
    """The other files that a file's motion depends on: an AMC's ASF, and the buffer named as its glTF. Never raises."""
    find = _READ_WITH.get(os.path.splitext(path)[1].lower())  # noqa: PTH122 - a Path would be made for every file
    return find(Path(path)) if find else []


def _reader(path: Path) -> Callable[..., list[Motion]]:
    suffix = path.suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    if path.is_dir():
        raise MotionFileError("this is a folder; give the path of one motion file, or index the folder.")
    kinds = ", ".join(READERS)
    unknown = f'files of kind "{suffix}" are not read, only {kinds}; convert it to BVH.'
    raise MotionFileError(REFUSALS.get(suffix, unknown))
