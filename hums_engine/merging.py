# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging: taking over the clips of another library as they are stored, so that a farm's shards become one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .catalogue import Catalogue
from .errors import LibraryError
from .indexing import IndexReport
from .joint_store import JointStore
from .reading import FileState, ReadFile, Take, TakeFacts
from .records import Clip, Model, Source, Stored
from .signature_store import SignatureStore, row_type
from .writer import FOLDERS, KINDS, Kind, Writer, rows_of

_COMMIT_FILES: Final = 256


def run(
    writer: Writer,
    catalogue: Catalogue,
    other: Catalogue,
    other_folder: Path,
    progress: Callable[[int, int], object] | None = None,
) -> IndexReport:
    """Takes over all files of ``other`` that are new or have another content; see `Library.merge`.

    Raises:
        LibraryError: the libraries are of different models.
    """
    started = time.monotonic()
    report = IndexReport()
    model = other.model()
    if model is None:
        return report
    if model.hash != writer.model.hash:
        raise LibraryError(
            f"{other_folder.name} was made with the model '{model.name}', not '{writer.model.name}'; "
            f"sign it anew first with: hums index {other_folder.name} --reencode."
        )
    known = catalogue.sources()
    donor = _Donor(other, other_folder, model)
    todo = [source for source in other.sources().values() if not source.error]
    for done, source in enumerate(todo, start=1):
        mine = known.get(source.path)
        if mine is not None and mine.hash == source.hash:
            report.unchanged += 1
        else:
            writer.add(donor.read(source))
            report.added += mine is None
            report.updated += mine is not None
        if writer.pending >= _COMMIT_FILES or done == len(todo):
            donor.hand_over(writer, catalogue)
            if progress is not None and progress(done, len(todo)) is False and done < len(todo):
                report.cancelled = True
                break
    writer.commit(lambda into: [into.add_root(root) for root in other.roots()])
    writer.compact()
    writer.update_graphs()
    report.seconds = time.monotonic() - started
    return report


class _Donor:
    """The library that is taken from."""

    def __init__(self, catalogue: Catalogue, folder: Path, model: Model) -> None:
        self._catalogue = catalogue
        self._joints = JointStore(folder / FOLDERS["joints"])
        self._stored = {one.clip_id: one for one in catalogue.stored()}
        self._stores: dict[Kind, SignatureStore] = {}
        self._handed: list[tuple[str, list[Clip]]] = []
        for kind in KINDS:
            for name, length in catalogue.files(kind).items():
                count = length // row_type(model.dimension).itemsize
                self._stores[kind] = SignatureStore(folder / FOLDERS[kind] / name, model.dimension, count)

    def read(self, source: Source) -> ReadFile:
        """A file as if it had been read now."""
        clips = list(self._catalogue.takes(source.id).values())
        self._handed.append((source.path, clips))
        takes = [self._take(clip, self._stored[clip.id]) for clip in clips]
        return ReadFile(source.path, FileState(source.size, source.mtime_ns), source.hash, takes)

    def _take(self, clip: Clip, stored: Stored) -> Take:
        timing = clip.duration_s, clip.fps, clip.frames
        facts = TakeFacts(clip.take, clip.name, clip.family, *timing, clip.unit, clip.up)
        return Take(facts, bytes(self._joints.record(stored.joints)), *rows_of(self._stores, stored))

    def hand_over(self, writer: Writer, catalogue: Catalogue) -> None:
        """Makes what was read count, with what people marked on it."""
        ids = writer.commit()
        with catalogue.transaction():
            for path, clips in self._handed:
                for clip_id, clip in zip(ids.get(path, []), clips, strict=False):
                    catalogue.add_marks(clip_id, clip)
        self._handed.clear()
