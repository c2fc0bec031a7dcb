# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender keeps from session to session: the libraries, and which one is searched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty
from bpy.types import AddonPreferences, Context, PropertyGroup, UILayout

from . import translations
from .core.engine import errors
from .strip_settings import HUMS_StripSettings

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

PACKAGE = __package__
ALL = "ALL"
_NUMBER_OF_ALL = 1_000_000

library_chosen: list[Callable[[Context], None]] = []
"""Called when another library, or all of them, is chosen to be searched."""

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
    if len(entries) > 1:
        entries.append((ALL, "All Libraries", "Search all libraries together", "ASSET_MANAGER", _NUMBER_OF_ALL))
    _choices[:] = entries or [("NONE", "No library yet", "Add one with the button at the side", "BLANK1", 0)]
    return _choices


def _tell_chosen(_self: HUMS_Preferences, context: Context) -> None:
    for told in library_chosen:
        told(context)


class HUMS_Preferences(AddonPreferences):
    """The add-on's page in Blender's preferences."""

    bl_idname = __package__

    libraries: CollectionProperty(type=HUMS_LibraryEntry)
    active: EnumProperty(
        name="Library",
        description="The library that is searched",
        items=_library_choices,
        update=_tell_chosen,
        translation_context=translations.OWN,
    )
    workers: IntProperty(
        name="Processes",
        description="How many processes read motion files at once; 0 for as many as are worth it",
        default=0,
        min=0,
        soft_max=16,
    )
    update_at_start: BoolProperty(
        name="When Blender Starts",
        description="Look for new and changed motion files in all libraries when Blender starts, beside your work",
    )
    update_when_chosen: BoolProperty(
        name="When a Library Is Chosen",
        description="Look for new and changed motion files in a library when it is opened or chosen, beside your work",
    )
    strip: PointerProperty(type=HUMS_StripSettings)

    def draw(self, context: Context) -> None:
        """The list of libraries with its buttons, and how they are kept up to date."""
        layout = self.layout
        layout.label(text="Motion Libraries")
        for index, entry in enumerate(self.libraries):
            _draw_entry(layout.box(), index, entry)
        row = layout.row()
        row.operator("hums.create_library", text="New from Motion Files...", icon="NEWFOLDER")
        row.operator("hums.open_library", text="Open Library...", icon="FILE_FOLDER")
        row.operator("hums.add_samples", text="Add Sample Library", icon="OUTLINER_OB_ARMATURE")
        column = layout.column()
        column.use_property_split = True
        column.prop(self, "workers")
        updates = column.column(heading="Update Libraries")
        updates.prop(self, "update_at_start")
        updates.prop(self, "update_when_chosen")


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
    """The library that is searched, or None when there is none yet, or all are searched together."""
    preferences = of(context)
    choice = preferences.active
    if not choice.isdigit() or int(choice) >= len(preferences.libraries):
        return None
    return preferences.libraries[int(choice)]


def searched(context: Context) -> list[HUMS_LibraryEntry]:
    """The libraries that are searched: one, or all."""
    preferences = of(context)
    if preferences.active == ALL:
        return list(preferences.libraries)
    one = active_library(context)
    return [] if one is None else [one]


def place(context: Context, index: int) -> int:
    """A place on the list of libraries; -1 means the one that is searched.

    Raises:
        HumsError: there is no such place, or all libraries are searched together.
    """
    entries = of(context).libraries
    if index < 0:
        active = active_library(context)
        if active is None:
            raise errors.HumsError("Choose one library first: this is about a single one.")
        return list(entries).index(active)
    if index >= len(entries):
        raise errors.HumsError(f"There is no library number {index} on the list, which has {len(entries)}.")
    return index


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
    path, all_together = active.path if active is not None else "", preferences.active == ALL
    preferences.libraries.remove(index)
    left = [entry.path for entry in preferences.libraries]
    if left and not (all_together and len(left) > 1):
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
