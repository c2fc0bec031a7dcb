# SPDX-License-Identifier: GPL-3.0-or-later
"""The colours that the strip takes from the theme, so that it looks like the rest of Blender, whatever theme is on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from bpy.types import Context
from numpy.typing import NDArray

from ..core.engine import moving_figure

Colour = tuple[float, float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
_LEFT = (0.93, 0.44, 0.24)
_RIGHT = (0.20, 0.55, 0.86)
_STAR: Colour = (0.98, 0.76, 0.22, 1.0)
_ERROR: Colour = (0.76, 0.22, 0.20, 1.0)  # themes have had one of their own only since 4.4
_HUE = 0.62
"""How much of its side's hue a limb shows; the rest is the colour of text."""


@dataclass(frozen=True)
class Palette:
    """Colours as the theme has them, and how round its boxes are.

    Attributes:
        back: of the strip.
        rim: its outline.
        tile: of a tile.
        hovered: of the tile under the mouse.
        active: of the selected tile.
        accent: outline of the selected tile, the bar of a score.
        text: words.
        quiet: words of less weight.
        text_active: words on the selected tile.
        track: what a bar runs in.
        error: what a refusal is told on.
        star: of a mark.
        limbs: ``[3, 4]`` middle, left and right of the body.
        roundness: 0 square to 1 round.
    """

    back: Colour
    rim: Colour
    tile: Colour
    hovered: Colour
    active: Colour
    accent: Colour
    text: Colour
    quiet: Colour
    text_active: Colour
    track: Colour
    error: Colour
    star: Colour
    limbs: NDArray[np.float32]
    roundness: float


def of(context: Context) -> Palette:
    """The colours of the theme that is on."""
    theme = context.preferences.themes[0].user_interface
    menu, item, tool = theme.wcol_menu_back, theme.wcol_list_item, theme.wcol_tool
    back, text = solid(menu.inner), solid(menu.text)
    accent = solid(theme.wcol_regular.inner_sel)
    tile = mixed(back, text, 0.07)
    middle = mixed(text, back, 0.12)
    limbs = [middle, *(mixed(middle, (*hue, 1.0), _HUE) for hue in (_LEFT, _RIGHT))]
    return Palette(
        back=with_alpha(back, 0.94),
        rim=with_alpha(solid(menu.outline), 0.9),
        tile=tile,
        hovered=mixed(back, text, 0.16),
        active=mixed(tile, accent, 0.28),
        accent=accent,
        text=text,
        quiet=mixed(text, back, 0.38),
        text_active=solid(item.text_sel) if contrast(item.text_sel, back) else text,
        track=mixed(back, text, 0.16),
        error=_ERROR,
        star=mixed(_STAR, text, 0.1),
        limbs=np.array(limbs, dtype=np.float32),
        roundness=float(tool.roundness),
    )


def inks(colours: Palette, painted: moving_figure.Strokes, cards: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours ``[M, 4]`` of strokes: by side, paler the further away; an edge has the colour of the card behind.

    Args:
        colours: of the theme.
        painted: the strokes.
        cards: ``[N, 4]`` what each figure stands before.
    """
    card = cards[painted.figure]
    fade = (0.42 * painted.fade + 0.02)[:, None]
    ink = colours.limbs[painted.side]
    return np.where(painted.edge[:, None], card, ink + (card - ink) * fade)


def solid(colour: Iterable[float]) -> Colour:
    """A theme's colour without its transparency."""
    red, green, blue, *_ = colour
    return red, green, blue, 1.0


def with_alpha(colour: Colour, alpha: float) -> Colour:
    """The colour with a transparency."""
    return (*colour[:3], alpha)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """``one`` with ``share`` of ``other`` in it."""
    red, green, blue, alpha = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue, alpha


def contrast(one: Iterable[float], other: Iterable[float]) -> bool:
    """Whether words of the one colour can be read on the other."""
    light = [float(np.dot(tuple(colour)[:3], (0.3, 0.59, 0.11))) for colour in (one, other)]
    return abs(light[0] - light[1]) > 0.3
