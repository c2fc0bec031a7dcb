# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF scenes for tests: the reference body moving, and the pieces to build odd ones."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.skeleton import JOINT_COUNT, JOINTS, PARENTS

from .reference_body import OFFSETS, wandering

WALK = wandering(30)
_TYPES = {"f4": 5126, "u1": 5121, "i1": 5120, "u2": 5123, "i2": 5122, "u4": 5125}
_SHAPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


def to_gltf(vectors: np.ndarray) -> np.ndarray:
    """From Blender's axes to glTF's: (x, y, z) becomes (x, z, -y)."""
    return np.stack([vectors[..., 0], vectors[..., 2], -vectors[..., 1]], axis=-1)


def turn_to_gltf(rotations: np.ndarray) -> np.ndarray:
    """Quaternions, w first, in glTF's axes."""
    return np.concatenate([rotations[..., :1], to_gltf(rotations[..., 1:])], axis=-1)


class Scene:
    """A document and its one buffer, growing."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0"}}
        self.binary = b""

    def add(self, kind: str, **entry: Any) -> int:  # noqa: ANN401
        """Adds an entry to one of the document's lists and returns its place."""
        entries = self.document.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def view(self, data: bytes, **more: Any) -> int:  # noqa: ANN401
        start = len(self.binary)
        self.binary += data + bytes(-len(data) % 4)
        return self.add("bufferViews", buffer=0, byteOffset=start, byteLength=len(data), **more)

    def numbers(self, values: Any, dtype: str = "f4", **more: Any) -> int:  # noqa: ANN401
        """An accessor of a table ``[count, width]`` or a list."""
        table = np.atleast_2d(np.asarray(values, dtype=f"<{dtype}").T).T
        kind = {"componentType": _TYPES[dtype], "count": len(table), "type": _SHAPES[table.shape[1]]}
        return self.add("accessors", bufferView=self.view(table.tobytes()), **kind, **more)

    def animation(self, name: str, channels: dict[tuple[int, str], int], times: int, mode: str = "LINEAR") -> int:
        """Moves nodes, of each path by the accessor given."""
        samplers = [{"input": times, "output": output, "interpolation": mode} for output in channels.values()]
        targets = [{"sampler": n, "target": {"node": node, "path": path}} for n, (node, path) in enumerate(channels)]
        return self.add("animations", **({"name": name} if name else {}), samplers=samplers, channels=targets)

    def whole(self, uri: str | None = None) -> dict[str, Any]:
        """The document with its buffer."""
        buffer = {"byteLength": len(self.binary)} | ({} if uri is None else {"uri": uri})
        return self.document | {"buffers": [buffer]}

    def text(self, uri: str | None = None) -> bytes:
        """As a ``.gltf``, with the buffer inside where no other URI is given."""
        inside = "data:application/octet-stream;base64," + base64.b64encode(self.binary).decode()
        return json.dumps(self.whole(inside if uri is None else uri)).encode()

    def glb(self) -> bytes:
        """As a ``.glb``."""
        return glb(json.dumps(self.whole()).encode(), self.binary)


def glb(description: bytes, binary: bytes) -> bytes:
    description += b" " * (-len(description) % 4)
    parts = struct.pack("<L4s", len(description), b"JSON") + description
    parts += struct.pack("<L4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4s2L", b"glTF", 2, 12 + len(parts)) + parts


def add_body(scene: Scene, rolls: int = 1, name: str = "", bound: bool = True) -> list[int]:
    """The reference body at rest, its joints rolled at random, as nodes and a skin; returns the joints' nodes."""
    rolled = roll(rolls)
    places = to_gltf(OFFSETS)
    first = len(scene.document.get("nodes", []))
    for joint, parent in enumerate(PARENTS):
        above = rolled[parent] if parent >= 0 else quat.IDENTITY
        turn = quat.mul(quat.inv(above), rolled[joint])
        scene.add(
            "nodes",
            name=JOINTS[joint],
            translation=quat.rotate(quat.inv(above), places[joint]).tolist(),
            rotation=turn[[1, 2, 3, 0]].tolist(),
            children=[first + child for child in np.flatnonzero(joint == PARENTS).tolist()],
        )
    joints = list(range(first, first + JOINT_COUNT))
    skin: dict[str, Any] = {"name": name} if name else {}
    if bound:
        skin["inverseBindMatrices"] = scene.numbers(_bind_matrices(rolled).transpose(0, 2, 1).reshape(-1, 16))
    scene.add("skins", joints=joints, **skin)
    return joints


def roll(seed: int) -> np.ndarray:
    """``[22, 4]`` how the nodes of the joints are turned at rest."""
    return quat.normalize(np.random.default_rng(seed).normal(size=(JOINT_COUNT, 4)))


def _bind_matrices(rolled: np.ndarray) -> np.ndarray:
    """``[22, 4, 4]`` from the world at rest into the axes of each joint."""
    places = np.zeros((JOINT_COUNT, 3))
    for joint, parent in enumerate(PARENTS):
        places[joint] = to_gltf(OFFSETS)[joint] + (places[parent] if parent >= 0 else 0.0)
    rest = np.tile(np.eye(4), (JOINT_COUNT, 1, 1))
    rest[:, :3, :3], rest[:, :3, 3] = quat.to_matrix(rolled), places
    return np.linalg.inv(rest)


def move_body(
    scene: Scene, joints: list[int], motion: CanonicalMotion = WALK, name: str = "", rolls: int = 1
) -> dict[tuple[int, str], int]:
    """Animates a body of `add_body` with a motion of the reference body; returns the channels."""
    rolled = roll(rolls)
    world = quat.mul(turn_to_gltf(motion.rotations), rolled)
    times = scene.numbers(np.arange(motion.frame_count) / motion.fps)
    channels = {(joints[0], "translation"): scene.numbers(to_gltf(motion.positions[:, 0]))}
    for joint, parent in enumerate(PARENTS):
        above = world[:, parent] if parent >= 0 else quat.IDENTITY
        local = quat.mul(quat.inv(above), world[:, joint])
        channels[joints[joint], "rotation"] = scene.numbers(local[:, [1, 2, 3, 0]])
    scene.animation(name, channels, times)
    return channels


def body(name: str = "") -> Scene:
    """One body with one animation."""
    scene = Scene()
    move_body(scene, add_body(scene), name=name)
    scene.add("scenes", nodes=[0])
    return scene
