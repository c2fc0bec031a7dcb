# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking every entry of the table for moments: the windows of a library, and for the first encoder a library itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tqdm import tqdm

from hums_engine.encoder import Encoder
from hums_engine.library import Library

from .entries import Entry
from .evaluate import Evaluation, one_sentence
from .moment_protocol import (
    ALTERATIONS,
    PROTOCOL,
    QUERIES,
    MomentQuery,
    MomentResult,
    Windows,
    all_windows,
    ask_library,
    ask_row,
    kept_takes,
    moment_queries,
)
from .provenance import Sight
from .rows import EncoderRow, SubMotionRow

Asked = dict[str, list[MomentQuery]]
"""Queries by the alteration that befell them."""


def measure_moments(evaluation: Evaluation, folder: Path, cache: Path, queries: int = QUERIES) -> None:
    """Adds cmu-moments to an evaluation: all entries are asked with the same pieces.

    Args:
        evaluation: is added to; costly entries are left out.
        folder: the data folder.
        cache: where read corpora are kept.
        queries: pieces of each alteration.
    """
    try:
        held = kept_takes(folder, cache)
        asked = {name: moment_queries(held, name, queries) for name in ALTERATIONS}
        stretches = all_windows(folder, cache)
    except ValueError as error:
        evaluation.failures.append(f"{PROTOCOL}: {error}")
        return
    for entry in tqdm(evaluation.entries, desc=PROTOCOL, unit="row", dynamic_ncols=True):
        if entry.costly:
            evaluation.left_out.append(f"{entry.name} is not in {PROTOCOL}: it takes too long.")
        elif entry.learnt is not None and any(entry.learnt.holds(take) for take in held):
            evaluation.left_out.append(f"{entry.name} is not in {PROTOCOL}: it was {Sight.QUERIES.value}.")
        else:
            _measure_entry(evaluation, entry, stretches, asked, folder / "cmu")


def _measure_entry(evaluation: Evaluation, entry: Entry, stretches: Windows, asked: Asked, takes: Path) -> None:
    """Adds the results of all seeds, or one line on what failed."""
    try:
        results = _of_windows(entry, stretches, asked)
        if entry is evaluation.entries[0]:  # a library aligns its candidates, so that libraries differ less than rows
            results += _of_library(entry, takes, asked)
    except Exception as error:  # whatever one row meets, the other rows are still worth their hours
        evaluation.failures.append(f"{entry.name} in {PROTOCOL}: {one_sentence(error)}")
        return
    evaluation.moments.extend(results)


def _of_windows(entry: Entry, stretches: Windows, asked: Asked) -> list[MomentResult]:
    results = []
    for member, row in enumerate(entry.members):
        if isinstance(row, EncoderRow):
            row.index(stretches.motions)
        results += [
            MomentResult(entry.name, member, name, ask_row(row, stretches, queries)) for name, queries in asked.items()
        ]
    return results


def _of_library(entry: Entry, takes: Path, asked: Asked) -> list[MomentResult]:
    """A library of the first seed's encoder; one that is not in ONNX can have none."""
    row = entry.members[0]
    if not isinstance(row, EncoderRow) or isinstance(row, SubMotionRow) or not isinstance(row.encoder, Encoder):
        return []
    with tempfile.TemporaryDirectory() as folder, Library.create(Path(folder) / "moments.hums", row.encoder) as library:
        library.add([takes])
        name = f"{entry.name}, in a library"
        return [MomentResult(name, 0, alteration, ask_library(library, some)) for alteration, some in asked.items()]
