# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving previews of results: a thread reads joints out of libraries into a cache that is bounded in memory.

The thread opens libraries for itself and never touches Blender's data. What is asked for last is read first,
since it is what a person looks at; what is asked for no longer is not read.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import patience
from .engine import canonical, errors, library, moving_figure, time_sync

_MOST_BYTES = 96_000_000
_AGAIN_S = 10.0
_PATIENCE_S = 5.0
"""For one motion: those of other libraries wait behind it."""


class Clip(NamedTuple):
    """A stretch of a motion in a library, as it is shown.

    Attributes:
        library: the folder of the library.
        clip_id: the motion's id there.
        start_s: where the stretch starts.
        end_s: where it ends; 0: with the motion.
        mirrored: whether left and right are exchanged.
    """

    library: str
    clip_id: str
    start_s: float
    end_s: float
    mirrored: bool = False


class Preview(NamedTuple):
    """What is shown of a clip.

    Attributes:
        figure: ready to be drawn, or a sentence where it cannot be had.
        steps: for each frame of the query the second of the clip that is like it, where that was wanted.
        query: the motion that the steps follow.
        read_s: when it was read, on a clock that runs evenly.
    """

    figure: moving_figure.MovingFigure | str
    steps: NDArray[np.float64] | None = None
    query: canonical.CanonicalMotion | None = None
    read_s: float = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether to try again: what could not be had may be back."""
        return isinstance(self.figure, str) and time.monotonic() - self.read_s > _AGAIN_S

    @property
    def byte_count(self) -> int:
        """What it takes in memory."""
        return 0 if isinstance(self.figure, str) else self.figure.byte_count


class Reader:
    """Motions of clips out of their libraries; to be used in one thread, and closed."""

    def __init__(self) -> None:
        self._open: dict[str, library.Library] = {}

    def motion(self, clip: Clip) -> canonical.CanonicalMotion:
        """The stretch.

        Raises:
            HumsError: the library or the clip is there no longer, or its server does not answer.
        """
        return patience.wait_for(Path(clip.library), lambda: self._read(clip), _PATIENCE_S)

    def _read(self, clip: Clip) -> canonical.CanonicalMotion:
        if clip.library not in self._open:
            self._open[clip.library] = library.Library.open(Path(clip.library), readonly=True)
        number = int(clip.clip_id) if clip.clip_id.isdigit() else -1
        motion = self._open[clip.library].motion(number).cut(clip.start_s, clip.end_s)
        return motion.mirror_image() if clip.mirrored else motion

    def close(self) -> None:
        """Lets go of all libraries."""
        for one in self._open.values():
            one.close()
        self._open.clear()


class Previews:
    """A cache of moving figures, filled by a thread of its own that ends when there is nothing to read."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._guard = threading.Lock()
        self._cached: OrderedDict[Clip, Preview] = OrderedDict()
        self._wanted: list[Clip] = []
        self._query: canonical.CanonicalMotion | None = None
        self._thread: threading.Thread | None = None
        self._generation = 0

    def get(self, clip: Clip) -> Preview | None:
        """What is shown of a clip; None while it is not read yet."""
        with self._guard:
            found = self._cached.get(clip)
            if found is not None:
                self._cached.move_to_end(clip)
            return found

    def want(self, clips: Sequence[Clip], query: canonical.CanonicalMotion | None = None) -> None:
        """Has these read, the first ones first, and no others that were wanted before.

        Args:
            clips: what is on the screen.
            query: what they are to be in step with.
        """
        with self._guard:
            self._query = query
            self._wanted = [clip for clip in clips if not self._is_ready(clip)]
            if self._wanted and self._thread is None:
                self._thread = threading.Thread(target=self._read_all, args=(self._generation,), daemon=True)
                self._thread.start()

    def _is_ready(self, clip: Clip) -> bool:
        found = self._cached.get(clip)
        return found is not None and not found.is_stale and (self._query is None or found.query is self._query)

    @property
    def is_reading(self) -> bool:
        """Whether something is wanted that is not read yet."""
        with self._guard:
            return bool(self._wanted)

    @property
    def byte_count(self) -> int:
        """What the cached figures take in memory."""
        with self._guard:
            return self._bytes()

    def forget_trouble(self) -> None:
        """Forgets why figures could not be had: a library may be back."""
        with self._guard:
            for clip in [clip for clip, preview in self._cached.items() if isinstance(preview.figure, str)]:
                del self._cached[clip]

    def clear(self) -> None:
        """Forgets everything: motions have changed, or nobody looks any more."""
        with self._guard:
            self._cached.clear()
            self._wanted.clear()
            self._generation += 1
            self._thread = None

    def _read_all(self, generation: int) -> None:
        reader = Reader()
        try:
            while (wanted := self._next(generation)) is not None:
                self._keep(wanted[0], _preview(reader, *wanted), generation)
        finally:
            reader.close()
            with self._guard:
                if self._thread is threading.current_thread():  # it ends by an error that nobody foresaw
                    self._thread = None
                    self._wanted.clear()

    def _next(self, generation: int) -> tuple[Clip, canonical.CanonicalMotion | None] | None:
        """What to read now, and for which query; None when the thread is not needed any more."""
        with self._guard:
            if generation != self._generation:
                return None
            if not self._wanted:
                self._thread = None
                return None
            return self._wanted[0], self._query

    def _keep(self, clip: Clip, preview: Preview, generation: int) -> None:
        with self._guard:
            if generation != self._generation:
                return
            self._cached[clip] = preview
            self._wanted = [other for other in self._wanted if not self._is_ready(other)]
            while self._bytes() > self._most_bytes and len(self._cached) > 1:
                self._cached.popitem(last=False)

    def _bytes(self) -> int:
        return sum(preview.byte_count for preview in self._cached.values())


def _preview(reader: Reader, clip: Clip, query: canonical.CanonicalMotion | None) -> Preview:
    steps = None
    try:
        motion = reader.motion(clip)
        steps = time_sync.in_step(query, motion) if query is not None else None
        figure = moving_figure.prepare(motion)
    except (errors.HumsError, OSError, ValueError) as error:  # also of a library that is being deleted
        figure = _trouble(clip, error)
    return Preview(figure, steps, query, time.monotonic())


def _trouble(clip: Clip, error: Exception) -> str:
    """Why there is no figure, in one sentence with the way out."""
    folder = Path(clip.library)
    try:
        is_there = patience.wait_for(folder, folder.is_dir, _PATIENCE_S)
    except errors.LibraryError as silence:
        return str(silence)
    if not is_there:
        return f"The library {folder.name} is not in {folder.parent} any more: bring it back, or search in another."
    if isinstance(error, errors.HumsError):
        return str(error)
    return f"This motion cannot be read ({error}): update the library, or search again."


shared = Previews()
"""The cache that all viewports draw from."""
