# SPDX-License-Identifier: GPL-3.0-or-later
"""What NTU RGB+D's file names say, which recordings lack their skeletons, and who trains in the protocol x-sub.

``S001C002P003R002A013.skeleton``: setup, camera, performer, replication, action. The authors publish lists of the
recordings whose skeletons are missing or wrong; such a list in the corpus's folder is heeded.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .corpus import Described

CITATION: Final = (
    "A. Shahroudy, J. Liu, T.-T. Ng, G. Wang, 'NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis', "
    "CVPR 2016; J. Liu, A. Shahroudy, M. Perez, G. Wang, L.-Y. Duan, A. C. Kot, 'NTU RGB+D 120', TPAMI 2020."
)

TRAINING_SUBJECTS: Final = frozenset(
    (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
    + (45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89)
    + (91, 92, 93, 94, 95, 97, 98, 100, 103)
)
"""The subjects who train in x-sub: those of NTU RGB+D (up to 40) in the first line, those that NTU RGB+D 120 adds."""

MISSING: Final = "*missing_skeletons*.txt"
"""Names of lists of recordings without skeletons, as the authors name theirs, or ``missing_skeletons.txt``."""

_NAME: Final = re.compile(r"S\d{3}C\d{3}P(\d{3})R\d{3}A(\d{3})", re.IGNORECASE)


def describe(path: Path, _folder: Path) -> Described:
    """Subject ``P001``, class ``A001``, and the part of x-sub that the subject is in.

    Raises:
        ValueError: the file is not named like a recording of NTU RGB+D.
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        raise ValueError("the name is not that of a recording of NTU RGB+D, such as S001C002P003R002A013.skeleton.")
    split = "train" if int(match[1]) in TRAINING_SUBJECTS else "test"
    return Described(f"P{match[1]}", f"A{match[2]}", split)


def keep_with_skeletons(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The files that no list in the folder names; how many those leave out is told in one line on stderr."""
    named = {name for path in sorted(folder.glob(MISSING)) for name in _listed(path)}
    kept = [path for path in files if path.stem.upper() not in named]
    if len(kept) < len(files):
        print(f"{folder}: {len(files) - len(kept)} recordings without skeletons are left out.", file=sys.stderr)
    return kept


def _listed(path: Path) -> Iterator[str]:
    """The recordings that a list names, one a line; other lines, and what follows a name, are its comments."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name = line.partition("#")[0].strip().upper().removesuffix(".SKELETON")
        if _NAME.fullmatch(name):
            yield name
