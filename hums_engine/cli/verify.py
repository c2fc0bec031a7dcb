# SPDX-License-Identifier: GPL-3.0-or-later
"""``hums verify``: every byte of a library checked, and mended on request."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ..library import Library
from .arguments import AddVerb
from .output import DONE, WITH_FAILURES, counted, print_json, print_some


def add_verbs(verb: AddVerb) -> None:
    """Adds the verb of this module."""
    verify = verb("verify", _verify, "check every byte of a library")
    verify.add_argument("library")
    verify.add_argument("--repair", action="store_true", help="mend what is damaged")


def _verify(options: argparse.Namespace) -> int:
    if options.repair:
        report = Library.repair(options.library)
    else:
        with Library.open(options.library, readonly=True) as library:
            report = library.verify()
    if options.json:
        print_json({**asdict(report), "sound": report.sound})
    else:
        print(f"{counted(report.clips, 'clip')} and {counted(report.signatures, 'signature')} checked: ", end="")
        print("all sound." if report.sound else f"{len(report.problems)} damaged.")
        print_some("mended", report.mended)
        print_some("damaged", report.problems)
    return DONE if report.sound else WITH_FAILURES
