# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions as pictures: strips of small figures, seen from the front quarter, that a person takes in at a glance.

The one door to Pillow, which loads on first use. Figures are drawn larger than they end up and scaled down, which
smooths their edges. Left limbs are warm and right limbs are cool; what passes in front of something else has a
thin light edge, so that crossing arms and legs stay readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from . import skeleton, viewing
from .canonical import CanonicalMotion
from .errors import HumsError, MissingDependencyError

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Array = NDArray[np.float64]
Colour = tuple[int, int, int]

PAPER: Final[Colour] = (246, 247, 249)
CARD: Final[Colour] = (255, 255, 255)
QUERY_CARD: Final[Colour] = (236, 242, 250)
RIM: Final[Colour] = (227, 230, 235)
INK: Final[Colour] = (34, 41, 54)
QUIET: Final[Colour] = (120, 130, 146)
LEFT: Final[Colour] = (232, 104, 62)
RIGHT: Final[Colour] = (38, 124, 176)
MIDDLE: Final[Colour] = (60, 71, 92)

OVERSAMPLE: Final = 4
WIDTH: Final = 1600
TITLE_WIDTH: Final = 240
ROW_HEIGHT: Final = 184
HEADING_HEIGHT: Final = 64
MARGIN: Final = 24
GAP: Final = 10

_HUES: Final = {"torso": MIDDLE, "left_leg": LEFT, "right_leg": RIGHT, "left_arm": LEFT, "right_arm": RIGHT}
_SHADOW_RADIUS: Final = 0.30


@dataclass(frozen=True)
class Row:
    """One line of a contact sheet.

    Attributes:
        motion: what is drawn.
        title: its name.
        subtitle: a sentence under the name.
        score: how similar it is, 0 to 100, drawn as a bar; None marks the query, which gets a tinted card.
    """

    motion: CanonicalMotion
    title: str
    subtitle: str = ""
    score: float | None = None


def save_strip(motion: CanonicalMotion, path: str | Path, title: str = "", frames: int = 12) -> None:
    """Writes one motion as a strip of figures, evenly spaced in time.

    Args:
        motion: what to draw.
        path: an image file to write; its suffix says the format (``.png``).
        title: a line above the strip; empty for none.
        frames: how many figures at most.

    Raises:
        MissingDependencyError: Pillow is not installed.
        HumsError: the file cannot be written.
    """
    top = HEADING_HEIGHT if title else MARGIN
    sheet = _blank(WIDTH, top + ROW_HEIGHT + MARGIN)
    _write(sheet, (MARGIN + 4, top // 2), title, 22, INK, WIDTH - 2 * MARGIN)
    strip = _strip(motion, WIDTH - 2 * MARGIN, ROW_HEIGHT, frames, CARD)
    _place_card(sheet, strip, (MARGIN, top), CARD)
    _save(sheet, path)


def save_contact_sheet(rows: Sequence[Row], path: str | Path, heading: str = "", frames: int = 12) -> None:
    """Writes several motions below each other, each with its name and score.

    Args:
        rows: from top to bottom; the query first, with no score.
        path: an image file to write; its suffix says the format (``.png``).
        heading: a line above all; empty for none.
        frames: how many figures in a row at most.

    Raises:
        MissingDependencyError: Pillow is not installed.
        HumsError: the file cannot be written.
    """
    top = HEADING_HEIGHT if heading else MARGIN
    sheet = _blank(WIDTH, top + len(rows) * (ROW_HEIGHT + GAP) - GAP + MARGIN)
    _write(sheet, (MARGIN + 4, top // 2), heading, 22, INK, WIDTH - 2 * MARGIN - 200)
    if heading:
        _draw_legend(sheet, top // 2)
    for i, row in enumerate(rows):
        _draw_row(sheet, row, top + i * (ROW_HEIGHT + GAP), frames)
    _save(sheet, path)


def draw_strip(motion: CanonicalMotion, width: int, height: int, frames: int = 12) -> Image.Image:
    """One motion as a strip of figures without a frame, ``width`` x ``height`` pixels, to put on a sheet of one's own.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    return _strip(motion, width, height, frames, CARD)


# ---------------------------------------------------------------- the scene: where everything stands, in pixels


@dataclass(frozen=True)
class _Scene:
    """A motion's chosen frames as the eye sees them: pixels from the root's ground point, x to the right and y down.

    Attributes:
        joints: ``[F, 22, 2]``.
        near: ``[F, 22]`` how much nearer than the root each joint is, in body widths.
        path: ``[F, T, 2]`` where the root passes over the ground, seen from each chosen frame.
        chosen: ``[F]`` their places among the T frames.
        times: ``[F]`` seconds.
        valid: ``[22]``.
        body: pixels to a metre of the reference body.
    """

    joints: Array
    near: Array
    path: Array
    chosen: NDArray[np.intp]
    times: Array
    valid: NDArray[np.bool_]
    body: float


def _scene(motion: CanonicalMotion, frames: int, width: float, height: float) -> _Scene:
    """Chooses frames evenly in time and fits the tallest and the widest of them into ``width`` x ``height`` pixels."""
    positions = viewing.centred(np.nan_to_num(motion.positions.astype(np.float64)), motion.valid)
    chosen = np.unique(np.linspace(0, motion.frame_count - 1, max(frames, 1)).round().astype(np.intp))
    floor = positions[:, motion.valid, 2].min() if motion.valid.any() else 0.0
    ground = positions[:, 0] * [1, 1, 0] + [0, 0, floor]
    eye = viewing.eye(viewing.facing(positions, motion.valid))
    seen = (positions[chosen] - ground[chosen][:, None]) @ eye.T
    path = (ground[None] - ground[chosen][:, None]) @ eye.T
    size = viewing.body_size(positions, motion.valid)
    shown = seen[:, motion.valid] if motion.valid.any() else np.zeros((1, 1, 3))
    tall = max(np.ptp(shown[..., 1]) + 0.25 * size, 1.75 * size)
    scale = float(min(height / tall, width / max(np.abs(shown[..., 0]).max() * 2, 1e-6)))
    flip = np.array([scale, -scale])
    near = (seen[..., 2] - seen[:, :1, 2]) / (0.4 * size)
    return _Scene(
        seen[..., :2] * flip, near, path[..., :2] * flip, chosen, chosen / motion.fps, motion.valid, scale * size
    )


# ---------------------------------------------------------------- drawing one strip


@dataclass(frozen=True)
class _Capsule:
    """A round-ended stroke from ``a`` to ``b`` (pixels), of another radius at either end; a disc when they agree."""

    a: Array
    b: Array
    radius_a: float
    radius_b: float
    colour: Colour
    near: float


def _strip(motion: CanonicalMotion, width: int, height: int, frames: int, card: Colour) -> Image.Image:
    """A strip of figures on a plain card, ``width`` x ``height`` pixels."""
    pillow, draw_module, _ = _pillow()
    label, pad = 20, 10
    big = pillow.new("RGB", (width * OVERSAMPLE, height * OVERSAMPLE), card)
    draw = draw_module.Draw(big)
    cell = width / max(min(frames, motion.frame_count), 1)
    scene = _scene(motion, frames, min(cell * 1.7, width) * OVERSAMPLE, (height - label - 2 * pad) * OVERSAMPLE)
    lowest = max(float(scene.joints[:, scene.valid, 1].max(initial=0.0)), 0.06 * scene.body)
    floor = (height - label - pad) * OVERSAMPLE - lowest
    origins = [np.array([(i + 0.5) * cell * OVERSAMPLE, floor]) for i in range(len(scene.times))]
    for i, origin in enumerate(origins):
        _draw_ground(draw, scene, i, origin, cell * OVERSAMPLE, card)
    for i, origin in enumerate(origins):
        _draw_figure(draw, scene, i, origin, card)
    strip = big.resize((width, height), pillow.Resampling.LANCZOS)
    for time, origin in zip(scene.times, origins, strict=True):
        _write(strip, (origin[0] / OVERSAMPLE, height - label / 2 - 4), f"{time:.1f} s", 11, QUIET, cell, anchor="mm")
    return strip


def _draw_ground(draw: ImageDraw.ImageDraw, scene: _Scene, i: int, origin: Array, cell: float, card: Colour) -> None:
    """The figure's shadow, and its way over the ground as far as its cell reaches: behind it darker, ahead lighter."""
    radius = _SHADOW_RADIUS * scene.body
    _ellipse(draw, origin, radius, radius * np.sin(viewing.ELEVATION), _mix(card, MIDDLE, 0.10))
    inside = (np.abs(scene.path[i]) < [0.46 * cell, 0.12 * cell]).all(axis=-1)
    past = np.arange(len(inside)) <= scene.chosen[i]
    for span, share in ((inside & ~past, 0.22), (inside & past, 0.42)):
        for run in np.split(np.flatnonzero(span), np.flatnonzero(np.diff(np.flatnonzero(span)) > 1) + 1):
            line = [tuple(point) for point in scene.path[i][run] + origin]
            if len(line) > 1:
                draw.line(line, fill=_mix(card, MIDDLE, share), width=round(1.3 * OVERSAMPLE), joint="curve")


def _draw_figure(draw: ImageDraw.ImageDraw, scene: _Scene, i: int, origin: Array, card: Colour) -> None:
    """One figure: what is far first, each limb as a whole with a light edge around it."""
    edge = 1.2 * OVERSAMPLE
    limbs = [list(limb) for limb in (_limb(scene, i, origin, name, card) for name in viewing.LIMBS)]
    limbs.append(list(_head(scene, i, origin, card)))
    for limb in sorted(filter(None, limbs), key=lambda parts: float(np.mean([part.near for part in parts]))):
        for part in limb[1:] or limb:
            _draw_capsule(draw, part.a, part.b, part.radius_a + edge, part.radius_b + edge, card)
        for part in sorted(limb, key=lambda part: part.near):
            _draw_capsule(draw, part.a, part.b, part.radius_a, part.radius_b, part.colour)


def _limb(scene: _Scene, i: int, origin: Array, limb: str, card: Colour) -> Iterator[_Capsule]:
    """The bones of one limb at chosen frame ``i``, from the body outward; joints that the source lacks are bridged."""
    near = scene.near[i]
    for near_name, far_name, radius_a, radius_b in viewing.LIMBS[limb]:
        a, b = viewing.present(skeleton.INDEX[near_name], scene.valid), skeleton.INDEX[far_name]
        if a < 0 or not scene.valid[b]:
            continue
        depth = float(near[a] + near[b]) / 2
        fade = 0.10 if limb == "torso" else float(np.clip(0.16 - 0.30 * depth, 0.0, 0.42))
        ends = scene.joints[i][[a, b]] + origin
        yield _Capsule(
            ends[0], ends[1], radius_a * scene.body, radius_b * scene.body, _mix(_HUES[limb], card, fade), depth
        )


def _head(scene: _Scene, i: int, origin: Array, card: Colour) -> Iterator[_Capsule]:
    """The head of chosen frame ``i``, if the source shows where it is: a disc beyond the end of the neck."""
    top = viewing.present(skeleton.INDEX["head"], scene.valid)
    base = viewing.present(int(skeleton.PARENTS[top]), scene.valid) if top >= 0 else -1
    if base < 0:
        return
    end, lift = scene.joints[i, top], scene.joints[i, top] - scene.joints[i, base]
    centre = end + lift / max(float(np.linalg.norm(lift)), 1e-9) * viewing.HEAD_LIFT * scene.body + origin
    radius = viewing.HEAD_RADIUS * scene.body
    yield _Capsule(centre, centre, radius, radius, _mix(MIDDLE, card, 0.10), float(scene.near[i, top]))


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with ``share`` of ``b`` in it."""
    red, green, blue = (round(x + (y - x) * float(share)) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _draw_capsule(
    draw: ImageDraw.ImageDraw, a: Array, b: Array, radius_a: float, radius_b: float, colour: Colour
) -> None:
    along = b - a
    length = float(np.linalg.norm(along))
    if length > 1e-6:
        side = np.array([-along[1], along[0]]) / length
        corners = (a + side * radius_a, b + side * radius_b, b - side * radius_b, a - side * radius_a)
        draw.polygon([tuple(corner) for corner in corners], fill=colour)
    _ellipse(draw, a, radius_a, radius_a, colour)
    _ellipse(draw, b, radius_b, radius_b, colour)


def _ellipse(draw: ImageDraw.ImageDraw, centre: Array, width: float, height: float, colour: Colour) -> None:
    x, y = centre
    draw.ellipse((x - width, y - height, x + width, y + height), fill=colour)


# ---------------------------------------------------------------- the sheet around the strips


def _draw_row(sheet: Image.Image, row: Row, top: int, frames: int) -> None:
    """A card with the row's words on the left and its strip on the right."""
    card = QUERY_CARD if row.score is None else CARD
    pillow, _, _ = _pillow()
    width = WIDTH - 2 * MARGIN
    image = pillow.new("RGB", (width, ROW_HEIGHT), card)
    image.paste(_strip(row.motion, width - TITLE_WIDTH - 12, ROW_HEIGHT, frames, card), (TITLE_WIDTH, 0))
    _write(image, (20, 40), row.title, 19, INK, TITLE_WIDTH - 28)
    for i, line in enumerate(_wrap(row.subtitle, 13, TITLE_WIDTH - 28)[:2]):
        _write(image, (20, 66 + 18 * i), line, 13, QUIET, TITLE_WIDTH - 28)
    if row.score is not None:
        _draw_score(image, row.score, (20, 126), TITLE_WIDTH - 84)
    _place_card(sheet, image, (MARGIN, top), card)


def _draw_score(image: Image.Image, score: float, at: tuple[int, int], width: int) -> None:
    """A bar as long as the score, and the score beside it."""
    bar = _rounded((width, 8), _mix(CARD, MIDDLE, 0.14))
    filled = round(width * min(max(score / 100.0, 0.0), 1.0))
    if filled >= 8:
        part = _rounded((filled, 8), RIGHT)
        bar.paste(part, (0, 0), part)
    image.paste(bar, (at[0], at[1] - 4), bar)
    _write(image, (at[0] + width + 12, at[1]), f"{score:.0f}", 15, INK, 60)


def _draw_legend(sheet: Image.Image, middle: int) -> None:
    """Which hue is which side, at the right of the heading."""
    for x, colour, word in ((WIDTH - MARGIN - 150, LEFT, "left"), (WIDTH - MARGIN - 74, RIGHT, "right")):
        dot = _rounded((12, 12), colour)
        sheet.paste(dot, (x, middle - 6), dot)
        _write(sheet, (x + 20, middle), word, 14, QUIET, 50)


def _place_card(sheet: Image.Image, card: Image.Image, at: tuple[int, int], colour: Colour) -> None:
    """Pastes ``card`` with round corners and a thin rim."""
    pillow, draw_module, _ = _pillow()
    x, y = at
    rim = _rounded((card.width + 2, card.height + 2), _mix(colour, MIDDLE, 0.12), radius=11)
    sheet.paste(rim, (x - 1, y - 1), rim)
    mask = pillow.new("L", (card.width * OVERSAMPLE, card.height * OVERSAMPLE), 0)
    box = (0, 0, mask.width - 1, mask.height - 1)
    draw_module.Draw(mask).rounded_rectangle(box, radius=10 * OVERSAMPLE, fill=255)
    sheet.paste(card, at, mask.resize(card.size, pillow.Resampling.LANCZOS))


def _rounded(size: tuple[int, int], colour: Colour, radius: int | None = None) -> Image.Image:
    """A smooth-edged rounded rectangle of ``size`` pixels, a pill without ``radius``, on nothing."""
    pillow, draw_module, _ = _pillow()
    width, height = size[0] * OVERSAMPLE, size[1] * OVERSAMPLE
    mask = pillow.new("L", (width, height), 0)
    corner = (min(size) / 2 if radius is None else radius) * OVERSAMPLE
    draw_module.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), radius=corner, fill=255)
    shape = pillow.new("RGBA", size, (*colour, 255))
    shape.putalpha(mask.resize(size, pillow.Resampling.LANCZOS))
    return shape


def _write(
    image: Image.Image, at: tuple[float, float], text: str, size: int, colour: Colour, room: float, anchor: str = "lm"
) -> None:
    """One line of text, cut with an ellipsis where it has no room."""
    _, draw_module, font_module = _pillow()
    font = font_module.load_default(size)
    line = text
    while line and font.getlength(line) > room:
        line = line[:-2].rstrip() + "…" if len(line) > 2 else ""
    draw_module.Draw(image).text(at, line, fill=colour, font=font, anchor=anchor)


def _wrap(text: str, size: int, room: float) -> list[str]:
    """``text`` in lines that fit ``room`` pixels, broken between words."""
    _, _, font_module = _pillow()
    font = font_module.load_default(size)
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _blank(width: int, height: int) -> Image.Image:
    pillow, _, _ = _pillow()
    return pillow.new("RGB", (width, height), PAPER)


def _save(image: Image.Image, path: str | Path) -> None:
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, optimize=True)
    except (OSError, ValueError) as error:
        raise HumsError(f"Cannot write the picture {target}: {error}.") from error


def _pillow() -> tuple[Any, Any, Any]:
    """Pillow's modules Image, ImageDraw and ImageFont, loaded on first use."""
    try:
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - Pillow is optional
    except ImportError as error:
        raise MissingDependencyError('Drawing pictures needs Pillow: pip install "hums[run]".') from error
    return Image, ImageDraw, ImageFont
