# SPDX-License-Identifier: GPL-3.0-or-later
"""How a clip lands on a rig: as a new action, in the action that is there, or as a strip.

The clip becomes tracks (`tracks`), what must be left alone is left out (`held_channels`), what is there is blended in,
keys are thinned, and one of the modes writes them. Nothing else about the rig or the scene changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import bpy
import numpy as np
from bpy.types import Action, Object, Scene
from numpy.typing import NDArray

from . import action_api, armature_reader, control_rig, held_channels, key_table, provenance, rig_map, tracks
from .action_api import OwnAction
from .engine import armature, blending, canonical, errors, key_reduction, mapping, retarget
from .key_table import KeyTable
from .tracks import Track

Array = NDArray[np.float64]
Mode = Literal["new", "replace", "insert", "strip", "aside"]


@dataclass(frozen=True)
class Reduction:
    """How far from the clip its curves may be with fewer keys.

    Attributes:
        degrees: of each bone's rotation.
        millimetres: of each location.
        smooth: Bezier curves; else straight lines.
    """

    degrees: float
    millimetres: float
    smooth: bool = True


@dataclass(frozen=True)
class Landing:
    """What a person chose.

    Attributes:
        options: how the clip is retargeted.
        mode: "new" action; "replace" the keys of its frames in the action that is there; "insert" it there and shift
            what comes later; a "strip" on an NLA track of its own; an action kept "aside" for later, which nothing
            plays yet.
        frame: where the clip's start (its anchor, where it has one) lands.
        continues: start where the rig's pose stands at that frame, and face as it does.
        blend_in: frames over which what is there becomes the clip.
        blend_out: frames over which the clip becomes what is there.
        reduction: leave out keys that are not needed; None keys every frame.
    """

    options: retarget.RetargetOptions
    mode: Mode = "new"
    frame: int = 1
    continues: bool = False
    blend_in: int = 0
    blend_out: int = 0
    reduction: Reduction | None = None


@dataclass(frozen=True)
class Landed:
    """What came of it.

    Attributes:
        action: that holds the clip now.
        first: first frame of the clip.
        last: last frame of it.
        keys: how many frames are keyed on the bone with the most.
        left: bones of which something was left alone.
    """

    action: Action
    first: int
    last: int
    keys: int
    left: tuple[str, ...]


def land(rig: Object, motion: canonical.CanonicalMotion, landing: Landing, scene: Scene) -> Landed:
    """Puts a clip on a rig.

    Raises:
        HumsError: the rig cannot be animated here, or is not that of a human figure.
    """
    check_can_be_animated(rig, landing.mode)
    bones = armature_reader.read_bones(rig)
    with armature_reader.named(rig):
        joint_map = rig_map.joint_map_of(rig)
    controls = control_rig.prepare(rig, joint_map)
    world = np.array(rig.matrix_world)
    curves = _retargeted(rig, controls.on(bones.in_world(world), world), joint_map, motion, landing, scene)
    resting = list(dict.fromkeys([*controls.resting, *tracks.carriers(bones, curves)]))
    there = action_api.current(rig) if landing.mode in ("replace", "insert") else None
    made, left = held_channels.without_held(rig, _tracks(rig, bones, curves, controls, resting, landing), there)
    fps = scene.render.fps / scene.render.fps_base
    clip = _Clip(rig, motion.name or "Motion", made, landing, landing.frame - round(landing.options.anchor_s * fps))
    action = _WRITERS[landing.mode if there is not None or landing.mode in ("strip", "aside") else "new"](clip, there)
    if there is None:
        provenance.mark(action, motion)
    if landing.mode == "new":
        for name in resting if not clip.blends else ():
            _put_to_rest(rig.pose.bones[name])
    action.update_tag()
    rig.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    return Landed(action, clip.first, clip.last, clip.most_keys, tuple(left))


def check_can_be_animated(rig: Object, mode: Mode = "new") -> None:
    """Refuses a rig whose action cannot be set or, in the modes that need it, changed.

    Raises:
        HumsError: the text says why, and the way out.
    """
    if rig.library is not None:
        raise errors.HumsError(
            f"'{rig.name}' is linked from another file: make a library override of it first (menu Object)."
        )
    override = rig.override_library
    if override is not None and override.is_system_override:
        raise errors.HumsError(
            f"The library override of '{rig.name}' is not editable: make it so first (right click it in the Outliner)."
        )
    if rig.data.is_editmode:
        raise errors.HumsError(f"'{rig.name}' is in edit mode: leave it first (Tab).")
    data = rig.animation_data
    if data is not None and data.use_tweak_mode:
        raise errors.HumsError(f"'{rig.name}' has an NLA strip in tweak mode: leave it first (Tab in the NLA editor).")
    action = data.action if data is not None else None
    if mode in ("replace", "insert") and action is not None and not action.is_editable:
        raise errors.HumsError(
            f"The action '{action.name}' is linked from another file: land as a new action or a strip instead."
        )


def _retargeted(
    rig: Object,
    placed: retarget.Rig,
    joint_map: mapping.JointMap,
    motion: canonical.CanonicalMotion,
    landing: Landing,
    scene: Scene,
) -> retarget.BoneCurves:
    """The clip on the rig's bones, at the scene's rate."""
    options = landing.options
    if landing.continues:
        pelvis = placed.names[int(joint_map.joints[0])]
        posed = armature_reader.bone_in_world(rig, scene, landing.frame, pelvis)
        options = replace(options, stand=retarget.stand_of(placed, joint_map, posed))
    fps = scene.render.fps / scene.render.fps_base
    return retarget.retarget(motion, placed, joint_map, options, fps)


def _tracks(
    rig: Object,
    bones: armature.Bones,
    curves: retarget.BoneCurves,
    controls: control_rig.Controls,
    resting: list[str],
    landing: Landing,
) -> list[Track]:
    """What is keyed. Where other keys go on around the clip, what carries the figure is keyed too."""
    count = len(curves.times_s)
    made = tracks.of_clip(rig, bones, curves) + tracks.of_switches(controls, count)
    if landing.mode == "new" and not landing.blend_in and not landing.blend_out:
        return made
    taken = {(track.path) for track in made}
    moved = {curve.data_path for curve in action_api.curves_of(rig)}
    others = tracks.at_rest(rig, resting, count)
    others = [track for track in others if track.path in moved or not _rests(rig, track)]
    others += [track for track in tracks.of_standing_object(rig, count) if track.path in moved]
    return made + [track for track in others if track.path not in taken]


def _rests(rig: Object, track: Track) -> bool:
    """Whether a property has the track's values now."""
    now = track.from_channels(track.now(rig))
    return bool(min(np.abs(now - track.values[0]).max(), np.abs(now + track.values[0]).max()) < 1e-6)


def _put_to_rest(bone: bpy.types.PoseBone) -> None:
    bone.location = (0.0, 0.0, 0.0)
    bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
    bone.rotation_euler = (0.0, 0.0, 0.0)


class _Clip:
    """The tracks of a clip at their frames, and how they become keys."""

    def __init__(self, rig: Object, name: str, made: list[Track], landing: Landing, first: int) -> None:
        self.rig, self.name, self.tracks, self.landing = rig, name, made, landing
        self.first, self.count = first, max((len(track.values) for track in made), default=1)
        self.most_keys = 0

    @property
    def last(self) -> int:
        """The last frame of the clip."""
        return self.first + self.count - 1

    @property
    def blends(self) -> bool:
        """Whether what is there shows through at an end; a strip blends by itself, and nothing is there aside."""
        return self.landing.mode not in ("strip", "aside") and bool(self.landing.blend_in or self.landing.blend_out)

    def blended(self, there: OwnAction | None, later: int = 0) -> list[Track]:
        """The tracks with what is there blended in at their ends.

        Args:
            there: the action that says what is there.
            later: frames by which what follows the clip was later than it: an inserted clip ends in what was at its
                start.
        """
        if not self.blends:
            return self.tracks
        share = blending.weights(self.count, self.landing.blend_in, self.landing.blend_out)
        frames = self.first + np.arange(self.count, dtype=np.float64)
        frames[self.landing.blend_in + 1 :] -= later
        return [track.with_values(self._mixed(track, there, frames, share)) for track in self.tracks]

    def _mixed(self, track: Track, there: OwnAction | None, frames: Array, share: Array) -> Array:
        partly = np.flatnonzero(share < 1.0)
        old = track.from_channels(_channels_at(self.rig, track, there, frames[partly]))
        blend = blending.rotations if track.mode else blending.vectors
        values = track.values.copy()
        values[partly] = blend(old, track.values[partly], share[partly])
        return values

    def keys(self, track: Track, channels: Array, first: int) -> list[KeyTable]:
        """The keys of each channel of a track from the frame ``first`` on."""
        kept = self._kept(track, channels)
        self.most_keys = max(self.most_keys, len(kept.frames))
        frames = first + kept.frames.astype(np.float64)
        if kept.leaving is None or kept.arriving is None:
            return [key_table.linear(frames, channels[kept.frames, c]) for c in track.keyed]
        return [
            key_table.curved(frames, channels[kept.frames, c], kept.leaving[:, c], kept.arriving[:, c])
            for c in track.keyed
        ]

    def _kept(self, track: Track, channels: Array) -> key_reduction.KeptKeys:
        reduction = self.landing.reduction
        if track.is_still:
            return key_reduction.KeptKeys(np.array(sorted({0, len(channels) - 1}), dtype=np.intp))
        if reduction is None:
            return key_reduction.KeptKeys(np.arange(len(channels)))
        if track.mode:
            return key_reduction.reduce_rotation(channels, track.mode, np.radians(reduction.degrees), reduction.smooth)
        unit = 1000.0 * max(self.rig.matrix_world.to_scale())
        return key_reduction.reduce_vector(channels, reduction.millimetres / unit, reduction.smooth)


def _channels_at(rig: Object, track: Track, there: OwnAction | None, frames: Array) -> Array:
    """What the channels of a property hold at some frames ``[F, C]``: by their F-curves, else what they hold now."""
    values = np.tile(track.now(rig), (len(frames), 1))
    for channel in range(values.shape[1]):
        curve = there.find(track.path, channel) if there is not None else None
        if curve is not None:
            values[:, channel] = [curve.evaluate(frame) for frame in frames]
    return values


def _write_new(clip: _Clip, _there: OwnAction | None) -> Action:
    """A new action, which becomes the rig's."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.blended(action_api.current(clip.rig)), clip.first)
    action_api.assign(clip.rig, new)
    return new.action


def _write_aside(clip: _Clip, _there: OwnAction | None) -> Action:
    """A new action, which the file keeps."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.tracks, clip.first)
    new.action.use_fake_user = True
    return new.action


def _write_strip(clip: _Clip, _there: OwnAction | None) -> Action:
    """A new action, which a strip plays."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.tracks, 1)
    longest = clip.count - 1
    blend_in = min(clip.landing.blend_in, longest)
    action_api.add_strip(clip.rig, new, clip.first, blend_in, min(clip.landing.blend_out, longest - blend_in))
    return new.action


def _fill(new: OwnAction, clip: _Clip, made: list[Track], first: int) -> None:
    for track in made:
        for channel, table in zip(track.keyed, clip.keys(track, track.channels(), first), strict=True):
            key_table.write(new.ensure(track.path, channel, track.group), table)


def _write_replaced(clip: _Clip, there: OwnAction | None) -> Action:
    """The clip's keys in place of those that the action has in its frames."""
    assert there is not None
    _put_between(clip, there, clip.blended(there))
    return there.action


def _write_inserted(clip: _Clip, there: OwnAction | None) -> Action:
    """The clip's keys between those before it and those after it, which all shift by its length."""
    assert there is not None
    made = clip.blended(there, later=clip.count)
    for curve in list(there.curves):
        if held_channels.is_held(curve):
            continue
        key_table.pin(curve, clip.first - 1)
        key_table.pin(curve, clip.first)
        table = key_table.read(curve)
        later = table.frames >= clip.first - 0.5
        key_table.write(curve, key_table.joined(table.only(~later), table.only(later).shifted(clip.count)))
    _put_between(clip, there, made)
    return there.action


def _put_between(clip: _Clip, there: OwnAction, made: list[Track]) -> None:
    for track in made:
        _put_track_between(clip, there, track)


def _put_track_between(clip: _Clip, there: OwnAction, track: Track) -> None:
    """One track's keys in place of those in the clip's frames; the curves outside keep their course."""
    ends = np.array([clip.first - 1, clip.last + 1], dtype=np.float64)
    before, after = _channels_at(clip.rig, track, there, ends)
    channels = track.channels()
    channels = blending.seam(channels[0], before, track.mode).join(channels)
    seam = blending.seam(after, channels[-1], track.mode)
    for channel, table in zip(track.keyed, clip.keys(track, channels, clip.first), strict=True):
        curve = there.find(track.path, channel)
        if curve is None:
            curve = there.ensure(track.path, channel, track.group)
            old = key_table.linear(ends, np.array([before[channel], after[channel]]))
        else:
            for frame in ends:
                key_table.pin(curve, frame)
            old = key_table.read(curve)
        head = old.only(old.frames < clip.first - 0.5)
        tail = old.only(old.frames > clip.last + 0.5).revalued(seam.factor, seam.offset[channel])
        key_table.write(curve, key_table.joined(head, table, tail))


_WRITERS = {
    "new": _write_new,
    "aside": _write_aside,
    "strip": _write_strip,
    "replace": _write_replaced,
    "insert": _write_inserted,
}
