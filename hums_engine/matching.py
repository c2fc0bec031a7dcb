# SPDX-License-Identifier: GPL-3.0-or-later
"""Matching: where in the candidates of a search its examples lie, roughly in all of them and finely in the best."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import dtw
from .errors import LibraryError
from .joint_store import BYTES_PER_SECOND, JointStore, Location
from .normalize import FPS
from .query import Example, Query

_BUDGET_CELLS: Final = 150_000
"""Cells of the alignment tables (some 10 ms) that are filled with further clips where the candidates leave room."""
_COARSE: Final = 4  # frames from one that is compared to the next, from which it matters which ones they are
_PHASES: Final = 8
_ROOM_S: Final = 0.3  # by which a match may be off in the first pass, or by more where that compares few frames
_LOG: Final = logging.getLogger(__name__)


Matches = NDArray[np.void]
"""Stretches of clips, ``[N]`` of the fields of `_MATCH`."""

_MATCH: Final = np.dtype(
    [
        ("position", np.intp),  # of the clip in the snapshot
        ("example", np.intp),  # which of the query's it is like
        ("distance", np.float64),  # metres a joint; NaN where nothing was aligned
        ("start_s", np.float64),
        ("end_s", np.float64),
    ]
)


def unaligned(position: NDArray[np.intp], start_s: NDArray[np.floating], end_s: NDArray[np.floating]) -> Matches:
    """Stretches that signatures alone have found, ``[N]`` each."""
    found = np.zeros(len(position), dtype=_MATCH)
    found["position"], found["distance"], found["start_s"], found["end_s"] = position, np.nan, start_s, end_s
    return found


def firsts(found: Matches) -> Matches:
    """The first stretch of each clip, in the order given."""
    return found[np.sort(np.unique(found["position"], return_index=True)[1])]


class Matcher:
    """Aligns motions with the clips of one state of a library.

    Args:
        joints: of the library.
        places: where the joints of clips at some positions lie.
        unchanged: whether the library is still as it was when these were listed.
    """

    def __init__(
        self, joints: JointStore, places: Callable[[list[int]], list[Location]], unchanged: Callable[[], bool]
    ) -> None:
        self._joints = joints
        self._look_up = places
        self._locations: dict[int, Location] = {}
        self._sketches: dict[int, dtw.Frames] = {}
        self._found: dict[tuple[int, int], dtw.Found] = {}
        self._unchanged = unchanged

    def match(self, query: Query, positions: list[int], least: int) -> Matches:
        """Lays each example into clips: the first ``least`` of them and, if they are short, further ones.

        Args:
            query: the examples.
            positions: of the clips, the likeliest first.
            least: how many are matched at any rate.
        """
        rows = []
        for number, example in enumerate(query.like):
            pattern = example.frames
            stride = dtw.coarse_stride(len(pattern.values))
            room = _BUDGET_CELLS * stride**2 / len(pattern.values)
            sketches = self._read(positions[: self._fitting(positions, room, least)])
            found = dtw.match(pattern.thinned(stride), [sketch.thinned(stride) for sketch in sketches.values()])
            self._found.update(((position, number), one) for position, one in zip(sketches, found, strict=True))
            rows += [(position, number, *one.best) for position, one in zip(sketches, found, strict=True)]
        return np.array(rows, dtype=_MATCH)

    def stretches(self, found: Matches, limit: int) -> Matches:
        """What `match` has found, and further stretches of the same clips: at most ``limit`` that hardly overlap."""
        pairs = found[["position", "example"]].tolist()
        rows = [(*pair, *one) for pair in pairs for one in self._found[pair].stretches(limit)]
        return np.array(rows, dtype=_MATCH)

    def _find_places(self, positions: list[int]) -> None:
        new = [position for position in positions if position not in self._locations]
        if new:
            self._locations.update(zip(new, self._look_up(new), strict=True))

    def _fitting(self, positions: list[int], frames: float, least: int) -> int:
        """How many of the first of these clips have no more normalised frames together, ``least`` at any rate."""
        self._find_places(positions)
        seconds = np.cumsum([self._locations[p].length / BYTES_PER_SECOND for p in positions])
        return max(least, int(np.searchsorted(seconds * FPS, frames)))

    def _read(self, positions: list[int]) -> dict[int, dtw.Frames]:
        """The sketches of clips by their position; damaged ones are left out, with a word in the log."""
        self._find_places(positions)
        for position in positions:
            if position not in self._sketches:
                try:
                    self._sketches[position] = self._joints.sketch(self._locations[position])
                except LibraryError as error:
                    if not self._unchanged():  # not damaged: a writer has just put it elsewhere
                        raise
                    _LOG.warning("%s", error)
        return {position: self._sketches[position] for position in positions if position in self._sketches}

    def refined(self, query: Query, found: Matches) -> Matches:
        """Matches aligned once more at a higher rate, around where they lie."""
        better = found.copy()
        for number, example in enumerate(query.like):
            these = np.flatnonzero(found["example"] == number)
            pattern = example.frames
            stride = dtw.fine_stride(len(pattern.values))
            room_s = max(_ROOM_S, 1.5 * dtw.coarse_stride(len(pattern.values)) / FPS)
            for ahead_s in _phases(stride):
                fine = self._aligned(pattern, found[these], stride, room_s + ahead_s, room_s)
                for i, one in zip(these.tolist(), fine, strict=True):
                    if one.distance < better["distance"][i]:
                        better[i] = found["position"][i], number, *one
        return better

    def distances(self, examples: Sequence[Example], found: Matches) -> NDArray[np.float64]:
        """How far each stretch is from each of some motions ``[N, E]``, metres a joint, roughly."""
        columns = []
        for example in examples:
            pattern = example.frames
            matches = self._aligned(pattern, found, dtw.coarse_stride(len(pattern.values)))
            columns.append([one.distance for one in matches])
        return np.array(columns).reshape(len(examples), -1).T

    def _aligned(
        self, pattern: dtw.Frames, found: Matches, stride: int, before_s: float = 0.0, after_s: float = 0.0
    ) -> list[dtw.Match]:
        """A motion laid into stretches and some room around each."""
        sketches = self._read(found["position"].tolist())
        times = found[["position", "start_s", "end_s"]].tolist()
        cuts = [sketches[position].around(start_s - before_s, end_s + after_s) for position, start_s, end_s in times]
        matches = dtw.match(pattern.thinned(stride), [cut.thinned(stride) for cut, _ in cuts])
        return [one.best.later(offset_s) for one, (_, offset_s) in zip(matches, cuts, strict=True)]


def _phases(stride: int) -> list[float]:
    """Seconds by which to begin earlier: of a long motion few frames are compared, which should be the same of both."""
    if stride < _COARSE:
        return [0.0]
    return (np.arange(0, stride, -(-stride // _PHASES)) / FPS).tolist()
