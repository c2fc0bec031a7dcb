# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of the table: a name, one model or several that differ only by their seed, and what they learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hums_engine.encoder import Encoder

from .protocols import Protocol
from .provenance import Sight, TrainingData
from .rows import BASELINES, EncoderRow, Row


class Entry(NamedTuple):
    """One row of the table.

    Attributes:
        name: as the table has it.
        members: what measures distances; several are seeds of one model.
        what: a few words on it.
        learnt: what it has been trained on; None where its card does not say, or nothing is learnt.
        costly: whether it is measured on clean queries only, unless conditions are asked for by name.
    """

    name: str
    members: tuple[Row, ...]
    what: str = ""
    learnt: TrainingData | None = None
    costly: bool = False

    @property
    def is_model(self) -> bool:
        """Whether it is an encoder and not one of the measures that need no training."""
        return isinstance(self.members[0], EncoderRow)

    def sight(self, protocol: Protocol) -> Sight:
        """How much of a protocol it knew before."""
        if not self.is_model:
            return Sight.NOTHING
        return self.learnt.sight(protocol) if self.learnt is not None else Sight.UNKNOWN


def baselines() -> list[Entry]:
    """What an encoder must beat."""
    return [Entry(name, (row.distance,), row.what, costly=row.costly) for name, row in BASELINES.items()]


def model_entry(name: str, paths: Sequence[Path]) -> Entry:
    """One row of models that differ only by their seed.

    Raises:
        ModelError: a file is no model.
        ValueError: they differ by more: by what they learnt from.
    """
    encoders = [Encoder(path) for path in paths]
    learnt = {TrainingData.of(encoder.card) for encoder in encoders}
    if len(learnt) > 1:
        raise ValueError(f"The models of the row '{name}' learnt from different data; give them rows of their own.")
    return Entry(name, tuple(map(EncoderRow, encoders)), encoders[0].card.get("description", ""), learnt.pop())


def chosen_entries(models: Sequence[Path], grouped: Sequence[str]) -> list[Entry]:
    """The rows asked for: those written ``NAME=PATH,PATH`` first, then a row for each of ``models``.

    Raises:
        ModelError: a file is no model.
        ValueError: a row is not written so, or two rows have one name.
    """
    entries = []
    for text in grouped:
        name, equals, paths = text.partition("=")
        if not (name and equals and paths):
            raise ValueError(f"A row is written NAME=PATH or, with several seeds, NAME=PATH,PATH; not '{text}'.")
        entries.append(model_entry(name.strip(), [Path(path) for path in paths.split(",") if path]))
    entries += [model_entry(path.stem, [path]) for path in models]
    names = [entry.name for entry in entries]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"Two rows are named '{twice[0]}'; name them apart with --row NAME=PATH.")
    return entries
