# SPDX-License-Identifier: GPL-3.0-or-later
"""The source files that a module is made of, so that what it once computed is thrown away only when they change."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def sources(modules: Iterable[Path]) -> list[Path]:
    """The files of some modules and of all that they import of their own package, sorted.

    Only relative imports count, which is how the engine's modules name each other. A package's ``__init__`` does not:
    it passes on names of modules that one does not use.
    """
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop().resolve()
        if module not in found:
            found.add(module)
            waiting += _imported(module)
    return sorted(found)


def _imported(module: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            place = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            named = [place.with_suffix(".py"), *(place / f"{alias.name}.py" for alias in node.names)]
            yield from (path for path in named if path.is_file())
