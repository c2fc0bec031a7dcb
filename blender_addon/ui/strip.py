# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the strip of results along the bottom of a 3D viewport: moving figures with name, score and seconds."""

from __future__ import annotations

import bpy
import gpu
import numpy as np
from bpy.types import Context
from numpy.typing import NDArray

from .. import preferences, properties
from ..core import draw_handlers, preview_motions, previewed_query, strip
from ..core.engine import moving_figure
from ..core.strip_layout import Box, StripLayout
from . import painter, palette

Array = NDArray[np.float32]

_REFRESH_S = 1.0 / 30.0
_PAUSE_S = 0.5
"""How long a figure rests at the end before it starts again."""
_AROUND = 2.0
"""Units of air around a figure."""
_EDGE = 1.3
"""Units by which a limb's edge stands out."""


def draw() -> None:
    """Called by Blender for each region of each 3D viewport."""
    context = bpy.context
    area, region = context.area, context.region
    if area is None or region is None or not strip.tiles(context):
        return
    layout = strip.layout(context, area, region)
    if layout is not None:
        _Drawing(context, layout, area.as_pointer()).draw()


def animate() -> float | None:
    """The clock: has the viewports drawn anew while something moves or is still being read."""
    context = bpy.context
    strip.tag_redraw(context)
    return _REFRESH_S if _plays(context) or preview_motions.shared.is_reading else None


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
        self.size = strip.text_size(context)
        self.line = strip.line_height(context)
        self.tiles = strip.tiles(context)
        place = strip.state.hovered
        self.hovered = place.tile if place is not None and place.area == area else None
        self.shown = [(slot, self.tiles[slot]) for slot in layout.visible()]
        self.clips = {index: strip.clip(context, index) for _, index in self.shown if index != strip.QUERY}

    def draw(self) -> None:
        """Boxes, then figures, then words."""
        preview_motions.shared.want(list(self.clips.values()))
        if preview_motions.shared.is_reading or _plays(self.context):
            draw_handlers.tick(animate)
        self._draw_back()
        with _scissors(self.layout.inside):
            self._draw_tiles()
            self._draw_figures()
        painter.clip_text(self.layout.inside)
        for slot, index in self.shown:
            self._write_tile(self.layout.tile_box(slot), index)
        painter.clip_text(None)

    def _draw_back(self) -> None:
        colours, scale = self.colours, self.layout.scale
        boxes = [self.layout.box]
        fills, radii = [colours.back], [8.0 * scale]
        bar = self.layout.bar()
        if bar is not None:
            boxes += bar
            fills += [colours.track, palette.mixed(colours.track, colours.text, 0.35)]
            radii += [bar[0].height / 2] * 2
        rims = [max(scale, 1.0)] + [0.0] * (len(boxes) - 1)
        _draw_boxes(boxes, radii, fills, [colours.rim] * len(boxes), rims)

    def _draw_tiles(self) -> None:
        colours, scale = self.colours, self.layout.scale
        boxes, fills, edges, rims = [], [], [], []
        for slot, index in self.shown:
            active = index == self.session.active_result
            hovered = index == self.hovered
            boxes.append(self.layout.tile_box(slot))
            fills.append(colours.active if active else colours.hovered if hovered else colours.tile)
            edges.append(colours.accent if active else colours.rim)
            rims.append(1.6 * scale if active else 0.0)
        _draw_boxes(boxes, [5.0 * scale] * len(boxes), fills, edges, rims)
        self._draw_scores()

    def _draw_scores(self) -> None:
        """Under each name a bar as long as the motion is similar."""
        colours, scale = self.colours, self.layout.scale
        boxes, fills = [], []
        for slot, index in self.shown:
            if index == strip.QUERY:
                continue
            track = self._score_box(self.layout.tile_box(slot))
            part = track._replace(width=track.width * max(self.session.results[index].score, 4.0) / 100.0)
            boxes += [track, part]
            fills += [palette.mixed(colours.track, colours.text, 0.08), colours.accent]
        _draw_boxes(boxes, [1.5 * scale] * len(boxes), fills, fills, [0.0] * len(boxes))

    def _score_box(self, tile: Box) -> Box:
        scale = self.layout.scale
        room = painter.text_width("00.0 s", self.size * 0.9) + 13.0 * scale
        return Box(tile.x + 6.0 * scale, tile.y + 0.36 * self.line, max(tile.width - room, 8.0), 3.0 * scale)

    def _draw_figures(self) -> None:
        seen: list[tuple[moving_figure.MovingFigure, int, Box, int]] = []
        for slot, index in self.shown:
            figure = self._figure(index)
            if isinstance(figure, moving_figure.MovingFigure):
                seen.append((figure, self._frame(figure, index), self._stage(self.layout.tile_box(slot)), index))
        if not seen:
            return
        figures, frames, stages, indices = zip(*seen, strict=True)
        zoom, x, y = np.array(list(map(_fit, figures, stages)), dtype=np.float32).T
        points = np.stack([figure.points[frame] for figure, frame in zip(figures, frames, strict=True)])
        points *= np.stack([zoom, zoom, np.ones_like(zoom)], axis=1)[:, None]
        points[..., :2] += np.stack([x, y], axis=1)[:, None]
        self._draw_ground(zoom, x, y)
        shown = np.stack([figure.shown for figure in figures])
        painted = moving_figure.strokes(points, shown, zoom, _EDGE * self.layout.scale)
        cards = np.array([self._card(index) for index in indices], dtype=np.float32)
        painter.draw_strokes(painted.ends, painted.radii, palette.inks(self.colours, painted, cards))

    def _draw_ground(self, zoom: Array, x: Array, y: Array) -> None:
        """A soft shadow under each figure, which tells where the ground is."""
        reach = 0.26 * zoom
        ends = np.stack([x - reach, y, x + reach, y], axis=1)
        shade = palette.with_alpha(self.colours.text, 0.10)
        painter.draw_strokes(ends, np.stack([0.055 * zoom] * 2, axis=1), np.tile(np.array(shade), (len(x), 1)))

    def _card(self, index: int) -> palette.Colour:
        if index == self.session.active_result:
            return self.colours.active
        return self.colours.hovered if index == self.hovered else self.colours.tile

    def _stage(self, tile: Box) -> Box:
        """Where a tile's figure stands."""
        words = 2.0 * self.line
        around = _AROUND * self.layout.scale
        return Box(tile.x + around, tile.y + words, tile.width - 2 * around, tile.height - words - 2 * around)

    def _figure(self, index: int) -> moving_figure.MovingFigure | str | None:
        if index == strip.QUERY:
            asked = previewed_query.last()
            return asked.figure if asked is not None else None
        return preview_motions.shared.get(self.clips[index])

    def _frame(self, figure: moving_figure.MovingFigure, index: int) -> int:
        """What a figure does now: it plays under the mouse, else it holds its most telling pose."""
        if index == self.hovered:
            elapsed = strip.playing_s()
        elif self.settings.play_all:
            elapsed = strip.clock_s()
        else:
            return figure.telling
        return figure.frame(elapsed % (figure.duration_s + _PAUSE_S))

    def _write_tile(self, tile: Box, index: int) -> None:
        scale, colours = self.layout.scale, self.colours
        left, room = tile.x + 6.0 * scale, tile.width - 12.0 * scale
        if index == strip.QUERY:
            painter.draw_text("Query", left, tile.y + 1.25 * self.line, self.size, colours.text)
            asked = previewed_query.last()
            seconds = f"{asked.figure.duration_s:.1f} s" if asked is not None else ""
            painter.draw_text(seconds, left, tile.y + 0.32 * self.line, self.size * 0.9, colours.quiet)
            return
        result = self.session.results[index]
        active = index == self.session.active_result
        name = painter.fitted(result.name, self.size, round(room))
        painter.draw_text(
            name, left, tile.y + 1.15 * self.line, self.size, colours.text_active if active else colours.text
        )
        seconds = f"{result.end_s - result.start_s:.1f} s"
        width = painter.text_width(seconds, self.size * 0.9)
        painter.draw_text(seconds, left + room - width, tile.y + 0.32 * self.line, self.size * 0.9, colours.quiet)


def _fit(figure: moving_figure.MovingFigure, stage: Box) -> tuple[float, float, float]:
    """Pixels to a metre, and where the ground under the hips lies, so that a figure fits its stage all the time."""
    half, low, high = figure.box()
    zoom = min(stage.height / max(high - low, 1.7), stage.width / 2 / half)
    return zoom, stage.x + stage.width / 2, stage.y - low * zoom


def _draw_boxes(
    boxes: list[Box], radii: list[float], fills: list[palette.Colour], edges: list[palette.Colour], rims: list[float]
) -> None:
    values = (np.array(column, dtype=np.float32) for column in (boxes, radii, fills, edges, rims))
    if boxes:
        painter.draw_boxes(*values)


class _scissors:
    """Keeps drawing inside a box of the region."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def __enter__(self) -> None:
        x, y, _, _ = gpu.state.viewport_get()
        box = self._box
        self._before = gpu.state.scissor_get()
        gpu.state.scissor_test_set(True)
        gpu.state.scissor_set(round(x + box.x), round(y + box.y), round(box.width), round(box.height))

    def __exit__(self, *_: object) -> None:
        gpu.state.scissor_set(*self._before)
        gpu.state.scissor_test_set(False)


def register() -> None:
    """Hooks the strip into all 3D viewports."""
    draw_handlers.draw(bpy.types.SpaceView3D, draw, "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Lets go of the shaders; the hooks are taken out by `draw_handlers`."""
    painter.forget_shaders()
