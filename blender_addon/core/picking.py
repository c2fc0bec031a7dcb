# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies under the mouse in a 3D viewport: a rig, by its bones or by the mesh that it moves, or the floor.

Nothing is selected to find out, so nothing has to be restored: bones are compared with the mouse on the screen, meshes
are hit by a ray, which cannot hit bones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from bpy.types import Area, Context, Object, Region, Window
from bpy_extras import view3d_utils
from mathutils import Vector
from numpy.typing import NDArray

from . import armature_reader
from .engine import errors, screen

Array = NDArray[np.float64]

_NEAR = 14.0
"""Units of Blender's interface from a bone at which the mouse is on it."""
_FARTHEST_M = 1000.0


@dataclass(frozen=True)
class Spot:
    """A point in a 3D viewport: pixels of its region from the lower left."""

    window: Window
    area: Area
    region: Region
    x: float
    y: float


@dataclass(frozen=True)
class Target:
    """What a motion would be dropped on.

    Attributes:
        spot: where the mouse is.
        rig: the armature under it.
        floor: the point of the floor under it, where there is no rig.
    """

    spot: Spot
    rig: Object | None = None
    floor: tuple[float, float, float] | None = None


def spot_at(window: Window, x: int, y: int) -> Spot | None:
    """The viewport under a point of a window, or None; a sidebar or header that lies on it is not the viewport."""
    for area in window.screen.areas:
        if area.type != "VIEW_3D" or not _holds(area, x, y):
            continue
        if any(_covers(region, x, y) for region in area.regions):
            return None
        for region in area.regions:
            if region.type == "WINDOW" and _holds(region, x, y):
                return Spot(window, area, region, x - region.x, y - region.y)
    return None


def _holds(part: Area | Region, x: int, y: int) -> bool:
    return part.x <= x < part.x + part.width and part.y <= y < part.y + part.height


def _covers(region: Region, x: int, y: int) -> bool:
    """Whether a region that overlaps the viewport is under the point; a toolbar is clear below its buttons."""
    return (
        region.type not in ("WINDOW", "TOOLS", "XR") and min(region.width, region.height) > 1 and _holds(region, x, y)
    )


def target_at(context: Context, spot: Spot) -> Target:
    """The rig or the floor under the mouse."""
    rig = _rig_by_bones(context, spot) or _rig_by_mesh(context, spot)
    if rig is not None:
        return Target(spot, rig=rig)
    return Target(spot, floor=_floor(spot))


def _rig_by_bones(context: Context, spot: Spot) -> Object | None:
    """The visible armature one of whose bones the mouse is on; of several the nearest to the eye."""
    near = _NEAR * context.preferences.system.ui_scale
    found = []
    for rig in _visible_rigs(context, spot):
        heads, tails = screen_bones(spot.region, spot.area, rig)
        distance, depth = screen.nearest_segment(np.array([spot.x, spot.y]), heads, tails)
        if distance <= near:
            found.append((depth, rig.name, rig))
    return min(found)[2] if found else None


def _visible_rigs(context: Context, spot: Spot) -> Iterator[Object]:
    space = spot.area.spaces.active
    for obj in context.view_layer.objects:
        if obj.type == "ARMATURE" and obj.visible_get(view_layer=context.view_layer, viewport=space):
            yield obj


def screen_bones(region: Region, area: Area, rig: Object) -> tuple[Array, Array]:
    """Where the heads and tails of a rig's visible bones are on the screen: each ``[B, 3]``, pixels and depth."""
    count = len(rig.pose.bones)
    ends = np.empty((2, count, 3), dtype=np.float32)
    rig.pose.bones.foreach_get("head", ends[0].ravel())
    rig.pose.bones.foreach_get("tail", ends[1].ravel())
    world = np.array(rig.matrix_world)
    placed = ends @ world[:3, :3].T + world[:3, 3]
    heads, tails = projected(region, area, placed)
    return heads, tails


def projected(region: Region, area: Area, points: NDArray[np.floating]) -> Array:
    """Points ``[..., 3]`` of the world on the screen: pixels, and how far they are from the eye; NaN behind it."""
    view = _view_of(region, area)
    matrix = np.array(view.perspective_matrix)
    return screen.project(matrix, points, (region.width, region.height))


def nearness(region: Region, area: Area, points: NDArray[np.floating]) -> Array:
    """How near points ``[..., 3]`` of the world are to the eye, metres from anywhere."""
    view = np.array(_view_of(region, area).view_matrix)
    return points @ view[2, :3] + view[2, 3]


def pixels_per_metre(region: Region, area: Area, point: NDArray[np.floating]) -> float:
    """How large a metre is on the screen that lies square to the eye at a point ``[3]`` of the world."""
    across = np.array(_view_of(region, area).view_matrix)[0, :3]
    ends = projected(region, area, np.stack([point - across / 2, point + across / 2]))
    return float(np.linalg.norm(ends[1, :2] - ends[0, :2]))


def view_right(region: Region, area: Area) -> Array:
    """The way to the right on the screen ``[3]`` in the world, over the ground."""
    right = np.array(_view_of(region, area).view_matrix)[0, :3] * [1.0, 1.0, 0.0]
    return right / max(float(np.linalg.norm(right)), 1e-9)


def _view_of(region: Region, area: Area) -> Any:  # noqa: ANN401 - Blender's view
    """The 3D view of a region, which is one of four in a quad view."""
    data = region.data
    return data if data is not None else area.spaces.active.region_3d


def _rig_by_mesh(context: Context, spot: Spot) -> Object | None:
    """The armature that moves the mesh under the mouse."""
    origin, direction = _ray(spot)
    hit, _, _, _, obj, _ = context.scene.ray_cast(
        context.evaluated_depsgraph_get(), origin, direction, distance=_FARTHEST_M
    )
    if not hit or obj is None:
        return None
    try:
        return armature_reader.rig_of(obj.original)
    except errors.HumsError:
        return None


def _ray(spot: Spot) -> tuple[Vector, Vector]:
    view = _view_of(spot.region, spot.area)
    at = (spot.x, spot.y)
    direction = view3d_utils.region_2d_to_vector_3d(spot.region, view, at)
    return view3d_utils.region_2d_to_origin_3d(spot.region, view, at), direction


def _floor(spot: Spot) -> tuple[float, float, float] | None:
    """Where the ray through the mouse meets the floor, z = 0; None where it does not, or only at the horizon.

    Where a view from the side sees the floor as a line, the point of the floor below the middle of what is looked at.
    """
    origin, direction = (np.array(part) for part in _ray(spot))
    view = _view_of(spot.region, spot.area)
    point = screen.on_floor(origin, direction, _FARTHEST_M)
    if point is None and not view.is_perspective:
        point = screen.nearest_on_ray(origin, direction, np.array(view.view_location))
    return None if point is None else (float(point[0]), float(point[1]), 0.0)
