# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions as assets: with a picture of the motion, tags, and a place in a catalog.

Blender renders previews of actions through the scene's camera, which needs a window and shows what stands there. The
picture here is the engine's: three figures, drawn from the motion itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from bpy.types import Action

from . import asset_catalogs
from .engine import canonical, pictures

_SIZE = 256
_FIGURES = 3


@dataclass(frozen=True)
class AssetMark:
    """What an action is marked with.

    Attributes:
        tags: words to find it by.
        catalog: path of its catalog, such as ``Motions/Walks``; empty for none.
        folder: the folder of the .blend file, where catalogs are kept; None while it is not saved.
    """

    tags: Sequence[str] = ()
    catalog: str = ""
    folder: Path | None = None


def mark(action: Action, motion: canonical.CanonicalMotion, given: AssetMark) -> None:
    """Makes an action an asset of the Asset Browser.

    Raises:
        HumsError: the catalog cannot be made.
    """
    action.asset_mark()
    data = action.asset_data
    data.description = f"{motion.duration_s:.1f} s" + (f", from {Path(motion.source).name}" if motion.source else "")
    for tag in given.tags:
        data.tags.new(tag, skip_if_exists=True)
    if given.catalog and given.folder is not None:
        data.catalog_id = asset_catalogs.ensure(given.folder, given.catalog)
    image = np.asarray(pictures.draw_strip(motion, _SIZE, _SIZE, _FIGURES).convert("RGBA"), dtype=np.float32) / 255.0
    preview = action.preview_ensure()
    preview.image_size = (_SIZE, _SIZE)
    preview.image_pixels_float.foreach_set(np.ascontiguousarray(image[::-1]).ravel())  # Blender's first row is below


def folder_of_file() -> Path | None:
    """The folder of the open .blend file, or None while it is not saved."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else None
