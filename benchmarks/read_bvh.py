# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast BVH files become joint positions: this reader, Blender's importer, and the libraries that are installed.

    pip install bpy upc-pymotion pybvh bvhio
    python benchmarks/read_bvh.py [FILE ...] [--repeat 5]

Without files it reads the samples. Each reader is timed from the path to what it offers nearest to joint positions in
the world, in processor time, the best of the repeats for each file; the table gives the sum over the files, how many
times slower than this reader that is, and how far its joints stand from this reader's. Readers that are not installed
are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import logging
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine.formats import bvh
from hums_engine.formats.axes import UNITS

SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples"
Positions = NDArray[np.floating]


class Reader(NamedTuple):
    """Something that reads BVH: its name, its package, what it gives, and the call (positions where it gives them)."""

    name: str
    package: str
    gives: str
    read: Callable[[Path], Positions | None]


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Times readers of BVH files.")
    parser.add_argument("files", nargs="*", type=Path, help="BVH files; the samples if none are given")
    parser.add_argument("--repeat", type=int, default=5, help="times that each reader reads each file")
    arguments = parser.parse_args()
    files = arguments.files or sorted(SAMPLES.glob("*.bvh"))
    logging.disable(logging.INFO)  # Blender's importer logs each file
    installed = [reader for reader in READERS if importlib.util.find_spec(reader.package)]
    rows = [(reader, *measure(reader, files, arguments.repeat)) for reader in installed]
    size, frames = (
        sum(path.stat().st_size for path in files) / 1e6,
        sum(bvh.read(path)[0].frame_count for path in files),
    )
    print(
        f"{len(files)} files, {size:.1f} MB, {frames} frames; Python {sys.version.split()[0]}, numpy {np.__version__}"
    )
    print(f"{'reader':<12}{'CPU s':>9}{'MB/s':>8}{'times':>8}{'off by mm':>11}  gives")
    for reader, seconds, off in rows:
        far = "-" if off is None else f"{off:.3f}"
        print(
            f"{reader.name:<12}{seconds:9.3f}{size / seconds:8.1f}{seconds / rows[0][1]:8.1f}{far:>11}  {reader.gives}"
        )
    return 0


def measure(reader: Reader, files: list[Path], repeat: int) -> tuple[float, float | None]:
    """Seconds for all files, the best of the repeats of each, and the largest distance in mm from our joints."""
    total, off = 0.0, None
    for path in files:
        best, positions = np.inf, None
        for _ in range(repeat):
            start = time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):  # some print as they read
                positions = reader.read(path)
            best = min(best, time.process_time() - start)
        total += best
        if positions is not None:
            off = max(off or 0.0, distance(positions, path))
    return total, off


def distance(positions: Positions, path: Path) -> float:
    """How far the joints are from ours at most, in mm; both in the file's axes and unit."""
    motion = bvh.read(path)[0]
    x, y, z = np.moveaxis(motion.positions, -1, 0)
    mine = np.stack([x, z, -y], axis=-1) / dict(UNITS)[motion.unit]
    if positions.shape[1] < mine.shape[1]:  # end sites left out
        mine = mine[:, [not name.endswith("_end") for name in motion.joint_names]]
    return float(np.linalg.norm(positions - mine, axis=-1).max()) * dict(UNITS)[motion.unit] * 1e3


def ours(path: Path) -> None:
    """This project's reader."""
    bvh.read(path)


def by_blender(path: Path) -> None:
    """Blender's importer, into an empty scene; to empty it takes no time worth the name."""
    import bpy  # noqa: PLC0415

    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.armatures, *bpy.data.actions])
    bpy.ops.import_anim.bvh(filepath=str(path))


def by_pymotion(path: Path) -> Positions:
    """pymotion: load, then its forward kinematics."""
    file = import_module("pymotion.io.bvh").BVH()
    file.load(str(path))
    rotations, positions, parents, offsets, _, _ = file.get_data()
    return import_module("pymotion.ops.skeleton").fk(rotations, positions[:, 0, :], offsets, parents)[0]


def by_pybvh(path: Path) -> Positions:
    """pybvh: read, then its positions of all nodes."""
    return import_module("pybvh").read_bvh_file(str(path)).node_positions()


def by_bvhio(path: Path) -> None:
    """bvhio: parse alone; its joints move one frame at a time."""
    import_module("bvhio").readAsBvh(str(path))


READERS: Final = (
    Reader("hums", "hums_engine", "positions and rotations, all frames", ours),
    Reader("Blender", "bpy", "an armature with an action", by_blender),
    Reader("pymotion", "pymotion", "positions and rotations, all frames", by_pymotion),
    Reader("pybvh", "pybvh", "positions, all frames", by_pybvh),
    Reader("bvhio", "bvhio", "parsed numbers, no positions", by_bvhio),
)

if __name__ == "__main__":
    sys.exit(main())
