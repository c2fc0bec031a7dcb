# SPDX-License-Identifier: GPL-3.0-or-later
"""Relinking: telling a library where its files are now, without reading a motion again.

Files that lie below the new place as they lay below the old one are found by their path; the others, renamed or in
other folders, by the content that they were indexed with.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .catalogue import Catalogue
from .errors import LibraryError
from .indexing import LostFiles, motion_files
from .reading import FileState
from .records import Source
from .source_paths import absolute, is_below


@dataclass
class RelinkReport:
    """What `Library.relink` found.

    Attributes:
        found: old and new path of each file that is linked anew.
        missing: paths of the files at the old place that are neither there nor at the new one.
    """

    found: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def run(catalogue: Catalogue, old: str, new: str) -> RelinkReport:
    """Links the files at ``old`` to where they are at ``new``; see `Library.relink`. The writer's lock is held."""
    old, new = absolute(old), absolute(new)
    if not os.path.exists(new):  # noqa: PTH110
        raise LibraryError(f"There is no file or folder {new}; name the place where the files are now.")
    known = catalogue.sources()
    wanted = [source for source in known.values() if is_below(source.path, old)]
    targets = _by_path(wanted, old, new)
    lost = set(missing_of(source.path for source in wanted if source.id not in targets))
    targets |= _by_content([source for source in wanted if source.path in lost], new, known)
    report = RelinkReport()
    with catalogue.transaction():
        for source in wanted:
            if source.id in targets and _link(catalogue, source, targets[source.id], known):
                report.found.append((source.path, targets[source.id]))
            elif source.path in lost:
                report.missing.append(source.path)
        _move_roots(catalogue, old, new)
    return report


def _by_path(sources: Iterable[Source], old: str, new: str) -> dict[int, str]:
    """Where files lie below ``new`` as they lay below ``old``."""
    targets = {source.id: _moved(source.path, old, new) for source in sources}
    gone = set(missing_of(targets.values()))
    return {
        number: path
        for number, path in targets.items()
        if path not in gone and not os.path.isdir(path)  # noqa: PTH112
    }


def _moved(path: str, old: str, new: str) -> str:
    rest = path[len(old) :].lstrip(os.sep)
    return os.path.join(new, rest) if rest else new  # noqa: PTH118


def _by_content(lost: list[Source], new: str, known: dict[str, Source]) -> dict[int, str]:
    """Files anywhere below ``new`` that have the content of lost ones; a file of the same name is taken first."""
    names = {os.path.basename(source.path) for source in lost}  # noqa: PTH119
    paths = [path for path in motion_files(new) if path not in known] if lost else []
    paths.sort(key=lambda path: os.path.basename(path) not in names)  # noqa: PTH119
    index, targets = LostFiles(lost), {}
    for path in paths:
        try:
            source = index.take(path, FileState.of(path))
        except OSError:  # it cannot be read, so it is not the one
            continue
        if source is not None:
            targets[source.id] = path
    return targets


def _link(catalogue: Catalogue, source: Source, path: str, known: dict[str, Source]) -> bool:
    """Puts a source where its file is; False where another content is in the library under that path."""
    there = known.get(path)
    if there is not None and there.id != source.id:
        if there.hash != source.hash:
            return False
        catalogue.absorb(there, source)
    catalogue.move_source(source.id, path, source.mtime_ns)  # its time tells the next run to look at the content
    return True


def _move_roots(catalogue: Catalogue, old: str, new: str) -> None:
    for root in catalogue.roots():
        target = _moved(root, old, new)
        if is_below(root, old) and os.path.isdir(target):  # noqa: PTH112
            catalogue.remove_root(root)
            catalogue.add_root(target)


def missing_of(paths: Iterable[str]) -> list[str]:
    """Those of the paths where nothing is, in their order; a folder is listed once, however many are in it."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_folder[os.path.dirname(path)].append(path)  # noqa: PTH120
    missing: list[str] = []
    for folder, inside in by_folder.items():
        try:
            there = set(os.listdir(folder))  # noqa: PTH208
        except OSError:
            there = set()
        missing += [
            path
            for path in inside
            if os.path.basename(path) not in there and not os.path.exists(path)  # noqa: PTH110, PTH119 - case, links
        ]
    return missing
