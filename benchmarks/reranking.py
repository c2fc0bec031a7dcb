# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures that find candidates, and exact alignment of these alone, against exact alignment of everything.

``python benchmarks/reranking.py --data FOLDER`` asks with the queries of hdm05-11. The gallery is that of the protocol,
then ever more pieces of the other corpora beside it. Printed for each size: milliseconds a query of either, on one
thread, and the error of the first hit along its best alignment, as a ratio to the error that exact alignment leaves.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from hums_engine.encoder import Encoder
from hums_engine.normalize import FPS, NormalizedMotion, normalize
from training import data
from training.protocols import PROTOCOLS
from training.reranking import RerankedRow
from training.rows import Floats, Motions, exact_dtw

_PIECE_S = (1.0, 5.0)  # as long as the takes of HDM05-11 are


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the unpacked corpora")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where read motions are kept")
    parser.add_argument("--model", type=Path, help="an ONNX model; the one that ships without it")
    parser.add_argument("--sizes", type=int, nargs="+", default=[189, 2_000, 10_000], help="of the gallery")
    parser.add_argument("--queries", type=int, default=12, help="of the 99, evenly chosen")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    protocol = PROTOCOLS["hdm05-11"](arguments.data, arguments.cache)
    queries = data.normalized(protocol.queries)[:: max(1, len(protocol.queries) // arguments.queries)]
    gallery = data.normalized(protocol.gallery)
    gallery += pieces(arguments.data, arguments.cache, max(arguments.sizes) - len(gallery))
    encoder = Encoder(arguments.model)
    print(f"{len(queries)} queries, model {encoder.model_name}")
    print("| gallery | exact alignment, ms | re-ranked, ms | times as fast | error, times that of exact |")
    print("|---|---|---|---|---|")
    for size in arguments.sizes:
        print(line(encoder, queries, gallery[:size]), flush=True)


def pieces(folder: Path, cache: Path, count: int) -> list[NormalizedMotion]:
    """Pieces of CMU's and MHAD's takes, the same each time."""
    random = np.random.default_rng(0)
    takes = [take.motion for name in ("cmu", "mhad") for take in data.load(folder, name, cache)]
    takes = [take.resampled(FPS) for take in takes if take.duration_s > _PIECE_S[0]]
    found = []
    for i in random.integers(len(takes), size=max(count, 0)):
        length = min(float(np.exp(random.uniform(*np.log(_PIECE_S)))), takes[i].duration_s)
        start = random.uniform(0.0, takes[i].duration_s - length)
        found.append(normalize(takes[i].cut(start, start + length)))
    return found


def line(encoder: Encoder, queries: Motions, gallery: Motions) -> str:
    """One row of the table."""
    begun = time.perf_counter()
    exact = exact_dtw(queries, gallery)
    exact_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    row = RerankedRow(encoder)
    row.index(gallery)
    begun = time.perf_counter()
    found = row(queries, gallery)
    row_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    ratio = _first(exact, found).mean() / exact.min(axis=1).mean()
    return f"| {len(gallery):,} | {exact_ms:,.0f} | {row_ms:.1f} | {exact_ms / row_ms:,.0f} | {ratio:.3f} |"


def _first(distances: Floats, ranking: Floats) -> Floats:
    """The distance ``[Q]`` of what a ranking puts first."""
    return distances[np.arange(len(distances)), ranking.argmin(axis=1)]


if __name__ == "__main__":
    main()
