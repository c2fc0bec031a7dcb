# SPDX-License-Identifier: GPL-3.0-or-later
"""Many motions onto the active rig, each as an action of its own; and a result into the Asset Browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty
from bpy.types import Context, Event, UILayout

from .. import landing_options, properties
from ..core import armature_reader, batch, motion_assets, wording
from ..core.batch import Outcome, Wanted
from ..core.engine import errors
from .apply_motion import library_path
from .chosen import rig_refusal
from .guarded import Guarded

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

# pyright: reportInvalidTypeForm=false
# Blender reads properties out of annotations.

iface = bpy.app.translations.pgettext_iface
tip = bpy.app.translations.pgettext_tip
rpt = bpy.app.translations.pgettext_rpt

_ONCE = {"SKIP_SAVE"}
_HIDDEN = {"HIDDEN", "SKIP_SAVE"}
_TICK_S = 0.01
_FIRST_FRAME = 1
_ONE_COLUMN = 12


class HUMS_OT_apply_motions(landing_options.LandingOptions, Guarded):
    """Make an action of the active rig of each motion; the rig keeps the one that it has"""

    bl_idname = "hums.apply_motions"
    bl_label = "Apply Motions as Actions"
    bl_options = {"REGISTER", "UNDO"}

    which: EnumProperty(
        name="Motions",
        description="Which results to take, if no file and no clip is named",
        items=(
            ("all", "All Results", "All motions that are listed"),
            ("starred", "Starred Results", "Those of them that are marked with a star"),
            ("picked", "Picked Results", "Those that are ticked below"),
        ),
        options=_ONCE,
    )
    clip_ids: StringProperty(
        name="Clips", description="Ids of motions in the library, separated by commas", options=_HIDDEN
    )
    library: StringProperty(name="Library", description="The clips' library; empty: the one searched", options=_HIDDEN)
    directory: StringProperty(
        name="Folder", description="The folder of the motion files", subtype="DIR_PATH", options=_HIDDEN
    )
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement,  # pyright: ignore[reportAttributeAccessIssue]
        options=_HIDDEN,
    )
    as_assets: BoolProperty(
        name="Mark as Assets",
        description="Show the actions in the Asset Browser, with a picture and the tags of the motions",
        options=_ONCE,
    )
    catalog: StringProperty(
        name="Catalog",
        description="Catalog of the assets, such as Motions/Walks; it is made when the file has been saved",
        options=_ONCE,
    )

    _rig = ""
    _outcome: Outcome
    _steps: Iterator[int]
    _count = 0
    _timer: Any = None

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is no rig to put them on."""
        return rig_refusal(context)

    def draw(self, context: Context) -> None:
        """The settings before the work."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        if not self.files and not self.clip_ids:
            layout.prop(self, "which")
            if self.which == "picked":
                _draw_picks(layout, context)
        layout.prop(self, "as_assets")
        row = layout.row()
        row.active = self.as_assets
        row.prop(self, "catalog")
        layout.separator()
        layout.prop(self, "root")
        landing_options.draw_body(layout, self)

    def invoke(self, context: Context, _event: Event) -> set[OperatorReturnItems]:
        """A person's click: asks how, then works beside the status bar."""
        landing_options.take_over(self, properties.session(context).landing)
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """All at once for scripts; a step at a time where a person waits."""
        waits = self.options.is_invoke and not self.options.is_repeat  # not from the redo panel
        if bpy.app.background or context.window is None or not waits:
            return super().execute(context)
        try:
            self._begin(context)
        except errors.HumsError as error:
            self.report({"ERROR"}, wording.told(str(error)))
            return {"CANCELLED"}
        context.window_manager.progress_begin(0, self._count)
        self._timer = context.window_manager.event_timer_add(_TICK_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        self._show(context, 0)
        return {"RUNNING_MODAL"}

    def run(self, context: Context) -> None:
        """All at once."""
        self._begin(context)
        for _ in self._steps:
            pass
        self._tell(context)

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """One motion a tick; Escape stops, and what is done is kept."""
        if event.type == "ESC":
            return self._end(context)
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        try:
            done = next(self._steps, None)
        except errors.HumsError as error:
            self.cancel(context)
            self.report({"ERROR"}, wording.told(str(error)))
            return {"CANCELLED"}
        except Exception:
            self.cancel(context)  # or the status bar would go on telling of it
            raise
        if done is None:
            return self._end(context)
        self._show(context, done)
        return {"RUNNING_MODAL"}

    def cancel(self, context: Context) -> None:
        """Puts away what shows how far it is; Blender calls it when a window or a file is closed meanwhile."""
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)

    def _begin(self, context: Context) -> None:
        rig = armature_reader.rig_of(context.active_object)
        wanted = self._wanted(context)
        chosen = replace(landing_options.landing(self, _FIRST_FRAME, 0.0), mode="aside")
        mark = motion_assets.AssetMark(catalog=self.catalog, folder=motion_assets.folder_of_file())
        self._rig, self._outcome, self._count = rig.name, Outcome(), len(wanted)
        given = mark if self.as_assets else None
        self._steps = batch.steps(rig, wanted, chosen, context.scene, given, self._outcome)

    def _show(self, context: Context, done: int) -> None:
        context.window_manager.progress_update(done)
        told = iface("Motions as actions: {done} of {total}. Esc stops and keeps what is done.")
        context.workspace.status_text_set(told.format(done=done, total=self._count))

    def _end(self, context: Context) -> set[OperatorReturnItems]:
        self.cancel(context)
        self._tell(context)
        return {"FINISHED"} if self._outcome.made else {"CANCELLED"}

    def _tell(self, context: Context) -> None:
        told = self._outcome.told(bpy.data.objects[self._rig])
        if self.as_assets and self.catalog and motion_assets.folder_of_file() is None:
            told += rpt("; save the file first to put them into a catalog")
        self.report({"WARNING" if self._outcome.failed else "INFO"}, told)

    def _wanted(self, context: Context) -> list[Wanted]:
        """The motions that are named, else the results.

        Raises:
            HumsError: there are none.
        """
        if self.files:
            folder = Path(bpy.path.abspath(self.directory))
            return [Wanted(Path(one.name).stem, file=str(folder / one.name)) for one in self.files if one.name]
        if self.clip_ids:
            path = library_path(context, self.library)
            return [batch.of_clip(path, number.strip()) for number in self.clip_ids.split(",") if number.strip()]
        found = [result for result in properties.session(context).results if self._takes(result)]
        if not found and self.which == "picked":
            raise errors.HumsError("No result is picked: tick those to take.")
        if not found:
            raise errors.HumsError("There are no such results: search first, or name files or clips.")
        return [wanted_of(context, result) for result in found]

    def _takes(self, result: properties.HUMS_Result) -> bool:
        return {"all": True, "starred": result.starred, "picked": result.picked}[self.which]


def _draw_picks(layout: UILayout, context: Context) -> None:
    """The results, to be ticked; in two columns where they are many."""
    results = properties.session(context).results
    flow = layout.box().column_flow(columns=1 if len(results) <= _ONE_COLUMN else 2, align=True)
    flow.use_property_split = False
    for result in results:
        flow.prop(result, "picked", text=result.name)


class HUMS_OT_result_to_asset(Guarded):
    """Make the chosen result an action of the active rig, and show it in the Asset Browser"""

    bl_idname = "hums.result_to_asset"
    bl_label = "Result to Asset Browser"
    bl_options = {"REGISTER", "UNDO"}

    catalog: StringProperty(name="Catalog", description="Catalog of the asset, such as Motions/Walks")

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why there is nothing to make an asset of."""
        session = properties.session(context)
        if not 0 <= session.active_result < len(session.results):
            return tip("Search first, and choose a result")
        return rig_refusal(context)

    def run(self, context: Context) -> None:
        """Makes the asset."""
        session = properties.session(context)
        rig = armature_reader.rig_of(context.active_object)
        wanted = wanted_of(context, session.results[session.active_result])
        mark = motion_assets.AssetMark(catalog=self.catalog, folder=motion_assets.folder_of_file())
        chosen = replace(landing_options.landing(session.landing, _FIRST_FRAME, 0.0), mode="aside")
        outcome = batch.run(rig, [wanted], chosen, context.scene, mark)
        if outcome.failed:
            raise errors.HumsError(outcome.failed[0][1])
        told = rpt("{action} is an asset of this file, an action for {rig}")
        self.report({"INFO"}, told.format(action=outcome.made[0].name, rig=rig.name))


def wanted_of(context: Context, result: properties.HUMS_Result) -> Wanted:
    """A result as a motion to be put on a rig: the stretch that was found, unless the person wants all of it."""
    session = properties.session(context)
    start_s, end_s = properties.taken_s(session, result)
    return Wanted(
        name=result.name,
        library=result.library,
        clip_id=result.clip_id,
        start_s=start_s,
        end_s=end_s,
        mirrored=properties.is_mirrored(session, result),
        tags=tuple(tag.strip() for tag in result.tags.split(",") if tag.strip()),
    )


CLASSES = (HUMS_OT_apply_motions, HUMS_OT_result_to_asset)
