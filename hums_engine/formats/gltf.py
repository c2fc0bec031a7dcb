# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF and GLB: every animation of every skeleton of a scene, joint by joint.

Source: Khronos, "glTF 2.0 Specification" (2.0.1): scene hierarchy 3.5, skins 3.7.3, animations 3.11 and appendix C.
Own code, because pygltflib maps the JSON to objects and leaves accessors, sampling and hostile sizes to its caller,
and trimesh reads no animations.

What the specification leaves open is decided so:

- The joints of a skin are a figure; skins that share joints, or whose joints hang below another's, are one figure. In
  a file without skins the animated nodes and those below them are the joints, meshes aside. One joint alone is none.
- Each animation that moves a figure is a take of it, named after the animation; the only take of a file has the
  file's name. Keys are sampled at their own rate (`keyframes.frame_rate`), from the first of an animation to the last.
- The rest pose is the bind pose where the skins have it, set down where the scene has the figure; else the pose of
  the scene.
- glTF is in metres, Y up, facing +Z. A figure taller than ten metres is one of an exporter that did not convert its
  unit, which is then told from its size, as of other files.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import quat
from ..errors import MotionFileError
from ..motion import Motion
from . import node_tree
from .axes import METRE, to_blender, turn_to_blender
from .files import read_binary, read_bytes
from .gltf_buffers import Buffers, damaged, entries, text, whole
from .keyframes import frame_rate, interpolated
from .node_tree import Array, Placed

MAX_JOINTS: Final = 4096
"""More are refused: no figure has them, a damaged or hostile file may."""

_MOST_BYTES_OF_JSON: Final = 300_000_000
_MOST_NODES: Final = 1_000_000
_MOST_NODES_OF_FIGURE: Final = 4 * MAX_JOINTS
_LONGEST_S: Final = 100_000.0
_GLB: Final = struct.Struct("<4s2L")
_CHUNK: Final = struct.Struct("<L4s")
_PATHS: Final = {"translation": 3, "rotation": 4, "scale": 3}
_RESTING: Final = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0, 1.0, 1.0)}


def holds_motion(path: Path) -> bool:
    """Whether a file speaks of animations, as models without motion do not. Never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(_GLB.size + _CHUNK.size)
            size = _CHUNK.unpack_from(head, _GLB.size)[0] if head[:4] == b"glTF" else _MOST_BYTES_OF_JSON
            start = head + file.read(min(size, _MOST_BYTES_OF_JSON))
    except (OSError, struct.error, MemoryError):
        return False
    return b'"animations"' in start.replace(b"\0", b"")  # UTF-16 too


def read_with(path: Path) -> list[Path]:
    """The buffer beside a glTF that has its name, as exporters call it."""
    buffer = path.with_suffix(".bin")
    return [buffer] if buffer.is_file() else []


def read(path: Path) -> list[Motion]:
    """The takes of a file, with rotations.

    Raises:
        MotionFileError: the file is no glTF, not whole, or has no animated skeleton.
    """
    document, binary = _opened(path)
    if not entries(document, "animations"):
        raise MotionFileError("the file has no animation, only a scene; export it with its animations.")
    scene = _Scene(document, Buffers(document, binary, path.parent))
    figures = [figure for figure in scene.figures() if len(figure.joints) > 1]
    takes = list(_takes(scene, figures, path))
    if not takes:
        raise MotionFileError("no animation of the file moves a skeleton; leave this file out.")
    if not any(np.isfinite(take.positions).all(axis=-1).any() for take in takes):
        raise MotionFileError("no frame has usable numbers (all NaN or absurdly large); export the file again.")
    return takes


def _takes(scene: _Scene, figures: Sequence[_Figure], path: Path) -> Iterator[Motion]:
    """One take for each animation and each figure that it moves."""
    with np.errstate(all="ignore"):  # what is not a number becomes a joint that is not seen
        rests = [_rest(scene.buffers, figure) for figure in figures]
    clips = [(clip, n) for clip in scene.clips() for n, figure in enumerate(figures) if clip.moves(figure)]
    done = 0
    for number, (clip, n) in enumerate(clips, start=1):
        figure = figures[n]
        frames = clip.frames(figure)
        done = node_tree.check_places(len(figure.nodes), len(frames.times), done)
        name = clip.name or f"{path.stem}: take {number}"
        if len(figures) > 1:
            name = f"{name} ({figure.name})"
        motion = _motion(figure, rests[n], clip, frames)
        yield replace(motion, name=path.stem if len(clips) == 1 else name, source=str(path))


# the document


def _opened(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON of a file, and the binary part where it is a GLB."""
    raw = read_binary(path)
    description, binary = _chunks(raw) if raw.startswith(b"glTF") else (read_bytes(path), b"")
    if len(description) > _MOST_BYTES_OF_JSON:
        raise MotionFileError(f"its text has {len(description) / 1e6:.0f} MB, more than can be read; export it as GLB.")
    try:
        document = json.loads(description)
    except (ValueError, RecursionError):
        raise MotionFileError("this is no glTF, or it was cut off: it is not JSON; export it again.") from None
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise MotionFileError("this is no glTF, which says what asset it is; check what it is.")
    if not str(document["asset"].get("version")).startswith("2"):
        raise MotionFileError("this is not glTF 2.0; export the file again as that.")
    return document, binary


def _chunks(raw: bytes) -> tuple[bytes, bytes]:
    """The JSON and the binary part of a GLB."""
    if len(raw) < _GLB.size + _CHUNK.size:
        raise MotionFileError("the GLB was cut off; export or download it again.")
    _, version, length = _GLB.unpack_from(raw)
    if version != 2:
        raise MotionFileError(f"this is version {version} of GLB, and only version 2 is read; export it again.")
    if length > len(raw):
        raise MotionFileError(f"the GLB was cut off: it has {len(raw)} of its {length} bytes; download it again.")
    chunks: dict[bytes, bytes] = {}
    at = _GLB.size
    while at + _CHUNK.size <= length and len(chunks) < 2:
        size, kind = _CHUNK.unpack_from(raw, at)
        at += _CHUNK.size
        if at + size > length:
            raise MotionFileError("the GLB was cut off inside one of its parts; download it again.")
        if kind in (b"JSON", b"BIN\0"):
            chunks.setdefault(kind, raw[at : at + size])
        at += size
    return chunks.get(b"JSON", b""), chunks.get(b"BIN\0", b"")


# the scene


_Channels = dict[str, Array]
"""Translation, rotation (x, y, z, w) and scale of nodes, each ``[F, N, n]``."""


class _Figure(NamedTuple):
    """A skeleton of the scene.

    Attributes:
        nodes: the joints and all nodes above them, as the document counts them, parents first.
        above: the place among ``nodes`` of each one's parent, or -1.
        standing: the channels of ``nodes`` without animation, ``[1, N, n]``.
        joints: the places among ``nodes`` of those that are joints.
        names: what the joints are called.
        parents: ``[J]`` the parent joint of each joint, or -1.
        skins: the skins it is of.
        name: what it is called.
    """

    nodes: list[int]
    above: list[int]
    standing: _Channels
    joints: list[int]
    names: list[str]
    parents: NDArray[np.intp]
    skins: list[dict[str, Any]]
    name: str


class _Scene:
    """The nodes of a document, how they stand without animation, and what moves them."""

    def __init__(self, document: Mapping[str, Any], buffers: Buffers) -> None:
        self.buffers = buffers
        self._animations = entries(document, "animations")
        self._skins = entries(document, "skins")
        self._nodes = entries(document, "nodes")
        if len(self._nodes) > _MOST_NODES:
            raise MotionFileError(
                f"the scene has {len(self._nodes)} nodes, more than can be read; export a part of it."
            )
        self._parents = _parents(self._nodes)
        self._order = _parents_first(self._parents)

    def _name_of(self, node: int) -> str:
        return text(self._nodes[node].get("name")) or f"node{node}"

    def _channels(self, nodes: Sequence[int]) -> _Channels:
        each = [self._standing(node) for node in nodes]
        return {path: np.array([[channels[path] for channels in each]]) for path in _PATHS}

    def _standing(self, node: int) -> dict[str, Array]:
        if "matrix" in self._nodes[node]:
            return _apart(_vector(self._nodes[node]["matrix"], "matrix", 16).reshape(4, 4).T)
        return {path: _vector(self._nodes[node].get(path, rest), path, len(rest)) for path, rest in _RESTING.items()}

    def clips(self) -> Iterator[_Clip]:
        """The animations."""
        for animation in self._animations:
            yield _Clip(animation, self.buffers, len(self._nodes))

    def figures(self) -> list[_Figure]:
        """The skeletons, in the order of the skins.

        Raises:
            MotionFileError: there is none, or one of more than ``MAX_JOINTS``.
        """
        skins = [_joints_of(skin, len(self._nodes)) for skin in self._skins]
        if not skins and (animated := self._animated()):
            skins = [animated]
        all_joints = {joint for joints in skins for joint in joints}
        above = self._joint_above(all_joints)
        groups = _grouped(skins, above)
        figures = []
        for group in groups:
            own = [self._skins[number] for number in group] if self._skins else []
            figures.append(self._figure({joint for number in group for joint in skins[number]}, above, own))
        return figures

    def _animated(self) -> list[int]:
        """The nodes that any animation moves, and all below them, but for what is only a mesh, camera or light."""
        found: set[int] = set()
        for clip in self.clips():
            found |= clip.moved
        for node in self._order:
            shown = any(key in self._nodes[node] for key in ("mesh", "camera", "extensions"))
            if self._parents[node] in found and not shown:
                found.add(node)
        return [node for node in self._order if node in found]

    def _joint_above(self, joints: set[int]) -> dict[int, int]:
        """The nearest joint above each joint, or -1; parents first."""
        nearest: dict[int, int] = {}
        for node in self._order:
            parent = self._parents[node]
            nearest[node] = -1 if parent < 0 else parent if parent in joints else nearest[parent]
        return {node: nearest[node] for node in self._order if node in joints}

    def _figure(self, joints: set[int], above: Mapping[int, int], skins: list[dict[str, Any]]) -> _Figure:
        if len(joints) > MAX_JOINTS:
            raise MotionFileError(f"the skeleton has more than {MAX_JOINTS} joints; it is damaged, or no figure.")
        used = set(joints)
        for joint in joints:
            node = self._parents[joint]
            while node >= 0 and node not in used:
                used.add(node)
                node = self._parents[node]
        if len(used) > _MOST_NODES_OF_FIGURE:
            raise MotionFileError(f"{len(used)} nodes carry the skeleton; it is damaged, or no figure.")
        nodes = [node for node in self._order if node in used]
        place = {node: n for n, node in enumerate(nodes)} | {-1: -1}
        ordered = [node for node in nodes if node in joints]
        number = {joint: j for j, joint in enumerate(ordered)} | {-1: -1}
        names = [text(skin.get("name")) for skin in skins]
        return _Figure(
            nodes=nodes,
            above=[place[self._parents[node]] for node in nodes],
            standing=self._channels(nodes),
            joints=[place[joint] for joint in ordered],
            names=node_tree.unique_names([self._name_of(joint) for joint in ordered]),
            parents=np.array([number[above[joint]] for joint in ordered], dtype=np.intp),
            skins=skins,
            name=next(filter(None, names), self._name_of(ordered[0])),
        )


def _parents(nodes: Sequence[Mapping[str, Any]]) -> list[int]:
    """The parent of each node, or -1."""
    parents = [-1] * len(nodes)
    for number, node in enumerate(nodes):
        children = node.get("children", [])
        if not isinstance(children, list):
            raise damaged("the children of a node are no list")
        for child in (whole(child, "a child of a node", len(nodes)) for child in children):
            if parents[child] not in (-1, number):
                raise damaged("a node has two parents")
            parents[child] = number
    return parents


def _parents_first(parents: Sequence[int]) -> list[int]:
    """The nodes in an order in which parents stand before their children."""
    children: dict[int, list[int]] = defaultdict(list)
    for node, parent in enumerate(parents):
        children[parent].append(node)
    order, open_ = [], list(reversed(children[-1]))
    while open_:
        order.append(node := open_.pop())
        open_ += reversed(children[node])
    if len(order) < len(parents):
        raise damaged("nodes are their own parents' parents")
    return order


def _joints_of(skin: Mapping[str, Any], nodes: int) -> list[int]:
    joints = skin.get("joints")
    if not isinstance(joints, list) or not joints:
        raise damaged("a skin has no joints")
    return [whole(joint, "a joint of a skin", nodes) for joint in joints]


def _grouped(skins: Sequence[Sequence[int]], above: Mapping[int, int]) -> list[list[int]]:
    """The skins that are one figure, because they share joints or one's hang below another's.

    Args:
        skins: the joints of each skin.
        above: the joint above each joint, or -1, parents first.
    """
    top: dict[int, int] = {}
    for joint, parent in above.items():
        top[joint] = joint if parent < 0 else top[parent]
    same = {joint: joint for joint in top.values()}

    def first(joint: int) -> int:
        while same[joint] != joint:
            same[joint] = joint = same[same[joint]]
        return joint

    for joints in skins:
        for joint in joints[1:]:
            same[first(top[joint])] = first(top[joints[0]])  # a skin may have several roots
    groups: dict[int, list[int]] = defaultdict(list)
    for number, joints in enumerate(skins):
        groups[first(top[joints[0]])].append(number)
    return list(groups.values())


# animations


class _Frames(NamedTuple):
    """When an animation is looked at: seconds ``[T]``, and their rate."""

    times: Array
    fps: float


class _Clip:
    """One animation: which samplers move which nodes."""

    def __init__(self, animation: Mapping[str, Any], buffers: Buffers, nodes: int) -> None:
        self.name = text(animation.get("name"))
        self._buffers = buffers
        self._samplers = entries(animation, "samplers")
        self._channels: dict[tuple[int, str], int] = {}
        for channel in entries(animation, "channels"):
            target = channel.get("target")
            if not isinstance(target, dict) or "node" not in target or text(target.get("path")) not in _PATHS:
                continue  # the weights of a mesh's shapes, and what extensions add
            node = whole(target["node"], "an animated node", nodes)
            self._channels[node, target["path"]] = whole(channel.get("sampler"), "a sampler", len(self._samplers))
        self.moved = {node for node, _ in self._channels}

    def moves(self, figure: _Figure) -> bool:
        """Whether any joint of a figure moves, or what carries it."""
        return not self.moved.isdisjoint(figure.nodes)

    def frames(self, figure: _Figure) -> _Frames:
        """When a figure is looked at: from the first key of the animation to its last, at their rate."""
        inside = set(figure.nodes)
        used = {sampler for (node, _), sampler in self._channels.items() if node in inside}
        inputs = {_accessor(self._samplers[sampler], "input") for sampler in used}
        times = np.concatenate([self._times(accessor) for accessor in inputs])
        start, end = float(times.min()), float(times.max())
        fps = frame_rate(times)
        return _Frames(start + np.arange(round((end - start) * fps) + 1) / fps, fps)

    def _times(self, accessor: int) -> Array:
        times = self._buffers.numbers(accessor)[:, 0].astype(np.float64)
        if not len(times) or not np.all(np.abs(times) < _LONGEST_S) or np.any(np.diff(times) < 0):
            raise damaged("key times do not increase, or last for days")
        return times

    def pose(self, figure: _Figure, at: Array) -> Placed:
        """The nodes of a figure at the times ``at``, each in its parent's axes."""
        alike: dict[tuple[int, str, str], dict[int, int]] = defaultdict(dict)
        place = {node: n for n, node in enumerate(figure.nodes)}
        for (node, path), number in self._channels.items():
            if node in place:
                sampler = self._samplers[number]
                keys = _accessor(sampler, "input"), path, str(sampler.get("interpolation", "LINEAR"))
                alike[keys][place[node]] = _accessor(sampler, "output")
        channels = {path: np.repeat(values, len(at), axis=0) for path, values in figure.standing.items()}
        for (times, path, mode), outputs in alike.items():
            channels[path][:, list(outputs)] = self._sampled(times, path, mode, list(outputs.values()), at)
        return _placed(channels)

    def _sampled(self, times: int, path: str, mode: str, outputs: Sequence[int], at: Array) -> Array:
        """Channels that have their key times in common, at the times ``at``: ``[T, C, width]``."""
        keys = self._times(times)
        width, rows = _PATHS[path], len(keys) * (3 if mode == "CUBICSPLINE" else 1)
        tables = [self._buffers.numbers(output) for output in outputs]
        if any(table.shape[1] != width or len(table) < rows for table in tables):
            raise damaged("an animation has fewer values than key times")
        return interpolated(keys, np.stack([table[:rows] for table in tables], axis=1), mode, width == 4, at)


def _accessor(sampler: Mapping[str, Any], key: str) -> int:
    return whole(sampler.get(key), "the accessor of a sampler", 1 << 40)


def _placed(channels: _Channels) -> Placed:
    rotation = quat.normalize(channels["rotation"][..., [3, 0, 1, 2]])
    return node_tree.placed(channels["translation"], rotation, channels["scale"])


def _apart(matrix: Array) -> dict[str, Array]:
    """Translation, rotation and scale of a matrix ``[4, 4]``, which has no shear by the specification."""
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    scale[0] *= -1.0 if np.linalg.det(matrix[:3, :3]) < 0 else 1.0
    turn = matrix[:3, :3] / np.where(np.abs(scale) > 1e-12, scale, 1.0)
    return {"translation": matrix[:3, 3], "rotation": quat.from_matrix(turn)[[1, 2, 3, 0]], "scale": scale}


def _vector(value: object, what: str, length: int) -> Array:
    numbers = isinstance(value, list | tuple) and len(value) == length
    if not numbers or not all(isinstance(n, int | float) and abs(n) < 1e30 for n in value):  # type: ignore[union-attr]
        raise damaged(f"the {what} of a node is not {length} numbers")
    return np.array(value, dtype=np.float64)


# motions


def _motion(figure: _Figure, rest: Placed, clip: _Clip, frames: _Frames) -> Motion:
    with np.errstate(all="ignore"):
        joints = node_tree.in_world(clip.pose(figure, frames.times), figure.above).of(figure.joints)
        rotations = node_tree.local_rotations(joints, rest, figure.parents)
        unit = node_tree.unit_in_use(joints.origin, figure.parents, figure.names, METRE)
    return Motion(
        positions=to_blender(joints.origin.astype(np.float32), "Y") * unit.metres,
        rotations=turn_to_blender(rotations, "Y"),
        rest_positions=to_blender(rest.origin[0], "Y") * unit.metres,
        parents=figure.parents,
        joint_names=figure.names,
        fps=frames.fps,
        unit=unit.name,
        up="Y",
    )


def _rest(buffers: Buffers, figure: _Figure) -> Placed:
    """The joints at rest: as they were bound, where that is told, else as the scene has them."""
    rest = node_tree.in_world(_placed(figure.standing), figure.above).of(figure.joints)
    joint_of = {figure.nodes[place]: j for j, place in enumerate(figure.joints)}
    for skin in reversed(figure.skins):
        joints = [joint_of[int(node)] for node in skin["joints"]]
        bound = _bound(buffers, skin, len(joints))
        if bound is not None:
            first = [int(np.argmin(joints))]
            to_scene = rest.of([joints[first[0]]]).above(_of_matrices(bound[first]))
            rest.linear[:, joints], rest.origin[:, joints] = to_scene.above(
                _of_matrices(np.linalg.inv(bound).astype(np.float64))
            )
    return rest


def _of_matrices(matrices: Array) -> Placed:
    return Placed(matrices[None, :, :3, :3], matrices[None, :, :3, 3])


def _bound(buffers: Buffers, skin: Mapping[str, Any], joints: int) -> Array | None:
    """``[J, 4, 4]`` that take a skin's bound mesh into the axes of each joint, or None where they are not usable."""
    if "inverseBindMatrices" not in skin:
        return None
    values = buffers.numbers(skin["inverseBindMatrices"])
    if values.shape[1] != 16 or len(values) < joints:
        raise damaged("a skin has fewer bind matrices than joints")
    matrices = values[:joints].astype(np.float64).reshape(joints, 4, 4).transpose(0, 2, 1)
    usable = np.isfinite(matrices).all() and np.all(np.abs(np.linalg.det(matrices)) > 1e-18)
    return matrices if usable else None
