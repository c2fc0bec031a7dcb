# SPDX-License-Identifier: GPL-3.0-or-later
"""Drags a file onto a window of a virtual screen as a file browser does: as the source of XDND, version 5.

    python file_drag.py DISPLAY FILE X Y

After https://freedesktop.org/wiki/Specifications/XDND/: the source owns the selection, says that it enters, where it is
and that it dropped, and hands its list of URIs over when the target asks. Xlib is called by ctypes, so nothing need be
installed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_SELECTION_REQUEST, _SELECTION_NOTIFY, _CLIENT_MESSAGE = 30, 31, 33
_VERSION: Final = 5
_ATOM: Final = 4
"""The type of properties that hold atoms."""
_TIMEOUT_S: Final = 20.0

_Long, _Handle = ctypes.c_long, ctypes.c_ulong


class _ClientMessage(ctypes.Structure):
    _fields_ = (
        *(("type", ctypes.c_int), ("serial", _Handle), ("sent", ctypes.c_int), ("display", ctypes.c_void_p)),
        *(("window", _Handle), ("message", _Handle), ("format", ctypes.c_int), ("data", _Long * 5)),
    )


class _SelectionRequest(ctypes.Structure):
    _fields_ = (
        *(("type", ctypes.c_int), ("serial", _Handle), ("sent", ctypes.c_int), ("display", ctypes.c_void_p)),
        *(("owner", _Handle), ("requestor", _Handle), ("selection", _Handle), ("target", _Handle)),
        *(("property", _Handle), ("time", _Handle)),
    )


class _Selection(ctypes.Structure):
    _fields_ = (
        *(("type", ctypes.c_int), ("serial", _Handle), ("sent", ctypes.c_int), ("display", ctypes.c_void_p)),
        *(("requestor", _Handle), ("selection", _Handle), ("target", _Handle)),
        *(("property", _Handle), ("time", _Handle)),
    )


class _Event(ctypes.Union):
    _fields_ = (
        *(("type", ctypes.c_int), ("client", _ClientMessage), ("request", _SelectionRequest)),
        *(("selection", _Selection), ("room", _Long * 24)),
    )


class Source:
    """A window from which a file is dragged."""

    def __init__(self, display: str) -> None:
        self._x = _xlib()
        self._display = self._x.XOpenDisplay(display.encode())
        if not self._display:
            raise OSError(f"there is no screen {display}")
        self._root = self._x.XDefaultRootWindow(self._display)
        self._window = self._x.XCreateSimpleWindow(self._display, self._root, 0, 0, 1, 1, 0, 0, 0)
        self._x.XSetSelectionOwner(self._display, self._atom("XdndSelection"), self._window, 0)

    def drop(self, file: Path, x: int, y: int) -> bool:
        """Drags a file to a place of the screen and lets go; returns whether the window there took it."""
        target = next(window for window in self._below(self._root) if self._takes_drops(window))
        uris = f"{file.resolve().as_uri()}\r\n".encode()
        kind = self._atom("text/uri-list")
        self._tell(target, "XdndEnter", _VERSION << 24, kind)
        for step in (40, 20, 0):
            self._tell(target, "XdndPosition", 0, (x - step) << 16 | y, 0, self._atom("XdndActionCopy"))
            self._answer_until("XdndStatus", kind, uris)
        self._tell(target, "XdndDrop", 0, 0)
        return self._answer_until("XdndFinished", kind, uris)

    def _below(self, window: int) -> Iterator[int]:
        """The windows in a window, and those in them."""
        children, count = ctypes.POINTER(_Handle)(), ctypes.c_uint()
        root, parent = _Handle(), _Handle()
        self._x.XQueryTree(self._display, window, *map(ctypes.byref, (root, parent, children, count)))
        for child in list(children[: count.value]):
            yield child
            yield from self._below(child)

    def _takes_drops(self, window: int) -> bool:
        kind, width, count, left = _Handle(), ctypes.c_int(), _Handle(), _Handle()
        value = ctypes.POINTER(ctypes.c_ubyte)()
        self._x.XGetWindowProperty(
            *(self._display, window, self._atom("XdndAware"), 0, 1, 0, _ATOM),
            *map(ctypes.byref, (kind, width, count, left, value)),
        )
        return kind.value == _ATOM

    def _tell(self, target: int, message: str, *data: int) -> None:
        event = _Event()
        event.client = _ClientMessage(
            _CLIENT_MESSAGE, 0, 1, self._display, target, self._atom(message), 32, (_Long * 5)(self._window, *data)
        )
        self._send(target, event)

    def _answer_until(self, message: str, kind: int, uris: bytes) -> bool:
        """Hands the files over whenever they are asked for, until the target sends a message."""
        ends, event = time.monotonic() + _TIMEOUT_S, _Event()
        while time.monotonic() < ends:
            if not self._x.XPending(self._display):
                time.sleep(0.01)
                continue
            self._x.XNextEvent(self._display, ctypes.byref(event))
            if event.type == _SELECTION_REQUEST:
                self._hand_over(event.request, kind, uris)
            elif event.type == _CLIENT_MESSAGE and event.client.message == self._atom(message):
                return True
        return False

    def _hand_over(self, asked: _SelectionRequest, kind: int, uris: bytes) -> None:
        place = asked.property if asked.target == kind else 0  # 0: not in another form
        if place:
            self._x.XChangeProperty(self._display, asked.requestor, place, kind, 8, 0, uris, len(uris))
        event = _Event()
        event.selection = _Selection(
            _SELECTION_NOTIFY, 0, 1, self._display, asked.requestor, asked.selection, asked.target, place, asked.time
        )
        self._send(asked.requestor, event)

    def _send(self, window: int, event: _Event) -> None:
        self._x.XSendEvent(self._display, window, 0, 0, ctypes.byref(event))
        self._x.XFlush(self._display)

    def _atom(self, name: str) -> int:
        return self._x.XInternAtom(self._display, name.encode(), 0)


def _xlib() -> Any:  # noqa: ANN401 - functions of C
    library = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    pointer, whole = ctypes.c_void_p, ctypes.c_int
    library.XOpenDisplay.restype = pointer
    for name in ("XDefaultRootWindow", "XCreateSimpleWindow", "XInternAtom"):
        getattr(library, name).restype = _Handle
    for name, kinds in {
        "XDefaultRootWindow": (pointer,),
        "XCreateSimpleWindow": (pointer, _Handle, *(whole,) * 4, ctypes.c_uint, _Handle, _Handle),
        "XInternAtom": (pointer, ctypes.c_char_p, whole),
        "XSetSelectionOwner": (pointer, _Handle, _Handle, _Handle),
        "XQueryTree": (pointer, _Handle, *(pointer,) * 4),
        "XGetWindowProperty": (pointer, _Handle, _Handle, _Long, _Long, whole, _Handle, *(pointer,) * 5),
        "XChangeProperty": (pointer, _Handle, _Handle, _Handle, whole, whole, ctypes.c_char_p, whole),
        "XSendEvent": (pointer, _Handle, whole, _Long, pointer),
        "XPending": (pointer,),
        "XNextEvent": (pointer, pointer),
        "XFlush": (pointer,),
    }.items():
        getattr(library, name).argtypes = kinds
    return library


if __name__ == "__main__":
    screen, dragged, across, down = sys.argv[1:]
    sys.exit(0 if Source(screen).drop(Path(dragged), int(across), int(down)) else 1)
