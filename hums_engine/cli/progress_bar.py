# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work on stderr, and Ctrl-C that stops it where nothing is lost."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from ..indexing import IndexProgress
from .output import duration

_COLUMNS: Final = 80
_ROWS: Final = 24
"""Of a terminal that does not tell its size, such as those of some containers and farms."""
_NAME_LENGTH: Final = 40  # of what is being done, behind the bar
_STDERR: Final = 2
_STOPPING: Final = "stopping as soon as what is being done is safe; Ctrl-C again breaks it off\n"
STOPPED: Final = "stopped; what was done is kept, and the same command goes on from there."


class ProgressBar:
    """Progress on stderr: a bar on a terminal, else a line every few seconds, nothing with --json.

    The first Ctrl-C asks the work to stop where that loses nothing, which ``stopped`` says; a second one breaks off.
    """

    _EVERY_S = 5.0

    def __init__(self, what: str, unit: str, options: argparse.Namespace) -> None:
        self._what, self._unit = what, unit
        self._quiet = options.json and not sys.stderr.isatty()
        self._bar: Any = None
        self._started = self._told_at = time.monotonic()
        self._all_told = False
        self.stopped = False

    def __enter__(self) -> ProgressBar:
        self._handler = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread():  # Python hears signals in no other
            signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._handler or signal.SIG_DFL)  # Blender's own is not told: None
        if self._bar is not None:
            self._bar.close()

    def _stop(self, *_: object) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        if not self._quiet:  # past Python's streams, which a signal may have met in the middle of a line
            below = "\n" if self._bar is not None else ""
            with contextlib.suppress(OSError):
                os.write(_STDERR, f"{below}{self._what}: {_STOPPING}".encode())

    def told(self, progress: IndexProgress) -> bool:
        """Shows how far an index run is; False to stop it."""
        return self.counted(progress.done, progress.total, Path(progress.current).name)

    def counted(self, done: int, total: int, current: str = "") -> bool:
        """Shows ``done`` of ``total``, and what is done now; False to stop."""
        if total and not self._quiet:
            self._show(done, total, current)
        return not self.stopped

    def _show(self, done: int, total: int, current: str) -> None:
        if sys.stderr.isatty() and self._bar is None:
            self._bar = _tqdm(total, self._what, self._unit)
        if self._bar is not None:
            self._bar.set_postfix_str(_shortened(current), refresh=False)
            self._bar.update(done - self._bar.n)
            self._bar.refresh()
        elif (done == total and not self._all_told) or time.monotonic() - self._told_at >= self._EVERY_S:
            print(f"{self._what}: {self._line(done, total, current)}", file=sys.stderr, flush=True)
            self._told_at, self._all_told = time.monotonic(), done == total

    def _line(self, done: int, total: int, current: str) -> str:
        if self._all_told:  # what comes after the last file
            return current
        rate = done / max(time.monotonic() - self._started, 1e-6)
        left = f", {duration((total - done) / rate)} left" if 0 < done < total else ""
        return f"{done} of {total}, {rate:.1f} a second{left}"


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _tqdm(total: int, what: str, unit: str) -> Any:  # noqa: ANN401 - tqdm need not be installed
    try:
        from tqdm import tqdm  # noqa: PLC0415 - loads only for a person at a terminal
    except ImportError:
        return None
    is_told = all(os.get_terminal_size(sys.stderr.fileno()))
    size: dict[str, Any] = {} if is_told else {"ncols": _COLUMNS, "nrows": _ROWS}
    return tqdm(total=total, desc=what, unit=f" {unit}", file=sys.stderr, **size)
