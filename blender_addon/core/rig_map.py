# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bones of a rig are the canonical joints: as a person said, else as names or shape tell.

What a person corrects is remembered with the armature (in the scene where that is linked), as a small property that
the file keeps.
"""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from bpy.types import Object
from numpy.typing import NDArray

from . import armature_reader
from .engine import errors, mapping, mirror_image, own_maps, skeleton

_REMEMBERED = "hums_rig_map"
_MOST_FOUND = 32
_DRIVING = {"COPY_ROTATION", "COPY_TRANSFORMS", "ARMATURE", "DAMPED_TRACK", "TRACK_TO", "LOCKED_TRACK", "STRETCH_TO"}
"""Constraints under which a bone does not show how it is turned itself; inverse kinematics can be switched off."""
_FEWEST_CONTROLS = 13

_found: OrderedDict[tuple[object, ...], mapping.JointMap | str] = OrderedDict()
"""The maps of the skeletons seen last, or why they have none: a panel asks many times a second."""


def joint_map_of(rig: Object) -> mapping.JointMap:
    """The rig's map; its joints are places in ``rig.data.bones``.

    Raises:
        MappingError: the rig is not that of a human figure; the text says what is missing.
    """
    key = (*_skeleton(rig), _said(rig), own_maps.files())
    found = _found.get(key)
    if found is None:
        found = _found[key] = _map(rig)
        if len(_found) > _MOST_FOUND:
            _found.popitem(last=False)
    if isinstance(found, str):
        raise errors.MappingError(found)
    return found


def bones_of(rig: Object) -> dict[str, str]:
    """The rig's map as canonical joint -> bone, joints that it lacks left out; empty where it has no map."""
    try:
        return joint_map_of(rig).as_names(rig.data.bones.keys())
    except errors.MappingError:
        return {joint: bone for joint, bone in remembered(rig).items() if bone}


def correct(rig: Object, joint: str, bone: str, mirrored: bool = False) -> None:
    """Puts a joint on a bone, or on none where that is empty; with ``mirrored`` its twin on the bone's, too.

    Raises:
        HumsError: there is no such joint or bone.
    """
    if joint not in skeleton.INDEX:
        raise errors.HumsError(f"There is no joint '{joint}': the joints are {', '.join(skeleton.JOINTS)}.")
    if bone and bone not in rig.data.bones:
        raise errors.HumsError(f"'{rig.name}' has no bone '{bone}': choose one that it has.")
    said = {joint: bone}
    twin = skeleton.JOINTS[skeleton.TWINS[skeleton.INDEX[joint]]]
    twin_bone = _twin(rig, bone) if bone else ""
    if mirrored and twin != joint and (twin_bone or not bone):
        said[twin] = twin_bone
    taken = set(said.values())
    others = {name: "" if found in taken else found for name, found in bones_of(rig).items()}
    remember(rig, dict.fromkeys(skeleton.JOINTS, "") | others | said)


def _twin(rig: Object, bone: str) -> str:
    """The bone on the other side: of the mirrored name, else in the mirrored place; empty where there is none."""
    flipped = bpy.utils.flip_name(bone)
    if flipped != bone and flipped in rig.data.bones:
        return flipped
    bones = armature_reader.read_bones(rig)
    twin = mirror_image.twin(bones.heads, bones.tips, bones.names.index(bone))
    return bones.names[twin] if twin >= 0 else ""


def remembered(rig: Object) -> dict[str, str]:
    """What a person said of the rig: canonical joint -> bone, empty where it has none; empty if nothing was said."""
    try:
        said = json.loads(_said(rig))
        return {str(joint): str(bone) for joint, bone in said.items()}
    except (ValueError, AttributeError):  # another add-on, or a person, wrote something else there
        return {}


def remember(rig: Object, joints: Mapping[str, str]) -> None:
    """Keeps what a person said of the rig."""
    owner, key = _memory(rig)
    owner[key] = json.dumps(dict(joints), ensure_ascii=False)


def forget(rig: Object) -> None:
    """Goes back to the map that is found."""
    owner, key = _memory(rig)
    if key in owner:
        del owner[key]


def _said(rig: Object) -> str:
    owner, key = _memory(rig)
    return str(owner.get(key, "{}"))


def _memory(rig: Object) -> tuple[Any, str]:
    """What holds it, and under which name: the armature, or the scene where the armature is linked.

    A file does not keep properties that are added to what is linked or overridden.
    """
    if rig.data.library is None:
        return rig.data, _REMEMBERED
    return bpy.context.scene, f"{_REMEMBERED}_{zlib.crc32(rig.data.name_full.encode('utf-8')):08x}"


def _skeleton(rig: Object) -> tuple[object, ...]:
    """What tells one skeleton from another, cheap to read."""
    bones = rig.data.bones
    heads = np.empty(3 * len(bones), dtype=np.float32)
    bones.foreach_get("head_local", heads)
    return tuple(bones.keys()), tuple(bone.parent.name if bone.parent else "" for bone in bones), heads.tobytes()


def _map(rig: Object) -> mapping.JointMap | str:
    bones = armature_reader.read_bones(rig)
    try:
        return mapping.map_joints(
            bones.names, bones.parents, bones.heads, bones.tips, controls=controls_of(rig), said=remembered(rig)
        )
    except errors.MappingError as error:
        return str(error)


def controls_of(rig: Object) -> NDArray[np.bool_] | None:
    """Which bones ``[B]`` a person poses, or None where the rig does not say.

    Bones that copy others are left out; where enough of the rest have a shape of their own, as controls do, so are
    those that have none.
    """
    posed = [rig.pose.bones.get(bone.name) for bone in rig.data.bones] if rig.pose else []
    if None in posed or not posed:  # Blender has not made the pose of new bones yet
        return None
    free = np.array([not any(c.enabled and c.type in _DRIVING for c in bone.constraints) for bone in posed], dtype=bool)
    shaped = free & np.array([bone.custom_shape is not None for bone in posed], dtype=bool)
    controls = shaped if shaped.sum() >= _FEWEST_CONTROLS else free
    return None if controls.all() else controls
