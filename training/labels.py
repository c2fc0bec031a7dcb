# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes of a plain folder of motions, from the table ``labels.csv`` in it.

Its columns are ``file`` (the path from the folder, with ``/``), ``label``, and where they are known ``subject`` and
``split`` (``train`` or ``test``), in any order. A file without a row has no class.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from .corpus import Described

TABLE: Final = "labels.csv"
_NOTHING: Final = Described("", "")


def describe(path: Path, folder: Path) -> Described:
    """What the table in ``folder`` says of a file.

    Raises:
        ValueError: the table is no table with the columns that are needed.
    """
    return _table(folder)[0].get(path.relative_to(folder).as_posix(), _NOTHING)


def keep_all_and_check(folder: Path, files: Sequence[Path]) -> list[Path]:
    """Every file; rows of the table that name files which are not there are told of in one line on stderr.

    Raises:
        ValueError: as of `describe`.
    """
    rows, lines = _table(folder)
    there = {path.relative_to(folder).as_posix() for path in files}
    gone = [name for name in rows if name not in there]
    if gone:
        first = f"the first in line {lines[gone[0]]}: {gone[0][:80]}"
        print(f"{folder / TABLE}: {len(gone)} rows name files that are not there, {first}.", file=sys.stderr)
    return list(files)


def _table(folder: Path) -> tuple[dict[str, Described], dict[str, int]]:
    """What the table says of each file, and in which line; nothing where there is no table."""
    path = folder / TABLE
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no table in UTF-8 ({error}); save it again as CSV.") from None


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> tuple[dict[str, Described], dict[str, int]]:
    rows: dict[str, Described] = {}
    lines: dict[str, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="", skipinitialspace=True, strict=True)
        if not {"file", "label"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} needs a first line with the columns file and label.")
        for row in reader:
            name = str(PurePosixPath(row["file"].strip().replace("\\", "/")))
            rows[name] = _described(row, f"{path}, line {reader.line_num}")
            lines[name] = reader.line_num
    return rows, lines


def _described(row: dict[str, str], place: str) -> Described:
    split = row.get("split", "").strip().lower()
    if split not in ("", "train", "test"):
        raise ValueError(f'{place}: the split is "{split[:20]}"; write train, test, or nothing.')
    return Described(row.get("subject", "").strip(), row["label"].strip(), split)
