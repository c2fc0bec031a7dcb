# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with results on the list: star, tag, hide, copy the name, show the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty, StringProperty
from bpy.types import Context, Event

from .. import preferences, properties, translations
from ..core import background, libraries
from ..core.engine import errors, library
from . import asking, listing
from .chosen import result_at, result_refusal
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.


class _OnResult(Guarded):
    """An operator on one result."""

    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place in the list of results; -1 for the active one", default=-1)

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is a result."""
        return result_refusal(context)


class HUMS_OT_star_motion(_OnResult):
    """Mark the motion with a star in its library, or take the star away"""

    bl_idname = "hums.star_motion"
    bl_label = "Star"

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: the library is written beside Blender."""
        return self.guard(lambda: self._star(context, beside=True))

    def run(self, context: Context) -> None:
        """Marks it."""
        self._star(context, beside=False)

    def _star(self, context: Context, beside: bool) -> None:
        result = result_at(context, self.index)
        starred = not result.starred
        _mark(context, result, lambda opened, clip: opened.set_favourite(clip, starred), beside, favourite=starred)


class HUMS_OT_tag_motion(_OnResult):
    """Give the motion tags in its library"""

    bl_idname = "hums.tag_motion"
    bl_label = "Edit Tags"

    tags: StringProperty(
        name="Tags",
        description="Words separated by commas, such as: hero, tired",
        translation_context=translations.OWN,
    )

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the tags."""
        return self.guard(lambda: self._begin(context)) - {"FINISHED"} or {"RUNNING_MODAL"}

    def _begin(self, context: Context) -> None:
        result = result_at(context, self.index)
        _check_writable(context, result.library)
        self.tags = result.tags
        context.window_manager.invoke_props_dialog(self)

    def run(self, context: Context) -> None:
        """Writes them."""
        result = result_at(context, self.index)
        tags = tuple(sorted({" ".join(tag.split()) for tag in self.tags.split(",")} - {""}))
        beside = not bpy.app.background
        _mark(context, result, lambda opened, clip: opened.set_tags(clip, tags), beside, tags=tags)


def _mark(
    context: Context,
    result: properties.HUMS_Result,
    write: Callable[[library.Library, int], None],
    beside: bool,
    **marks: object,
) -> None:
    """Writes a mark into the library, then shows it."""
    _check_writable(context, result.library)
    folder, clip_id = Path(result.library), int(result.clip_id)

    def work() -> None:
        with libraries.open_for_marks(folder) as opened:
            write(opened, clip_id)

    def show() -> None:
        listing.change(bpy.context, folder, clip_id, **marks)

    if beside and not bpy.app.background:
        background.start(work, lambda _: show(), asking.refuse)
    else:
        work()
        show()


def _check_writable(context: Context, folder: str) -> None:
    """Refuses to mark in a library that must not be changed.

    Raises:
        HumsError: it is read only.
    """
    entry = next((entry for entry in preferences.of(context).libraries if entry.path == folder), None)
    if entry is not None and entry.readonly:
        raise errors.HumsError(
            f"The library {entry.name} is read only, so nothing can be marked in it: switch Read Only off in the "
            "add-on's preferences, or ask whoever keeps it."
        )


class HUMS_OT_hide_result(_OnResult):
    """Take the motion off the list, also in later searches, until Show Hidden"""

    bl_idname = "hums.hide_result"
    bl_label = "Hide"

    def run(self, context: Context) -> None:
        """Hides it."""
        result = result_at(context, self.index)
        listing.hide(context, [(Path(result.library), int(result.clip_id))])


class HUMS_OT_show_hidden(Guarded):
    """Bring the motions back that were hidden"""

    bl_idname = "hums.show_hidden"
    bl_label = "Show Hidden"
    bl_options = {"REGISTER"}

    def run(self, context: Context) -> None:
        """Shows them."""
        listing.show_hidden(context)


class HUMS_OT_copy_name(_OnResult):
    """Copy the motion's name to the clipboard"""

    bl_idname = "hums.copy_name"
    bl_label = "Copy Name"

    def run(self, context: Context) -> None:
        """Copies it."""
        context.window_manager.clipboard = result_at(context, self.index).name


class HUMS_OT_show_file(_OnResult):
    """Show the motion's file in the system's file browser"""

    bl_idname = "hums.show_file"
    bl_label = "Show in File Browser"

    def run(self, context: Context) -> None:
        """Opens the folder that the file is in."""
        path = Path(result_at(context, self.index).source)
        if not path.exists():
            raise errors.HumsError(f"{path.name} is not in {path.parent} any more: relink the library's missing files.")
        bpy.ops.wm.path_open(filepath=str(path.parent))


CLASSES = (
    HUMS_OT_star_motion,
    HUMS_OT_tag_motion,
    HUMS_OT_hide_result,
    HUMS_OT_show_hidden,
    HUMS_OT_copy_name,
    HUMS_OT_show_file,
)
