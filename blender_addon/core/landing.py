# SPDX-License-Identifier: GPL-3.0-or-later
"""How a clip lands on a rig: as a new action, in the action that is there, or as a strip.

The clip becomes tracks (`tracks`), what must be left alone is left out (`held_channels`), what is there is blended in,
keys are thinned, and one of the modes writes them (`clip_writer`). Nothing else about the rig or the scene changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import bpy
import numpy as np
from bpy.types import Action, Object, Scene
from numpy.typing import NDArray

from . import action_api, armature_reader, clip_writer, control_rig, held_channels, provenance, rig_map, tracks
from .clip_writer import Clip, Reduction
from .engine import armature, canonical, errors, ik_matching, mapping, retarget, skeleton
from .tracks import Track

Mode = Literal["new", "replace", "insert", "strip", "aside"]


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
        match_ik: on a control rig, bring the IK controls to where the limbs are.
    """

    options: retarget.RetargetOptions
    mode: Mode = "new"
    frame: int = 1
    continues: bool = False
    blend_in: int = 0
    blend_out: int = 0
    reduction: Reduction | None = None
    match_ik: bool = True


@dataclass(frozen=True)
class Landed:
    """What came of it.

    Attributes:
        action: that holds the clip now.
        first: first frame of the clip.
        last: last frame of it.
        left: bones of which something was left alone.
    """

    action: Action
    first: int
    last: int
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
    controls = control_rig.prepare(rig, joint_map, landing.match_ik)
    world = np.array(rig.matrix_world)
    placed = replace(controls.on(bones.in_world(world), world), skin=armature_reader.read_skin(rig))
    curves = _retargeted(rig, placed, joint_map, motion, landing, scene)
    between = controls.ik.resting if controls.ik is not None else ()
    resting = list(dict.fromkeys([*controls.resting, *between, *tracks.carriers(bones, curves)]))
    there = action_api.current(rig) if landing.mode in ("replace", "insert") else None
    wanted = _tracks(rig, bones, curves, controls, resting, landing)
    if controls.ik is not None:
        wanted += tracks.of_ik(rig, bones, controls.ik, _moved(placed, joint_map, curves, world))
    made, left = held_channels.without_held(rig, wanted, there)
    if not made:
        raise errors.HumsError(
            f"All that the motion would move of '{rig.name}' is locked, driven or muted: unlock the bones first."
        )
    fps = scene.render.fps / scene.render.fps_base
    first = landing.frame - round(landing.options.anchor_s * fps)
    clip = Clip(rig, motion.name or "Motion", made, first, landing.blend_in, landing.blend_out, landing.reduction)
    mode = "new" if there is None and landing.mode in ("replace", "insert") else landing.mode
    action = _WRITERS[mode](clip, there)
    if there is None:
        provenance.mark(action, motion)
    if landing.mode != "aside":
        _set_on_data(rig, controls)
    if landing.mode == "new" and not clip.blends:
        for name in resting:
            _put_to_rest(rig.pose.bones[name])
    action.update_tag()
    rig.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    return Landed(action, clip.first, clip.last, tuple(left))


def _moved(
    placed: retarget.Rig, joint_map: mapping.JointMap, curves: retarget.BoneCurves, world: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the joints of the map did since rest ``[T, 22, 4, 4]``, in the armature's space."""
    seen = placed.sides_as_seen(joint_map)
    heads = placed.heads[np.maximum(seen.joints, 0)]
    moved = ik_matching.from_rest(curves.joints, curves.turns, heads, world)
    is_mirrored = not np.array_equal(seen.joints, joint_map.joints)
    return moved[:, skeleton.TWINS] if is_mirrored else moved


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
    taken = {track.path for track in made}
    moved = {curve.data_path for curve in action_api.curves_of(rig)}
    others = tracks.at_rest(rig, resting, count)
    others = [track for track in others if track.path in moved or not _rests(rig, track)]
    others += [track for track in tracks.of_standing_object(rig, count) if track.path in moved]
    return made + [track for track in others if track.path not in taken]


def _rests(rig: Object, track: Track) -> bool:
    """Whether a property has the track's values now."""
    now = track.from_channels(track.now(rig))
    return bool(min(np.abs(now - track.values[0]).max(), np.abs(now + track.values[0]).max()) < 1e-6)


def _set_on_data(rig: Object, controls: control_rig.Controls) -> None:
    """Sets the switches that the armature's data has: an object's action holds no keys of it."""
    for switch in controls.switches:
        if switch.of.of_data:
            switch.of.put(rig, switch.value)
            rig.data.update_tag()


def _put_to_rest(bone: bpy.types.PoseBone) -> None:
    bone.location = (0.0, 0.0, 0.0)
    bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
    bone.rotation_euler = (0.0, 0.0, 0.0)


_WRITERS = {
    "new": clip_writer.write_new,
    "aside": clip_writer.write_aside,
    "strip": clip_writer.write_strip,
    "replace": clip_writer.write_replaced,
    "insert": clip_writer.write_inserted,
}
