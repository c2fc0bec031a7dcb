# SPDX-License-Identifier: GPL-3.0-or-later
"""Do walks find walks and jumps find jumps? Every sample as a query among the others.

``python benchmarks/sample_classes.py`` prints the table, and writes it into docs/figures.md and its last line into
README.md, so that both say what the shipped model does. A label is what ``samples/samples.csv`` says; the query
itself does not count. *First hit* is the share of a label's takes whose most similar other take has the same label,
*rank* the median place of the first take of the same label.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import hums_engine as hums

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
BEGIN, END = "<!-- make bench writes this -->", "<!-- to here -->"


class Outcome(NamedTuple):
    """What one query found: the most similar other take, and the place of the first of its own label (0: none)."""

    label: str
    first: str
    rank: int


def main() -> None:
    """Prints the table and brings the documents up to date."""
    with (SAMPLES / "samples.csv").open(newline="", encoding="utf-8") as table:
        labels = {Path(row["file"]).stem: row["label"] for row in csv.DictReader(table)}
    outcomes = search_all(labels)
    table = f"| label | takes | first hit | rank | most similar |\n|---|---|---|---|---|\n{table_rows(outcomes)}"
    print(table)
    put_between(ROOT / "docs" / "figures.md", table)
    put_between(ROOT / "README.md", summary(outcomes))


def search_all(labels: Mapping[str, str]) -> dict[str, Outcome]:
    """Each sample's outcome, by the sample's name."""
    with tempfile.TemporaryDirectory() as folder:
        library = hums.Library.create(Path(folder) / "samples.hums")
        library.add([SAMPLES], workers=1)
        found = {
            clip.name: [hit.name for hit in library.search(clip.id, k=len(labels)) if hit.clip_id != clip.id]
            for clip in library.clips()
        }
        library.close()
    return {name: outcome(labels[name], others, labels) for name, others in found.items()}


def outcome(label: str, others: list[str], labels: Mapping[str, str]) -> Outcome:
    """What a query of ``label`` found, ``others`` in the order of their similarity."""
    ranks = [rank for rank, other in enumerate(others, 1) if labels[other] == label]
    return Outcome(label, others[0], min(ranks, default=0))


def table_rows(outcomes: Mapping[str, Outcome]) -> str:
    """A line for each label that has at least two takes, and one for all of them."""
    by_label: dict[str, list[tuple[str, Outcome]]] = {}
    for name, one in sorted(outcomes.items()):
        by_label.setdefault(one.label, []).append((name, one))
    pairs = {label: takes for label, takes in by_label.items() if len(takes) > 1}
    lines = [line(label, takes) for label, takes in pairs.items()]
    everything = [take for takes in pairs.values() for take in takes]
    return "\n".join([*lines, line("**all**", everything, listed=False)])


def summary(outcomes: Mapping[str, Outcome]) -> str:
    """The table in a sentence."""
    count = Counter(one.label for one in outcomes.values())
    queries = [one for one in outcomes.values() if count[one.label] > 1]
    right = Counter(one.label for one in queries if one.rank == 1)
    always = [label for label in sorted(right) if right[label] == count[label]]
    return (
        f"Of {len(queries)} queries, {sum(right.values())} find a take of their own kind first, among them every "
        f"{', '.join(always[:-1])} and {always[-1]}."
    )


def put_between(document: Path, text: str) -> None:
    """Replaces what stands between the marks in a document."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8", newline="\n")


def line(title: str, takes: list[tuple[str, Outcome]], listed: bool = True) -> str:
    """One row of the table."""
    right = sum(one.rank == 1 for _, one in takes)
    rank = statistics.median(one.rank for _, one in takes)
    listing = "; ".join(f"{name} → {one.first}" for name, one in takes) if listed else ""
    return f"| {title} | {len(takes)} | {right}/{len(takes)} | {rank:g} | {listing} |"


if __name__ == "__main__":
    main()
