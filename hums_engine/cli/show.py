# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums show`` and ``hums demo``: a picture of a motion, and the product at work."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from dataclasses import asdict
from pathlib import Path

from ..canonical import canonicalize
from ..errors import HumsError, LibraryError
from ..library import Library
from ..motion_facts import MotionFacts
from .arguments import AddVerb, frame_range
from .output import DONE, print_json
from .queries import loaded, motion_of


def add_verbs(verb: AddVerb) -> None:
    """Adds the verbs of this module."""
    show = verb("show", _show, "render a picture of a motion")
    show.add_argument("clip", help="a motion file, or a clip's number with --library")
    show.add_argument("--library", help="the library of the clip")
    show.add_argument("--frames", type=frame_range, help="only the frames A:B of a file, from 0")
    show.add_argument("-o", "--output", default="", help="the PNG to write (default: the clip's name)")
    demo = verb("demo", _demo, "show the product at work on the sample motions")
    demo.add_argument("arguments", nargs=argparse.REMAINDER)


def _show(options: argparse.Namespace) -> int:
    from .. import pictures  # noqa: PLC0415 - loads Pillow's types only where pictures are made

    facts = None
    if options.library:
        with Library.open(options.library, readonly=True) as library:
            motion = motion_of(options.clip, options.frames, library)
    elif options.clip.removeprefix("#").isdecimal() and not Path(options.clip).exists():
        raise LibraryError(f"Clip {options.clip} of which library? Name it with --library.")
    else:
        read = loaded(options.clip, options.frames)
        motion, facts = canonicalize(read), MotionFacts.of(read)
    output = Path(options.output or f"{motion.name or 'motion'}.png")
    pictures.save_strip(motion, output, title=f"{motion.name}: {facts.line()}" if facts else motion.name)
    if options.json:
        shown = {"picture": str(output.absolute()), "name": motion.name, "duration_s": motion.duration_s}
        print_json(shown | {"facts": asdict(facts) if facts else None})
    else:
        print(output)
    return DONE


def _demo(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("..demo", __package__) is None:
        raise HumsError("the demo needs the whole repository: clone it and run 'make demo'.")
    return importlib.import_module("..demo", __package__).main(options.arguments)
