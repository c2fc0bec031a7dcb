# SPDX-License-Identifier: GPL-3.0-or-later
"""The ghost: a result as it would play on a rig, worked out beside Blender from arrays; the rig is not touched."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from bpy.types import Context, Object
from numpy.typing import NDArray

from .. import landing_options, preferences, properties
from . import armature_reader, background, drag, last_error, preview_motions, previewed_query, rig_map, strip
from .engine import canonical, errors, ghosting, moving_figure, retarget, time_sync, viewing
from .preview_motions import Clip

_PAUSE_S = 0.5


@dataclass(frozen=True, eq=False)
class Ghost:
    """A motion on a rig's place.

    Attributes:
        points: ``[T, 23, 3]`` joints and head in the world, at the figures' frame rate.
        shown: which strokes it has joints for.
        size: how large the body is beside the reference body.
        steps: for each frame of the query the second of the motion that is like it; None without a query.
    """

    points: NDArray[np.float32]
    shown: NDArray[np.bool_]
    size: float
    steps: NDArray[np.float64] | None

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return (len(self.points) - 1) / moving_figure.FPS

    def at(self, time_s: float) -> NDArray[np.float32]:
        """Joints and head ``[23, 3]`` at a second, as far as there is one."""
        return self.points[min(max(round(time_s * moving_figure.FPS), 0), len(self.points) - 1)]


@dataclass(frozen=True)
class _Wish:
    """Which motion is to haunt which rig, and how; equal wishes have the same ghost."""

    clip: Clip
    rig: int
    rig_name: str
    options: retarget.RetargetOptions
    place: tuple[float, ...]


class _State:
    """The ghost that is shown, and the one that is being worked out."""

    def __init__(self) -> None:
        self.wish: _Wish | None = None
        self.ghost: Ghost | None = None
        self.working: _Wish | None = None
        self.failed: _Wish | None = None
        self.reason = ""
        self.since_s = 0.0
        self.since_frame = 0.0


_state = _State()


def forget() -> None:
    """Lets go of the ghost."""
    _state.__init__()


def current(context: Context) -> Ghost | None:
    """The ghost to be drawn now, or None; it is worked out beside Blender when it is asked for first."""
    chosen = _chosen(context)
    if chosen is None:
        _state.wish = _state.ghost = None
        return None
    wish = _wish(context, *chosen)
    if wish != _state.wish:
        _state.wish, _state.ghost = wish, None
        _state.since_s, _state.since_frame = time.monotonic(), context.scene.frame_current_final
    if _state.ghost is None and _state.working is None and wish != _state.failed:
        _begin(context, wish, chosen[1])
    return _state.ghost


def refusal() -> str:
    """Why there is no ghost where one was asked for, in one sentence; empty where there is one, or none is wanted."""
    return _state.reason if _state.wish is not None and _state.wish == _state.failed else ""


def is_working() -> bool:
    """Whether a ghost is on its way."""
    return _state.working is not None


def _chosen(context: Context) -> tuple[Clip, Object] | None:
    """The clip and the rig that it is to be seen on: the one it is dragged over, else the active one."""
    now, settings = drag.current(), preferences.of(context).strip
    if now is not None:
        target = now.target
        return (now.clip, target.rig) if target is not None and target.rig is not None and not now.refusal else None
    index = strip.hovered(context) if settings.ghost else None
    if index is None and settings.keep_ghost and strip.has_tiles(context):
        index = properties.session(context).active_result
    if index is None or not 0 <= index < len(properties.session(context).results):
        return None
    try:
        return strip.clip(context, index), armature_reader.rig_of(context.active_object)
    except errors.HumsError:
        return None


def _wish(context: Context, clip: Clip, rig: Object) -> _Wish:
    chosen = properties.session(context).landing
    options = landing_options.landing(chosen, 0, 0.0).options
    if chosen.placement == "pose" and not drag.rig_refusal(rig):
        options = _from_pose(rig, options)
    place = tuple(np.round(np.array(rig.matrix_world).ravel(), 4).tolist())
    return _Wish(clip, rig.as_pointer(), rig.name, options, place)


def _from_pose(rig: Object, options: retarget.RetargetOptions) -> retarget.RetargetOptions:
    """The options with the place at which the rig's pose stands now."""
    joint_map = rig_map.joint_map_of(rig)
    placed = armature_reader.read_bones(rig).in_world(np.array(rig.matrix_world))
    pelvis = rig.pose.bones[placed.names[int(joint_map.joints[0])]]
    stand = retarget.stand_of(placed, joint_map, np.array(rig.matrix_world @ pelvis.matrix))
    rounded = type(stand)(*(round(value, 3) for value in stand))
    return retarget.RetargetOptions(**{**vars(options), "stand": rounded})


def _begin(context: Context, wish: _Wish, rig: Object) -> None:
    """Reads what there is to read of the rig, and leaves the rest to a thread; a rig that is refused has no ghost."""
    reason = drag.rig_refusal(rig)
    if reason:
        _state.failed, _state.reason = wish, reason
        return
    placed = armature_reader.read_bones(rig).in_world(np.array(rig.matrix_world))
    body = ghosting.body_of(placed, rig_map.joint_map_of(rig))
    asked = previewed_query.last()
    query = asked.motion if asked is not None else None
    _state.working = wish

    def work() -> Ghost:
        reader = preview_motions.Reader()
        try:
            return _ghost(reader.motion(wish.clip), body, wish.options, query)
        finally:
            reader.close()

    def tell(ghost: Ghost | None) -> None:
        _state.working, _state.failed = None, wish if ghost is None else None
        if wish == _state.wish:
            _state.ghost = ghost

    def refuse(error: Exception) -> None:
        last_error.remember(error, "Ghost")
        _state.reason = str(error).removesuffix(".")
        tell(None)

    background.start(work, tell, refuse)
    strip.tag_redraw(context)


def _ghost(
    motion: canonical.CanonicalMotion,
    body: ghosting.Body,
    options: retarget.RetargetOptions,
    query: canonical.CanonicalMotion | None,
) -> Ghost:
    joints = ghosting.play(motion, body, options, moving_figure.FPS)
    joints = viewing.centred(joints, body.valid)
    return Ghost(
        points=moving_figure.with_head(joints, body.valid).astype(np.float32),
        shown=moving_figure.drawable(body.valid),
        size=viewing.body_size(joints, body.valid),
        steps=time_sync.in_step(query, motion) if query is not None else None,
    )


def stands_beside(context: Context) -> bool:
    """Whether the ghost is to stand beside the rig; while it is dragged it stands where it would land."""
    return preferences.of(context).strip.ghost_beside and drag.current() is None


def moment_s(context: Context, ghost: Ghost) -> float:
    """The second that the ghost is at: the timeline's when that is played or scrubbed, else it goes on by itself."""
    if loops(context):
        return (time.monotonic() - _state.since_s) % (ghost.duration_s + _PAUSE_S)
    scene = context.scene
    fps = scene.render.fps / scene.render.fps_base
    asked = previewed_query.last()
    if asked is None or asked.last <= asked.first or ghost.steps is None:
        return (scene.frame_current_final - scene.frame_start) / fps
    place = round((scene.frame_current_final - asked.first) / fps * moving_figure.FPS)
    return float(ghost.steps[min(max(place, 0), len(ghost.steps) - 1)])


def loops(context: Context) -> bool:
    """Whether the ghost goes on by itself, while the timeline rests."""
    if strip.hovered(context) is None and drag.current() is None:
        return False
    playing = any(window.screen.is_animation_playing for window in context.window_manager.windows)
    return not playing and context.scene.frame_current_final == _state.since_frame
