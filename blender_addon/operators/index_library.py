# SPDX-License-Identifier: GPL-3.0-or-later
"""Update and Relink: changes to a library, beside Blender when a person asks, at once when a script does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty
from bpy.types import Context, Event

from .. import preferences, properties
from ..core import jobs, last_error, library_facts, viewports, wording
from ..core.engine import errors
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

iface = bpy.app.translations.pgettext_iface
tip = bpy.app.translations.pgettext_tip
rpt = bpy.app.translations.pgettext_rpt

library_changed: list[Callable[[str], None]] = []
"""Called with a library's folder when a task on it has ended."""

_SHOWN_FAILURES = 25


class HUMS_OT_index_library(Guarded):
    """Add new and changed motion files to the library, and forget those that are gone"""

    bl_idname = "hums.index_library"
    bl_label = "Update Library"
    bl_options = {"REGISTER"}

    directory: StringProperty(
        name="Folder", description="A folder of motion files to add; empty: those added before", subtype="DIR_PATH"
    )
    background: BoolProperty(
        name="Beside Blender", description="Go on working in Blender meanwhile", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why the library cannot be changed."""
        entries = preferences.searched(context)
        if not entries:
            return tip("Add a motion library first")
        if any(not entry.readonly for entry in entries):
            return ""
        return tip("The library {name} is read only").format(name=entries[0].name)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: Blender stays usable."""
        self.background = True
        return self.execute(context)

    def run(self, context: Context) -> None:
        """Starts indexing, and waits for its end unless a person clicked."""
        paths = [bpy.path.abspath(self.directory)] if self.directory else []
        for entry in preferences.searched(context):
            if entry.readonly:
                continue
            message = index(Path(entry.path), paths, self.background)
            if message:
                self.report({"INFO"}, message)


class HUMS_OT_add_motions(Guarded):
    """Add a folder of motion files to the library"""

    bl_idname = "hums.add_motions"
    bl_label = "Add Motion Files"
    bl_options = {"REGISTER"}

    directory: StringProperty(name="Folder", description="A folder of motion files", subtype="DIR_PATH")

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why the library cannot be changed."""
        if len(preferences.searched(context)) > 1:
            return tip("Choose one library to add files to")
        return HUMS_OT_index_library.refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Hands the folder to Update."""
        bpy.ops.hums.index_library("INVOKE_DEFAULT", directory=self.directory)


class HUMS_OT_relink_library(Guarded):
    """Tell the library where motion files are that were moved; stars and tags stay"""

    bl_idname = "hums.relink_library"
    bl_label = "Relink Moved Files"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)
    old: StringProperty(
        name="Was", description="Where the files were; empty: the folder of those that are missing", subtype="DIR_PATH"
    )
    directory: StringProperty(name="Is Now", description="The folder where the files are now", subtype="DIR_PATH")
    background: BoolProperty(
        name="Beside Blender", description="Go on working in Blender meanwhile", options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why the library cannot be changed."""
        return HUMS_OT_index_library.refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the folder."""
        self.background = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Links the files anew."""
        entry = preferences.of(context).libraries[preferences.place(context, self.index)]
        old = bpy.path.abspath(self.old) if self.old else _folder_of_missing(Path(entry.path))
        new = bpy.path.abspath(self.directory)
        if not self.directory or not Path(new).is_dir():
            raise errors.HumsError(f"There is no folder '{self.directory}': choose the folder where the files are now.")
        message = start(jobs.Task(Path(entry.path), relink=(old, new)), self.background)
        if message:
            self.report({"INFO"}, message)


def _folder_of_missing(library: Path) -> str:
    """The folder that all missing files were in.

    Raises:
        HumsError: none is missing.
    """
    missing = library_facts.look_up(library).missing
    if not missing:
        raise errors.HumsError(f"No motion file of {library.stem} is missing: all are where the library knows them.")
    folders = [Path(path).parent for path in missing]
    common = folders[0]
    while any(not folder.is_relative_to(common) for folder in folders):
        common = common.parent
    return str(common)


class HUMS_OT_show_failures(Guarded):
    """List the motion files that could not be read, with the reason"""

    bl_idname = "hums.show_failures"
    bl_label = "Files That Failed"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Shows the list."""
        return context.window_manager.invoke_popup(self, width=640)

    def draw(self, context: Context) -> None:
        """The files and what is wrong with them."""
        failed = self._failed(context)
        column = self.layout.column(align=True)
        for path, reason in failed[:_SHOWN_FAILURES]:
            column.label(text=f"{Path(path).name}: {wording.told(reason)}", icon="FILE", translate=False)
        if len(failed) > _SHOWN_FAILURES:
            more = iface("and {count} more")
            column.label(text=more.format(count=len(failed) - _SHOWN_FAILURES), translate=False)
        self.layout.operator("hums.copy_failures", icon="COPYDOWN").index = self.index

    def run(self, context: Context) -> None:
        """For scripts: the list as a report."""
        for path, reason in self._failed(context):
            self.report({"INFO"}, f"{path}: {reason}")

    def _failed(self, context: Context) -> list[tuple[str, str]]:
        entry = preferences.of(context).libraries[preferences.place(context, self.index)]
        return library_facts.known(Path(entry.path)).failed


class HUMS_OT_copy_failures(Guarded):
    """Copy the whole list to the clipboard"""

    bl_idname = "hums.copy_failures"
    bl_label = "Copy List"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)

    def run(self, context: Context) -> None:
        """Copies it."""
        entry = preferences.of(context).libraries[preferences.place(context, self.index)]
        failed = library_facts.look_up(Path(entry.path)).failed
        context.window_manager.clipboard = "".join(f"{path}: {reason}\n" for path, reason in failed)
        one, several = rpt("1 file is on the clipboard"), rpt("{count} files are on the clipboard")
        self.report({"INFO"}, wording.counted(len(failed), one, several))


class HUMS_OT_cancel_indexing(Guarded):
    """Stop adding files; those that are done stay in the library"""

    bl_idname = "hums.cancel_indexing"
    bl_label = "Cancel Indexing"
    bl_options = {"REGISTER"}

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is anything to stop."""
        return "" if jobs.is_running() else tip("Nothing is being indexed")

    def run(self, context: Context) -> None:
        """Ends the job."""
        jobs.cancel()


def index(library: Path, paths: list[str], background: bool, create: bool = False) -> str:
    """Adds ``paths`` to the library; returns what came of it, or an empty text while it goes on beside Blender.

    With ``create`` the library is made if it is missing.

    Raises:
        HumsError: it failed.
    """
    return start(jobs.Task(library, tuple(paths), create, preferences.of(bpy.context).workers), background)


def start(task: jobs.Task, background: bool) -> str:
    """Does a task; returns what came of it, or an empty text while it goes on beside Blender.

    Raises:
        HumsError: it failed.
    """
    if background and not bpy.app.background:
        jobs.start(task, _show)
        properties.session(bpy.context).outcome = ""
        return ""
    progress = jobs.IndexJob(replace(task, is_awaited=True)).update(wait=True)
    if progress.failure:
        raise errors.HumsError(progress.failure)
    return outcome(progress)


def outcome(progress: jobs.Progress) -> str:
    """What came of a task, in one sentence."""
    if progress.report is None:
        return wording.told(progress.failure)
    report = progress.report
    if "found" in report:
        text = wording.counted(len(report["found"]), rpt("1 file relinked"), rpt("{count} files relinked"))
        missing = len(report["missing"])
        return text + (", " + rpt("{count} still missing").format(count=missing) if missing else "")
    told = {"added": rpt("{count} added"), "updated": rpt("{count} updated"), "removed": rpt("{count} removed")}
    counts = [text.format(count=report[what]) for what, text in told.items() if report[what]]
    failed = report["failed"]
    if not (counts or failed or report["unchanged"]):
        return rpt("No motion files were found there: choose a folder that has some, such as BVH or FBX.")
    counts = counts or [rpt("nothing new, {count} unchanged").format(count=report["unchanged"])]
    if failed:
        text = rpt("{count} failed, such as {name}: {reason}")
        counts.append(text.format(count=len(failed), name=Path(failed[0][0]).name, reason=wording.told(failed[0][1])))
    return rpt("Motion files: {told}").format(told=", ".join(counts))


def _kind(progress: jobs.Progress) -> Literal["done", "part", "failed"]:
    """Whether a task did all that it was to do."""
    if progress.report is None:
        return "failed"
    report = progress.report
    if "found" in report:
        return "part" if report["missing"] else "done"
    did = any(report[what] for what in ("added", "updated", "removed", "unchanged"))
    return "done" if did and not report["failed"] else "part"


def _show(job: jobs.IndexJob) -> None:
    """Brings a job's progress into the panels."""
    session = properties.session(bpy.context)
    progress = job.progress
    session.indexing = jobs.is_running()
    session.progress = progress.done / progress.total if progress.total else 0.0
    session.progress_text = progress.text()
    if progress.ended:
        session.outcome, session.outcome_kind = outcome(progress), _kind(progress)
        if progress.failure:
            last_error.remember(errors.HumsError(progress.failure), f"{job.task.library.name}: Update")
        for told in library_changed:
            told(str(job.task.library))
    viewports.redraw_sidebars(bpy.context)
    viewports.redraw_status_bar()


def refuse(error: Exception) -> None:
    """Shows in the Library panel why something beside Blender came to nothing."""
    last_error.remember(error, "Library")
    session = properties.session(bpy.context)
    session.outcome, session.outcome_kind = wording.told(last_error.sentence(error)), "failed"
    viewports.redraw_sidebars(bpy.context)


class HUMS_OT_look_again(Guarded):
    """Look whether the library is reachable again, such as when its drive or file server was connected"""

    bl_idname = "hums.look_again"
    bl_label = "Try Again"
    bl_options = {"REGISTER"}

    index: IntProperty(name="Index", description="Place on the list; -1 for the library that is searched", default=-1)

    def run(self, context: Context) -> None:
        """Looks beside Blender; the panel shows what comes of it."""
        entry = preferences.of(context).libraries[preferences.place(context, self.index)]
        for told in library_changed:
            told(entry.path)


CLASSES = (
    HUMS_OT_index_library,
    HUMS_OT_add_motions,
    HUMS_OT_relink_library,
    HUMS_OT_show_failures,
    HUMS_OT_copy_failures,
    HUMS_OT_cancel_indexing,
    HUMS_OT_look_again,
)
