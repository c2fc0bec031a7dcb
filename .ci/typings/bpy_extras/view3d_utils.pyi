# SPDX-License-Identifier: GPL-3.0-or-later
"""From the screen into the world and back."""

from typing import Any

from mathutils import Vector

def location_3d_to_region_2d(region: Any, rv3d: Any, coord: Any) -> Any: ...
def region_2d_to_origin_3d(region: Any, rv3d: Any, coord: Any) -> Vector: ...
def region_2d_to_vector_3d(region: Any, rv3d: Any, coord: Any) -> Vector: ...
