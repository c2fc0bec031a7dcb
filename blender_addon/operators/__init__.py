# SPDX-License-Identifier: GPL-3.0-or-later
"""What buttons and scripts call: one module for each thing a person wants done."""

from __future__ import annotations

import bpy

from .. import properties
from . import (
    apply_motion,
    asking,
    batch_apply,
    copy_report,
    drag_result,
    drop_files,
    find_similar,
    follow_changes,
    import_motion,
    index_library,
    keymaps,
    listing,
    manage_libraries,
    mark_results,
    reading_rig,
    result_strip,
    rig_map,
    watch_libraries,
)

_CLASSES = (
    *find_similar.CLASSES,
    *mark_results.CLASSES,
    *apply_motion.CLASSES,
    *batch_apply.CLASSES,
    *import_motion.CLASSES,
    *index_library.CLASSES,
    *manage_libraries.CLASSES,
    *rig_map.CLASSES,
    *copy_report.CLASSES,
    *drop_files.CLASSES,
    *drag_result.CLASSES,
    *result_strip.CLASSES,
)


def register() -> None:
    """Registers the operators, and what follows changes."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    follow_changes.register()
    watch_libraries.register()
    keymaps.register()
    result_strip.register()
    properties.row_pressed.append(drag_result.row_pressed)


def unregister() -> None:
    """Unregisters the operators, and forgets what was asked."""
    properties.row_pressed.remove(drag_result.row_pressed)
    keymaps.unregister()
    watch_libraries.unregister()
    follow_changes.unregister()
    reading_rig.forget_all()
    asking.forget_all()
    listing.forget_all()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
