# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender opens and no module here reads: scenes with all their actions, USD, COLLADA, and FBX where ufbx is not.

A Blender without windows, settings and scripts opens the files in a process of its own (`blender_scene`), so that what
a file does there, or its end, costs one line. The process stays for a while, because starting one takes longer than
most files do. It is, the first that there is:

- the program that the environment variable HUMS_BLENDER names,
- the Blender that this runs in,
- ``blender`` on the PATH,
- the module bpy of this Python.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from .. import interpreter
from ..errors import MissingDependencyError, MotionFileError
from ..motion import Motion
from . import npz
from .axes import METRE
from .blender_scene import FOLDER, MARK
from .files import read_binary
from .node_tree import unique_names, unit_in_use

VARIABLE: Final = "HUMS_BLENDER"
PATIENCE_S: Final = 300.0
"""A file that takes longer to open and play is given up."""

IDLE_S: Final = 30.0
"""After so long without a file the process ends."""

_FILES_OF_PROCESS: Final = 200  # after which another is started, since Blender keeps some of what it opened
_HEAD: Final = 4096
_MOST_BLOCKS: Final = 1_000_000
_ACTION: Final = b"AC\0\0"
_BEGINNINGS: Final = {
    ".blend": (b"BLENDER", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"),  # plain, and packed by old and by new versions
    ".usda": (b"#usda",),
    ".usdc": (b"PXR-USDC",),
    ".usdz": (b"PK",),
    ".usd": (b"#usda", b"PXR-USDC"),
}
_START: Final = (
    "import sys; sys.path.append(sys.argv[-1]); import bpy; "
    "from hums_engine.formats import blender_scene; blender_scene.serve(bpy)"
)


def holds_motion(path: Path) -> bool:
    """Whether a file may hold a motion: one of its kind, and a plain scene only with an action. Never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head.startswith(b"BLENDER"):
                return _ACTION in _blocks(file, head)
            return _is_of_kind(head, path.suffix.lower())
    except (OSError, struct.error, ValueError):
        return False


def _blocks(file: IO[bytes], head: bytes) -> Iterator[bytes]:
    """The codes of the blocks of a scene that is not packed."""
    is_new = head[7:9].isdigit()  # Blender 5.0 writes how long the beginning is
    layout = struct.Struct("<4s12xq8x") if is_new else struct.Struct("<4si16x" if head[7:8] == b"-" else "<4si12x")
    at = int(head[7:9]) if is_new else 12
    for _ in range(_MOST_BLOCKS):
        file.seek(at)
        code, size = layout.unpack(file.read(layout.size))
        if size < 0:
            return
        yield code
        at += layout.size + size


def read(path: Path) -> list[Motion]:
    """The takes of a file, with rotations.

    Raises:
        MotionFileError: the file is of another kind, Blender cannot open it, or nothing in it moves an armature.
        MissingDependencyError: there is no Blender.
    """
    kind, head = path.suffix.lower(), read_binary(path, _HEAD)
    if kind == ".fbx" and not head.startswith(b"Kaydara"):
        raise MotionFileError(
            "Blender reads no FBX that is text; export it as binary, or install ufbx with: pip install 'hums[run]'."
        )
    if not _is_of_kind(head, kind):
        raise MotionFileError(f"this is no {kind[1:].upper()} file, or it is damaged; save it again.")
    return _blender.read(path)


def is_there() -> bool:
    """Whether there is a Blender to read with."""
    return _command() is not None


def environment() -> dict[str, str]:
    """What a process that this one starts must have in its environment to find the same Blender."""
    running = _running()
    return {VARIABLE: running} if running and VARIABLE not in os.environ else {}


def _running() -> str:
    """The program of the Blender that this runs in, or an empty text."""
    return getattr(getattr(sys.modules.get("bpy"), "app", None), "binary_path", "")


def _is_of_kind(head: bytes, kind: str) -> bool:
    return b"<COLLADA" in head if kind == ".dae" else head.startswith(_BEGINNINGS.get(kind, (b"",)))


def _command() -> list[str] | None:
    """How to start a Blender; None where there is none."""
    program = os.environ.get(VARIABLE) or _running() or shutil.which("blender")
    if program:
        quiet = ["--background", "--factory-startup", "--disable-autoexec", "--python-exit-code", "1"]
        return [program, *quiet, "--python-expr", _START, "--"]
    python = interpreter.python()
    return [python, "-c", _START] if python and importlib.util.find_spec("bpy") else None


class _Blender:
    """One process, started when the first file asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0
        self._idle: threading.Timer | None = None

    def read(self, path: Path) -> list[Motion]:
        """The takes of a file."""
        with self._lock:
            self._awake()
            try:
                process, own = self._started()
                with tempfile.TemporaryDirectory(dir=own, ignore_cleanup_errors=True) as folder:
                    return _motions(self._asked(process, path.absolute(), folder), Path(folder), path)
            except (KeyError, TypeError, AttributeError):  # an answer of another form than it should have
                raise MotionFileError("Blender's answer about this file is damaged; save the file again.") from None
            finally:
                self._rest()

    def _asked(self, process: subprocess.Popen[bytes], path: Path, folder: str) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({"file": str(path), "folder": folder}).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            pass  # it has ended, which its answer tells, too
        line, in_time = _patiently(process, process.stdout)
        try:
            return json.loads(line)
        except ValueError:
            self.end()
        if in_time:
            raise MotionFileError("Blender ended while it opened this file; open it yourself, and save it again.")
        raise MotionFileError(
            f"Blender was not done with this file within {PATIENCE_S:.0f} seconds; it is damaged, or has to be cut."
        )

    def _started(self) -> tuple[subprocess.Popen[bytes], str]:
        """The process, a new one where there is none, or one that has done enough; and the folder that is its own.

        Raises:
            MissingDependencyError: there is no Blender, or it does not start.
        """
        self._files += 1
        if self._process is not None and self._process.poll() is None and self._files <= _FILES_OF_PROCESS:
            assert self._folder is not None
            return self._process, self._folder.name
        self.end()
        command = _command()
        if command is None:
            raise MissingDependencyError(
                f"Files of this kind are read with Blender, which was not found; set {VARIABLE} to its program."
            )
        self._folder = tempfile.TemporaryDirectory(prefix=FOLDER)
        try:
            self._process = subprocess.Popen(
                [*command, str(Path(__file__).parents[2])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "BLENDER_USER_RESOURCES": self._folder.name, "PYTHONSAFEPATH": "1"},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise MissingDependencyError(
                f"{command[0]} cannot be started ({error.strerror}); set {VARIABLE} to Blender's program."
            ) from None
        assert self._process.stdout is not None
        for line in iter(lambda: _patiently(self._process, self._process.stdout)[0], b""):  # type: ignore[union-attr]
            if line.strip() == MARK.encode():
                return self._process, self._folder.name
        self.end()
        raise MissingDependencyError(f"{command[0]} is no Blender of 4.2 or later; set {VARIABLE} to one.")

    def _awake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _rest(self) -> None:
        self._idle = threading.Timer(IDLE_S, self._end_if_idle)
        self._idle.daemon = True
        self._idle.start()

    def _end_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self.end()
            finally:
                self._lock.release()

    def end(self) -> None:
        """Ends the process and removes its folder."""
        process, self._process, self._files = self._process, None, 1
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:  # what was not sent to a dead process
                        continue
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _patiently(process: subprocess.Popen[bytes], pipe: IO[bytes]) -> tuple[bytes, bool]:
    """A line of a process, which is ended where that takes too long; and whether it did not."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(PATIENCE_S, end)
    timer.daemon = True
    timer.start()
    try:
        return pipe.readline(), not late.is_set()
    finally:
        timer.cancel()


def _motions(answer: dict[str, Any], folder: Path, path: Path) -> list[Motion]:
    """The takes that an answer tells of."""
    if "takes" not in answer:
        if "refused" in answer:
            raise MotionFileError(str(answer["refused"]))
        reason = " ".join(str(answer.get("failed")).split())[:100]
        raise MotionFileError(f"Blender cannot open it ({reason}); save it again with a Blender that can.")
    takes = [_named(take, folder) for take in answer["takes"]]
    if len(takes) == 1:
        takes = [replace(takes[0], name=path.stem)]
    return [replace(take, source=str(path)) for take in takes]


def _named(take: dict[str, Any], folder: Path) -> Motion:
    (motion,) = npz.read(folder / Path(str(take["file"])).name)
    motion = replace(motion, name=str(take["name"])[:500], joint_names=unique_names(list(motion.joint_names)))
    return _in_metres(replace(motion, fps=_whole(motion.fps)))


def _whole(fps: float) -> float:
    """A rate that is whole but for rounding; importers set 59.99988."""
    return float(round(fps)) if abs(fps - round(fps)) < 5e-3 else fps


def _in_metres(motion: Motion) -> Motion:
    """A motion of which a figure over ten metres tells that Blender's unit is not a metre there."""
    unit = unit_in_use(motion.positions.astype(np.float64), motion.parents, motion.joint_names, METRE)
    rest = motion.rest_positions
    return replace(
        motion,
        positions=motion.positions * unit.metres,
        rest_positions=None if rest is None else rest * unit.metres,
        unit=unit.name,
    )


_blender: Final = _Blender()
atexit.register(_blender.end)
