# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that changes a library, started by `jobs`; it tells how far it is in lines of JSON.

It is no part of Blender: it loads ``hums_engine`` from the path that its environment names. It ends by itself when the
Blender that started it is gone, which closes its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hums_engine.errors import HumsError
from hums_engine.indexing import IndexProgress
from hums_engine.library import Library

_NICENESS = 19
_SPARE_CORES = 1
"""Left to Blender: on a core where something reads, however low its priority, a redraw waits for the next tick."""


def main(
    library: str, paths: list[str], create: bool, workers: int, relink: list[str] | None, is_awaited: bool
) -> None:
    """Adds ``paths`` to the library at ``library``, made if it is missing and ``create`` says so, or relinks files."""
    threading.Thread(target=_end_with_blender, daemon=True).start()
    if hasattr(os, "nice") and not is_awaited:
        os.nice(_NICENESS)  # what the animator does comes first
    spare_cores = 0 if is_awaited else _SPARE_CORES
    try:
        folder = Path(library)
        with Library.create(folder) if create and not folder.exists() else Library.open(folder) as opened:
            done = opened.relink(*relink) if relink else opened.add(paths, workers, _progress, spare_cores=spare_cores)
    except HumsError as error:
        _tell({"error": str(error)})
    else:
        _tell({"report": asdict(done)})  # the library is closed: whoever hears this may end the process


def _progress(progress: IndexProgress) -> None:
    _tell({"progress": asdict(progress)})


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_blender() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
