# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that a headless Blender runs: it opens files and writes down what each action does with each armature.

`blender.py` starts it and says on standard input which file to open; the answer is a line of JSON, and beside it one
NPZ a take, as `npz` reads them. Blender's module is handed in: nothing here imports it.

What is taken for a take:

- An action, or a slot of one, belongs to the armatures that use it, as action or in a strip; one that none uses, to
  every armature with at least half of its bones. It is played alone: strips are off, bones without keys at rest.
- Armatures that are moved by something else, such as constraints, are one take over the scene's frames.
- Actions of one frame are poses, and passed over.
- Joints are the heads of the bones, and the tails of those without children. The rest pose is the armature's, where its
  object stands in the first frame.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFileError
from .node_tree import Array, Placed, check_places, local_rotations
from .usd_rate import time_codes_per_second

MARK: Final = "hums reads"
"""The line after which the answers begin; Blender itself prints before it."""

FOLDER: Final = "hums-"
"""What the name of the folder begins with that is made for this process."""

OLDEST: Final = (4, 2, 0)
MAX_JOINTS: Final = 4096

_MOST_BYTES: Final = 24 << 30  # of addresses, of which Blender takes more than it uses
_USUAL_FPS: Final = 60  # COLLADA counts in seconds
_BONE_PATH: Final = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]')


def serve(bpy: Any) -> None:  # noqa: ANN401 - a module
    """Answers requests on standard input until it ends, and the process with it."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Blender prints must not get between the answers
    if bpy.app.version < OLDEST:
        os._exit(1)
    _say(answers, MARK)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            takes = list(_takes(bpy, Path(request["file"]), Path(request["folder"])))
            _say(answers, json.dumps({"takes": takes}))
        except (MotionFileError, RuntimeError) as error:
            _say(answers, json.dumps({"refused" if isinstance(error, MotionFileError) else "failed": str(error)}))
        except Exception as error:  # a file must not end the process for the ones after it
            _say(answers, json.dumps({"failed": f"{type(error).__name__}: {error}"}))
    # Who started this may have been killed, and not have removed the folder that was made for it.
    own = Path(os.environ["BLENDER_USER_RESOURCES"])
    if own.name.startswith(FOLDER):
        shutil.rmtree(own, ignore_errors=True)
    os._exit(0)  # Blender's module of 4.5 may hang while it cleans up


def _say(answers: Any, line: str) -> None:  # noqa: ANN401 - a text file
    answers.write(line + "\n")
    answers.flush()


def _limit_memory() -> None:
    """Has a file that asks for all memory fail, where the system can limit a process."""
    try:
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        pass


# opening


def _opened(bpy: Any, path: Path) -> None:  # noqa: ANN401
    """Opens a scene, or imports a file into an empty one."""
    kind, name = path.suffix.lower(), str(path)
    if kind == ".blend":
        bpy.ops.wm.open_mainfile(filepath=name, load_ui=False, use_scripts=False)
        return
    bpy.ops.wm.read_factory_settings(use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = _USUAL_FPS, 1.0
    if kind == ".fbx":
        bpy.ops.import_scene.fbx(filepath=name, anim_offset=0.0)
    elif kind == ".dae":
        if not _has(bpy.ops.wm, "collada_import"):
            raise MotionFileError(
                "this Blender reads no COLLADA, as none from 5.0; set HUMS_BLENDER to an official 4.5."
            )
        bpy.ops.wm.collada_import(filepath=name)
    else:
        if not _has(bpy.ops.wm, "usd_import"):
            raise MotionFileError("this build of Blender reads no USD; set HUMS_BLENDER to an official one.")
        rate = time_codes_per_second(path)
        render.fps = max(round(rate), 1)
        render.fps_base = render.fps / rate
        bpy.ops.wm.usd_import(filepath=name)


def _has(operators: Any, name: str) -> bool:  # noqa: ANN401
    try:
        getattr(operators, name).get_rna_type()
    except (AttributeError, KeyError, RuntimeError):
        return False
    return True


# takes


class _Move(NamedTuple):
    """What moves an armature: an action, its slot where Blender has slots, and from when to when; or the scene."""

    action: Any
    slot: Any
    bones: frozenset[str]
    first: int
    last: int


def _takes(bpy: Any, path: Path, folder: Path) -> Iterator[dict[str, str]]:  # noqa: ANN401
    """Writes the takes of a file into a folder; yields what each is called and where it is."""
    _opened(bpy, path)
    scene = bpy.context.scene
    rigs = [thing for thing in bpy.data.objects if thing.type == "ARMATURE" and thing.library is None]
    if not rigs:
        raise MotionFileError("the file has no armature; export the motion with its skeleton.")
    _show_only(scene, rigs)
    takes = [(rig, move) for rig, moves in _moves(bpy, scene, rigs).items() for move in moves]
    if not takes:
        raise MotionFileError("no action of the file moves an armature; save it with its motion.")
    done = 0
    for number, (rig, move) in enumerate(takes):
        bones = _Bones.of(rig)
        done = check_places(len(bones.names), move.last - move.first + 1, done)
        arrays = _played(scene, rig, bones, move)
        np.savez(folder / f"{number}.npz", **arrays)
        several = len({one.name for one, _ in takes}) > 1
        name = move.action.name if move.action else scene.name
        name += f": {move.slot.name_display}" if move.slot and len(move.action.slots) > 1 else ""
        yield {"file": f"{number}.npz", "name": f"{name} ({rig.name})" if several else name}


def _show_only(scene: Any, rigs: list[Any]) -> None:  # noqa: ANN401
    """Has the armatures evaluated, wherever they lie, and nothing that is only drawn."""
    for thing in scene.objects:
        if thing.type not in ("ARMATURE", "EMPTY") and thing.library is None:
            thing.hide_viewport = True
    for rig in rigs:
        rig.hide_viewport = False
        if rig.name not in scene.collection.objects:
            scene.collection.objects.link(rig)
        rig.data.pose_position = "POSE"


def _moves(bpy: Any, scene: Any, rigs: list[Any]) -> dict[Any, list[_Move]]:  # noqa: ANN401
    """What moves each armature."""
    moves: dict[Any, list[_Move]] = {rig: [] for rig in rigs}
    used = {rig: set(_used(rig)) for rig in rigs}
    for action in bpy.data.actions:
        for slot, curves in _slots(action):
            move = _move(bpy, action, slot, curves)
            if move is None:
                continue
            key = (action.name, slot.identifier if slot else "")
            users = [rig for rig in rigs if key in used[rig]]
            for rig in users or [rig for rig in rigs if _fits(move, rig)]:
                moves[rig].append(move)
    for rig in rigs:
        if not moves[rig] and any(bone.constraints for bone in rig.pose.bones):
            moves[rig].append(_Move(None, None, frozenset(), scene.frame_start, scene.frame_end))
    return moves


def _used(rig: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """The actions, with their slots, that an armature uses itself or in strips."""
    animation = rig.animation_data
    if animation is None:
        return
    strips = [strip for track in animation.nla_tracks for strip in track.strips]
    for user in (animation, *strips):
        if user.action is not None:
            slot = getattr(user, "action_slot", None)
            yield user.action.name, slot.identifier if slot else ""


def _slots(action: Any) -> Iterator[tuple[Any, list[Any]]]:  # noqa: ANN401
    """The slots of an action with their curves; one of None before Blender 4.4."""
    if not hasattr(action, "slots"):
        yield None, list(action.fcurves)
        return
    for slot in action.slots:
        bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips]
        yield slot, [curve for bag in bags if bag for curve in bag.fcurves]


def _move(bpy: Any, action: Any, slot: Any, curves: list[Any]) -> _Move | None:  # noqa: ANN401
    """What an action does to bones, or None where it moves none for longer than a frame."""
    bones = set()
    ranges = []
    for curve in curves:
        if found := _BONE_PATH.match(curve.data_path):
            bones.add(bpy.utils.unescape_identifier(found[1]))
        ranges.append(tuple(curve.range()))
    if not bones:
        return None
    begin, end = min(first for first, _ in ranges), max(last for _, last in ranges)
    if action.use_frame_range:
        begin, end = action.frame_start, action.frame_end
    first, last = round(begin), round(end)
    return _Move(action, slot, frozenset(bones), first, last) if last > first else None


def _fits(move: _Move, rig: Any) -> bool:  # noqa: ANN401
    mine = sum(name in rig.data.bones for name in move.bones)
    return 2 * mine >= len(move.bones)


# playing


class _Bones(NamedTuple):
    """The bones of an armature, parents first, and the ends of those without children.

    Attributes:
        places: where each bone stands among those of Blender.
        names: ``J`` joints: the bones, then the ends.
        parents: ``[J]``.
        rest: ``[B, 4, 4]`` the bones at rest, in the armature.
        leaves: the bones, in this order, that the ends are of.
    """

    places: NDArray[np.intp]
    names: list[str]
    parents: NDArray[np.intp]
    rest: Array
    leaves: list[int]

    @classmethod
    def of(cls, rig: Any) -> _Bones:  # noqa: ANN401
        """Those of an armature."""
        bones = list(rig.data.bones)
        if not 0 < len(bones) <= MAX_JOINTS:
            raise MotionFileError(f"armature {rig.name} has {len(bones)} bones; it is damaged, or no figure.")
        order = sorted(range(len(bones)), key=lambda place: len(bones[place].parent_recursive))
        number = {bones[place].name: n for n, place in enumerate(order)}
        names = [bones[place].name for place in order]
        parents = [number[bones[place].parent.name] if bones[place].parent else -1 for place in order]
        leaves = [n for n, place in enumerate(order) if not bones[place].children]
        rest = np.array([np.array(bones[place].matrix_local) for place in order])
        in_pose = {bone.name: place for place, bone in enumerate(rig.pose.bones)}
        return cls(
            places=np.array([in_pose[name] for name in names], dtype=np.intp),
            names=[*names, *(f"{names[leaf]}_end" for leaf in leaves)],
            parents=np.array([*parents, *leaves], dtype=np.intp),
            rest=rest,
            leaves=leaves,
        )


def _played(scene: Any, rig: Any, bones: _Bones, move: _Move) -> dict[str, Any]:  # noqa: ANN401
    """The arrays of a take."""
    if move.action:
        _give(rig, move)
    lengths = np.array([rig.data.bones[bones.names[leaf]].length for leaf in bones.leaves])
    posed = np.empty((move.last - move.first + 1, len(bones.places), 4, 4))
    world = np.empty((len(posed), 4, 4))
    flat = np.empty(16 * len(rig.pose.bones), dtype=np.float32)
    for number in range(len(posed)):
        scene.frame_set(move.first + number)
        rig.pose.bones.foreach_get("matrix", flat)
        posed[number] = flat.reshape(-1, 4, 4)[bones.places].swapaxes(1, 2)  # Blender lists columns
        world[number] = np.array(rig.matrix_world)
    joints = _joints(world[:, None] @ posed, bones, lengths)
    rest = _joints((world[0] @ bones.rest)[None], bones, lengths)
    metres = scene.unit_settings.scale_length or 1.0
    return {
        "positions": (joints.origin * metres).astype(np.float32),
        "rotations": local_rotations(joints, rest, bones.parents),
        "rest_positions": (rest.origin[0] * metres).astype(np.float32),
        "parents": bones.parents,
        "joint_names": np.array(bones.names),
        "fps": scene.render.fps / scene.render.fps_base,
        "unit": "m",
        "up_axis": "Z",
    }


def _give(rig: Any, move: _Move) -> None:  # noqa: ANN401
    """Has an armature at rest but for one action."""
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
        bone.location, bone.scale = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        bone.rotation_quaternion, bone.rotation_euler = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
    animation = rig.animation_data or rig.animation_data_create()
    animation.use_tweak_mode = False
    animation.use_nla = False
    animation.action = move.action
    animation.action_influence, animation.action_blend_type = 1.0, "REPLACE"
    if move.slot is not None:
        animation.action_slot = move.slot


def _joints(bones: Array, skeleton: _Bones, lengths: Array) -> Placed:
    """The joints ``J`` from the bones ``[F, B, 4, 4]`` in the world: their heads, and the ends a length along y."""
    linear, origin = bones[..., :3, :3], bones[..., :3, 3]
    ends = origin[:, skeleton.leaves] + linear[..., 1][:, skeleton.leaves] * lengths[:, None]
    return Placed(np.concatenate([linear, linear[:, skeleton.leaves]], axis=1), np.concatenate([origin, ends], axis=1))
