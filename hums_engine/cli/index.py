# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums index`` and ``hums merge``: files and other libraries into a library."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import formats
from ..catalogue import BACKUP, CATALOGUE
from ..errors import HumsError
from ..indexing import IndexReport, Shard
from ..library import Library
from .arguments import AddVerb
from .output import DONE, WITH_FAILURES, counted, duration, print_json, print_some
from .progress_bar import STOPPED, ProgressBar


def add_verbs(verb: AddVerb) -> None:
    """Adds the verbs of this module."""
    _index_words(verb("index", _index, "bring a library up to date with files and folders; makes it if need be"))
    merge = verb("merge", _merge, "take over the clips of other libraries, such as the shards of a farm")
    merge.add_argument("library")
    merge.add_argument("others", nargs="+", metavar="other")


def _index_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library", help="the library's folder, by convention NAME.hums")
    parser.add_argument("paths", nargs="*", metavar="path", help="files and folders; none: all that were added before")
    parser.add_argument(
        "--workers", type=_worker_count, default=0, help="processes to read in (default: as many as are worth it)"
    )
    parser.add_argument("--shard", type=_shard, help="only part I of N of the files, from 1, as 1/4")
    parser.add_argument(
        "--again", action="store_true", help="also read files that have not changed, as after a new map"
    )
    parser.add_argument("--reencode", action="store_true", help="sign all clips anew with this version's model first")


def _shard(text: str) -> Shard:
    number, slash, count = text.partition("/")
    if not slash or not number.isdecimal() or not count.isdecimal() or not 1 <= int(number) <= int(count):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N, a part of so many from 1, such as 1/4")
    return Shard(int(number), int(count))


def _worker_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 (as many as are worth it)")
    return int(text)


def _index(options: argparse.Namespace) -> int:
    there = [path for path in options.paths if Path(path).expanduser().exists()]
    with _open_or_create(options.library, making=bool(there or not options.paths)) as library:
        if options.reencode:
            with ProgressBar("signing", "clips", options) as bar:
                library.reencode(_shipped_encoder(), bar.counted)
            if bar.stopped:
                raise HumsError("stopped; the signatures are as they were.")
        with ProgressBar("indexing", "files", options) as bar:
            report = library.add(options.paths, options.workers, bar.told, options.shard, options.again)
        return _reported(report, library, options)


def _open_or_create(path: str, making: bool = True) -> Library:
    """The library at a path; a new one if there is none, and if ``making`` says that it will hold something."""
    folder = Path(path).expanduser()
    there = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    if there and not there & {CATALOGUE, BACKUP}:
        named = f"hums index {folder.name}.hums {folder}"
        raise HumsError(f"{folder} is no library but a folder of other things; the library comes first: {named}.")
    if not there and not making:
        raise HumsError("none of these files and folders is there; no library was made.")
    return Library.open(folder) if there else Library.create(folder)


def _shipped_encoder() -> Any:  # noqa: ANN401 - loads onnxruntime, so only where it is needed
    from ..encoder import Encoder  # noqa: PLC0415

    return Encoder()


def _merge(options: argparse.Namespace) -> int:
    total = IndexReport()
    with _open_or_create(options.library) as library:
        for path in options.others:
            with (
                Library.open(path, readonly=True) as other,
                ProgressBar(f"merging {other.path.name}", "files", options) as bar,
            ):
                report = library.merge(other, bar.counted)
            total.added += report.added
            total.updated += report.updated
            total.unchanged += report.unchanged
            total.seconds += report.seconds
            total.cancelled = report.cancelled
            if report.cancelled:
                break
        return _reported(total, library, options)


def _reported(report: IndexReport, library: Library, options: argparse.Namespace) -> int:
    info = library.info()
    if options.json:
        failed = [{"path": path, "reason": reason} for path, reason in report.failed]
        print_json({**asdict(report), "failed": failed, "clips": info.clips})
    else:
        print(
            f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged, "
            f"{report.removed:,} removed, {len(report.failed):,} failed in {report.seconds:.1f} s; "
            f"{library.path.name} holds {counted(info.clips, 'clip')} ({duration(info.duration_s)})."
        )
        print_some("failed", [f"{path}: {reason}" for path, reason in report.failed])
        for kind, count in report.left_out.items():
            print(f"  left out: {counted(count, f'{kind} file')}: {formats.REFUSALS[kind]}")
        if not (report.added or report.updated or report.unchanged or report.failed or report.cancelled):
            print(f"  no motion files were found; those are: {' '.join(formats.READERS)}")
        if report.cancelled:
            print(STOPPED)
    return WITH_FAILURES if report.failed or report.cancelled else DONE
