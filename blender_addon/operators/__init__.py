# SPDX-License-Identifier: GPL-3.0-or-later
"""What buttons and scripts call: one module for each thing a person wants done."""

from __future__ import annotations

import bpy

from . import apply_motion, find_similar, import_motion, index_library, manage_libraries

_CLASSES = (
    *find_similar.CLASSES,
    *apply_motion.CLASSES,
    *import_motion.CLASSES,
    *index_library.CLASSES,
    *manage_libraries.CLASSES,
)


def register() -> None:
    """Registers the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Unregisters the operators."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
