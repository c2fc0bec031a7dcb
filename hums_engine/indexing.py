# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a library up to date with folders of files: what is new, changed, moved, gone, and the reading of it.

A file is *unchanged* when its size and time are as before, or its content is; it has *moved* when its content was
at a path that is there no longer. Moved files keep their clips' ids, tags and favourites.
"""

from __future__ import annotations

import os
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import formats
from .catalogue import Catalogue
from .encoder import Encoder
from .errors import LibraryError
from .reading import FileState, content_hash
from .records import Source
from .source_paths import absolute, is_below
from .worker import ReaderPool
from .writer import Writer

_TAKEN_FOR_MOTION: Final = (".c3d", ".abc")
_COMMIT_S: Final = 0.5
_COMMIT_FILES: Final = 256
_FEW_FILES: Final = 8
_FEW_BYTES: Final = 8_000_000
"""Below either, starting processes (a second each) takes longer than reading."""


@dataclass(frozen=True)
class IndexProgress:
    """How far an index run is.

    Attributes:
        done: files that are safely in the library (or failed).
        total: files that must be read.
        current: path of the file read last, or how far the search graph is that is built after all files.
        rate: files a second, since the start.
        eta_s: seconds left at that rate; 0 before the first file.
    """

    done: int
    total: int
    current: str
    rate: float
    eta_s: float


ProgressCallback = Callable[[IndexProgress], object]
"""Told of progress some times a second; returning False (not None) cancels."""


@dataclass
class IndexReport:
    """What an index run did, in files.

    Attributes:
        added: files that were new.
        updated: files that had changed, or moved.
        unchanged: files that were as before.
        removed: files that were gone.
        failed: path and reason, in one line each, of files that could not be read, wholly or in part.
        left_out: how many files lay in the folders of kinds that people take for motion, such as ``".c3d"``
            (`formats.REFUSALS` says why they are none).
        cancelled: whether it was stopped; what was done until then is kept, and another run goes on from there.
        seconds: how long it took.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``count``, from 1, of the files.

    Files are dealt out by a checksum of their names without folders, so machines that see them under different
    paths agree.
    """

    number: int
    count: int

    def has(self, path: str) -> bool:
        """Whether a file is this part's."""
        name = Path(path).name.encode("utf-8", "surrogatepass")
        return zlib.crc32(name) % self.count == self.number - 1


@dataclass
class Plan:
    """What an index run has to do."""

    read: list[str] = field(default_factory=list)
    moved: list[tuple[Source, str, FileState]] = field(default_factory=list)
    gone: list[Source] = field(default_factory=list)
    unchanged: int = 0
    roots: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def run(
    writer: Writer,
    catalogue: Catalogue,
    encoder: Encoder,
    paths: Sequence[str | Path],
    workers: int = 0,
    progress: ProgressCallback | None = None,
    shard: Shard | None = None,
    again: bool = False,
    spare_cores: int = 0,
) -> IndexReport:
    """Indexes files and folders; the arguments are those of `Library.add`."""
    started = time.monotonic()
    if again:
        writer.commit(lambda into: into.read_again(_wanted(into, paths, shard)))
    plan = survey(catalogue, paths, shard)
    report = IndexReport(unchanged=plan.unchanged, failed=plan.failed, updated=sum(_is_rename(*m) for m in plan.moved))
    report.unchanged += len(plan.moved) - report.updated
    report.left_out = dict(plan.left_out)
    writer.commit(lambda into: _write_moves(into, plan))
    known = catalogue.paths_with_clips()
    pool = ReaderPool(encoder, encoder.path, encoder.model_hash, _worker_count(workers, plan.read, spare_cores))
    teller = _Teller(progress, len(plan.read), started)
    _read_all(writer, pool, plan.read, known, report, teller)
    if not report.cancelled:
        writer.commit(lambda into: [into.remove_source(source) for source in plan.gone])
        report.removed = len(plan.gone)
        writer.compact()
        report.cancelled = not writer.update_graphs(teller.goes_on_building)
    report.seconds = time.monotonic() - started
    return report


def _wanted(catalogue: Catalogue, paths: Sequence[str | Path], shard: Shard | None) -> list[Source]:
    """Known files that paths stand for, or all; of them a shard's."""
    places = [absolute(path) for path in paths]
    sources = catalogue.sources().values()
    wanted = [one for one in sources if not places or any(is_below(one.path, place) for place in places)]
    return [one for one in wanted if shard is None or shard.has(one.path)]


def _is_rename(source: Source, path: str, _: FileState) -> bool:
    return source.path != path


def _write_moves(catalogue: Catalogue, plan: Plan) -> None:
    for root in plan.roots:
        catalogue.add_root(root)
    for source, path, state in plan.moved:
        catalogue.move_source(source.id, path, state.mtime_ns)


def _worker_count(wanted: int, paths: Sequence[str], spare_cores: int) -> int:
    """How many processes to read in, automatic ones with so many cores left free; 0 for none but this one."""
    if wanted < 0:
        raise LibraryError(f"The number of workers must be 0 (automatic) or more, not {wanted}.")
    if wanted == 0:
        sizes = sum(_size(path) for path in paths)
        if len(paths) < _FEW_FILES or sizes < _FEW_BYTES:
            return 0
        wanted = max((os.cpu_count() or 1) - spare_cores, 1)
    return min(wanted, len(paths)) if wanted > 1 else 0


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


class _Teller:
    """Tells a callback how far it is, and asks whether to go on."""

    def __init__(self, callback: ProgressCallback | None, total: int, started: float) -> None:
        self._callback = callback
        self._total = total
        self._started = started

    def goes_on(self, done: int, current: str) -> bool:
        """False if the callback wants to stop."""
        if self._callback is None:
            return True
        rate = done / max(time.monotonic() - self._started, 1e-6)
        eta_s = (self._total - done) / rate if rate > 0 else 0.0
        return self._callback(IndexProgress(done, self._total, current, rate, eta_s)) is not False

    def goes_on_building(self, done: int, rows: int) -> bool:
        """The same, of a search graph that covers some rows, when all files are read."""
        return self.goes_on(self._total, f"search graph: {done:,} of {rows:,} signatures")


def _read_all(
    writer: Writer,
    pool: ReaderPool,
    paths: Sequence[str],
    known: set[str],
    report: IndexReport,
    teller: _Teller,
) -> None:
    """Reads files and commits them some times a second; only what is committed is told as done."""
    done, committed_at = 0, time.monotonic()
    if not teller.goes_on(0, ""):
        report.cancelled = True
        return
    reading = pool.read(paths)
    for read in reading:
        writer.add(read)
        report.failed += [(read.path, failure) for failure in read.failures]
        if read.takes and read.path in known:
            report.updated += 1
        elif read.takes:
            report.added += 1
        full = writer.pending >= _COMMIT_FILES or time.monotonic() - committed_at >= _COMMIT_S
        if full or done + writer.pending == len(paths):
            done += writer.pending
            writer.commit()
            committed_at = time.monotonic()
            if not teller.goes_on(done, read.path) and done < len(paths):
                report.cancelled = True
                break
    reading.close()


# looking through folders


def survey(catalogue: Catalogue, paths: Sequence[str | Path], shard: Shard | None = None) -> Plan:
    """Compares files and folders with the catalogue; without paths, everything that was added before."""
    plan = Plan()
    known = catalogue.sources()
    found = list(_files(_given(catalogue, known, paths), plan))
    found = [path for path in found if shard is None or shard.has(path)]
    lost = LostFiles(known.values()) if any(path not in known for path in found) else LostFiles(())
    for path in dict.fromkeys(found):
        _classify(path, known, lost, plan)
    there = set(found)
    moved = {source.id for source, _, _ in plan.moved}
    plan.gone = [
        source
        for path, source in known.items()
        if path not in there and source.id not in moved and _is_under(path, plan.roots) and not os.path.lexists(path)
    ]
    return plan


def _given(catalogue: Catalogue, known: dict[str, Source], paths: Sequence[str | Path]) -> list[str]:
    if not paths:
        roots = catalogue.roots()
        return roots + [path for path in known if not _is_under(path, roots)]
    return [absolute(path) for path in paths]


def _is_under(path: str, folders: Iterable[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


def _files(paths: Iterable[str], plan: Plan) -> Iterator[str]:
    """The files to index, in a steady order; folders go into ``plan.roots``, what is not there into ``plan.failed``."""
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - a Path would be made a hundred thousand times below
            plan.roots.append(path)
            yield from _walk(path, plan)
        elif os.path.exists(path):  # noqa: PTH110
            yield from _named(path, plan)
        else:
            plan.failed.append((path, "there is no such file or folder now; what was indexed of it is kept."))


def motion_files(path: str) -> list[str]:
    """The files at a path that an index run would look at: itself, or those in the folder."""
    return list(_files([path], Plan()))


def _named(path: str, plan: Plan) -> Iterator[str]:
    """A file that was asked for by name."""
    if not _is_text(path):
        plan.failed.append((_printable(path), "its name is not valid Unicode; rename it."))
    else:
        yield path


def _walk(root: str, plan: Plan) -> Iterator[str]:
    """Readable files in a folder and those below it, each real folder once, so that links in a circle end."""
    seen: set[tuple[int, int]] = set()

    def refused(error: OSError) -> None:
        plan.failed.append((_printable(str(error.filename)), f"the folder cannot be read ({error.strerror})."))

    for folder, folders, names in os.walk(root, followlinks=True, onerror=refused):
        place = _place(folder)
        new = place not in seen
        seen.add(place)
        is_library = "catalogue.sqlite" in names
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if new and not is_library else []
        for name in sorted(names) if new and not is_library else ():
            path = os.path.join(folder, name)  # noqa: PTH118
            if name.startswith("."):
                continue
            if formats.is_readable(path):
                yield from _named(path, plan)
            elif (kind := os.path.splitext(name)[1].lower()) in _TAKEN_FOR_MOTION:  # noqa: PTH122
                plan.left_out[kind] += 1


def _place(folder: str) -> tuple[int, int]:
    """Device and number of a folder, the same by whatever links it is reached; (0, 0) once it is gone."""
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:  # bytes of another encoding, which neither SQLite nor JSON can hold
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")


class LostFiles:
    """Known files that are no longer where they were, by size: a new file may be one of them."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._by_size: dict[int, list[Source]] = defaultdict(list)
        for source in sources:
            if source.hash and not os.path.lexists(source.path):
                self._by_size[source.size].append(source)

    def take(self, path: str, state: FileState) -> Source | None:
        """The lost file that has the content of ``path``, if any; it is found once."""
        candidates = self._by_size.get(state.size)
        if not candidates:
            return None
        content = content_hash(path)
        match = next((source for source in candidates if source.hash == content), None)
        if match is not None:
            candidates.remove(match)
        return match


def _classify(path: str, known: dict[str, Source], lost: LostFiles, plan: Plan) -> None:
    """Puts a file where it belongs in the plan."""
    try:
        state = FileState.of(path)
        source = known.get(path)
        if source is None:
            source = lost.take(path, state)
            if source is not None and not source.error:
                plan.moved.append((source, path, state))
                return
        elif not source.error and state.size == source.size:
            if state.mtime_ns == source.mtime_ns:
                plan.unchanged += 1
                return
            if content_hash(path) == source.hash:
                plan.moved.append((source, path, state))
                return
    except OSError as error:
        plan.failed.append((path, f"the file cannot be read ({error.strerror})."))
        return
    plan.read.append(path)
