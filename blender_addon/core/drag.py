# SPDX-License-Identifier: GPL-3.0-or-later
"""A result that is being dragged: what it is, what it is over, and what would become of it there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
from bpy.types import Context, Object

from . import armature_reader, landing, picking, preview_motions, rig_map, wording
from .engine import errors
from .preview_motions import Clip

iface = bpy.app.translations.pgettext_iface


@dataclass(frozen=True)
class Drag:
    """A drag as it is now.

    Attributes:
        clip: what is dragged.
        name: what a person calls it.
        target: what is under the mouse, None outside of all viewports.
        refusal: why it cannot be dropped there, in one sentence; empty when it can.
        in_place: whether the figure is to stay over its start.
    """

    clip: Clip
    name: str
    target: picking.Target | None = None
    refusal: str = ""
    in_place: bool = False

    @property
    def promise(self) -> str:
        """What would come of it, or why nothing would."""
        if self.target is None:
            return iface("Drag onto a rig or the floor of a 3D viewport")
        if self.refusal:
            return self.refusal
        if self.target.rig is not None:
            told = iface("Apply to {rig}, in place") if self.in_place else iface("Apply to {rig}")
            return told.format(rig=self.target.rig.name)
        return iface("Add as a new armature here")


_current: list[Drag] = []


def current() -> Drag | None:
    """The drag that is on, or None."""
    return _current[0] if _current else None


def begin(clip: Clip, name: str) -> None:
    """A result is picked up."""
    _current[:] = [Drag(clip, name)]
    preview_motions.shared.want([clip])


def move(context: Context, spot: picking.Spot | None, in_place: bool) -> Drag:
    """The mouse is over ``spot`` now."""
    target = picking.target_at(context, spot) if spot is not None else None
    _current[0] = replace(_current[0], target=target, refusal=_refusal(target), in_place=in_place)
    return _current[0]


def end() -> None:
    """The result is let go."""
    _current.clear()


def _refusal(target: picking.Target | None) -> str:
    if target is None:
        return ""
    if target.rig is None:
        return "" if target.floor is not None else iface("There is no floor here: drop lower, or on a rig")
    return rig_refusal(target.rig)


def rig_refusal(rig: Object) -> str:
    """Why a motion cannot be dropped on a rig, or empty."""
    try:
        landing.check_can_be_animated(rig)
        with armature_reader.named(rig):
            rig_map.joint_map_of(rig)
    except errors.HumsError as error:
        return wording.clause(error)
    return ""
