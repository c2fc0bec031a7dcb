# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding files to a library beside Blender: a process does it, a thread hears it, a timer tells the panels.

The thread puts what it hears into a queue and never touches Blender's data; the timer empties the queue.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import bpy

from .engine import ADDON_FOLDER

_INTERVAL_S = 0.2
_PACKAGES = ("numpy", "onnxruntime", "hnswlib")


@dataclass
class Progress:
    """How far a job is.

    Attributes:
        done: files that are finished.
        total: files in all, 0 while they are being counted.
        left_s: seconds that the rest will take, 0 while unknown.
        report: what came of it, when it has ended well: the fields of the engine's ``IndexReport``.
        failure: one sentence, when it has ended badly.
    """

    done: int = 0
    total: int = 0
    left_s: float = 0.0
    report: dict[str, Any] | None = None
    failure: str = ""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to come."""
        return self.report is not None or bool(self.failure)

    def text(self) -> str:
        """Such as ``120 of 2000 files, 0:40 left``."""
        if not self.total:
            return "Looking for motion files"
        text = f"{self.done} of {self.total} files"
        left = round(self.left_s)
        return f"{text}, {left // 60}:{left % 60:02} left" if left else text

    def hear(self, message: dict[str, Any]) -> None:
        """Takes in one line of the process."""
        told = message.get("progress")
        if told is not None:
            self.done, self.total, self.left_s = told["done"], told["total"], told["eta_s"]
        self.report = message.get("report", self.report)
        self.failure = message.get("error", self.failure)


class IndexJob:
    """One process that adds ``paths`` to the library at ``library``, which it makes if ``create`` says so."""

    def __init__(self, library: Path, paths: Sequence[str], create: bool = False) -> None:
        self.library = library
        self.progress = Progress()
        self._lines: queue.Queue[str | None] = queue.Queue()
        task = json.dumps({"library": str(library), "paths": list(paths), "create": create})
        self._process = subprocess.Popen(
            [sys.executable, "-s", str(Path(__file__).with_name("index_worker.py")), task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdout is not None
        threading.Thread(target=_listen, args=(self._process.stdout, self._lines), daemon=True).start()

    def update(self, wait: bool = False) -> Progress:
        """Takes in what the process has said since; with ``wait``, all that it will say."""
        while not self.progress.ended:
            try:
                line = self._lines.get(block=wait)
            except queue.Empty:
                break
            if line is None:
                self.progress.failure = "Indexing ended early: what was done is kept; press Update to go on."
            else:
                self.progress.hear(json.loads(line))
        return self.progress

    def cancel(self) -> None:
        """Ends the process; the files that were done stay in the library."""
        self._process.kill()
        self._process.wait()
        self.progress.failure = "Indexing was cancelled: what was done is kept; press Update to go on."


def _listen(pipe: IO[str], lines: queue.Queue[str | None]) -> None:
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(None)


def _environment() -> dict[str, str]:
    """The environment in which Python finds the engine and the packages that the extension brought."""
    folders = [str(ADDON_FOLDER)]
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            folder = Path(spec.origin).parent
            folders.append(str(folder.parent if folder.name == package else folder))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(folders)), "PYTHONUTF8": "1"}


_running: list[IndexJob] = []
_listeners: list[Callable[[IndexJob], None]] = []


def start(job: IndexJob, listener: Callable[[IndexJob], None]) -> None:
    """Lets a job run beside Blender; ``listener`` is told how far it is until it ends."""
    _running.append(job)
    _listeners[:] = [listener]
    bpy.app.timers.register(_tick, first_interval=_INTERVAL_S, persistent=True)


def is_running() -> bool:
    """Whether a job runs beside Blender."""
    return bool(_running)


def cancel() -> None:
    """Ends the job that runs beside Blender; its listener is told at once."""
    for job in _running:
        job.cancel()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _tick()


def stop() -> None:
    """Ends the job without telling anyone: the add-on is being disabled."""
    _listeners.clear()
    cancel()


def _tick() -> float | None:
    for job in list(_running):
        ended = job.update().ended
        if ended:
            _running.remove(job)
        for listener in _listeners:
            listener(job)
    return _INTERVAL_S if _running else None
