# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums list`` and ``hums mark``: the clips of a library, and what people say of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from ..library import Library
from ..records import Clip
from .arguments import AddVerb, add_paths, add_where, where_of
from .output import DONE, print_json, print_paths


def add_verbs(verb: AddVerb) -> None:
    """Adds the verbs of this module."""
    _list_words(verb("list", _list, "list the clips of a library"))
    _mark_words(verb("mark", _mark, "give clips tags, notes or the mark of a favourite"))


def _list_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library")
    parser.add_argument("-k", type=int, default=-1, help="how many at most (default: all)")
    add_where(parser)
    add_paths(parser)


def _mark_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("library")
    parser.add_argument("clips", nargs="+", metavar="clip", type=_clip_number, help="number of a clip")
    parser.add_argument("--tag", action="append", default=[], help="add a tag; may be repeated")
    parser.add_argument("--untag", action="append", default=[], metavar="TAG", help="take a tag off; may be repeated")
    parser.add_argument("--favourite", action=argparse.BooleanOptionalAction, help="mark as a favourite, or no more")
    parser.add_argument("--notes", help="replace the notes")


def _clip_number(text: str) -> int:
    number = text.removeprefix("#")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not the number of a clip, such as 12; hums list tells them")
    return int(number)


def _list(options: argparse.Namespace) -> int:
    with Library.open(options.library, readonly=True) as library:
        clips = library.clips(where_of(options.where), options.k)
    if options.paths:
        print_paths(clip.source for clip in clips)
    else:
        _print_clips(clips, options)
    return DONE


def _mark(options: argparse.Namespace) -> int:
    with Library.open(options.library) as library:
        for clip in [library.clip(number) for number in options.clips]:  # all of them are there, or none is marked
            if options.tag or options.untag:
                library.set_tags(clip.id, [*(tag for tag in clip.tags if tag not in options.untag), *options.tag])
            if options.favourite is not None:
                library.set_favourite(clip.id, options.favourite)
            if options.notes is not None:
                library.set_notes(clip.id, options.notes)
        _print_clips([library.clip(number) for number in options.clips], options)
    return DONE


def _print_clips(clips: Sequence[Clip], options: argparse.Namespace) -> None:
    if options.json:
        print_json({"clips": [asdict(clip) for clip in clips]})
        return
    for clip in clips:
        marks = "  ".join(
            ["*" if clip.favourite else " ", ", ".join(clip.tags), clip.notes.replace("\n", " ")]
        ).rstrip()
        axes = f"{clip.unit}, {clip.up} up" if clip.unit else ""
        facts = f"{clip.duration_s:8.2f} s {clip.fps:6.4g} fps  {clip.family:16} {axes:13}"
        print(f"#{clip.id:<6} {clip.name:32} {facts} {marks}".rstrip())
