# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model has learnt from, and so how a protocol's figures of it are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from .corpora import CORPORA
from .data import Take, is_left_out
from .protocols import Protocol


class Sight(Enum):
    """How much of a protocol a row knew before it was asked."""

    NOTHING = "learns nothing"
    UNSEEN = "unseen corpus"
    CORPUS = "other takes of the corpus"
    GALLERY = "trained on the gallery"
    QUERIES = "trained on those who ask"
    UNKNOWN = "its card does not say"


class TrainingData(NamedTuple):
    """The motions that a model has learnt from.

    Attributes:
        corpora: names of `data.CORPORA`.
        leave_out: subjects of them that it has not, as ``corpus/subject``.
    """

    corpora: tuple[str, ...]
    leave_out: tuple[str, ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> TrainingData | None:
        """From a run's settings or from a model's card; None where they do not say."""
        corpora = described.get("corpora", described.get("training_data"))
        left_out = described.get("leave_out", described.get("left_out", ()))
        if not isinstance(corpora, list | tuple) or not isinstance(left_out, list | tuple):
            return None
        return cls(tuple(map(str, corpora)), tuple(map(str, left_out)))

    def holds(self, take: Take) -> bool:
        """Whether the model may have learnt from a take: test takes of a corpus are in no training set.

        Where it learnt from the same files under another name, with other classes and another split, it may.
        """
        if take.corpus in self.corpora:
            return take.split != "test" and not is_left_out(take, self.leave_out)
        return any(_folder(take.corpus) == _folder(corpus) for corpus in self.corpora)

    def sight(self, protocol: Protocol) -> Sight:
        """How much of a protocol's takes are among them."""
        if any(self.holds(take) for take in protocol.queries):
            return Sight.QUERIES
        if any(self.holds(take) for take in protocol.gallery):
            return Sight.GALLERY
        named = {take.corpus for take in protocol.gallery}
        return Sight.CORPUS if named & set(self.corpora) else Sight.UNSEEN

    def __str__(self) -> str:
        """The corpora, each with the subjects that are left out of it."""
        return " + ".join(self._named(corpus) for corpus in self.corpora)

    def _named(self, corpus: str) -> str:
        out = [name.partition("/")[2] for name in self.leave_out if name.partition("/")[0] == corpus]
        return f"{corpus} without {', '.join(out)}" if out else corpus


def _folder(corpus: str) -> str:
    """Where the files of a corpus lie: several names may stand for the same."""
    return CORPORA[corpus].folder if corpus in CORPORA else corpus
