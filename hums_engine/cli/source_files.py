# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums relink`` and ``hums remove``: a library's files that have moved, or that should be in it no longer."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..library import Library
from .arguments import AddVerb
from .output import DONE, WITH_FAILURES, counted, print_json, print_some


def add_verbs(verb: AddVerb) -> None:
    """Adds the verbs of this module."""
    relink = verb("relink", _relink, "say where files are now that have moved; nothing is read again")
    relink.add_argument("library")
    relink.add_argument("old", help="file or folder as the library knows it (hums info lists what is missing)")
    relink.add_argument("new", help="file or folder where it is now")
    remove = verb("remove", _remove, "take files or folders out of a library; the files themselves stay")
    remove.add_argument("library")
    remove.add_argument("paths", nargs="+", metavar="path", help="file or folder, as hums info and hums list tell it")


def _relink(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        report = library.relink(options.old, options.new)
    if options.json:
        print_json(asdict(report))
    elif not report.found and not report.missing:
        print(f"{library.path.name} knows no file at {options.old}; hums info {options.library} lists what is missing.")
    else:
        print(f"{counted(len(report.found), 'file')} linked anew, {len(report.missing):,} still missing.")
        print_some("missing", report.missing)
    return DONE if report.found and not report.missing else WITH_FAILURES


def _remove(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        removed, left = library.remove(options.paths), library.info().clips
    if options.json:
        print_json({"removed": removed, "clips": left})
    elif not removed:
        print(
            f"{library.path.name} knows no file at {', '.join(options.paths)}; hums list --paths tells where they are."
        )
    else:
        print(f"{counted(removed, 'file')} taken out; {library.path.name} holds {counted(left, 'clip')}.")
    return DONE if removed else WITH_FAILURES
