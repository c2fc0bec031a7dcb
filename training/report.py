# SPDX-License-Identifier: GPL-3.0-or-later
"""The table in words and numbers: an evaluation as Markdown for people and as JSON for curves and cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .evaluate import Evaluation, Result
from .metrics import RECALL_LEVELS
from .moment_protocol import PROTOCOL, MomentFigures, MomentResult
from .protocols import CLEAN, CONDITIONS
from .provenance import Sight

Figure = Callable[[Result], float | None]

FIGURES: dict[str, Figure] = {
    "top_1": lambda result: result.figures.top_1,
    "top_10": lambda result: result.figures.top_10,
    "mean_ap": lambda result: result.figures.mean_ap,
    "dtw_mm": lambda result: result.dtw_mm,
    "query_ms": lambda result: result.query_ms,
}
_HALF_RECALL = int(np.abs(RECALL_LEVELS - 0.5).argmin())
_RETRIEVAL = {"mAP": "mean_ap", "top-1": "top_1", "top-10": "top_10"}

_LEGEND = """\
Cells are the mean over the seeds of a row ± their standard deviation; `-` is not measured.

- learnt from: the corpora and the subjects left out of them, and how much of the protocol the row so knew before.
- top-1: share of the queries whose first hit is of their class; top-10: mean share of the first ten hits that are;
  mAP: mean average precision; P at .5: precision where half of the class is found.
- DTW mm: mean error a joint of the first hit along the best alignment.
- encode ms: one clip of 150 frames on one thread, mean of 50; in ONNX, or in torch where there is no ONNX form.
- query ms: one query against the gallery from normalised joints; an encoder has the gallery's signatures. Times are
  those of the processor, without what else the machine did.
"""

_MOMENTS_LEGEND = """\
Pieces of 0.5 to 4 s of long takes that no row has learnt from, altered. A row finds the nearest of the windows of 1, 2
and 4 s of all CMU takes, a library its hits with all that it does. IoU: how much of the time that either the piece or
the stretch found covers both cover, the median over the queries, 0 where the take is wrong.
"""
_MOMENT_FIGURES: dict[str, Callable[[MomentFigures], float]] = {
    "right take first": lambda figures: figures.right_first,
    "temporal IoU": lambda figures: figures.median_iou,
}


def values(results: Sequence[Result], figure: Figure) -> list[float]:
    """A figure of each seed that has it."""
    return [value for value in map(figure, results) if value is not None]


def cell(numbers: Sequence[float], digits: int = 3) -> str:
    """A mean with the standard deviation over seeds, where there are several."""
    if not numbers:
        return "-"
    mean = f"{np.mean(numbers):.{digits}f}"
    return mean if len(numbers) == 1 else f"{mean} ± {np.std(numbers, ddof=1):.{digits}f}"


def markdown(evaluation: Evaluation) -> str:
    """For each protocol a table of clean queries with every metric, and one a metric with every condition."""
    parts = [_LEGEND]
    for protocol, setup in evaluation.setups.items():
        asked = f"{setup.queries} queries of {setup.classes} classes against a gallery of {setup.gallery}."
        parts.append(f"## {protocol}\n\n{asked}\n")
        parts.append(_clean_table(evaluation, protocol))
        shown = {result.condition for result in evaluation.results if result.protocol == protocol}
        conditions = [condition for condition in CONDITIONS if condition in shown]
        if len(conditions) > 1:
            parts += [_condition_table(evaluation, protocol, conditions, name) for name in _RETRIEVAL]
    if evaluation.moments:
        count = evaluation.moments[0].figures.queries
        parts.append(f"## {PROTOCOL}\n\n{count} queries of each kind.\n{_MOMENTS_LEGEND}")
        parts += [_moment_table(evaluation.moments, title) for title in _MOMENT_FIGURES]
    for heading, lines in (("Left out", evaluation.left_out), ("Failed", evaluation.failures)):
        if lines:
            parts.append(f"## {heading}\n\n" + "\n".join(f"- {line}" for line in lines) + "\n")
    return "\n".join(parts)


def _clean_table(evaluation: Evaluation, protocol: str) -> str:
    """Every metric of the clean queries, or of the first condition where clean was not asked for."""
    results = [result for result in evaluation.results if result.protocol == protocol]
    if not results:
        return "No row could be measured.\n"
    conditions = {result.condition for result in results}
    condition = CLEAN if CLEAN in conditions else results[0].condition
    lines = [
        f"| {condition} | learnt from | top-1 | top-10 | mAP | P at .5 | DTW mm | encode ms | query ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, mine in by_entry(evaluation, protocol, condition).items():
        cells = [
            _learnt(evaluation, protocol, name),
            *(cell(values(mine, FIGURES[figure])) for figure in ("top_1", "top_10", "mean_ap")),
            cell([float(result.figures.precision[_HALF_RECALL]) for result in mine]),
            cell(values(mine, FIGURES["dtw_mm"]), 0),
            _encode_cell(evaluation, name),
            cell(_median(values(mine, FIGURES["query_ms"])), 2),
        ]
        lines.append(f"| {_titled(name, len(mine))} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _condition_table(evaluation: Evaluation, protocol: str, conditions: Sequence[str], metric: str) -> str:
    lines = [f"| {metric} | " + " | ".join(conditions) + " |", "|---" * (len(conditions) + 1) + "|"]
    columns = [by_entry(evaluation, protocol, condition) for condition in conditions]
    for name in dict.fromkeys(name for column in columns for name in column):
        mine = [column.get(name, []) for column in columns]
        cells = [cell(values(results, FIGURES[_RETRIEVAL[metric]])) for results in mine]
        lines.append(f"| {_titled(name, max(map(len, mine)))} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _moment_table(moments: Sequence[MomentResult], title: str) -> str:
    """One figure of all rows under all alterations."""
    alterations = list(dict.fromkeys(result.alteration for result in moments))
    lines = [f"| {title} | " + " | ".join(alterations) + " |", "|---" * (len(alterations) + 1) + "|"]
    for name in dict.fromkeys(result.entry for result in moments):
        mine = [[r for r in moments if (r.entry, r.alteration) == (name, one)] for one in alterations]
        cells = [cell([_MOMENT_FIGURES[title](result.figures) for result in results]) for results in mine]
        lines.append(f"| {_titled(name, max(map(len, mine)))} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def by_entry(evaluation: Evaluation, protocol: str, condition: str) -> dict[str, list[Result]]:
    """The results of each entry, a seed each, in the order of the table."""
    found: dict[str, list[Result]] = {entry.name: [] for entry in evaluation.entries}
    for result in evaluation.results:
        if (result.protocol, result.condition) == (protocol, condition):
            found[result.entry].append(result)
    return {name: results for name, results in found.items() if results}


def _titled(name: str, seeds: int) -> str:
    return f"{name} ({seeds} seeds)" if seeds > 1 else name


def _learnt(evaluation: Evaluation, protocol: str, name: str) -> str:
    sight = evaluation.setups[protocol].sights[name]
    learnt = next(entry.learnt for entry in evaluation.entries if entry.name == name)
    if sight is Sight.NOTHING:
        return "nothing"
    return f"{learnt}: {sight.value}" if learnt is not None else sight.value


def _encode_cell(evaluation: Evaluation, name: str) -> str:
    entry = next(entry for entry in evaluation.entries if entry.name == name)
    text = cell(_median(evaluation.encode_ms.get(name, [])), 2)
    return text if text == "-" else f"{text} {entry.runs_in}"


def _median(times: Sequence[float]) -> list[float]:
    """Times of seeds differ by chance alone."""
    return [float(np.median(times))] if times else []


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Every figure of every seed, with precision over recall: what the curves are drawn from."""
    protocols: dict[str, Any] = {}
    for protocol, setup in evaluation.setups.items():
        conditions = dict.fromkeys(result.condition for result in evaluation.results if result.protocol == protocol)
        rows: dict[str, Any] = {}
        for condition in conditions:
            for name, mine in by_entry(evaluation, protocol, condition).items():
                rows.setdefault(name, {})[condition] = _json_cell(mine)
        sights = {name: sight.value for name, sight in setup.sights.items()}
        protocols[protocol] = {**setup._asdict(), "sights": sights, "rows": rows}
    rows = {
        entry.name: {
            "what": entry.what,
            "learnt_from": entry.learnt._asdict() if entry.learnt is not None else None,
            "seeds": len(entry.members),
            "runs_in": entry.runs_in,
            "encode_ms": [round(value, 3) for value in evaluation.encode_ms.get(entry.name, [])],
        }
        for entry in evaluation.entries
    }
    return {
        "recall": RECALL_LEVELS.round(2).tolist(),
        "rows": rows,
        "protocols": protocols,
        PROTOCOL: [
            {"row": r.entry, "seed": r.member, "alteration": r.alteration} | _rounded_all(r.figures._asdict())
            for r in evaluation.moments
        ],
        "left_out": evaluation.left_out,
        "failures": evaluation.failures,
    }


def _json_cell(results: Sequence[Result]) -> dict[str, Any]:
    """The means, their spread where there are several seeds, and the seeds."""
    numbers = {name: values(results, figure) for name, figure in FIGURES.items()}
    precision = np.mean([result.figures.precision for result in results], axis=0)
    found: dict[str, Any] = {name: _rounded(np.mean(some)) if some else None for name, some in numbers.items()}
    found["precision"] = np.round(precision, 4).tolist()
    if len(results) > 1:
        found["spread"] = {name: _rounded(np.std(some, ddof=1)) for name, some in numbers.items() if len(some) > 1}
        found["seeds"] = [
            {name: _rounded(value) for name, figure in FIGURES.items() if (value := figure(result)) is not None}
            | {"precision": np.round(result.figures.precision, 4).tolist()}
            for result in results
        ]
    return found


def _rounded_all(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: _rounded(value) for name, value in numbers.items()}


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)


def save(evaluation: Evaluation, out: Path) -> None:
    """Writes ``evaluation.md`` and ``evaluation.json`` into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "evaluation.md").write_text(markdown(evaluation), encoding="utf-8")
    (out / "evaluation.json").write_text(json.dumps(as_json(evaluation), indent=1) + "\n", encoding="utf-8")
