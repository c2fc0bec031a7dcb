# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a drag: a small figure that follows the mouse, the rig that lights up under it, and what would come of it."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.types import Context
from numpy.typing import NDArray

from ..core import drag, draw_handlers, picking, preview_motions, strip
from ..core.engine import moving_figure
from . import painter, palette, words

_HEIGHT = 84.0
_SMALLEST = 40.0
_TALL_M = 1.8
_RING_M = 0.45
_RING_SIDES = 40
_REFRESH_S = 1.0 / 30.0


def draw() -> None:
    """Called by Blender for each region of each 3D viewport."""
    context, now = bpy.context, drag.current()
    if now is None or context.region is None or context.area is None:
        return
    draw_handlers.tick(animate)
    colours = palette.of(context)
    target = now.target
    if target is not None and target.spot.region == context.region:
        if target.rig is not None:
            _draw_rig(context, now, colours)
        elif target.floor is not None:
            _draw_ring(context, target.floor, colours)
    _draw_figure(context, now, colours)


def animate() -> float | None:
    """The clock: while something is dragged, its figure moves."""
    strip.tag_redraw(bpy.context)
    return _REFRESH_S if drag.current() is not None else None


def _draw_rig(context: Context, now: drag.Drag, colours: palette.Palette) -> None:
    """The bones of the rig under the mouse, bright."""
    assert now.target is not None
    assert now.target.rig is not None
    heads, tails = picking.screen_bones(context.region, context.area, now.target.rig)
    ends = np.concatenate([heads[:, :2], tails[:, :2]], axis=1)
    _draw_lines(ends[np.isfinite(ends).all(axis=1)], colours.error if now.refusal else colours.accent, context)


def _draw_ring(context: Context, at: tuple[float, float, float], colours: palette.Palette) -> None:
    """A ring on the floor where the new armature would stand."""
    angle = np.linspace(0.0, 2 * np.pi, _RING_SIDES + 1)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1) * _RING_M + np.array(at)
    seen = picking.projected(context.region, context.area, ring)[:, :2]
    ends = np.concatenate([seen[:-1], seen[1:]], axis=1)
    _draw_lines(ends[np.isfinite(ends).all(axis=1)], colours.accent, context)


def _draw_lines(ends: NDArray[np.floating], colour: palette.Colour, context: Context) -> None:
    """Bright lines with a glow."""
    unit = context.preferences.system.ui_scale
    for radius, shade in ((4.0, palette.with_alpha(colour, 0.22)), (1.4, palette.mixed(colour, palette.WHITE, 0.25))):
        radii = np.full((len(ends), 2), radius * unit, dtype=np.float32)
        painter.draw_strokes(ends, radii, np.tile(np.array(shade, dtype=np.float32), (len(ends), 1)))


def _draw_figure(context: Context, now: drag.Drag, colours: palette.Palette) -> None:
    """The figure beside the mouse, or on the floor where it would stand; and the word below it."""
    unit, region = context.preferences.system.ui_scale, context.region
    x, y = strip.state.mouse[0] - region.x, strip.state.mouse[1] - region.y
    if not (0 <= x < region.width and 0 <= y < region.height):
        return
    floor = now.target.floor if now.target is not None and now.target.spot.region == region else None
    if floor is None:
        _paint_figure(now, colours, np.array([x + 52.0 * unit, y + 4.0 * unit]), _HEIGHT * unit / _TALL_M, unit)
    else:
        foot, top = picking.projected(region, context.area, np.array([floor, (*floor[:2], _TALL_M)]))[:, :2]
        zoom = max(float(np.linalg.norm(top - foot)) / _TALL_M, _SMALLEST * unit / _TALL_M)
        _paint_figure(now, colours, foot, zoom, unit)
    lines = [now.name, now.promise] if now.target is not None else [now.name]
    words.draw_words(context, colours, lines, x + 22.0 * unit, y - 6.0 * unit, alarm=bool(now.refusal))


def _paint_figure(
    now: drag.Drag, colours: palette.Palette, foot: NDArray[np.floating], zoom: float, unit: float
) -> None:
    """The motion that is dragged, standing at ``foot`` (pixels), ``zoom`` pixels to a metre."""
    preview = preview_motions.shared.get(now.clip)
    if preview is None or isinstance(preview.figure, str):
        return
    figure = preview.figure
    frame = figure.frame(strip.clock_s() % (figure.duration_s + 0.5))
    points = figure.points[frame][None] * np.array([zoom, zoom, 1.0], dtype=np.float32)
    points[..., :2] += foot.astype(np.float32)
    painted = moving_figure.strokes(points, figure.shown[None], np.array([zoom], dtype=np.float32), 1.6 * unit)
    card = np.array([palette.with_alpha(colours.back, 0.75)], dtype=np.float32)
    painter.draw_strokes(painted.ends, painted.radii, palette.inks(colours, painted, card))


def register() -> None:
    """Hooks the drag into all 3D viewports and their sidebars."""
    for region in ("WINDOW", "UI"):
        draw_handlers.draw(bpy.types.SpaceView3D, draw, region, "POST_PIXEL")
