# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a library beside Blender: a process does it, a thread hears it, a timer tells the panels.

The thread puts what it hears into a queue and never touches Blender's data; the timer empties the queue. Tasks wait for
each other: one process works at a time, at a low priority.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bpy

from . import wording
from .engine import ADDON_FOLDER

iface = bpy.app.translations.pgettext_iface
n_ = bpy.app.translations.pgettext_n


_INTERVAL_S = 0.2
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_LOW_PRIORITY = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
"""Of Windows; elsewhere the process lowers its own."""
_PACKAGES = ("numpy", "onnxruntime", "hnswlib")


@dataclass(frozen=True)
class Task:
    """What to do with a library.

    Attributes:
        library: its folder.
        paths: files and folders to add; none for all that were added before.
        create: make the library if it is missing.
        workers: processes to read in, 0 for as many as are worth it.
        relink: instead of adding, where files were and where they are now.
        is_awaited: Blender does nothing until it is done, so all cores and the usual priority are for it.
    """

    library: Path
    paths: tuple[str, ...] = ()
    create: bool = False
    workers: int = 0
    relink: tuple[str, str] | None = None
    is_awaited: bool = False


@dataclass
class Progress:
    """How far a job is.

    Attributes:
        done: files that are finished.
        total: files in all, 0 while they are being counted.
        rate: files a second.
        left_s: seconds that the rest will take, 0 while unknown.
        report: what came of it, when it has ended well: the fields of the engine's report.
        failure: one sentence, when it has ended badly.
    """

    done: int = 0
    total: int = 0
    rate: float = 0.0
    left_s: float = 0.0
    report: dict[str, Any] | None = None
    failure: str = ""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to come."""
        return self.report is not None or bool(self.failure)

    def text(self) -> str:
        """Such as ``120 of 2000 files, 35/s, 0:40 left``."""
        if not self.total:
            return iface("Looking for motion files")
        left = round(self.left_s)
        one, several = iface("{done} of 1 file"), iface("{done} of {total} files")
        text = wording.counted(self.total, one, several, done=self.done, total=self.total)
        if not left:
            return text
        rate = f"{self.rate:.0f}" if self.rate >= 10.0 else f"{self.rate:.1f}"
        told = iface("{rate}/s, {minutes}:{seconds:02} left")
        return f"{text}, {told.format(rate=rate, minutes=left // 60, seconds=left % 60)}"

    def hear(self, message: dict[str, Any]) -> None:
        """Takes in one line of the process."""
        told = message.get("progress")
        if told is not None:
            self.done, self.total, self.rate, self.left_s = told["done"], told["total"], told["rate"], told["eta_s"]
        self.report = message.get("report", self.report)
        self.failure = message.get("error", self.failure)


class IndexJob:
    """One process that does a task.

    Attributes:
        task: what it does.
        progress: how far it is.
        has_news: whether there is anything that nobody was told yet.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.progress = Progress()
        self.has_news = True
        self._lines: queue.Queue[str | None] = queue.Queue()
        told = {**asdict(task), "library": str(task.library)}
        self._process = subprocess.Popen(
            [sys.executable, "-s", str(Path(__file__).with_name("index_worker.py")), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=_environment(),
            creationflags=_NO_WINDOW | (0 if task.is_awaited else _LOW_PRIORITY),
        )
        threading.Thread(target=_listen, args=(self._process, self._lines), daemon=True).start()

    def update(self, wait: bool = False) -> Progress:
        """Takes in what the process has said since; with ``wait``, all that it will say."""
        while not self.progress.ended:
            try:
                line = self._lines.get(block=wait)
            except queue.Empty:
                break
            self.has_news = True
            if line is None:
                self.progress.failure = n_("Indexing ended early: what was done is kept; press Update to go on.")
            elif line.startswith("{"):  # a package may print lines of its own
                self.progress.hear(json.loads(line))
        return self.progress

    def cancel(self) -> None:
        """Ends the process; the files that were done stay in the library."""
        self._process.kill()
        self._process.wait()
        self.progress.failure = n_("Indexing was cancelled: what was done is kept; press Update to go on.")
        self.has_news = True


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    try:
        with process:  # at its end its pipes are closed, and it is waited for: none is left behind
            for line in process.stdout or ():
                lines.put(line)
    finally:
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


Listener = Callable[[IndexJob], None]

_running: list[IndexJob] = []
_waiting: deque[Task] = deque()
_listeners: list[Listener] = []


def start(task: Task, listener: Listener) -> None:
    """Lets a task be done beside Blender, after those before; ``listener`` is told how far it is until it ends."""
    _listeners[:] = [listener]
    if task not in _waiting:
        _waiting.append(task)
    if not _running:
        _start_next()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_INTERVAL_S, persistent=True)


def _start_next() -> None:
    if _waiting:
        _running.append(IndexJob(_waiting.popleft()))


def is_running() -> bool:
    """Whether a task is being done beside Blender."""
    return bool(_running)


def waiting() -> int:
    """How many tasks wait for their turn."""
    return len(_waiting)


def cancel() -> None:
    """Ends the task that is being done, and forgets those that wait; the listener is told at once."""
    _waiting.clear()
    for job in _running:
        job.cancel()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _tick()


def stop() -> None:
    """Ends all tasks without telling anyone: the add-on is being disabled."""
    _listeners.clear()
    cancel()


def tell_again() -> None:
    """Has it told anew how far the task is: whoever was told has forgotten it."""
    for job in _running:
        job.has_news = True


def _tell(job: IndexJob) -> None:
    """Tells of a job what is new: panels are drawn anew for it, which costs Blender more than hearing it."""
    if job.has_news:
        job.has_news = False
        for listener in _listeners:
            listener(job)


def _tick() -> float | None:
    for job in list(_running):
        if job.update().ended:
            _running.remove(job)
            _start_next()
        _tell(job)
    return _INTERVAL_S if _running else None
