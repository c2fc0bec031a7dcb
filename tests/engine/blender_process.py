# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program in Blender to its end, and no further: Blender's module of 4.5 may hang while it cleans up."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path


def run(main: Callable[..., None]) -> None:
    """Calls ``main`` with the words of the command line, of which the last names the file that it must leave."""
    try:
        main(*sys.argv[1:])
    except BaseException:  # the process ends below, whatever it was
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if Path(sys.argv[-1]).exists() else 1)
