# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring every entry under every condition of every protocol; what fails costs one line, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from hums_engine.normalize import NormalizedMotion

from . import data
from .entries import Entry
from .metrics import Retrieval, retrieval
from .moment_protocol import MomentResult
from .protocols import CLEAN, PROTOCOLS, Protocol, under
from .provenance import Sight
from .rows import EncoderRow, Floats, Motions, Row, Signer, aligned_distance, poses, resampled

ENCODED_FRAMES = 150
_ENCODED_TIMES = 50
_ALIGNED_AT_ONCE = 64
_LONGEST_LINE = 300


class Result(NamedTuple):
    """One member of an entry under one condition of a protocol.

    Attributes:
        protocol: name of the protocol.
        condition: what befell the queries.
        entry: name of the entry.
        member: which of its seeds.
        figures: retrieval metrics.
        dtw_mm: mean error of the first hit along the best alignment, millimetres a joint; measured on clean queries.
        query_ms: a processor's time for one query against the whole gallery, from normalised joints; an encoder has
            the signatures of the gallery, as a library has.
    """

    protocol: str
    condition: str
    entry: str
    member: int
    figures: Retrieval
    dtw_mm: float | None
    query_ms: float


class Setup(NamedTuple):
    """What a protocol is made of, for the words over its table."""

    queries: int
    gallery: int
    classes: int
    sights: dict[str, Sight]


class Evaluation(NamedTuple):
    """All that was measured.

    Attributes:
        entries: the rows, in the order of the table.
        setups: the protocols.
        results: the cells.
        encode_ms: milliseconds of a processor for one clip of 150 frames, for each member of each encoder.
        left_out: rows that a protocol would be unfair to ask, a line each.
        failures: what could not be measured and why, a line each.
        moments: the cells of cmu-moments.
    """

    entries: list[Entry]
    setups: dict[str, Setup]
    results: list[Result]
    encode_ms: dict[str, list[float]]
    left_out: list[str]
    failures: list[str]
    moments: list[MomentResult]


def new_evaluation(entries: Sequence[Entry], failures: Sequence[str] = ()) -> Evaluation:
    """Nothing measured yet; ``failures`` are of rows that could not even be made."""
    return Evaluation(list(entries), {}, [], {}, [], list(failures), [])


def measure_protocol(
    evaluation: Evaluation, name: str, conditions: Sequence[str], folder: Path, cache: Path, thorough: bool = False
) -> None:
    """Adds a protocol: all entries that may be asked, condition by condition, so that queries are altered once.

    Args:
        evaluation: is added to.
        name: of `PROTOCOLS`; where its data cannot be read, that is a failure of the evaluation.
        conditions: names of `CONDITIONS` and `SEVERITIES`.
        folder: the data folder.
        cache: where read corpora are kept.
        thorough: measure costly entries under all of them, and not on clean queries only.
    """
    try:
        protocol = PROTOCOLS[name](folder, cache)
    except ValueError as error:
        evaluation.failures.append(f"{name}: {error}")
        return
    asked = _fairly_asked(evaluation, protocol)
    gallery = data.normalized(protocol.gallery)
    _time_encoders(evaluation, asked, gallery)
    todo = {
        condition: [entry for entry in asked if thorough or condition == CLEAN or not entry.costly]
        for condition in conditions
    }
    failed: set[str] = set()
    with tqdm(total=sum(map(len, todo.values())), desc=name, unit="row", dynamic_ncols=True) as bar:
        for condition, entries in todo.items():
            queries = data.normalized(under(condition, protocol.queries))
            for entry in entries:
                bar.set_postfix_str(f"{entry.name}, {condition}")
                if entry.name not in failed and not _measure_entry(
                    evaluation, protocol, condition, entry, queries, gallery
                ):
                    failed.add(entry.name)
                bar.update()


def _fairly_asked(evaluation: Evaluation, protocol: Protocol) -> list[Entry]:
    """The entries that did not learn from those who ask; notes what each entry knew, and who is left out."""
    sights = {entry.name: entry.sight(protocol) for entry in evaluation.entries}
    classes = {take.label for take in protocol.queries}
    evaluation.setups[protocol.name] = Setup(len(protocol.queries), len(protocol.gallery), len(classes), sights)
    unfair = [name for name, sight in sights.items() if sight is Sight.QUERIES]
    evaluation.left_out.extend(f"{name} is not in {protocol.name}: it was {Sight.QUERIES.value}." for name in unfair)
    return [entry for entry in evaluation.entries if entry.name not in unfair]


def _measure_entry(
    evaluation: Evaluation, protocol: Protocol, condition: str, entry: Entry, queries: Motions, gallery: Motions
) -> bool:
    """Adds the results of all seeds, or one line on what failed."""
    try:
        results = [
            _measure(protocol, condition, entry.name, i, row, queries, gallery) for i, row in enumerate(entry.members)
        ]
    except Exception as error:  # whatever one row meets, the other rows are still worth their hours
        evaluation.failures.append(f"{entry.name} in {protocol.name}, {condition}: {one_sentence(error)}")
        return False
    evaluation.results.extend(results)
    return True


def _measure(
    protocol: Protocol, condition: str, entry: str, member: int, row: Row, queries: Motions, gallery: Motions
) -> Result:
    if isinstance(row, EncoderRow):
        row.index(gallery)
    begun = time.process_time()
    distances = row(queries, gallery)
    query_ms = (time.process_time() - begun) * 1000.0 / len(queries)
    figures = retrieval(distances, [t.label for t in protocol.queries], [t.label for t in protocol.gallery])
    dtw_mm = _error_mm(distances, queries, gallery) if condition == CLEAN else None
    return Result(protocol.name, condition, entry, member, figures, dtw_mm, query_ms)


def one_sentence(error: Exception) -> str:
    """What went wrong, on one line and not endless."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= _LONGEST_LINE else words[:_LONGEST_LINE] + " ..."


def _error_mm(distances: Floats, queries: Motions, gallery: Motions) -> float:
    """Mean over the queries of the aligned distance to the first hit, by the joints both have."""
    first = distances.argmin(axis=1)
    order = np.argsort([len(motion.joints) for motion in queries], kind="stable")
    errors = []
    for some in np.array_split(order, -(-len(order) // _ALIGNED_AT_ONCE)):
        sides = [queries[i] for i in some], [gallery[first[i]] for i in some]
        pairs = ([resampled(poses(m), max(2, len(m.joints) // 3)) for m in side] for side in sides)
        errors.append(aligned_distance(*pairs))
    return float(np.concatenate(errors).mean()) * 1000.0


def _time_encoders(evaluation: Evaluation, entries: Sequence[Entry], gallery: Motions) -> None:
    """Times every encoder that has not been timed yet, one after the other and so on the same machine."""
    clip = _of_length(gallery[0], ENCODED_FRAMES)
    for entry in entries:
        encoders = [row.encoder for row in entry.members if isinstance(row, EncoderRow)]
        if encoders and entry.name not in evaluation.encode_ms:
            try:
                evaluation.encode_ms[entry.name] = [encode_ms(encoder, clip) for encoder in encoders]
            except Exception as error:  # its row will fail, too, and has its line then
                tqdm.write(f"{entry.name} could not be timed: {error}")


def encode_ms(encoder: Signer, clip: NormalizedMotion) -> float:
    """Mean time of a processor to sign one clip, milliseconds: what else the machine does then does not count."""
    encoder.encode([clip])  # the first time allocates
    begun = time.process_time()
    for _ in range(_ENCODED_TIMES):
        encoder.encode([clip])
    return (time.process_time() - begun) * 1000.0 / _ENCODED_TIMES


def _of_length(motion: NormalizedMotion, frames: int) -> NormalizedMotion:
    joints = resampled(motion.joints.reshape(len(motion.joints), -1), frames)
    return NormalizedMotion(joints.reshape(frames, *motion.joints.shape[1:]), motion.valid)
