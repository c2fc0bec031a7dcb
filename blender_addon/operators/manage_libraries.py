# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries on the list: made from motion files, opened, shown, and taken off again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty
from bpy.types import Context, Event

from .. import preferences
from ..core import background, libraries, library_facts
from ..core.engine import ADDON_FOLDER, errors
from . import index_library
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

tip = bpy.app.translations.pgettext_tip

_SUFFIX = ".hums"
_SAMPLES = ADDON_FOLDER / "samples"


class HUMS_OT_create_library(Guarded):
    """Make a library of all motion files in a folder and the folders in it"""

    bl_idname = "hums.create_library"
    bl_label = "New Library from Motion Files"
    bl_options = {"REGISTER"}

    directory: StringProperty(name="Folder", description="A folder of motion files", subtype="DIR_PATH")
    library: StringProperty(
        name="Library", description="Folder of the new library; empty: in Blender's user folder", subtype="DIR_PATH"
    )
    background: BoolProperty(
        name="Beside Blender", description="Go on working in Blender meanwhile", options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the folder."""
        self.background = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Makes the library and fills it."""
        files = Path(bpy.path.abspath(self.directory))
        if not self.directory or not files.is_dir():
            raise errors.HumsError(f"There is no folder '{self.directory}': choose a folder with motion files in it.")
        library = Path(bpy.path.abspath(self.library)) if self.library else user_library(files.name or "Motions")
        message = index_library.index(_with_suffix(library), [str(files)], self.background, create=True)
        preferences.add_library(context, _with_suffix(library))
        if message:
            self.report({"INFO"}, message)


class HUMS_OT_add_samples(Guarded):
    """Make a library of the sample motions that came with the add-on: walks, runs, jumps, dances and more"""

    bl_idname = "hums.add_samples"
    bl_label = "Add Sample Library"
    bl_options = {"REGISTER"}

    background: BoolProperty(
        name="Beside Blender", description="Go on working in Blender meanwhile", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether the samples are there."""
        return "" if _SAMPLES.is_dir() else tip("This build of the add-on came without samples")

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: Blender stays usable."""
        self.background = True
        return self.execute(context)

    def run(self, context: Context) -> None:
        """Makes the library and fills it."""
        library = user_library("Samples")
        message = index_library.index(library, [str(_SAMPLES)], self.background, create=True)
        preferences.add_library(context, library)
        if message:
            self.report({"INFO"}, message)


class HUMS_OT_open_library(Guarded):
    """Search a library that exists already, such as one that your studio shares"""

    bl_idname = "hums.open_library"
    bl_label = "Open Library"
    bl_options = {"REGISTER"}

    directory: StringProperty(
        name="Library", description="The library's folder, which ends in .hums", subtype="DIR_PATH"
    )
    readonly: BoolProperty(name="Read Only", description="Never change the library from here", default=False)
    background: BoolProperty(
        name="Beside Blender", description="Go on working in Blender meanwhile", options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the folder."""
        self.background = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Opens it once, so that what is wrong with it is said now; a library on a server may take its time."""
        path, readonly = Path(bpy.path.abspath(self.directory)), self.readonly
        if self.background and not bpy.app.background:
            background.start(
                lambda: libraries.open_library(path),
                lambda _: _list(path, readonly),
                index_library.refuse,
            )
            return
        libraries.open_library(path)
        preferences.add_library(context, path, readonly)


def _list(path: Path, readonly: bool) -> None:
    preferences.add_library(bpy.context, path, readonly)


class HUMS_OT_remove_library(Guarded):
    """Take the library off the list; its folder stays where it is"""

    bl_idname = "hums.remove_library"
    bl_label = "Remove Library from List"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is one."""
        return "" if preferences.of(context).libraries else tip("There is no library on the list")

    def run(self, context: Context) -> None:
        """Takes it off."""
        index = preferences.place(context, self.index)
        folder = Path(preferences.of(context).libraries[index].path)
        preferences.remove_library(context, index)
        library_facts.forget(folder)
        if bpy.app.background:
            libraries.forget(folder)
        else:  # a search in it may be on its way, and has it open
            background.start(lambda: libraries.forget(folder), lambda _: None)


class HUMS_OT_show_library_folder(Guarded):
    """Show the library's folder in the system's file browser"""

    bl_idname = "hums.show_library_folder"
    bl_label = "Show Library Folder"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is one."""
        return HUMS_OT_remove_library.refusal(context)

    def run(self, context: Context) -> None:
        """Opens the folder."""
        bpy.ops.wm.path_open(filepath=preferences.of(context).libraries[preferences.place(context, self.index)].path)


def user_library(name: str) -> Path:
    """Where a library of this name is kept for the person: outside the add-on's folder, so updates leave it alone."""
    package = (__package__ or "").rpartition(".")[0]
    return Path(bpy.utils.extension_path_user(package, path="libraries")) / (name + _SUFFIX)


def _with_suffix(library: Path) -> Path:
    return library if library.suffix == _SUFFIX else library.with_name(library.name + _SUFFIX)


class HUMS_OT_show_preferences(Guarded):
    """Show the add-on's page in Blender's preferences"""

    bl_idname = "hums.show_preferences"
    bl_label = "Preferences"
    bl_options = {"REGISTER"}

    def run(self, context: Context) -> None:
        """Opens the page."""
        bpy.ops.preferences.addon_show(module=preferences.PACKAGE)


CLASSES = (
    HUMS_OT_show_preferences,
    HUMS_OT_create_library,
    HUMS_OT_add_samples,
    HUMS_OT_open_library,
    HUMS_OT_remove_library,
    HUMS_OT_show_library_folder,
)
