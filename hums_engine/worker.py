# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files in several processes, each an interpreter of its own that talks over its pipes.

`multiprocessing` is not used: it would import the caller's main module again, which a script without a guard and
Blender both suffer from. A worker is told one path at a time, so the file that kills one is known. It loads
this package from its folder, whatever name the package has in the caller (inside a Blender extension a long one).
"""

from __future__ import annotations

import json
import os
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from . import interpreter
from .errors import HumsError
from .formats import blender
from .reading import ReadFile, Signer, from_bytes, read_file, to_bytes

PATIENCE_S: Final = 600.0
"""A file that takes longer to read is given up."""

_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
_LENGTH: Final = struct.Struct("<Q")
_START: Final = """
import importlib.util, json, os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the one who started this decides
folder, paths, model = json.loads(sys.argv[1])
sys.path += [path for path in paths if path not in sys.path]
spec = importlib.util.spec_from_file_location(
    "hums_engine", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
sys.modules["hums_engine"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from hums_engine.worker import serve
serve(model)
"""


def serve(model: str) -> None:
    """The worker's side: answers paths on standard input with read files on standard output, until input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers
    from .encoder import Encoder  # noqa: PLC0415 - only the worker's side needs onnxruntime

    try:
        encoder = Encoder(model, provider="cpu")
    except HumsError:
        return  # the caller reads by itself and says what is wrong
    _send(answers, encoder.model_hash.encode())
    while (path := _receive(sys.stdin.buffer)) is not None:
        _send(answers, to_bytes(read_file(path.decode("utf-8"), encoder)))


def _send(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """One message, or None when the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return data if len(data) == length else None


class _Worker:
    """One process, started at once."""

    def __init__(self, python: str, model: str) -> None:
        task = json.dumps([str(Path(__file__).parent), [path for path in sys.path if path], model])
        self._process = subprocess.Popen(
            [python, "-c", _START, task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **blender.environment(), **_ENVIRONMENT},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def is_ready(self, model_hash: str) -> bool:
        """Waits until it has loaded its model; False if it cannot, or if the file is another model by now."""
        return self._patiently() == model_hash.encode()

    def read(self, path: str) -> ReadFile | None:
        """One file, or None if the process died over it or took too long."""
        try:
            _send(self._requests, path.encode("utf-8"))
        except OSError:
            return None
        answer = self._patiently()
        try:
            return None if answer is None else from_bytes(answer)
        except ValueError:  # a fault in a reader has written over the process's memory
            return None

    def _patiently(self) -> bytes | None:
        timer = threading.Timer(PATIENCE_S, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            return _receive(self._answers)
        finally:
            timer.cancel()

    def kill(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process and lets go of its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            try:
                pipe.close()
            except OSError:  # what was not sent to a dead process
                continue


class ReaderPool:
    """Reads files in ``count`` processes; where none can be started, in this one.

    Args:
        signer: the encoder, for reading in this process.
        model: path of its model, for the others.
        model_hash: of that file; a process that finds another file there is not used.
        count: how many processes; 0 to read in this one.
    """

    def __init__(self, signer: Signer, model: Path, model_hash: str, count: int) -> None:
        self._signer = signer
        self._model = str(model)
        self._model_hash = model_hash
        self._count = count
        self._paths: Iterator[str] = iter(())
        self._take = threading.Lock()
        self._read: queue.Queue[ReadFile | None] = queue.Queue(maxsize=2 * max(count, 1))
        self._stopped = threading.Event()
        self._workers: list[_Worker] = []

    def read(self, paths: Sequence[str]) -> Generator[ReadFile]:
        """All of ``paths``, in the order they get done. Closing the iterator ends the processes."""
        self._paths = iter(paths)
        python = interpreter.python()
        count = self._count if python else 0
        threads = [threading.Thread(target=self._serve, args=(python,), daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            ended = 0
            while ended < len(threads):
                read = self._read.get()
                ended += read is None
                if read is not None:
                    yield read
            while (path := self._next()) is not None:  # no process could be started
                yield read_file(path, self._signer)
        finally:
            self._stop(threads)

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        self._stopped.set()
        for worker in list(self._workers):
            worker.kill()
        while any(thread.is_alive() for thread in threads):
            try:
                self._read.get(timeout=0.05)  # a thread may wait for room to put its last file
            except queue.Empty:
                continue

    def _next(self) -> str | None:
        with self._take:
            return None if self._stopped.is_set() else next(self._paths, None)

    def _serve(self, python: str) -> None:
        """One thread: keeps one process busy, and starts another when it dies."""
        try:
            worker = self._start(python)
            while worker is not None and (path := self._next()) is not None:
                read = worker.read(path)
                if read is None:
                    self._end(worker)
                    told = "reading it ended the process: too large for the memory, too slow, or a fault in a reader."
                    read = ReadFile(path, failures=[told])
                    worker = None if self._stopped.is_set() else self._start(python)
                self._read.put(read)
            if worker is not None:
                self._end(worker)
        finally:
            self._read.put(None)

    def _start(self, python: str) -> _Worker | None:
        try:
            worker = _Worker(python, self._model)
        except OSError:
            return None
        self._workers.append(worker)
        if not worker.is_ready(self._model_hash):
            self._end(worker)
            return None
        return worker

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.close()
