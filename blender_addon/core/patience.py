# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a folder that may lie on a file server, but not for ever.

A server that is gone gives no error: whoever looks into its share is kept waiting by the system, for minutes or until
it is back, and cannot be called off. So a thread of its own looks, and who asked goes on after a while. As long as that
thread is held up nobody else is sent after it; when it comes back, so has the server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .engine import errors

Result = TypeVar("Result")

_held_up: dict[Path, threading.Thread] = {}


def wait_for(folder: Path, look: Callable[[], Result], seconds: float) -> Result:
    """What ``look`` returns, which looks into ``folder``.

    Raises:
        LibraryError: it takes longer than so many seconds, or another look into the folder is still held up.
    """
    before = _held_up.get(folder)
    if before is not None and before.is_alive():
        raise _not_answering(folder)
    _held_up.pop(folder, None)
    results: list[Result] = []
    wrong: list[Exception] = []

    def try_it() -> None:
        try:
            results.append(look())
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _held_up[folder] = thread
        raise _not_answering(folder)
    if wrong:
        raise wrong[0]
    return results[0]


def _not_answering(folder: Path) -> errors.LibraryError:
    return errors.LibraryError(
        f"{folder} does not answer: its file server or drive is not reachable now. Connect it, then try again."
    )
