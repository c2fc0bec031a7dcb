# SPDX-License-Identifier: GPL-3.0-or-later
"""The table: every row under every condition of every protocol, printed, and saved as Markdown and JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from . import data
from .metrics import RECALL_LEVELS, Retrieval, retrieval
from .protocols import PROTOCOLS, Protocol, under
from .rows import Floats, Motions, Row, aligned_distance, poses, resampled


class Result(NamedTuple):
    """One cell block of the table.

    Attributes:
        protocol: name of the protocol.
        condition: what befell the queries.
        row: what was measured.
        figures: retrieval metrics.
        dtw_mm: mean error of the first hit along the best alignment, millimetres a joint.
        query_ms: time for one query against the whole gallery, both from normalised joints.
    """

    protocol: str
    condition: str
    row: str
    figures: Retrieval
    dtw_mm: float
    query_ms: float


def evaluate(
    rows: Mapping[str, Row], protocols: Sequence[str], conditions: Sequence[str], folder: Path, cache: Path
) -> Iterator[Result]:
    """Measures every row; conditions befall the queries alone, and are the same for every row."""
    for name in protocols:
        protocol = PROTOCOLS[name](folder, cache)
        gallery = data.normalized(protocol.gallery)
        for condition in conditions:
            queries = data.normalized(under(condition, protocol.queries))
            for row, distance in tqdm(rows.items(), desc=f"{name}, {condition}", unit="row", dynamic_ncols=True):
                yield _measure(protocol, condition, row, distance, queries, gallery)


def _measure(protocol: Protocol, condition: str, row: str, distance: Row, queries: Motions, gallery: Motions) -> Result:
    begun = time.perf_counter()
    distances = distance(queries, gallery)
    query_ms = (time.perf_counter() - begun) * 1000.0 / len(queries)
    figures = retrieval(distances, [t.label for t in protocol.queries], [t.label for t in protocol.gallery])
    return Result(protocol.name, condition, row, figures, _error_mm(distances, queries, gallery), query_ms)


def _error_mm(distances: Floats, queries: Motions, gallery: Motions) -> float:
    """Mean over the queries of the aligned distance to the first hit, by the joints both have."""
    found = [gallery[i] for i in distances.argmin(axis=1)]
    pairs = ([resampled(poses(m), max(2, len(m.joints) // 3)) for m in side] for side in (queries, found))
    return float(aligned_distance(*pairs).mean()) * 1000.0


def markdown(results: Sequence[Result]) -> str:
    """One table a protocol: rows down, conditions across, each cell top-1 / top-10 / mAP."""
    parts = []
    for protocol in dict.fromkeys(result.protocol for result in results):
        some = [result for result in results if result.protocol == protocol]
        conditions = list(dict.fromkeys(result.condition for result in some))
        lines = [f"| {protocol} | " + " | ".join(conditions) + " | DTW mm | ms a query |"]
        lines.append("|---" * (len(conditions) + 3) + "|")
        for row in dict.fromkeys(result.row for result in some):
            mine = {result.condition: result for result in some if result.row == row}
            first = mine[conditions[0]]
            cells = [_cell(mine[condition].figures) for condition in conditions]
            lines.append(f"| {row} | " + " | ".join(cells) + f" | {first.dtw_mm:.0f} | {first.query_ms:.1f} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cell(figures: Retrieval) -> str:
    return f"{figures.top_1:.3f} / {figures.top_10:.3f} / {figures.mean_ap:.3f}"


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """All figures, with precision over recall, for curves and for a model's card."""
    table: dict[str, Any] = {"recall": RECALL_LEVELS.round(2).tolist()}
    for result in results:
        place = table.setdefault(result.protocol, {}).setdefault(result.row, {})
        place[result.condition] = {
            "top_1": round(result.figures.top_1, 4),
            "top_10": round(result.figures.top_10, 4),
            "mean_ap": round(result.figures.mean_ap, 4),
            "precision": np.round(result.figures.precision, 4).tolist(),
            "dtw_mm": round(result.dtw_mm, 1),
            "query_ms": round(result.query_ms, 2),
        }
    return table


def save(results: Sequence[Result], out: Path) -> None:
    """Writes ``evaluation.md`` and ``evaluation.json`` into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.md").write_text(markdown(results), encoding="utf-8")
    (out / "evaluation.json").write_text(json.dumps(as_json(results), indent=1) + "\n", encoding="utf-8")
