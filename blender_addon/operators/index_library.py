# SPDX-License-Identifier: GPL-3.0-or-later
"""Update: motion files into the library, beside Blender when a person asks, at once when a script does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event

from .. import preferences, properties
from ..core import jobs
from ..core.engine import errors
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.


class HUMS_OT_index_library(Guarded):
    """Add new and changed motion files to the library"""

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
        entry = preferences.active_library(context)
        if entry is None:
            return "Add a motion library first"
        if entry.readonly:
            return f"The library {entry.name} is read only"
        return "Another library is being indexed" if jobs.is_running() else ""

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: Blender stays usable."""
        self.background = True
        return self.execute(context)

    def run(self, context: Context) -> None:
        """Starts indexing, and waits for its end unless a person clicked."""
        entry = preferences.active_library(context)
        assert entry is not None  # poll has seen it
        paths = [bpy.path.abspath(self.directory)] if self.directory else []
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
        return HUMS_OT_index_library.refusal(context)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """Asks for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """Hands the folder to Update."""
        bpy.ops.hums.index_library("INVOKE_DEFAULT", directory=self.directory)


class HUMS_OT_cancel_indexing(Guarded):
    """Stop adding files; those that are done stay in the library"""

    bl_idname = "hums.cancel_indexing"
    bl_label = "Cancel Indexing"
    bl_options = {"REGISTER"}

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Whether there is anything to stop."""
        return "" if jobs.is_running() else "Nothing is being indexed"

    def run(self, context: Context) -> None:
        """Ends the job."""
        jobs.cancel()


def index(library: Path, paths: list[str], background: bool, create: bool = False) -> str:
    """Adds ``paths`` to the library; returns what came of it, or an empty text while it goes on beside Blender.

    With ``create`` the library is made if it is missing.

    Raises:
        HumsError: it failed.
    """
    job = jobs.IndexJob(library, paths, create)
    if background and not bpy.app.background:
        jobs.start(job, _show)
        return ""
    progress = job.update(wait=True)
    if progress.failure:
        raise errors.HumsError(progress.failure)
    return outcome(progress)


def outcome(progress: jobs.Progress) -> str:
    """What came of indexing, in one sentence."""
    if progress.report is None:
        return progress.failure
    report = progress.report
    counts = [f"{report[what]} {what}" for what in ("added", "updated", "removed") if report[what]]
    text = ", ".join(counts) or f"nothing new, {report['unchanged']} unchanged"
    failed = report["failed"]
    if failed:
        text += f", {len(failed)} failed, such as {Path(failed[0][0]).name}: {failed[0][1]}"
    return f"Motion files: {text}"


def _show(job: jobs.IndexJob) -> None:
    """Brings a job's progress into the panels."""
    session = properties.session(bpy.context)
    progress = job.progress
    session.indexing = not progress.ended
    session.progress = progress.done / progress.total if progress.total else 0.0
    session.progress_text = progress.text()
    if progress.ended:
        session.outcome, session.outcome_failed = outcome(progress), bool(progress.failure)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


CLASSES = (HUMS_OT_index_library, HUMS_OT_add_motions, HUMS_OT_cancel_indexing)
