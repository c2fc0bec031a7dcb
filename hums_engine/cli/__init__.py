# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line ``hums``: a module for each verb or two, which print for people or, with --json, for programs.

Exit code 0: did it; 1: did it with failures listed; 2: could not. Logs and progress go to stderr.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import __version__, own_maps
from ..errors import HumsError
from . import clips, index, info, search, show, source_files, verify
from .arguments import AddVerb
from .output import COULD_NOT, DONE, WITH_FAILURES, print_json
from .progress_bar import STOPPED

__all__ = ["COULD_NOT", "DONE", "WITH_FAILURES", "AddVerb", "main", "print_json"]


def main(argv: Sequence[str] | None = None, prog: str = "hums", more: Callable[[AddVerb], None] | None = None) -> int:
    """Runs one command; returns the exit code. No traceback reaches a person.

    Args:
        argv: the words behind the program's name; None for the process's own.
        prog: what the program is called in its help (inside Blender: ``blender --command hums``).
        more: adds the verbs that only this program has.
    """
    _print_any_name()
    try:
        options = _parser(prog, more).parse_args(argv)
    except SystemExit as stop:  # argparse has printed its help or what is wrong
        return DONE if stop.code == 0 else COULD_NOT
    logging.basicConfig(
        stream=sys.stderr, format="%(message)s", level=logging.INFO if options.verbose else logging.WARNING
    )
    try:
        if options.rig_maps:
            folder = Path(options.rig_maps).expanduser()
            own_maps.check(folder)
            own_maps.use(folder)
        return options.verb(options)
    except HumsError as error:
        return _refused(prog, str(error), options)
    except KeyboardInterrupt:
        return _refused(prog, STOPPED, options)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT
    except Exception as error:  # a fault of ours: still one sentence, with the details on request
        logging.getLogger(__name__).info("details", exc_info=True)
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _refused(prog, f"an unexpected error ({told}); add --verbose and please report it.", options)


def _print_any_name() -> None:
    """Has names that the terminal's or the pipe's encoding lacks printed with question marks, not refused."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _refused(prog: str, sentence: str, options: argparse.Namespace) -> int:
    print(f"{prog}: {sentence}", file=sys.stderr)
    if options.json:
        print_json({"error": sentence})
    return COULD_NOT


def _parser(prog: str, more: Callable[[AddVerb], None] | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Find similar human motion.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    shared.add_argument("--verbose", action="store_true", help="say more on stderr")
    shared.add_argument("--rig-maps", metavar="FOLDER", help="maps of your own, for skeletons that are mapped wrong")
    parser.add_argument("--version", action="version", version=f"hums {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, function: Any, text: str) -> argparse.ArgumentParser:  # noqa: ANN401 - a function of here
        one = verbs.add_parser(name, help=text, description=text, parents=[shared])
        one.set_defaults(verb=function)
        return one

    for module in (index, search, clips, info, show, verify, source_files):
        module.add_verbs(verb)
    if more is not None:
        more(verb)
    return parser
