# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the strip and its tiles lie in a viewport, in pixels of its region from the lower left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_MARGIN = 8.0
_PADDING = 6.0
_GAP = 4.0
_BAR = 5.0
_TEXT_LINES = 2.5
_NARROWEST = 2.0
"""Tiles that must fit, or the strip is not shown."""


class Box(NamedTuple):
    """A rectangle: left, bottom, width, height."""

    x: float
    y: float
    width: float
    height: float

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Room(NamedTuple):
    """What of a region nothing lies on: its width and height, and what overlaps it at the left, right and bottom."""

    width: float
    height: float
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


@dataclass(frozen=True)
class StripLayout:
    """The strip in one viewport.

    Attributes:
        box: all of it.
        scale: pixels to a unit of Blender's interface.
        count: how many tiles there are.
        tile: width and height of one.
        scroll: pixels that it is scrolled by, within what there is to scroll.
    """

    box: Box
    scale: float
    count: int
    tile: tuple[float, float]
    scroll: float

    @cached_property
    def pitch(self) -> float:
        """From one tile to the next."""
        return self.tile[0] + _GAP * self.scale

    @cached_property
    def inside(self) -> Box:
        """Where tiles are shown."""
        pad = _PADDING * self.scale
        bar = (_BAR + 3.0) * self.scale if self.scrolls else 0.0
        return Box(self.box.x + pad, self.box.y + pad + bar, self.box.width - 2 * pad, self.tile[1])

    @cached_property
    def length(self) -> float:
        """All tiles side by side."""
        return max(self.count * self.pitch - _GAP * self.scale, 0.0)

    @property
    def scrolls(self) -> bool:
        """Whether there are more tiles than fit."""
        return self.length > self.box.width - 2 * _PADDING * self.scale + 0.5

    @property
    def most_scroll(self) -> float:
        """How far it can be scrolled."""
        return max(self.length - self.inside.width, 0.0)

    def tile_box(self, index: int) -> Box:
        """Where a tile lies, which may be outside of what is shown."""
        inside = self.inside
        return Box(inside.x + index * self.pitch - self.scroll, inside.y, *self.tile)

    def visible(self) -> range:
        """The tiles of which a part is shown."""
        first = max(math.floor((self.scroll + _GAP * self.scale) / self.pitch), 0)
        last = math.ceil((self.scroll + self.inside.width) / self.pitch)
        return range(min(first, self.count), min(last, self.count))

    def tile_at(self, x: float, y: float) -> int | None:
        """The tile under a point."""
        if not self.inside.contains(x, y):
            return None
        index, rest = divmod(x - self.inside.x + self.scroll, self.pitch)
        return int(index) if rest <= self.tile[0] and index < self.count else None

    def bar(self) -> tuple[Box, Box] | None:
        """The scroll bar and its handle, where there is something to scroll."""
        if not self.scrolls:
            return None
        inside = self.inside
        track = Box(inside.x, self.box.y + _PADDING * self.scale - 1.0, inside.width, _BAR * self.scale)
        width = max(inside.width * inside.width / self.length, 24.0 * self.scale)
        x = track.x + (track.width - width) * self.scroll / max(self.most_scroll, 1.0)
        return track, Box(x, track.y, width, track.height)

    def is_on_bar(self, x: float, y: float) -> bool:
        """Whether a point is on or just about the scroll bar."""
        return self.scrolls and self.box.contains(x, y) and y < self.inside.y - self.scale

    def scroll_for_bar(self, x: float) -> float:
        """The scroll that brings the middle of the bar's handle under a point."""
        bar = self.bar()
        if bar is None:
            return 0.0
        track, handle = bar
        part = (x - track.x - handle.width / 2) / max(track.width - handle.width, 1.0)
        return min(max(part, 0.0), 1.0) * self.most_scroll

    def scroll_to_show(self, index: int) -> float:
        """The scroll nearest to the present one that shows a tile whole."""
        left = index * self.pitch
        return min(max(self.scroll, left + self.tile[0] - self.inside.width), left)


def lay_out(room: Room, scale: float, figure: float, line: float, count: int, scroll: float) -> StripLayout | None:
    """Lays the strip along the bottom of a region, or None where it has no room.

    Args:
        room: of the region.
        scale: pixels to a unit of Blender's interface.
        figure: height of a figure, units.
        line: height of a line of text, pixels.
        count: of tiles.
        scroll: pixels that are wished for.
    """
    margin, pad = _MARGIN * scale, _PADDING * scale
    tile = (round(figure * scale * 0.92), round(figure * scale + _TEXT_LINES * line))
    width = room.width - room.left - room.right - 2 * margin
    height = tile[1] + 2 * pad
    if count == 0 or width < _NARROWEST * tile[0] or height + 4 * margin > room.height - room.bottom:
        return None
    wanted = count * (tile[0] + _GAP * scale) - _GAP * scale + 2 * pad
    if wanted > width:
        height += (_BAR + 3.0) * scale
    box = Box(room.left + margin, room.bottom + margin, min(width, wanted), height)
    layout = StripLayout(box, scale, count, tile, 0.0)
    return StripLayout(box, scale, count, tile, min(max(scroll, 0.0), layout.most_scroll))
