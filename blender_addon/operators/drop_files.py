# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion files dropped from the system's file browser onto a 3D viewport: a small menu asks what to do with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import CollectionProperty, EnumProperty, StringProperty
from bpy.types import Context, Event, FileHandler, OperatorFileListElement

from .. import preferences
from ..core import armature_reader, picking
from ..core.engine import errors
from . import chosen, index_library
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

_KINDS = (".bvh", ".fbx", ".glb", ".gltf", ".amc", ".npz", ".skeleton")
"""What a drop is offered for: kinds that Blender itself opens otherwise, such as .blend, are left to it."""


class _Dropped:
    """What was dropped last, for the menu's entries."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.rig = ""


_dropped = _Dropped()

_HOW = (
    ("query", "Find Similar", "List the motions of the library that are most like the one in the first file"),
    ("import", "Import as New Armature", "Add an armature that plays the motion, for each file"),
    ("apply", "Apply to Rig", "Put the motion of the first file on the rig"),
    ("add", "Add to Library", "Add the files to the library"),
)


class HUMS_OT_drop_files(Guarded):
    """Use motion files as a query, import them, apply them to the rig under the mouse, or add them to the library"""

    bl_idname = "hums.drop_files"
    bl_label = "Motion Files"
    bl_options = {"REGISTER"}

    directory: StringProperty(name="Folder", description="Folder of the files", subtype="DIR_PATH")
    files: CollectionProperty(type=OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    how: EnumProperty(
        name="Do",
        description="What to do with the files",
        items=_HOW,
    )

    @classmethod
    def description(cls, _context: Context, settings: HUMS_OT_drop_files) -> str:
        """The tooltip of each entry of the menu."""
        return chosen.description_of(_HOW, settings.how)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """The drop: asks what to do."""
        _dropped.paths = self._paths()
        spot = picking.spot_at(context.window, event.mouse_x, event.mouse_y)
        rig = picking.target_at(context, spot).rig if spot is not None else None
        _dropped.rig = rig.name if rig is not None else ""
        bpy.ops.wm.call_menu(name="HUMS_MT_dropped_files")
        return {"FINISHED"}

    def run(self, context: Context) -> None:
        """Does it."""
        if self._paths():  # from a script, not out of the menu
            _dropped.paths, _dropped.rig = self._paths(), ""
        paths = _dropped.paths
        if not paths:
            raise errors.HumsError("No file was dropped: drop motion files onto the 3D viewport.")
        {"query": _find, "import": _import, "apply": _apply, "add": _add}[self.how](context, paths)

    def _paths(self) -> list[str]:
        return [str(Path(self.directory, file.name)) for file in self.files if file.name]


def rig_name() -> str:
    """Name of the rig that files were dropped on, or empty."""
    return _dropped.rig


def _find(_context: Context, paths: list[str]) -> None:
    bpy.ops.hums.find_like_file("INVOKE_DEFAULT", filepath=paths[0])


def _import(_context: Context, paths: list[str]) -> None:
    for path in paths:
        bpy.ops.hums.import_motion("EXEC_DEFAULT", True, filepath=path)


def _apply(context: Context, paths: list[str]) -> None:
    rig = bpy.data.objects.get(_dropped.rig) or armature_reader.rig_of(context.active_object)
    context.view_layer.objects.active = rig
    bpy.ops.hums.apply_motion("INVOKE_DEFAULT", True, filepath=paths[0])


def _add(context: Context, paths: list[str]) -> None:
    entry = preferences.active_library(context)
    if entry is None or entry.readonly:
        raise errors.HumsError("Choose a library that is not read only first, in the sidebar's Motion tab.")
    index_library.index(Path(entry.path), paths, background=True)


class HUMS_FH_motion_files(FileHandler):
    """Takes motion files that are dropped onto a 3D viewport."""

    bl_idname = "HUMS_FH_motion_files"
    bl_label = "Find, Apply or Import Motion"
    bl_import_operator = "hums.drop_files"
    bl_file_extensions = ";".join(_KINDS)

    @classmethod
    def poll_drop(cls, context: Context) -> bool:
        """Whether they are over a 3D viewport."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (HUMS_OT_drop_files, HUMS_FH_motion_files)
