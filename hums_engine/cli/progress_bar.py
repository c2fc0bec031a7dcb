# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work on stderr, and Ctrl-C that stops it where nothing is lost."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from typing import Any, Final

from ..indexing import IndexProgress
from .output import duration

STOPPED: Final = "stopped; what was done is kept, and the same command goes on from there."


class ProgressBar:
    """Progress on stderr: a bar on a terminal, else a line every few seconds, nothing with --json.

    The first Ctrl-C asks the work to stop where that loses nothing, which ``stopped`` says; a second one breaks off.
    """

    _EVERY_S = 5.0

    def __init__(self, what: str, options: argparse.Namespace) -> None:
        self._what = what
        self._quiet = options.json and not sys.stderr.isatty()
        self._bar: Any = None
        self._started = self._told_at = time.monotonic()
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

    def told(self, progress: IndexProgress) -> bool:
        """Shows how far an index run is; False to stop it."""
        return self.counted(progress.done, progress.total)

    def counted(self, done: int, total: int) -> bool:
        """Shows ``done`` of ``total``; False to stop."""
        if total and not self._quiet:
            self._show(done, total)
        return not self.stopped

    def _show(self, done: int, total: int) -> None:
        if sys.stderr.isatty() and self._bar is None:
            self._bar = _tqdm(total, self._what)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif done == total or time.monotonic() - self._told_at >= self._EVERY_S:
            self._told_at = time.monotonic()
            rate = done / max(self._told_at - self._started, 1e-6)
            left = f", {duration((total - done) / rate)} left" if 0 < done < total else ""
            print(f"{self._what}: {done} of {total}, {rate:.1f} a second{left}", file=sys.stderr)


def _tqdm(total: int, what: str) -> Any:  # noqa: ANN401 - tqdm need not be installed
    try:
        from tqdm import tqdm  # noqa: PLC0415 - loads only for a person at a terminal
    except ImportError:
        return None
    return tqdm(total=total, desc=what, unit=" files", file=sys.stderr)
