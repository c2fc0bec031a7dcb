# SPDX-License-Identifier: GPL-3.0-or-later
"""FBX of any age, binary and text: every animation of every skeleton, read with ufbx.

FBX has no public specification. ufbx (MIT, by S. Raivio) is the reader that others use: files of versions 6 and 7,
binary and text, layers, pivots and all rules of inheritance, which Blender's importer reads in part. It turns the
scene to metres and Blender's axes by what the file states. Its Python side has faults, so it runs in a process of its
own (`fbx_process`); what the file does there cannot harm the caller.

What is taken for a take:

- The joints are the bones; in a file without bones the animated nodes and those below them, meshes aside. Joints that
  one node under the scene's root carries are a figure, where they are more than one.
- Each animation stack that moves a figure is a take of it, named after the stack; the only take of a file has the
  file's name. Frames are at the file's own rate.
- The rest pose is that of the nodes without animation.
- A figure taller than ten metres is in another unit than the file states, which is told from its size.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import interpreter, quat
from ..errors import MissingDependencyError, MotionFileError
from ..motion import Motion
from . import blender, fbx_process, node_tree
from .axes import METRE, UNITS
from .channels import LARGEST
from .files import read_binary
from .keyframes import interpolated
from .node_tree import Array, Placed

MAX_JOINTS: Final = 4096
"""More are refused: no figure has them, a damaged or hostile file may."""

PATIENCE_S: Final = 300.0
"""A file that takes longer to read is given up."""

_LONGEST_S: Final = 100_000.0
_MARKS: Final = (b"AnimationCurve", b"KeyCount")  # in files of version 7 and of version 6
_BLOCK: Final = 1 << 22
_CHANNELS: Final = (3, 4, 3)  # numbers of a translation, a rotation (x, y, z, w) and a scale
_DAMAGE: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error, OverflowError)

Keys = tuple[Array, Array]
"""Seconds ``[K]`` and values ``[K, 1, n]``."""


def holds_motion(path: Path) -> bool:
    """Whether a file has curves of an animation in it, as models without motion have not. Never raises."""
    try:
        with path.open("rb") as file:
            end = b""
            while block := file.read(_BLOCK):
                if any(mark in end + block for mark in _MARKS):
                    return True
                end = block[-16:]
    except OSError:
        pass
    return False


def read(path: Path) -> list[Motion]:
    """The takes of a file, with rotations.

    Raises:
        MotionFileError: the file is no FBX, not whole, or has no animated skeleton.
        MissingDependencyError: neither ufbx nor Blender is there.
    """
    try:
        answer = _asked(read_binary(path))
    except MissingDependencyError:
        if blender.is_there():
            return blender.read(path)
        raise
    try:
        scene = _parsed(answer)
        figures = scene.figures()
        takes = list(_takes(scene, figures, path))
    except _DAMAGE:
        raise MotionFileError("the FBX is damaged; export it again.") from None
    if not takes:
        raise MotionFileError("the file has no animation that moves a skeleton; export it with its animation.")
    return takes


def _takes(scene: _Scene, figures: Sequence[_Figure], path: Path) -> Iterator[Motion]:
    """One take for each animation and each figure that it moves."""
    moves = [(take, figure) for take in scene.takes for figure in figures if not take.moved.isdisjoint(figure.nodes)]
    done = 0
    for number, (take, figure) in enumerate(moves, start=1):
        if not 0 <= take.end - take.begin < _LONGEST_S:
            raise MotionFileError("an animation of the file lasts for days; cut it.")
        count = round((take.end - take.begin) * scene.fps) + 1
        done = node_tree.check_places(len(figure.nodes), count, done)
        name = take.name or f"{path.stem}: take {number}"
        if len(figures) > 1:
            name = f"{name} ({figure.name})"
        motion = _motion(scene, figure, take, take.begin + np.arange(count) / scene.fps)
        yield replace(motion, name=path.stem if len(moves) == 1 else name, source=str(path))


# the other process


def _asked(data: bytes) -> bytes:
    """What the process that reads FBX answers about a file."""
    python = interpreter.python()
    if python is None:
        raise MotionFileError("FBX is read by another Python process, and there is no Python to start; convert it.")
    command = [python, fbx_process.__file__, json.dumps([path for path in sys.path if path])]
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise MotionFileError(f"the file was not read within {PATIENCE_S:.0f} seconds; export it again.") from None
    except OSError as error:
        raise MotionFileError(f"the process that reads FBX cannot be started ({error.strerror}); try again.") from None
    if done.returncode == fbx_process.NOT_INSTALLED:
        raise MissingDependencyError(
            "FBX files are read with ufbx or Blender; install ufbx with: pip install 'hums[run]', or set "
            f"{blender.VARIABLE} to Blender's program."
        )
    if done.returncode == 1:
        reason = " ".join(done.stderr.decode("utf-8", "replace")[-100:].split())
        raise MotionFileError(f"this is no FBX that can be read ({reason}); export it again.")
    if done.returncode:
        raise MotionFileError("the reader of FBX failed on this file; export it again, or convert it to GLB or BVH.")
    return done.stdout


def _parsed(answer: bytes) -> _Scene:
    """The scene that an answer describes."""
    (length,) = struct.unpack_from("<Q", answer)
    head = json.loads(answer[8 : 8 + length])
    numbers = np.frombuffer(answer, dtype=np.float64, offset=8 + length)
    numbers = np.where(np.abs(numbers) < LARGEST, numbers, np.nan)
    nodes = head["nodes"]
    standing = numbers[: 10 * len(nodes)].reshape(len(nodes), 10)
    at = 10 * len(nodes)
    takes = []
    for take in head["takes"]:
        keys: dict[int, list[Keys]] = {}
        for node, *counts in take["moved"]:
            keys[node] = []
            for count, width in zip(counts, _CHANNELS, strict=True):
                table = numbers[at : at + count * (width + 1)].reshape(count, width + 1)
                at += table.size
                keys[node].append((table[:, 0], table[:, None, 1:]))
        takes.append(_Take(str(take["name"]), float(take["begin"]), float(take["end"]), keys))
    parents = [int(node["parent"]) for node in nodes]
    if any(parent >= node for node, parent in enumerate(parents)):
        raise ValueError("a parent stands behind its child")
    up = "XYZ"[head["up"] // 2] if head["up"] in range(6) else "Y"  # ufbx counts +X, -X, +Y; 6 is not known
    return _Scene(nodes, parents, standing, takes, float(head["fps"]), float(head["unit_m"]), up)


# the scene


class _Take(NamedTuple):
    """An animation: its name, from when to when it lasts, and the keys of the channels of each node."""

    name: str
    begin: float
    end: float
    keys: Mapping[int, Sequence[Keys]]

    @property
    def moved(self) -> set[int]:
        """The nodes that it moves."""
        return set(self.keys)


class _Figure(NamedTuple):
    """A skeleton of the scene.

    Attributes:
        nodes: the joints and all nodes above them, parents first.
        above: the place among ``nodes`` of each one's parent, or -1.
        joints: the places among ``nodes`` of those that are joints.
        parents: ``[J]`` the parent joint of each joint, or -1.
        names: what the joints are called.
        name: what carries them.
    """

    nodes: list[int]
    above: list[int]
    joints: list[int]
    parents: NDArray[np.intp]
    names: list[str]
    name: str


class _Scene(NamedTuple):
    """The nodes of a file, parents first, with how they stand ``[N, 10]``, and what moves them."""

    nodes: Sequence[Mapping[str, Any]]
    parents: Sequence[int]
    standing: Array
    takes: Sequence[_Take]
    fps: float
    unit_m: float
    up: str

    def figures(self) -> list[_Figure]:
        """The skeletons, in the order of the nodes that carry them."""
        joints = {node for node, facts in enumerate(self.nodes) if facts["bone"]} or self._animated()
        carriers: list[int] = []
        groups: dict[int, list[int]] = defaultdict(list)
        for node, parent in enumerate(self.parents):
            carriers.append(node if parent <= 0 else carriers[parent])  # node 0 is the scene's root
            if node in joints:
                groups[carriers[node]].append(node)
        return [self._figure(carrier, group) for carrier, group in groups.items() if len(group) > 1]

    def _animated(self) -> set[int]:
        """The nodes that any animation moves, and all below them, but for meshes, cameras and lights."""
        found = {node for take in self.takes for node in take.moved if node > 0}
        for node, parent in enumerate(self.parents):
            if parent in found and not self.nodes[node]["shown"]:
                found.add(node)
        return found

    def _figure(self, carrier: int, joints: list[int]) -> _Figure:
        if len(joints) > MAX_JOINTS:
            raise MotionFileError(f"the skeleton has more than {MAX_JOINTS} joints; it is damaged, or no figure.")
        used: set[int] = set()
        for joint in joints:
            node = joint
            while node >= 0 and node not in used:
                used.add(node)
                node = self.parents[node]
        nodes = sorted(used)
        place = {node: n for n, node in enumerate(nodes)} | {-1: -1}
        number = {joint: j for j, joint in enumerate(joints)}
        nearest: dict[int, int] = {-1: -1}
        for node in nodes:
            nearest[node] = number.get(node, nearest[self.parents[node]])
        return _Figure(
            nodes=nodes,
            above=[place[self.parents[node]] for node in nodes],
            joints=[place[joint] for joint in joints],
            parents=np.array([nearest[self.parents[joint]] for joint in joints], dtype=np.intp),
            names=node_tree.unique_names([self._name_of(joint) for joint in joints]),
            name=self._name_of(carrier),
        )

    def _name_of(self, node: int) -> str:
        return str(self.nodes[node]["name"])[:500] or f"node{node}"


# motions


def _motion(scene: _Scene, figure: _Figure, take: _Take, at: Array) -> Motion:
    with np.errstate(all="ignore"):  # what is not a number becomes a joint that is not seen
        standing = scene.standing[None, figure.nodes]
        joints = _joints(figure, _moved(figure, take, standing, at))
        rest = _joints(figure, standing)
        rotations = node_tree.local_rotations(joints, rest, figure.parents)
        used = node_tree.unit_in_use(joints.origin, figure.parents, figure.names, METRE)
    stated = next((unit for unit in UNITS if np.isclose(unit.metres, scene.unit_m)), METRE)
    return Motion(
        positions=(joints.origin * used.metres).astype(np.float32, order="C"),
        rotations=rotations,
        rest_positions=(rest.origin[0] * used.metres).astype(np.float32),
        parents=figure.parents,
        joint_names=figure.names,
        fps=scene.fps,
        unit=stated.name if used is METRE else used.name,
        up=scene.up,
    )


def _moved(figure: _Figure, take: _Take, standing: Array, at: Array) -> Array:
    """The channels of the nodes of a figure at the times ``at``: ``[T, N, 10]``."""
    channels = np.repeat(standing, len(at), axis=0)
    for place, node in enumerate(figure.nodes):
        start = 0
        for width, (times, values) in zip(_CHANNELS, take.keys.get(node, ()), strict=False):
            if len(times):
                found = interpolated(times, values, "LINEAR", width == 4, at)[:, 0]
                channels[:, place, start : start + width] = found
            start += width
    return channels


def _joints(figure: _Figure, channels: Array) -> Placed:
    """The joints of a figure in the world, from the channels of its nodes ``[F, N, 10]``."""
    rotation = quat.normalize(channels[..., [6, 3, 4, 5]])
    local = node_tree.placed(channels[..., :3], rotation, channels[..., 7:])
    return node_tree.in_world(local, figure.above).of(figure.joints)
