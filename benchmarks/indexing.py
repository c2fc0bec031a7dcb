# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a folder of BVH is indexed, beside what others need to read it: Blender's importer, pymotion, pybvh, bvhio.

    pip install bpy pybvh "hums[bench]"
    python benchmarks/indexing.py [FILE_OR_FOLDER ...] [--every 1] [--repeat 3]

Without files it takes the samples. `hums index` is all of it: read, named, brought onto one body, signed with all its
moments, stored and committed, by one process. The other rows only read, each from the path to what it offers nearest
to joint positions in the world; ``bytes`` reads the files and looks at nothing. Each row is measured in a process of
its own, in processor time, which a busy machine stretches least, the best of the repeats for each file (for the index:
of whole runs). How far joints stand from this reader's tells that the same was read. What is not installed is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine.canonical import canonicalize
from hums_engine.encoder import Encoder
from hums_engine.formats import bvh
from hums_engine.formats.axes import UNITS
from hums_engine.library import Library

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
    parser = argparse.ArgumentParser(description="Times the index of BVH files, and readers of them.")
    parser.add_argument("paths", nargs="*", type=Path, help="BVH files and folders; the samples if none are given")
    parser.add_argument("--every", type=int, default=1, help="take every n-th file only")
    parser.add_argument("--repeat", type=int, default=3, help="times that each reader reads each file")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = files_of(arguments.paths or [SAMPLES])[:: arguments.every]
    if arguments.only:
        print(json.dumps(measure(arguments.only, files, arguments.repeat)))
        return 0
    size = sum(path.stat().st_size for path in files) / 1e6
    motions = [bvh.read(path)[0] for path in files]
    print(
        f"{len(files)} files, {size:.1f} MB, {sum(motion.frame_count for motion in motions)} frames, "
        f"{sum(motion.duration_s for motion in motions):.0f} s; Python {sys.version.split()[0]}, numpy {np.__version__}"
    )
    print(f"{'':<12}{'CPU s':>9}{'ms/file':>9}{'MB/s':>8}{'x index':>9}{'off by mm':>11}  gives")
    whole = 0.0
    for name, gives in rows():
        seconds, off = in_own_process(name, files, arguments.repeat)
        whole = whole or seconds
        far = "-" if off is None else f"{off:.3f}"
        print(
            f"{name:<12}{seconds:>9.3f}{1000 * seconds / len(files):>9.1f}{size / seconds:>8.1f}"
            f"{seconds / whole:>9.3g}{far:>11}  {gives}",
            flush=True,
        )
    return 0


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The BVH files named, and those in the folders named."""
    return [file for path in paths for file in (sorted(path.rglob("*.bvh")) if path.is_dir() else [path])]


def rows() -> list[tuple[str, str]]:
    """Name and what it gives, of what can be measured here."""
    installed = [reader for reader in READERS if importlib.util.find_spec(reader.package)]
    return [("hums index", "a library"), *((reader.name, reader.gives) for reader in installed)]


def in_own_process(name: str, files: list[Path], repeat: int) -> tuple[float, float | None]:
    """`measure` in another process, with one thread and without what the other rows have loaded."""
    words = [sys.executable, __file__, *map(str, files), "--repeat", str(repeat), "--only", name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    seconds, off = json.loads(done.stdout.splitlines()[-1])
    return seconds, off


def measure(name: str, files: list[Path], repeat: int) -> tuple[float, float | None]:
    """Seconds for all files, and the largest distance in mm from our joints where there are joints."""
    logging.disable(logging.INFO)  # Blender's importer logs each file
    if name == "hums index":
        return min(indexed(files) for _ in range(repeat)), None
    return timed(next(reader for reader in READERS if reader.name == name), files, repeat)


def indexed(files: list[Path]) -> float:
    """Seconds of an index of all files, less the start of the encoder."""
    encoder = Encoder(provider="cpu")
    with (
        tempfile.TemporaryDirectory(prefix="hums index ") as folder,
        Library.create(Path(folder) / "new.hums", encoder) as library,
    ):
        encoder.encode_stretches(canonicalize(bvh.read(files[0])[0]), np.array([[0.0, 1.0]]))
        start = time.process_time()
        report = library.add(files, workers=1)
        seconds = time.process_time() - start
    if report.failed:
        sys.exit(f"{len(report.failed)} files could not be indexed, such as {report.failed[0]}")
    return seconds


def timed(reader: Reader, files: list[Path], repeat: int) -> tuple[float, float | None]:
    """Seconds of a reader, the best of the repeats of each file, and its largest distance in mm."""
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


def the_bytes(path: Path) -> None:
    """What no reader can do without."""
    path.read_bytes()


READERS: Final = (
    Reader("hums", "hums_engine", "positions and rotations, all frames", ours),
    Reader("Blender", "bpy", "an armature with an action", by_blender),
    Reader("pymotion", "pymotion", "positions and rotations, all frames", by_pymotion),
    Reader("pybvh", "pybvh", "positions, all frames", by_pybvh),
    Reader("bvhio", "bvhio", "parsed numbers, no positions", by_bvhio),
    Reader("bytes", "hums_engine", "nothing", the_bytes),
)

if __name__ == "__main__":
    sys.exit(main())
