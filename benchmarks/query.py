# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries end to end, by the size of the library.

    python benchmarks/query.py [--base BASE.hums] [--folder FOLDER] [--sizes 1000 10000] [--hours 0.5]

Libraries of so many signatures are made of the base library (the samples without one) by ``many_motions.py``, their
search graphs built, and asked with excerpts of the base's takes at other speeds. Times are those of the processor on
one thread, the median of the queries; *sign* is normalising and encoding, *nearest* both searches of signatures.
Recall@10 is that of moments against comparing all of them, for all, for half of the clips and for one in fifty. Bytes
on disk are those of signatures, search graphs and catalogue, without its backup; joints come to some 23 kB a second of
motion beside them.

Moments are also sought in hours of motion in takes of ten minutes to an hour, which are made of the base's takes
(``long_takes.py``). *Right* is a hit in whose take the excerpt lies, at whatever speed; IoU is that of the first hit's
stretch with the nearest place where it lies, 0 in another take.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # read when NumPy is imported

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import long_takes
import many_motions
from vector_search import held

from hums_engine.canonical import CanonicalMotion
from hums_engine.encoder import Encoder
from hums_engine.library import Library
from hums_engine.normalize import normalize
from hums_engine.search import Hit
from hums_engine.vector_index import Mask, Vectors, best_of, no_hits
from hums_engine.writer import model_of

ROOT: Final = Path(__file__).resolve().parents[1]
_QUERIES: Final = 40
_K: Final = 10
_SHARES: Final = (1.0, 0.5, 0.02)
_PATIENCE_S: Final = 60.0
HEAD: Final = (
    "| signatures | build graphs, s | open, ms | first answer, ms | sign, ms | nearest, ms | without re-ranking, ms "
    "| with, ms | moments, ms | recall@10 all / half / one in fifty | memory, MB | on disk, bytes a signature |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)
LONG_HEAD: Final = (
    "| hours | takes | signatures | query, ms | right take first | among ten | right place first | median IoU |\n"
    "|---|---|---|---|---|---|---|---|"
)


class Excerpt(NamedTuple):
    """A part of a take of the base library, at another speed.

    Attributes:
        motion: what is asked with.
        clip: id of the take.
        start_s: where the part begins in it.
        end_s: where it ends.
    """

    motion: CanonicalMotion
    clip: int
    start_s: float
    end_s: float


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Times queries end to end, by the size of the library.")
    parser.add_argument("--base", type=Path, help="a library of real takes; the samples without it")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "benchmarks", help="where libraries are made")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--hours", type=float, default=0.5, help="of motion in long takes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    encoder = Encoder()
    base = arguments.base or of_samples(arguments.folder, encoder)
    asked = excerpts(base)
    queries = [one.motion for one in asked]
    print(f"{_QUERIES} excerpts of 0.8 to 5 s, model {encoder.model_name} {encoder.model_hash[:8]}\n\n{HEAD}")
    for path in many_motions.make(base, arguments.folder, arguments.sizes, encoder):
        print(line(path, encoder, queries), flush=True)
    if arguments.hours > 0.0:
        path, parts = long_takes.make(base, arguments.folder, arguments.hours, encoder)
        print(f"\n{LONG_HEAD}\n{long_line(path, parts, encoder, asked)}", flush=True)


def of_samples(folder: Path, encoder: Encoder) -> Path:
    """A library of the samples."""
    path = folder / "samples.hums"
    if not path.exists():
        with Library.create(path, encoder) as library:
            library.add([ROOT / "samples"])
    return path


def excerpts(base: Path) -> list[Excerpt]:
    """Parts of a library's takes, faster or slower."""
    random = np.random.default_rng(1)
    found = []
    with Library.open(base, readonly=True) as library:
        ids = np.array([clip.id for clip in library.clips() if clip.duration_s > 1.0])
        for clip in random.choice(ids, _QUERIES).tolist():
            motion = library.motion(clip)
            length = min(random.uniform(0.8, 5.0), motion.duration_s)
            start = random.uniform(0.0, motion.duration_s - length)
            found.append(Excerpt(motion.cut(start, start + length), clip, start, start + length))
    return [one._replace(motion=replace(one.motion, fps=one.motion.fps * random.uniform(0.75, 1.35))) for one in found]


def milliseconds(ask: Callable[[CanonicalMotion], object], queries: list[CanonicalMotion]) -> float:
    """Processor's time of a query, the median."""
    taken = []
    for query in queries:
        begun = time.process_time()
        ask(query)
        taken.append((time.process_time() - begun) * 1000.0)
    return statistics.median(taken)


def line(path: Path, encoder: Encoder, queries: list[CanonicalMotion]) -> str:
    """The row of one library."""
    built_s = build(path, encoder)
    encoder.encode([normalize(queries[0])])
    before, begun = held(), time.process_time()
    with Library.open(path, encoder=encoder) as library:
        open_ms = (time.process_time() - begun) * 1000.0
        first_ms = milliseconds(lambda query: library.search(query, rerank=False), queries[:1])
        wait_for_graphs(library)
        library.search(queries[0])
        memory = (held() - before) / 1e6
        signed = milliseconds(lambda query: encoder.encode([normalize(query)]), queries)
        vectors = encoder.encode([normalize(query) for query in queries])
        nearest = milliseconds(lambda query: find(library, encoder, query), queries) - signed
        rough = milliseconds(lambda query: library.search(query, rerank=False), queries)
        whole = milliseconds(library.search, queries)
        moments = milliseconds(lambda query: library.search(query, scope="moments"), queries)
        recalls = " / ".join(f"{recall(library, vectors, share):.4f}" for share in _SHARES)
        info = library.info()
    count = info.clips + info.moments
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and file.parent.name != "joints")
    size -= (path / "catalogue.backup").stat().st_size
    return (
        f"| {count:,} | {built_s} | {open_ms:.1f} | {first_ms:.0f} | {signed:.1f} | {nearest:.1f} | {rough:.1f} "
        f"| {whole:.1f} | {moments:.1f} | {recalls} | {memory:,.0f} | {size / count:,.0f} |"
    )


def long_line(path: Path, parts: Sequence[long_takes.Part], encoder: Encoder, asked: Sequence[Excerpt]) -> str:
    """The row of a library of long takes."""
    build(path, encoder)
    with Library.open(path, encoder=encoder) as library:
        library.search(asked[0].motion)
        wait_for_graphs(library)
        answers: list[list[Hit]] = []
        taken = milliseconds(
            lambda query: answers.append(library.search(query, k=_K, scope="moments")), [one.motion for one in asked]
        )
        info = library.info()
    right, overlap = [], []
    for one, hits in zip(asked, answers, strict=True):
        places = [(part.long, *part.place(one.start_s, one.end_s)) for part in parts if part.clip == one.clip]
        right.append([hit.name in {name for name, _, _ in places} for hit in hits])
        overlap.append(max(shared(hits[0], *place) for place in places) if places else 0.0)
    first, ten = np.mean([some[0] for some in right]), np.mean([any(some) for some in right])
    return (
        f"| {info.duration_s / 3600.0:.1f} | {info.clips} | {info.clips + info.moments:,} | {taken:.1f} | {first:.2f} "
        f"| {ten:.2f} | {np.mean(np.array(overlap) > 0.5):.2f} | {np.median(overlap):.2f} |"
    )


def shared(hit: Hit, name: str, start_s: float, end_s: float) -> float:
    """Intersection over union of a hit's stretch with that of a take."""
    if hit.name != name:
        return 0.0
    both = min(hit.end_s, end_s) - max(hit.start_s, start_s)
    return max(both, 0.0) / (max(hit.end_s, end_s) - min(hit.start_s, start_s))


def build(path: Path, encoder: Encoder) -> str:
    """Builds the search graphs that are missing; the processor's seconds."""
    with Library.open(path, encoder=encoder) as library, library._writer(model_of(encoder)) as writer:
        had = any((path / "graphs").iterdir())
        begun = time.process_time()
        writer.update_graphs()
        return "before" if had else f"{time.process_time() - begun:.1f}"


def wait_for_graphs(library: Library) -> None:
    """Until the graphs have been read in the background."""
    graphs = [index._graph for index in library._searcher._indexes.values() if index._graph]
    until = time.monotonic() + _PATIENCE_S
    while not all(graph.is_connected for graph in graphs) and time.monotonic() < until:
        time.sleep(0.05)


def find(library: Library, encoder: Encoder, query: CanonicalMotion) -> None:
    """What a search asks of the signatures, and nothing else."""
    searcher = library._searcher
    vectors = encoder.encode([normalize(query)])
    searcher._nearest("clips", vectors, 50, None)
    searcher._nearest("moments", vectors, 400, None)


def recall(library: Library, vectors: Vectors, share: float) -> float:
    """Share of the right ten moments that are found among those of a share of the clips."""
    searcher = library._searcher
    clips = np.random.default_rng(0).random(len(searcher._snapshot.ids)) < share
    allowed = searcher._snapshot.rows_of("moments", clips)
    index = searcher._indexes["moments"]
    found = np.concatenate([index.search(vectors[i : i + 1], _K, allowed)[0] for i in range(len(vectors))])
    right = compared(library, vectors, allowed)
    return float(np.mean([len(np.intersect1d(a, b)) / _K for a, b in zip(found, right, strict=True)]))


def compared(library: Library, vectors: Vectors, allowed: Mask) -> np.ndarray:
    """The ten nearest allowed moments by comparing with each as it is stored."""
    store = library._searcher._indexes["moments"].store
    found = no_hits(len(vectors), _K)
    for numbers, rows in store.blocks() if store else ():
        scores = vectors @ rows.vectors.T
        scores[:, ~allowed[numbers]] = -np.inf
        found = best_of(*found, numbers, scores)
    return found[0]


if __name__ == "__main__":
    main()
