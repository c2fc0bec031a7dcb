# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender keeps from session to session: the libraries, and which one is searched."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, PointerProperty, StringProperty
from bpy.types import AddonPreferences, Context, PropertyGroup, UILayout

from .strip_settings import HUMS_StripSettings

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

_choices: list[tuple[str, str, str, str, int]] = []  # Blender does not keep the texts of a menu alive: this does


class HUMS_LibraryEntry(PropertyGroup):
    """One library that the person works with."""

    name: StringProperty(name="Name", description="What the library is called in Blender")
    path: StringProperty(name="Folder", description="The library's folder, which ends in .hums", subtype="DIR_PATH")
    readonly: BoolProperty(
        name="Read Only", description="Never change this library from here, because others share it", default=False
    )


def _library_choices(self: HUMS_Preferences, context: Context | None) -> list[tuple[str, str, str, str, int]]:
    entries = [(str(i), entry.name, entry.path, "FILE_FOLDER", i) for i, entry in enumerate(self.libraries)]
    _choices[:] = entries or [("NONE", "No library yet", "Add one with the button at the side", "BLANK1", 0)]
    return _choices


class HUMS_Preferences(AddonPreferences):
    """The add-on's page in Blender's preferences."""

    bl_idname = __package__

    libraries: CollectionProperty(type=HUMS_LibraryEntry)
    active: EnumProperty(name="Library", description="The library that is searched", items=_library_choices)
    strip: PointerProperty(type=HUMS_StripSettings)

    def draw(self, context: Context) -> None:
        """The list of libraries with its buttons."""
        layout = self.layout
        layout.label(text="Motion Libraries")
        for index, entry in enumerate(self.libraries):
            _draw_entry(layout.box(), index, entry)
        row = layout.row()
        row.operator("hums.create_library", text="New from Motion Files...", icon="NEWFOLDER")
        row.operator("hums.open_library", text="Open Library...", icon="FILE_FOLDER")
        row.operator("hums.add_samples", text="Add Sample Library", icon="OUTLINER_OB_ARMATURE")


def _draw_entry(box: UILayout, index: int, entry: HUMS_LibraryEntry) -> None:
    row = box.row()
    row.prop(entry, "name", text="")
    row.prop(entry, "readonly")
    row.operator("hums.show_library_folder", text="", icon="FILEBROWSER").index = index
    row.operator("hums.remove_library", text="", icon="X").index = index
    box.prop(entry, "path", text="")


def of(context: Context) -> HUMS_Preferences:
    """The add-on's preferences."""
    return context.preferences.addons[__package__].preferences  # type: ignore[return-value]


def active_library(context: Context) -> HUMS_LibraryEntry | None:
    """The library that is searched, or None when there is none yet."""
    preferences = of(context)
    choice = preferences.active
    if not choice.isdigit() or int(choice) >= len(preferences.libraries):
        return None
    return preferences.libraries[int(choice)]


def add_library(context: Context, path: Path, readonly: bool = False) -> HUMS_LibraryEntry:
    """Lists the library at ``path``, once, and makes it the one that is searched."""
    preferences = of(context)
    paths = [Path(entry.path) for entry in preferences.libraries]
    if path not in paths:
        entry = preferences.libraries.add()
        entry.name, entry.path, entry.readonly = path.stem, str(path), readonly
        paths.append(path)
    preferences.active = str(paths.index(path))
    context.preferences.is_dirty = True
    return preferences.libraries[paths.index(path)]


def remove_library(context: Context, index: int) -> None:
    """Takes a library off the list; its folder stays."""
    preferences = of(context)
    active = active_library(context)
    path = active.path if active is not None else ""
    preferences.libraries.remove(index)
    left = [entry.path for entry in preferences.libraries]
    if left:
        preferences.active = str(left.index(path) if path in left else 0)
    context.preferences.is_dirty = True


_CLASSES = (HUMS_LibraryEntry, HUMS_Preferences)


def register() -> None:
    """Registers the preferences."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Unregisters the preferences."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
