# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the strip of results along the bottom of a 3D viewport: moving figures with name, score and seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import gpu
import numpy as np
from bpy.types import Context
from numpy.typing import NDArray

from .. import preferences, properties
from ..core import drag, draw_handlers, preview_motions, previewed_query, strip, wording
from ..core.engine import moving_figure
from ..core.strip_layout import Box, StripLayout
from . import painter, palette, words

iface = bpy.app.translations.pgettext_iface

Array = NDArray[np.float32]

_REFRESH_S = 1.0 / 30.0
_PAUSE_S = 0.5
"""How long a figure rests at the end before it starts again."""
_UNSEEN_S = 2.0
"""After so long without being drawn, nobody looks: it is closed, or nothing is on it any more."""
_AROUND = 2.0
"""Units of air around a figure."""
_EDGE = 1.3
"""Units by which a limb's edge stands out."""


_drawn_s = [0.0]
_redo_panel_px = [0]


def draw() -> None:
    """Called by Blender for each region of each 3D viewport."""
    context = bpy.context
    area, region = context.area, context.region
    if area is None or region is None or not strip.tiles(context):
        return
    layout = strip.layout(context, area, region)
    if layout is not None:
        _drawn_s[0] = strip.clock_s()
        _Drawing(context, layout, area.as_pointer()).draw()


def follow_redo_panel() -> None:
    """Called when Blender has drawn its redo panel, whose size it knows only then: the viewport was drawn before."""
    region = bpy.context.region
    if region is not None and region.height != _redo_panel_px[0]:
        _redo_panel_px[0] = region.height
        draw_handlers.tick(_make_room)


def _make_room() -> None:
    strip.tag_redraw(bpy.context)


def animate() -> float | None:
    """The clock: has the viewports drawn anew while something moves or is still being read, and someone sees it."""
    context = bpy.context
    strip.tag_redraw(context)
    moves = _plays(context) or preview_motions.shared.is_reading
    return _REFRESH_S if moves and strip.clock_s() - _drawn_s[0] < _UNSEEN_S else None


def _plays(context: Context) -> bool:
    place = strip.state.hovered
    return preferences.of(context).strip.play_all or (place is not None and place.tile != strip.NO_TILE)


class _Drawing:
    """One redraw of the strip in one viewport."""

    def __init__(self, context: Context, layout: StripLayout, area: int) -> None:
        self.context = context
        self.layout = layout
        self.colours = palette.of(context)
        self.session = properties.session(context)
        self.settings = preferences.of(context).strip
        self.in_sync = strip.is_in_sync(context)
        self.size = strip.text_size(context)
        self.small = 0.9 * self.size
        self.line = strip.line_height(context)
        self.tiles = strip.tiles(context)
        place = strip.state.hovered
        self.hovered = place.tile if place is not None and place.area == area else None
        self.shown = [(layout.tile_box(slot), self.tiles[slot]) for slot in layout.visible()]
        self.active = self.session.active_result
        found = [index for _, index in self.shown if index != strip.QUERY]
        self.results = {index: self.session.results[index] for index in found}
        self.clips = dict(zip(found, strip.clips(context, found), strict=True))
        self.seconds = iface("{seconds:.1f} s")

    def draw(self) -> None:
        """Boxes, then figures, then words."""
        asked = previewed_query.last()
        query = asked.motion if asked is not None and self.in_sync else None
        dragged = drag.current()
        also = [] if dragged is None else [dragged.clip]
        preview_motions.shared.want([*self.clips.values(), *also], query)
        if preview_motions.shared.is_reading or _plays(self.context):
            draw_handlers.tick(animate)
        self._draw_back()
        with _scissors(self.layout.inside):
            self._draw_tiles()
            self._draw_figures()
        painter.clip_text(self.layout.inside)
        self._write_tiles()
        painter.clip_text(None)
        self._tell_trouble()

    def _draw_back(self) -> None:
        colours, scale = self.colours, self.layout.scale
        boxes = [self.layout.box]
        fills, radii = [colours.back], [20.0 * colours.roundness * scale]
        bar = self.layout.bar()
        if bar is not None:
            boxes += bar
            fills += [colours.track, palette.mixed(colours.track, colours.text, 0.35)]
            radii += [bar[0].height / 2] * 2
        rims = [max(scale, 1.0)] + [0.0] * (len(boxes) - 1)
        _draw_boxes(boxes, radii, fills, [colours.rim] * len(boxes), rims)

    def _draw_tiles(self) -> None:
        """The tiles, and their scores' bars with them: a draw call costs more than its boxes."""
        colours, scale = self.colours, self.layout.scale
        boxes, fills, edges, rims = [], [], [], []
        for tile, index in self.shown:
            active = index == self.active
            boxes.append(tile)
            fills.append(self._card(index))
            edges.append(colours.accent if active else colours.track)
            rims.append(1.6 * scale if active else scale if index == strip.QUERY else 0.0)
        bars, inks = self._score_bars()
        radii = [12.5 * colours.roundness * scale] * len(boxes) + [1.25 * scale] * len(bars)
        _draw_boxes([*boxes, *bars], radii, [*fills, *inks], [*edges, *inks], [*rims, *([0.0] * len(bars))])

    def _score_bars(self) -> tuple[list[Box], list[palette.Colour]]:
        """On each tile a bar as long as the motion is similar, in its track; and their colours."""
        boxes, inks = [], []
        ink = palette.mixed(self.colours.track, self.colours.text, 0.08)
        for tile, index in self.shown:
            result = self.results.get(index)
            if result is None or not result.scored:
                continue
            track = self._score_box(tile)
            boxes += [track, track._replace(width=track.width * max(result.score, 4.0) / 100.0)]
            inks += [ink, self.colours.accent]
        return boxes, inks

    def _score_box(self, tile: Box) -> Box:
        """The bar's place, along the bottom of the tile."""
        scale = self.layout.scale
        return Box(tile.x + 6.0 * scale, tile.y + 4.0 * scale, tile.width - 12.0 * scale, 2.5 * scale)

    def _draw_figures(self) -> None:
        """All figures at once; where one cannot be had, nothing stands on its tile."""
        seen: list[tuple[moving_figure.MovingFigure, int, Box, int]] = []
        for tile, index in self.shown:
            figure = self._figure(index)
            if isinstance(figure, moving_figure.MovingFigure):
                seen.append((figure, self._frame(figure, index), self._stage(tile), index))
        if not seen:
            return
        figures, frames, stages, indices = zip(*seen, strict=True)
        zoom, x, y = np.array(list(map(_fit, figures, stages)), dtype=np.float32).T
        points = np.stack([figure.points[frame] for figure, frame in zip(figures, frames, strict=True)])
        points *= np.stack([zoom, zoom, np.ones_like(zoom)], axis=1)[:, None]
        points[..., :2] += np.stack([x, y], axis=1)[:, None]
        shown = np.stack([figure.shown for figure in figures])
        painted = moving_figure.strokes(points, shown, zoom, _EDGE * self.layout.scale)
        cards = np.array([self._card(index) for index in indices], dtype=np.float32)
        limbs = (painted.ends, painted.radii, palette.inks(self.colours, painted, cards))
        painter.draw_strokes(*map(np.concatenate, zip(self._ground(zoom, x, y), limbs, strict=True)))

    def _ground(self, zoom: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """A soft shadow under each figure, which tells where the ground is: ends, radii and colours of its stroke."""
        reach = 0.26 * zoom
        ends = np.stack([x - reach, y, x + reach, y], axis=1)
        shade = palette.with_alpha(self.colours.text, 0.10)
        return ends, np.stack([0.055 * zoom] * 2, axis=1), np.tile(np.array(shade, dtype=np.float32), (len(x), 1))

    def _card(self, index: int) -> palette.Colour:
        if index == self.active:
            return self.colours.active
        return self.colours.hovered if index == self.hovered else self.colours.tile

    def _stage(self, tile: Box) -> Box:
        """Where a tile's figure stands."""
        below = 2.25 * self.line
        around = _AROUND * self.layout.scale
        return Box(tile.x + around, tile.y + below, tile.width - 2 * around, tile.height - below - 2 * around)

    def _figure(self, index: int) -> moving_figure.MovingFigure | str | None:
        if index == strip.QUERY:
            asked = previewed_query.last()
            return asked.figure if asked is not None else None
        preview = preview_motions.shared.get(self.clips[index])
        return preview.figure if preview is not None else None

    def _frame(self, figure: moving_figure.MovingFigure, index: int) -> int:
        """What a figure does now: it plays under the mouse, else it holds its most telling pose."""
        plays = index == self.hovered or self.settings.play_all
        if self.in_sync:
            return self._frame_in_sync(figure, index, plays or (index == strip.QUERY and self.hovered is not None))
        if not plays:
            return figure.telling
        elapsed = strip.playing_s() if index == self.hovered else strip.clock_s()
        return figure.frame(elapsed % (figure.duration_s + _PAUSE_S))

    def _frame_in_sync(self, figure: moving_figure.MovingFigure, index: int, plays: bool) -> int:
        """What a figure does at the moment of the query that all are at; at rest that is the query's telling one."""
        asked = previewed_query.last()
        assert asked is not None  # or nothing would be in sync
        query = asked.figure
        elapsed = strip.clock_s() if self.settings.play_all else strip.playing_s()
        moment = query.frame(elapsed % (query.duration_s + _PAUSE_S)) if plays else query.telling
        if index == strip.QUERY:
            return moment
        preview = preview_motions.shared.get(self.clips[index])
        if preview is None or preview.steps is None or not len(preview.steps):
            return figure.telling
        return figure.frame(float(preview.steps[min(moment, len(preview.steps) - 1)]))

    def _write_tiles(self) -> None:
        """Names, then scores and seconds as far as there is room, then the stars: lines of one size together."""
        scale, colours = self.layout.scale, self.colours
        names, more, stars = [], [], []
        for tile, index in self.shown:
            left, room = tile.x + 6.0 * scale, tile.width - 12.0 * scale
            name, told, starred = self._words(index)
            ink = colours.text_active if index == self.active else colours.text
            names.append((painter.fitted(name, self.size, round(room)), left, tile.y + 1.45 * self.line, ink))
            if painter.text_width(told, self.small) <= room:
                more.append((told, left, tile.y + 0.58 * self.line, colours.quiet))
            if starred:
                top = tile.y + tile.height - self.size - 4.0 * scale
                stars.append(("★", left + room - self.size, top, colours.star))
        painter.draw_texts([*names, *stars], self.size)
        painter.draw_texts(more, self.small)

    def _words(self, index: int) -> tuple[str, str, bool]:
        """What is written on a tile: its name, what more there is to say, and whether it is starred."""
        if index == strip.QUERY:
            asked = previewed_query.last()
            duration_s = asked.figure.duration_s if asked is not None else 0.0
            return iface("Query"), self.seconds.format(seconds=duration_s), False
        result = self.results[index]
        seconds = self.seconds.format(seconds=result.end_s - result.start_s)
        return result.name, f"{result.score:.0f}  ·  {seconds}" if result.scored else seconds, result.starred

    def _tell_trouble(self) -> None:
        """Above the tile under the mouse, why its motion cannot be shown."""
        for tile, index in self.shown:
            figure = self._figure(index) if index == self.hovered else None
            if isinstance(figure, str):
                top = self.layout.box.y + self.layout.box.height + 2.0 * self.line
                words.draw_words(self.context, self.colours, [wording.told(figure)], tile.x, top, alarm=True)


def _fit(figure: moving_figure.MovingFigure, stage: Box) -> tuple[float, float, float]:
    """Pixels to a metre, and where the ground under the hips lies, so that a figure fits its stage all the time."""
    half, low, high = figure.box
    zoom = min(stage.height / max(high - low, 1.7), stage.width / 2 / half)
    return zoom, stage.x + stage.width / 2, stage.y - low * zoom


def _draw_boxes(
    boxes: list[Box], radii: list[float], fills: list[palette.Colour], edges: list[palette.Colour], rims: list[float]
) -> None:
    values = (np.array(column, dtype=np.float32) for column in (boxes, radii, fills, edges, rims))
    if boxes:
        painter.draw_boxes(*values)


@contextmanager
def _scissors(box: Box) -> Iterator[None]:
    """Keeps drawing inside a box of the region."""
    x, y, _, _ = gpu.state.viewport_get()
    before = gpu.state.scissor_get()
    gpu.state.scissor_test_set(True)
    gpu.state.scissor_set(round(x + box.x), round(y + box.y), round(box.width), round(box.height))
    try:
        yield
    finally:
        gpu.state.scissor_set(*before)
        gpu.state.scissor_test_set(False)


def register() -> None:
    """Hooks the strip into all 3D viewports."""
    draw_handlers.draw(bpy.types.SpaceView3D, draw, "WINDOW", "POST_PIXEL")
    draw_handlers.draw(bpy.types.SpaceView3D, follow_redo_panel, "HUD", "POST_PIXEL")


def unregister() -> None:
    """Lets go of shaders and figures; the hooks are taken out by `draw_handlers`."""
    painter.forget_shaders()
    preview_motions.shared.clear()
    strip.forget()
