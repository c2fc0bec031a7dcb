# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums info``: what a library or a motion file holds."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from .. import formats
from ..library import Library
from ..motion_facts import MotionFacts
from .arguments import AddVerb
from .output import DONE, counted, duration, print_json, print_some


def add_verbs(verb: AddVerb) -> None:
    """Adds the verb of this module."""
    info = verb("info", _info, "say what a library or a motion file holds")
    info.add_argument("library", metavar="path", help="a library's folder, or a motion file")


def _info(options: argparse.Namespace) -> int:
    path = Path(options.library).expanduser()
    if path.is_file() or (path.suffix.lower() in formats.READERS and not path.is_dir()):
        return _file_info(options)
    with Library.open(options.library, readonly=True) as library:
        info, missing = library.info(), library.missing()
    if options.json:
        failed = [{"path": path, "reason": reason} for path, reason in info.failed]
        axes = [{"unit": unit, "up": up, "clips": clips} for unit, up, clips in info.axes]
        print_json({**asdict(info), "axes": axes, "failed": failed, "missing": missing})
        return DONE
    print(f"{info.path}")
    counts = f"{counted(info.clips, 'clip')} of {counted(info.files, 'file')}"
    print(f"  {counts}, {duration(info.duration_s)}, {counted(info.moments, 'moment')}")
    print(f"  {info.bytes / 1e6:.1f} MB on disk")
    print(f"  model: {info.model or 'none yet'} {info.model_hash[:8]}")
    for unit, up, clips in info.axes:
        known = f"in {unit} with {up} up" if unit else "of which the unit is not known: an older version read them"
        print(f"  {counted(clips, 'clip')} of files {known}")
    for root in info.roots:
        print(f"  folder: {root}")
    for path, reason in info.failed:
        print(f"  failed: {path}: {reason}")
    print_some("missing", missing)
    if missing:
        gone = "1 file is not where it was" if len(missing) == 1 else f"{len(missing):,} files are not where they were"
        print(f"  {gone}; say where with: hums relink {options.library} OLD NEW")
    return DONE


def _file_info(options: argparse.Namespace) -> int:
    """What is in a motion file, and what was taken for its unit and its up."""
    takes = [MotionFacts.of(motion) for motion in formats.load_all(options.library)]
    if options.json:
        print_json({"path": str(Path(options.library).expanduser().absolute()), "takes": [asdict(t) for t in takes]})
        return DONE
    for take in takes:
        print(f"{take.name}\n  {take.line()}")
        if take.problem:
            print(f"  {take.problem}")
    return DONE
