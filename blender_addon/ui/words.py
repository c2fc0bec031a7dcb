# SPDX-License-Identifier: GPL-3.0-or-later
"""A few words in a rounded box over the viewport, as a hint beside the mouse or above a tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bpy.types import Context

from ..core import strip
from . import painter, palette


def draw_words(
    context: Context, colours: palette.Palette, lines: Sequence[str], x: float, y: float, alarm: bool = False
) -> None:
    """Draws lines in a box that stays inside the region; the first line is the brightest.

    Args:
        context: of the region.
        colours: of the theme.
        lines: one or more.
        x: of the box's left edge, pixels.
        y: of its top edge.
        alarm: whether they tell what is wrong.
    """
    unit, size, pitch = context.preferences.system.ui_scale, strip.text_size(context), strip.line_height(context)
    width = max(painter.text_width(line, size) for line in lines) + 16.0 * unit
    height = len(lines) * pitch + 8.0 * unit
    left = max(min(x, context.region.width - width - 4.0 * unit), 4.0 * unit)
    fill = palette.mixed(colours.back, colours.error, 0.35 if alarm else 0.0)
    painter.draw_boxes(
        np.array([[left, y - height, width, height]], dtype=np.float32),
        np.array([12.5 * colours.roundness * unit], dtype=np.float32),
        np.array([palette.with_alpha(fill, 0.94)], dtype=np.float32),
        np.array([colours.error if alarm else colours.rim], dtype=np.float32),
        np.array([max(unit, 1.0)], dtype=np.float32),
    )
    for number, line in enumerate(lines):
        ink = colours.text if number == 0 else palette.mixed(colours.text, colours.back, 0.2)
        painter.draw_text(line, left + 8.0 * unit, y - (number + 1) * pitch, size, ink)
