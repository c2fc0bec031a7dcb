# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the ghost: a translucent figure on the rig's place in each 3D viewport."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.types import Context

from ..core import drag, draw_handlers, ghost, picking, strip
from ..core.engine import moving_figure
from . import painter, palette, words

iface = bpy.app.translations.pgettext_iface

_REFRESH_S = 1.0 / 30.0
_OPACITY = 0.62
_FAR_OPACITY = 0.34
_BESIDE_M = 0.9
"""How far to the right of the rig a ghost of the reference body's size stands, where it does not stand on it."""
_MARGIN = 8.0


def draw() -> None:
    """Called by Blender for each region of each 3D viewport, before the strip is drawn."""
    context = bpy.context
    if context.region is None or context.area is None or not strip.has_tiles(context):
        return
    seen = ghost.current(context)
    if ghost.is_working() or (seen is not None and ghost.loops(context)):
        draw_handlers.tick(animate)
    if seen is not None:
        _draw_ghost(context, seen)
    elif ghost.refusal() and drag.current() is None:
        _draw_refusal(context, ghost.refusal())


def animate() -> float | None:
    """The clock: while a ghost goes on by itself, or is on its way."""
    context = bpy.context
    strip.tag_redraw(context)
    seen = ghost.current(context)
    return _REFRESH_S if ghost.is_working() or (seen is not None and ghost.loops(context)) else None


def _draw_ghost(context: Context, seen: ghost.Ghost) -> None:
    joints = seen.at(ghost.moment_s(context, seen))
    region, area = context.region, context.area
    if ghost.stands_beside(context):
        joints = joints + picking.view_right(region, area) * (_BESIDE_M * seen.size)
    points = picking.projected(region, area, joints)
    points[:, 2] = picking.nearness(region, area, joints)
    if not np.isfinite(points).all():
        return
    pixels = picking.pixels_per_metre(region, area, joints[0]) * seen.size
    unit = context.preferences.system.ui_scale
    painted = moving_figure.strokes(
        points[None].astype(np.float32), seen.shown[None], np.array([pixels], dtype=np.float32), 0.0
    )
    colours = palette.of(context).limbs[painted.side].copy()
    colours[:, 3] = _OPACITY + (_FAR_OPACITY - _OPACITY) * painted.fade
    radii = np.maximum(painted.radii * 0.8, unit)
    painter.draw_strokes(painted.ends, radii, colours)


def _draw_refusal(context: Context, reason: str) -> None:
    """The reason, on top of the strip, or at the bottom of a viewport that has none."""
    layout = strip.layout(context, context.area, context.region)
    unit = context.preferences.system.ui_scale
    x, y = (layout.box.x, layout.box.y + layout.box.height) if layout is not None else (_MARGIN * unit, 0.0)
    above = 4.0 * strip.line_height(context)  # over what the tile under the mouse is called
    told = iface("No ghost: {reason}").format(reason=reason)
    words.draw_words(context, palette.of(context), [told], x + _MARGIN * unit, y + _MARGIN * unit + above, alarm=True)


def register() -> None:
    """Hooks the ghost into all 3D viewports."""
    draw_handlers.draw(bpy.types.SpaceView3D, draw, "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Lets go of the ghost; the hooks are taken out by `draw_handlers`."""
    ghost.forget()
