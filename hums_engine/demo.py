# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums demo``: the engine at work on the sample motions, without Blender.

A piece of a take, played faster and with an arm that the sensors lost, is looked for among all samples.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from . import pictures
from .canonical import CanonicalMotion, canonicalize
from .errors import HumsError
from .formats import load
from .library import Library
from .skeleton import JOINTS

QUERY: Final = "walk_08_07"
QUERY_S: Final = (0.4, 2.0)
FASTER: Final = 1.3
LOST: Final = ("left_shoulder", "left_elbow", "left_wrist")
SHOWN: Final = 5


class Found(Protocol):
    """What a picture tells of a result: a `Hit`, or what Blender's list keeps of one."""

    @property
    def clip_id(self) -> int | str:
        """Id of the clip."""
        ...

    @property
    def name(self) -> str:
        """What the clip is called."""
        ...

    @property
    def score(self) -> float:
        """0 to 100."""
        ...

    @property
    def start_s(self) -> float:
        """Where the stretch begins."""
        ...

    @property
    def end_s(self) -> float:
        """Where it ends."""
        ...


def main(arguments: Sequence[str]) -> int:
    """Runs the demo; returns the exit code.

    Raises:
        HumsError: the samples are not there, or the output folder cannot be used.
    """
    parser = argparse.ArgumentParser(prog="hums demo", description="Show the product at work on the sample motions.")
    parser.add_argument("folder", type=Path, nargs="?", default="hums-demo", help="for the library and the picture")
    parser.add_argument("--samples", type=Path, help="the repository's folder of samples, if it is not found")
    options = parser.parse_args(list(arguments))
    samples = options.samples or find_samples()
    with open_library(options.folder / "samples.hums") as library:
        report = library.add([samples])
        print(f"{library.info().clips} sample motions are indexed in {library.path} ({report.seconds:.1f} s).")
        query = broken_excerpt(canonicalize(load(samples / f"{QUERY}.bvh")))
        library.search(query, k=1)  # the first search loads the model
        started = time.perf_counter()
        hits = library.search(query, k=SHOWN)
        milliseconds = 1000 * (time.perf_counter() - started)
        print(f"What is like {query.duration_s:.1f} s of {QUERY}, played faster, an arm lost? {milliseconds:.0f} ms:")
        for hit in hits:
            print(f"  {hit.score:3.0f}  {hit.name:<18} {hit.start_s:.1f} to {hit.end_s:.1f} s")
        picture = options.folder / "contact_sheet.png"
        save_sheet(library, query, "played faster, an arm lost", hits, picture)
    print(f"{picture} shows them.")
    return 0


def find_samples() -> Path:
    """The samples beside the engine, in the repository as in the extension.

    Raises:
        HumsError: they are not there.
    """
    folder = Path(__file__).resolve().parent.parent / "samples"
    if not (folder / f"{QUERY}.bvh").exists():
        raise HumsError("The sample motions came not with this installation: clone the repository, or give --samples.")
    return folder


def open_library(path: Path) -> Library:
    """The demo's library, made when there is none."""
    return Library.open(path) if path.exists() else Library.create(path)


def broken_excerpt(motion: CanonicalMotion) -> CanonicalMotion:
    """The query: a piece of ``motion``, faster, without the joints of one arm."""
    lost = np.isin(JOINTS, LOST)
    piece = motion.cut(*QUERY_S)
    positions = np.where(lost[:, None], 0.0, piece.positions).astype(np.float32)
    return replace(piece, positions=positions, valid=piece.valid & ~lost, fps=piece.fps * FASTER)


def save_sheet(library: Library, query: CanonicalMotion, said: str, hits: Sequence[Found], path: Path) -> None:
    """Draws the query and the stretches that were found below each other; ``said`` goes under the query's title."""
    rows = [pictures.Row(query, "Query", f"{query.duration_s:.1f} s, {said}")]
    for hit in hits:
        clip = library.motion(int(hit.clip_id))
        where = f"{hit.start_s:.1f} to {hit.end_s:.1f} s of {clip.duration_s:.1f} s"
        rows.append(pictures.Row(clip.cut(hit.start_s, hit.end_s), hit.name, where, hit.score))
    pictures.save_contact_sheet(rows, path, heading="The most similar motions among the samples")
