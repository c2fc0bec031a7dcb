# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip as keys: blended with what is there, thinned, and written into a new action, an old one, or for a strip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bpy.types import Action, Object
from numpy.typing import NDArray

from . import action_api, held_channels, key_table
from .action_api import OwnAction
from .engine import blending, key_reduction
from .key_table import KeyTable
from .tracks import Track

Array = NDArray[np.float64]


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
class Clip:
    """What is to be keyed.

    Attributes:
        rig: the armature.
        name: what the action is called, if one is made.
        tracks: the courses of the rig's properties, all over the same frames.
        first: the first frame.
        blend_in: frames over which what is there becomes the clip.
        blend_out: frames over which the clip becomes what is there.
        reduction: leave out keys that are not needed; None keys every frame of what moves.
    """

    rig: Object
    name: str
    tracks: list[Track]
    first: int
    blend_in: int = 0
    blend_out: int = 0
    reduction: Reduction | None = None

    @property
    def count(self) -> int:
        """How many frames it has."""
        return max((len(track.values) for track in self.tracks), default=1)

    @property
    def last(self) -> int:
        """The last frame."""
        return self.first + self.count - 1

    @property
    def blends(self) -> bool:
        """Whether what is there shows through at an end."""
        return bool(self.blend_in or self.blend_out)

    def blended(self, there: OwnAction | None, later: int = 0) -> list[Track]:
        """The tracks with what is there blended in at their ends.

        Args:
            there: the action that says what is there.
            later: frames by which what follows the clip was later than it: an inserted clip ends in what was at its
                start.
        """
        if not self.blends:
            return self.tracks
        share = blending.weights(self.count, self.blend_in, self.blend_out)
        frames = self.first + np.arange(self.count, dtype=np.float64)
        frames[self.blend_in + 1 :] -= later
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
        frames = first + kept.frames.astype(np.float64)
        if kept.leaving is None or kept.arriving is None:
            return [key_table.linear(frames, channels[kept.frames, c]) for c in track.keyed]
        return [
            key_table.curved(frames, channels[kept.frames, c], kept.leaving[:, c], kept.arriving[:, c])
            for c in track.keyed
        ]

    def _kept(self, track: Track, channels: Array) -> key_reduction.KeptKeys:
        reduction = self.reduction
        if track.is_still:
            return key_reduction.KeptKeys(np.array(sorted({0, len(channels) - 1}), dtype=np.intp))
        if reduction is None:
            return key_reduction.KeptKeys(np.arange(len(channels)))
        if track.mode:
            return key_reduction.reduce_rotation(channels, track.mode, np.radians(reduction.degrees), reduction.smooth)
        unit = 1000.0 * max(abs(scale) for scale in self.rig.matrix_world.to_scale())
        return key_reduction.reduce_vector(channels, reduction.millimetres / unit, reduction.smooth)


def _channels_at(rig: Object, track: Track, there: OwnAction | None, frames: Array) -> Array:
    """What the channels of a property hold at some frames ``[F, C]``: by their F-curves, else what they hold now."""
    values = np.tile(track.now(rig), (len(frames), 1))
    for channel in range(values.shape[1]):
        curve = there.find(track.path, channel) if there is not None else None
        if curve is not None:
            values[:, channel] = [curve.evaluate(frame) for frame in frames]
    return values


def write_new(clip: Clip, _there: OwnAction | None) -> Action:
    """A new action, which becomes the rig's."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.blended(action_api.current(clip.rig)), clip.first)
    action_api.assign(clip.rig, new)
    return new.action


def write_aside(clip: Clip, _there: OwnAction | None) -> Action:
    """A new action, which the file keeps."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.tracks, clip.first)
    new.action.use_fake_user = True
    return new.action


def write_strip(clip: Clip, _there: OwnAction | None) -> Action:
    """A new action, which a strip plays."""
    new = action_api.create(clip.name, clip.rig)
    _fill(new, clip, clip.tracks, 1)
    longest = clip.count - 1
    blend_in = min(clip.blend_in, longest)
    action_api.add_strip(clip.rig, new, clip.first, blend_in, min(clip.blend_out, longest - blend_in))
    return new.action


def _fill(new: OwnAction, clip: Clip, made: list[Track], first: int) -> None:
    for track in made:
        for channel, table in zip(track.keyed, clip.keys(track, track.channels(), first), strict=True):
            key_table.write(new.ensure(track.path, channel, track.group), table)


def write_replaced(clip: Clip, there: OwnAction | None) -> Action:
    """The clip's keys in place of those that the action has in its frames."""
    assert there is not None
    _put_between(clip, there, clip.blended(there))
    return there.action


def write_inserted(clip: Clip, there: OwnAction | None) -> Action:
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


def _put_between(clip: Clip, there: OwnAction, made: list[Track]) -> None:
    for track in made:
        _put_track_between(clip, there, track)


def _put_track_between(clip: Clip, there: OwnAction, track: Track) -> None:
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
