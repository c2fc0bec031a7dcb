# SPDX-License-Identifier: GPL-3.0-or-later
"""Many motions onto one rig: each as an action of its own that is kept for later, or one after the other in time.

Buttons take a step at a time, so that Blender can show how far it is and be stopped; scripts take all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import bpy
from bpy.types import Action, Object, Scene

from . import armature_reader, held_channels, landing, libraries, motion_assets, rig_map, wording
from .engine import canonical, errors, formats
from .landing import Landed, Landing
from .motion_assets import AssetMark

rpt = bpy.app.translations.pgettext_rpt


@dataclass(frozen=True)
class Wanted:
    """A motion to be put on the rig.

    Attributes:
        name: what a person calls it.
        library: folder of its library, where it is in one.
        clip_id: its id there.
        file: a motion file, where it is in none.
        start_s: where the stretch to take starts.
        end_s: where it ends; 0: with the motion.
        mirrored: whether left and right are exchanged.
        tags: what an asset of it is tagged with.
    """

    name: str
    library: str = ""
    clip_id: str = ""
    file: str = ""
    start_s: float = 0.0
    end_s: float = 0.0
    mirrored: bool = False
    tags: tuple[str, ...] = ()

    def motion(self) -> canonical.CanonicalMotion:
        """The stretch.

        Raises:
            HumsError: the file or the clip cannot be had.
        """
        if self.file:
            whole = canonical.canonicalize(formats.load(bpy.path.abspath(self.file)))
        else:
            whole = libraries.stored_motion(Path(self.library), self.clip_id)
        cut = whole.cut(self.start_s, self.end_s)
        return cut.mirror_image() if self.mirrored else cut


def of_clip(library: Path, clip_id: str) -> Wanted:
    """A whole clip of a library.

    Raises:
        HumsError: there is no such clip.
    """
    known = libraries.clip(library, clip_id)
    return Wanted(known.name, library=str(library), clip_id=str(known.id), tags=tuple(known.tags))


@dataclass
class Outcome:
    """What came of a batch so far.

    Attributes:
        made: the actions.
        count: how many motions they hold.
        plays: whether the rig plays them.
        failed: the motions that failed, with the reason.
        left: bones of which something was left alone, in the order found.
    """

    made: list[Action] = field(default_factory=list)
    count: int = 0
    plays: bool = False
    failed: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def told(self, rig: Object) -> str:
        """One sentence."""
        one, more = (
            (rpt("{count} motion is on {rig}"), rpt("{count} motions are on {rig}"))
            if self.plays
            else (rpt("{count} motion is an action for {rig}"), rpt("{count} motions are actions for {rig}"))
        )
        text = (one if self.count == 1 else more).format(count=self.count, rig=rig.name)
        if self.failed:
            name, reason = self.failed[0]
            failed = rpt("{count} failed, such as {name}: {reason}")
            text += "; " + failed.format(count=len(self.failed), name=name, reason=wording.clause(reason))
        return text + held_channels.told(self.left)


def steps(
    rig: Object, wanted: Sequence[Wanted], chosen: Landing, scene: Scene, mark: AssetMark | None, outcome: Outcome
) -> Iterator[int]:
    """Puts each motion on the rig; yields how many are done after each.

    Unless they are kept aside, each starts where the one before it has ended. What fails is listed in the outcome, and
    the others go on.

    Raises:
        HumsError: the rig cannot be animated at all, or is not that of a human figure.
    """
    landing.check_can_be_animated(rig, chosen.mode)
    with armature_reader.named(rig):
        rig_map.joint_map_of(rig)
    outcome.plays = chosen.mode != "aside"
    for done, one in enumerate(wanted, start=1):
        try:
            landed = _apply(rig, one, chosen, scene, mark, outcome)
            chosen = replace(chosen, frame=landed.last + 1) if outcome.plays else chosen
        except errors.HumsError as error:
            outcome.failed.append((one.name, str(error)))
        yield done


def _apply(rig: Object, one: Wanted, chosen: Landing, scene: Scene, mark: AssetMark | None, outcome: Outcome) -> Landed:
    motion = one.motion()
    landed = landing.land(rig, motion, chosen, scene)
    if landed.action not in outcome.made:
        outcome.made.append(landed.action)
    outcome.count += 1
    outcome.left += [name for name in landed.left if name not in outcome.left]
    if mark is not None:
        motion_assets.mark(landed.action, motion, replace(mark, tags=(*mark.tags, *one.tags)))
    return landed


def run(
    rig: Object,
    wanted: Sequence[Wanted],
    chosen: Landing,
    scene: Scene,
    mark: AssetMark | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Outcome:
    """All steps at once.

    Raises:
        HumsError: as `steps`.
    """
    outcome = Outcome()
    for done in steps(rig, wanted, chosen, scene, mark, outcome):
        if progress is not None:
            progress(done, len(wanted))
    return outcome
