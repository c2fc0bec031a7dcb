# SPDX-License-Identifier: GPL-3.0-or-later
"""What all verbs print alike: one JSON document for programs, short lines for people; and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

DONE: Final = 0
WITH_FAILURES: Final = 1
COULD_NOT: Final = 2

LINES_SHOWN: Final = 20


def print_json(document: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Prints the one document of ``--json``."""
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


def print_some(what: str, lines: Sequence[str]) -> None:
    """Prints the first lines of a list that may be long."""
    for line in lines[:LINES_SHOWN]:
        print(f"  {what}: {line}")
    if len(lines) > LINES_SHOWN:
        print(f"  {what}: {len(lines) - LINES_SHOWN} more, which --json lists")


def print_paths(sources: Iterable[str]) -> None:
    """Prints each file once, one a line."""
    for path in dict.fromkeys(sources):
        print(path)


def counted(count: int, what: str) -> str:
    """``1 clip``, ``2,000 clips``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """A length of time as people read it, such as ``1 h 05 min``."""
    hours, rest = divmod(round(seconds), 3600)
    if hours:
        return f"{hours} h {rest // 60:02} min"
    return f"{rest // 60} min {rest % 60:02} s" if rest >= 60 else f"{rest} s"
