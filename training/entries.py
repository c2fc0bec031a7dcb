# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of the table: a name, one model or several that differ only by their seed, and what they learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from torch import nn

from hums_engine.encoder import Encoder

from .export import has_onnx_form, to_onnx
from .protocols import Protocol
from .provenance import Sight, TrainingData
from .recipes import RECIPES, load_run
from .reranking import RerankedRow
from .rows import BASELINES, EncoderRow, Row, Signer, SubMotionRow
from .sub_motion import SubMotionSettings
from .torch_encoder import TorchEncoder


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

    @property
    def runs_in(self) -> str:
        """What computes its signatures: ``"ONNX"`` or ``"torch"``; empty where there are none."""
        if not isinstance(self.members[0], EncoderRow):
            return ""
        return "torch" if isinstance(self.members[0].encoder, TorchEncoder) else "ONNX"

    def sight(self, protocol: Protocol) -> Sight:
        """How much of a protocol it knew before."""
        if not self.is_model:
            return Sight.NOTHING
        return self.learnt.sight(protocol) if self.learnt is not None else Sight.UNKNOWN


def baselines() -> list[Entry]:
    """What an encoder must beat."""
    return [Entry(name, (row.distance,), row.what, costly=row.costly) for name, row in BASELINES.items()]


class Model(NamedTuple):
    """What a file or a run folder holds: its row, what it learnt from, and a few words on it."""

    row: EncoderRow
    learnt: TrainingData | None
    what: str


def open_model(path: Path) -> Model:
    """The encoder of an .onnx file or of a run folder.

    Raises:
        ModelError: the file is no model.
        ValueError: the folder is not that of a run.
    """
    if not path.is_dir():
        encoder = Encoder(path, "cpu")  # times are those of one thread
        return Model(EncoderRow(encoder), TrainingData.of(encoder.card), encoder.card.get("description", ""))
    settings, network, _ = load_run(path)
    learnt, what = TrainingData.of(asdict(settings)), RECIPES[settings.recipe].description
    row = EncoderRow(_signer(network))
    if isinstance(settings, SubMotionSettings):
        teacher = open_model(Path(settings.teacher))
        row = SubMotionRow(row.encoder, teacher.row.encoder)
        learnt = learnt if learnt == teacher.learnt else None  # both must be known not to have seen the queries
    return Model(row, learnt, what)


def _signer(network: nn.Module) -> Signer:
    """The network as a library would run it, so that times compare; in torch where it has no ONNX form."""
    if not has_onnx_form(network):
        return TorchEncoder(network)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(to_onnx(network, {}).SerializeToString())
        return Encoder(path, "cpu")


def model_entry(name: str, paths: Sequence[Path]) -> Entry:
    """One row of models that differ only by their seed.

    Raises:
        ModelError: a file is no model.
        ValueError: a folder is not that of a run, or the models differ by more: by what they learnt from.
    """
    models = [open_model(path) for path in paths]
    if len({model.learnt for model in models}) > 1:
        raise ValueError(f"The models of the row '{name}' learnt from different data; give them rows of their own.")
    return Entry(name, tuple(model.row for model in models), models[0].what, models[0].learnt)


def reranked(entry: Entry) -> Entry:
    """The same encoders, their first hits put in order by exact alignment."""
    members = tuple(RerankedRow(row.encoder) for row in entry.members if isinstance(row, EncoderRow))
    return entry._replace(name=f"{entry.name}, re-ranked", members=members, costly=True)


def chosen_entries(models: Sequence[Path], grouped: Sequence[str]) -> list[Entry]:
    """The rows asked for: those written ``NAME=PATH,PATH`` first, then a row for each of ``models``.

    Raises:
        ModelError: a file is no model.
        ValueError: a folder is not that of a run, a row is not written so, or two rows have one name.
    """
    entries = []
    for text in grouped:
        name, equals, paths = text.partition("=")
        if not (name and equals and paths):
            raise ValueError(f"A row is written NAME=PATH or, with several seeds, NAME=PATH,PATH; not '{text}'.")
        entries.append(model_entry(name.strip(), [Path(path) for path in paths.split(",") if path]))
    entries += [model_entry(path.name if path.is_dir() else path.stem, [path]) for path in models]
    names = [entry.name for entry in entries]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"Two rows are named '{twice[0]}'; name them apart with --row NAME=PATH.")
    return entries
