# SPDX-License-Identifier: GPL-3.0-or-later
"""All pictures of an evaluation, as PNG beside its tables."""

from __future__ import annotations

from pathlib import Path

from .curves import draw_precision_recall, draw_robustness
from .evaluate import Evaluation
from .protocols import PROTOCOLS
from .retrieval_pictures import draw_hits, draw_map, find
from .rows import EncoderRow


def draw(evaluation: Evaluation, folder: Path, cache: Path, out: Path) -> None:
    """Writes the curves of all rows, and for the first model that was measured the map of its signatures and its hits.

    Args:
        evaluation: what was measured.
        folder: the data folder.
        cache: where read corpora are kept.
        out: an existing folder.
    """
    draw_precision_recall(evaluation, out / "precision_recall.png")
    draw_robustness(evaluation, out / "robustness.png")
    asked = {(result.entry, result.protocol) for result in evaluation.results}
    for entry in evaluation.entries:
        protocols = [name for name in evaluation.setups if (entry.name, name) in asked]
        row = entry.members[0]
        if protocols and isinstance(row, EncoderRow):
            answers = [find(row, PROTOCOLS[name](folder, cache)) for name in protocols]
            draw_map(entry.name, answers, out / "signatures.png")
            for found in answers:
                draw_hits(entry.name, found, out / f"hits_{found.protocol.name}.png")
            return
