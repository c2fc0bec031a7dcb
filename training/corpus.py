# SPDX-License-Identifier: GPL-3.0-or-later
"""What a corpus is: a folder of motion files, how they are read, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hums_engine.motion import Motion


class Described(NamedTuple):
    """What is known of a file without reading it: who moved, the class, and the corpus's own part it is in."""

    subject: str
    label: str
    split: str = ""


def keep_all(_folder: Path, files: Sequence[Path]) -> list[Path]:
    """Every file counts."""
    return list(files)


@dataclass(frozen=True)
class Corpus:
    """A corpus.

    Attributes:
        folder: its folder in the data folder; corpora that differ in their classes only share one.
        ending: of the names of its files, in small letters; the files may lie at any depth.
        read: a file's motions.
        describe: what is known of a file, from its path and the corpus's folder.
        citation: how to cite it.
        lead_in_s: what to cut off before each motion.
        keep: which of its files count; the others are told of on stderr, in one line.

    Raises:
        ValueError: from ``describe``, for a file whose name tells nothing; from either, for a list that is damaged.
    """

    folder: str
    ending: str
    read: Callable[[Path], list[Motion]]
    describe: Callable[[Path, Path], Described]
    citation: str
    lead_in_s: float = 0.0
    keep: Callable[[Path, Sequence[Path]], list[Path]] = keep_all

    def files(self, data: Path) -> list[Path]:
        """The paths of its files in a data folder, sorted."""
        found = (path for path in (data / self.folder).rglob("*") if path.name.lower().endswith(self.ending))
        return self.keep(data / self.folder, sorted(path for path in found if path.is_file()))
