# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving previews of results: a thread reads joints out of libraries into a cache that is bounded in memory.

The thread opens libraries for itself and never touches Blender's data. What is asked for last is read first,
since it is what a person looks at; what is asked for no longer is not read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .engine import canonical, errors, library, moving_figure

_MOST_BYTES = 96_000_000


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


class Reader:
    """Motions of clips out of their libraries; to be used in one thread, and closed."""

    def __init__(self) -> None:
        self._open: dict[str, library.Library] = {}

    def motion(self, clip: Clip) -> canonical.CanonicalMotion:
        """The stretch.

        Raises:
            HumsError: the library or the clip is there no longer.
        """
        if clip.library not in self._open:
            self._open[clip.library] = library.Library.open(Path(clip.library), readonly=True)
        number = int(clip.clip_id) if clip.clip_id.isdigit() else -1
        return self._open[clip.library].motion(number).cut(clip.start_s, clip.end_s)

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
        self._cached: OrderedDict[Clip, moving_figure.MovingFigure | str] = OrderedDict()
        self._wanted: list[Clip] = []
        self._thread: threading.Thread | None = None
        self._generation = 0

    def get(self, clip: Clip) -> moving_figure.MovingFigure | str | None:
        """The figure; a sentence where it cannot be had; None while it is not read yet."""
        with self._guard:
            found = self._cached.get(clip)
            if found is not None:
                self._cached.move_to_end(clip)
            return found

    def want(self, clips: Sequence[Clip]) -> None:
        """Has these read, the first ones first, and no others that were wanted before."""
        with self._guard:
            self._wanted = [clip for clip in clips if clip not in self._cached]
            if self._wanted and self._thread is None:
                self._thread = threading.Thread(target=self._read_all, args=(self._generation,), daemon=True)
                self._thread.start()

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

    def clear(self) -> None:
        """Forgets everything, such as the sentences about a library that is back."""
        with self._guard:
            self._cached.clear()
            self._wanted.clear()
            self._generation += 1
            self._thread = None

    def _read_all(self, generation: int) -> None:
        reader = Reader()
        try:
            while (clip := self._next(generation)) is not None:
                self._keep(clip, _figure(reader, clip), generation)
        finally:
            reader.close()

    def _next(self, generation: int) -> Clip | None:
        """What to read now; None when the thread is not needed any more."""
        with self._guard:
            if generation != self._generation:
                return None
            if not self._wanted:
                self._thread = None
                return None
            return self._wanted[0]

    def _keep(self, clip: Clip, figure: moving_figure.MovingFigure | str, generation: int) -> None:
        with self._guard:
            if generation != self._generation:
                return
            self._cached[clip] = figure
            self._wanted = [other for other in self._wanted if other != clip]
            while self._bytes() > self._most_bytes and len(self._cached) > 1:
                self._cached.popitem(last=False)

    def _bytes(self) -> int:
        return sum(figure.byte_count for figure in self._cached.values() if not isinstance(figure, str))


def _figure(reader: Reader, clip: Clip) -> moving_figure.MovingFigure | str:
    try:
        return moving_figure.prepare(reader.motion(clip), clip.mirrored)
    except errors.HumsError as error:
        return str(error)
    except (OSError, ValueError) as error:  # a library that is being deleted; the tile says it, nothing else breaks
        return f"This motion cannot be read ({error}): press Update, or search again."


shared = Previews()
"""The cache that all viewports draw from."""
