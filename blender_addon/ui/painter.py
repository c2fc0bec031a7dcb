# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting on a region in pixels: rounded boxes and round-ended strokes with smooth edges, a batch of each; and text.

The edges are smoothed in the fragment shader by the distance to the shape, so they need no multisampling, and strokes
of different width need but one draw call.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import blf
import gpu
import numpy as np
from gpu.types import (
    GPUBatch,
    GPUIndexBuf,
    GPUShader,
    GPUShaderCreateInfo,
    GPUStageInterfaceInfo,
    GPUVertBuf,
    GPUVertFormat,
)
from numpy.typing import NDArray

Array = NDArray[np.float32]
Colour = tuple[float, float, float, float]

_FONT = 0
_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float32)

_TO_FRAMEBUFFER = """
vec4 in_framebuffer_space(vec4 colour)
{
  if (!srgbTarget) {
    return colour;
  }
  vec3 low = colour.rgb / 12.92;
  vec3 high = pow((max(colour.rgb, vec3(0.0)) + 0.055) / 1.055, vec3(2.4));
  return vec4(mix(low, high, step(vec3(0.04045), colour.rgb)), colour.a);
}
"""

_STROKE_VERTEX = """
void main()
{
  vec2 way = ends.zw - ends.xy;
  float span = length(way);
  vec2 along = span > 1e-4 ? way / span : vec2(1.0, 0.0);
  float room = max(shape.x, shape.y) + 1.0;
  local = vec2(shape.z > 0.0 ? span + room : -room, shape.w * room);
  extent = vec3(max(span, 1e-4), shape.xy);
  tint = colour;
  vec2 place = ends.xy + along * local.x + vec2(-along.y, along.x) * local.y;
  gl_Position = ModelViewProjectionMatrix * vec4(place, 0.0, 1.0);
}
"""

_STROKE_FRAGMENT = """
void main()
{
  float at = clamp(local.x / extent.x, 0.0, 1.0);
  float away = length(local - vec2(at * extent.x, 0.0)) - mix(extent.y, extent.z, at);
  fragColor = in_framebuffer_space(vec4(tint.rgb, tint.a * clamp(0.5 - away, 0.0, 1.0)));
}
"""

_BOX_VERTEX = """
void main()
{
  local = shape.zw * (box.zw + 1.0);
  extent = vec4(box.zw, shape.xy);
  tint = colour;
  rim = edge;
  gl_Position = ModelViewProjectionMatrix * vec4(box.xy + local, 0.0, 1.0);
}
"""

_BOX_FRAGMENT = """
void main()
{
  vec2 corner = abs(local) - extent.xy + extent.z;
  float away = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - extent.z;
  float inner = clamp(0.5 - away - extent.w, 0.0, 1.0);
  vec4 mixed = mix(rim, tint, extent.w > 0.0 ? inner : 1.0);
  fragColor = in_framebuffer_space(vec4(mixed.rgb, mixed.a * clamp(0.5 - away, 0.0, 1.0)));
}
"""


@functools.cache
def _stroke_shader() -> GPUShader:
    return _shader(
        inputs=(("VEC4", "ends"), ("VEC4", "shape"), ("VEC4", "colour")),
        passed=(("VEC2", "local"), ("VEC3", "extent"), ("VEC4", "tint")),
        vertex=_STROKE_VERTEX,
        fragment=_STROKE_FRAGMENT,
        name="hums_stroke",
    )


@functools.cache
def _box_shader() -> GPUShader:
    return _shader(
        inputs=(("VEC4", "box"), ("VEC4", "shape"), ("VEC4", "colour"), ("VEC4", "edge")),
        passed=(("VEC2", "local"), ("VEC4", "extent"), ("VEC4", "tint"), ("VEC4", "rim")),
        vertex=_BOX_VERTEX,
        fragment=_BOX_FRAGMENT,
        name="hums_box",
    )


def _shader(
    inputs: Sequence[tuple[str, str]], passed: Sequence[tuple[str, str]], vertex: str, fragment: str, name: str
) -> GPUShader:
    interface = GPUStageInterfaceInfo(f"{name}_interface")
    for kind, varying in passed:
        interface.smooth(kind, varying)
    info = GPUShaderCreateInfo()
    for slot, (kind, attribute) in enumerate(inputs):
        info.vertex_in(slot, kind, attribute)
    info.push_constant("MAT4", "ModelViewProjectionMatrix")
    info.push_constant("BOOL", "srgbTarget")
    info.vertex_out(interface)
    info.fragment_out(0, "VEC4", "fragColor")
    info.vertex_source(vertex)
    info.fragment_source(_TO_FRAMEBUFFER + fragment)
    return gpu.shader.create_from_info(info)


def forget_shaders() -> None:
    """Lets go of the shaders."""
    _stroke_shader.cache_clear()
    _box_shader.cache_clear()


def draw_strokes(ends: Array, radii: Array, colours: Array) -> None:
    """Paints round-ended strokes one after another.

    Args:
        ends: ``[M, 4]`` x and y of either end, pixels.
        radii: ``[M, 2]`` at either end, pixels.
        colours: ``[M, 4]`` as the theme has them.
    """
    shape = np.empty((len(ends), 4, 4), dtype=np.float32)
    shape[..., :2] = radii[:, None]
    shape[..., 2:] = _CORNERS
    _draw(_stroke_shader(), {"ends": _four_times(ends), "shape": shape, "colour": _four_times(colours)})


def draw_boxes(boxes: Array, radii: Array, fills: Array, edges: Array, rims: Array) -> None:
    """Paints rounded boxes one after another.

    Args:
        boxes: ``[M, 4]`` left, bottom, width and height, pixels.
        radii: ``[M]`` of the corners.
        fills: ``[M, 4]`` colours inside.
        edges: ``[M, 4]`` colours of the outlines.
        rims: ``[M]`` how wide the outlines are; 0 for none.
    """
    half = boxes[:, 2:] / 2
    shape = np.empty((len(boxes), 4, 4), dtype=np.float32)
    shape[..., 0], shape[..., 1] = np.minimum(radii, half.min(axis=1))[:, None], rims[:, None]
    shape[..., 2:] = _CORNERS
    centred = np.concatenate([boxes[:, :2] + half, half], axis=1)
    values = {"box": _four_times(centred), "shape": shape, "colour": _four_times(fills), "edge": _four_times(edges)}
    _draw(_box_shader(), values)


def _four_times(values: NDArray[Any]) -> Array:
    """Values ``[M, n]`` for each of the four corners ``[M, 4, n]``."""
    return np.repeat(np.asarray(values, dtype=np.float32)[:, None], 4, axis=1)


def _draw(shader: GPUShader, values: dict[str, Array]) -> None:
    """Draws quads ``[M, 4, n]``."""
    count = len(next(iter(values.values())))
    if not count:
        return
    layout = GPUVertFormat()
    for name, column in values.items():
        layout.attr_add(id=name, comp_type="F32", len=column.shape[-1], fetch_mode="FLOAT")
    buffer = GPUVertBuf(layout, 4 * count)
    for name, column in values.items():
        buffer.attr_fill(name, np.ascontiguousarray(column).reshape(4 * count, -1))
    batch = GPUBatch(type="TRIS", buf=buffer, elem=_quads(count))
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)


@functools.lru_cache(maxsize=64)
def _quads(count: int) -> GPUIndexBuf:
    """The triangles of ``count`` quads."""
    corners = np.array([0, 1, 2, 0, 2, 3], dtype=np.int32)
    order = (4 * np.arange(count, dtype=np.int32)[:, None] + corners).reshape(-1, 3)
    return GPUIndexBuf(type="TRIS", seq=order)


def draw_text(text: str, x: float, y: float, size: float, colour: Colour) -> None:
    """Writes a line from ``x`` on, its baseline at ``y``."""
    draw_texts([(text, x, y, colour)], size)


def draw_texts(lines: Iterable[tuple[str, float, float, Colour]], size: float) -> None:
    """Writes lines of one size, each from its x on and with its y as the baseline, in its colour.

    A change of the size has Blender look for the glyphs anew, so many lines are written faster together.
    """
    blf.size(_FONT, size)
    ink: Colour | None = None
    for text, x, y, colour in lines:
        if colour != ink:
            blf.color(_FONT, *colour)
            ink = colour
        blf.position(_FONT, x, y, 0)
        blf.draw(_FONT, text)


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """How wide a line is, pixels."""
    blf.size(_FONT, size)
    return blf.dimensions(_FONT, text)[0]


@functools.lru_cache(maxsize=4096)
def fitted(text: str, size: float, room: float) -> str:
    """A line, cut with an ellipsis where it is wider than ``room`` pixels."""
    line = text
    while line and text_width(line if line == text else line + "…", size) > room:
        line = line[:-1]
    return line if line == text else line.rstrip(" _-.") + "…"


def clip_text(box: Sequence[float] | None) -> None:
    """Keeps text inside left, bottom, width and height; None: no longer."""
    if box is None:
        blf.disable(_FONT, blf.CLIPPING)
        return
    x, y, width, height = box
    blf.enable(_FONT, blf.CLIPPING)
    blf.clipping(_FONT, x, y, x + width, y + height)
