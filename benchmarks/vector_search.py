# SPDX-License-Identifier: GPL-3.0-or-later
"""Nearest signatures among many, by the library's index and by others, side by side.

    pip install 'hums[bench]'
    python benchmarks/vector_search.py BASE.hums LIBRARY.hums ...

All signatures of each library, of clips and of moments, are searched for the ten nearest to signatures that are not
among them: of excerpts of BASE's takes, of 0.8 to 5 s and played at other speeds than in libraries that
``many_motions.py`` made. Each contender runs in a process of its own, on one thread, and gives its recall against
exact search, the processor's milliseconds a query, seconds to build, the memory that the process holds with the index
and without the vectors it was made of, and bytes a signature of its file, the vectors themselves included. Those that
are not installed are left out, and all but exact search and the library's own index beyond ``--largest-other`` rows,
since each takes ten minutes of the processor to build for a million.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hums_engine.catalogue import CATALOGUE, Catalogue
from hums_engine.encoder import Encoder
from hums_engine.hnsw_index import HnswIndex
from hums_engine.library import Library
from hums_engine.signature_store import SignatureStore, row_type
from hums_engine.subspace import Subspace
from hums_engine.vector_index import ExactIndex
from hums_engine.writer import FOLDERS, KINDS

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

K: Final = 10
_QUERIES: Final = 200
_EXCERPT_S: Final = (0.8, 5.0)
_SPEED: Final = (0.75, 1.35)
_BLOCK: Final = 16_384
_WIDTH: Final = 200  # of the search, for the graphs of others
_BUILD_WIDTH: Final = 200
_LINKS: Final = 16


class Measured(NamedTuple):
    """What one contender did; memory and file in bytes a signature."""

    name: str
    rows: int
    recall: float
    query_ms: float
    build_s: float
    memory: float
    file: float


class Contender(NamedTuple):
    """Something that finds nearest vectors: its package, and how to build it.

    Building gives the search for the ten nearest to each of some queries, one at a time, and how to write a file.
    """

    package: str
    build: Callable[[Vectors], tuple[Callable[[Vectors], Rows], Callable[[Path], object]]]


def one_by_one(search: Callable[[Vectors], Any]) -> Callable[[Vectors], Rows]:
    """A search of single queries, as a person asks, over several."""
    return lambda queries: np.stack([np.asarray(search(queries[i : i + 1])).ravel() for i in range(len(queries))])


def library(vectors: Vectors) -> tuple[Callable[[Vectors], Rows], Callable[[Path], object]]:
    """The library's index of many signatures; the signatures' own rows count to the file, as in a library."""
    sample = np.array(vectors[:: max(1, len(vectors) // 8192)])
    index = HnswIndex(Subspace.of(sample), len(vectors))
    for first in range(0, len(vectors), _BLOCK):
        index.add(vectors[first : first + _BLOCK])

    def write(path: Path) -> None:
        index.save(path)
        with path.open("ab") as file:
            file.truncate(path.stat().st_size + len(vectors) * row_type(vectors.shape[1]).itemsize)

    return one_by_one(lambda query: index.search(query, K)[0]), write


def exact(vectors: Vectors) -> tuple[Callable[[Vectors], Rows], Callable[[Path], object]]:
    """NumPy, all vectors as float32 in memory."""
    index = ExactIndex(vectors.shape[1])
    for first in range(0, len(vectors), _BLOCK):
        index.add(vectors[first : first + _BLOCK])
    return one_by_one(lambda query: index.search(query, K)[0]), lambda path: np.save(path.open("wb"), index.matrix)


def hnswlib(vectors: Vectors) -> tuple[Callable[[Vectors], Rows], Callable[[Path], object]]:
    """Hnswlib as its manual shows it."""
    index = import_module("hnswlib").Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=_LINKS, ef_construction=_BUILD_WIDTH)
    for first in range(0, len(vectors), _BLOCK):
        index.add_items(vectors[first : first + _BLOCK], num_threads=1)
    index.set_ef(_WIDTH)
    return one_by_one(lambda query: index.knn_query(query, k=K, num_threads=1)[0]), lambda path: index.save_index(
        str(path)
    )


def usearch(vectors: Vectors) -> tuple[Callable[[Vectors], Rows], Callable[[Path], object]]:
    """USearch in half precision."""
    index = import_module("usearch.index").Index(
        ndim=vectors.shape[1],
        metric="ip",
        dtype="f16",
        connectivity=_LINKS,
        expansion_add=_BUILD_WIDTH,
        expansion_search=_WIDTH,
    )
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return one_by_one(lambda query: index.search(query, K, threads=1).keys), lambda path: index.save(str(path))


def faiss(vectors: Vectors) -> tuple[Callable[[Vectors], Rows], Callable[[Path], object]]:
    """Faiss's graph over float32."""
    package = import_module("faiss")
    package.omp_set_num_threads(1)
    index = package.IndexHNSWFlat(vectors.shape[1], _LINKS, package.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = _BUILD_WIDTH, _WIDTH
    for first in range(0, len(vectors), _BLOCK):
        index.add(vectors[first : first + _BLOCK])
    return one_by_one(lambda query: index.search(query, K)[1]), lambda path: package.write_index(index, str(path))


CONTENDERS: Final = {
    "hums": Contender("hnswlib", library),
    "numpy, exact": Contender("numpy", exact),
    "hnswlib": Contender("hnswlib", hnswlib),
    "usearch": Contender("usearch", usearch),
    "faiss HNSW": Contender("faiss", faiss),
}
_ALWAYS: Final = ("hums", "numpy, exact")


def signatures(path: Path) -> Vectors:
    """All signatures of a library."""
    stores = []
    with contextlib.closing(Catalogue(path / CATALOGUE, readonly=True)) as catalogue:
        model = catalogue.model()
        assert model is not None, "the library is empty"
        for kind in KINDS:
            for name, length in catalogue.files(kind).items():
                count = length // row_type(model.dimension).itemsize
                stores.append(SignatureStore(path / FOLDERS[kind] / name, model.dimension, count))
    return np.concatenate([rows.vectors for store in stores for _, rows in store.blocks()])


def queries(base: Path) -> Vectors:
    """Signatures of excerpts of a library's takes."""
    random = np.random.default_rng(1)
    encoder = Encoder()
    asked = []
    with Library.open(base, readonly=True) as takes:
        for clip in random.choice(np.array([clip.id for clip in takes.clips()]), _QUERIES):
            motion = takes.motion(int(clip))
            length = min(random.uniform(*_EXCERPT_S), motion.duration_s)
            start = random.uniform(0.0, motion.duration_s - length)
            excerpt = motion.cut(start, start + length)
            asked.append(replace(excerpt, fps=excerpt.fps * random.uniform(*_SPEED)))
    return encoder.encode(asked)


def measure(path: Path, asked: Vectors, largest_other: int) -> list[Measured]:
    """All contenders on one library, each in its own process."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        vectors = signatures(path)
        np.save(place / "vectors.npy", vectors)
        np.save(place / "queries.npy", asked)
        np.save(place / "right.npy", exact(vectors)[0](asked))
        rows = len(vectors)
        del vectors
        for name, contender in CONTENDERS.items():
            if importlib.util.find_spec(contender.package) and (rows <= largest_other or name in _ALWAYS):
                command = [sys.executable, __file__, "--one", name, folder]
                done = subprocess.run(command, env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=True)
                measured.append(Measured(name, rows, **json.loads(done.stdout)))
                print(line(measured[-1]), flush=True)
    return measured


_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def one(name: str, folder: Path) -> dict[str, float]:
    """What one contender does, in this process."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    asked, right = np.load(folder / "queries.npy"), np.load(folder / "right.npy")
    before, begun = held(), time.process_time()
    search, write = CONTENDERS[name].build(vectors)
    build_s = time.process_time() - begun
    memory = held() - before
    search(asked[:20])
    begun = time.process_time()
    found = search(asked)
    query_ms = (time.process_time() - begun) * 1000.0 / len(asked)
    write(folder / "index")
    return {
        "recall": float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, right, strict=True)])),
        "query_ms": query_ms,
        "build_s": build_s,
        "memory": memory / len(vectors),
        "file": (folder / "index").stat().st_size / len(vectors),
    }


def held() -> int:
    """Bytes of memory that are this process's own."""
    text = Path("/proc/self/status").read_text(encoding="ascii") if Path("/proc/self/status").exists() else ""
    return next((int(entry.split()[1]) * 1024 for entry in text.splitlines() if entry.startswith("RssAnon")), 0)


HEAD: Final = (
    "| signatures | by | recall@10 | query, CPU ms | build, CPU s | memory, bytes each | on disk, bytes each |\n"
    "|---|---|---|---|---|---|---|"
)


def line(one: Measured) -> str:
    """A row of the table."""
    return (
        f"| {one.rows:,} | {one.name} | {one.recall:.4f} | {one.query_ms:.2f} | {one.build_s:,.1f} "
        f"| {one.memory:,.0f} | {one.file:,.0f} |"
    )


def picture(measured: Sequence[Measured], path: Path) -> None:
    """Growth curves: milliseconds a query and seconds to build, by number of signatures."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - of the extra "bench" alone

    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name in dict.fromkeys(one.name for one in measured):
        some = [one for one in measured if one.name == name]
        style: dict[str, Any] = {
            "marker": "o",
            "markersize": 4,
            "label": name,
            "linewidth": 2.4 if name == "hums" else 1.2,
        }
        left.plot([one.rows for one in some], [one.query_ms for one in some], **style)
        right.plot([one.rows for one in some], [one.build_s for one in some], **style)
    for axes, title in ((left, "one query, CPU ms"), (right, "building, CPU s")):
        axes.set(xscale="log", yscale="log", xlabel="signatures", title=title)
        axes.grid(color="#E6E6E6")
    left.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Compares ways to find the nearest signatures.")
    parser.add_argument("base", nargs="?", type=Path, help="library of real takes to ask with")
    parser.add_argument("libraries", nargs="*", type=Path)
    parser.add_argument("--largest-other", type=int, default=100_000, help="rows up to which others are built")
    parser.add_argument("--picture", type=Path, help="PNG of growth curves to write")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one[0], Path(arguments.one[1]))))
        return
    asked = queries(arguments.base)
    print(HEAD)
    measured = [each for path in arguments.libraries for each in measure(path, asked, arguments.largest_other)]
    if arguments.picture:
        picture(measured, arguments.picture)


if __name__ == "__main__":
    main()
