# SPDX-License-Identifier: GPL-3.0-or-later
"""FBX files as text, version 7.4: the reference body moving, in any unit and either axis up."""

from __future__ import annotations

import numpy as np

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.skeleton import JOINTS, PARENTS

from .gltf_scene import to_gltf, turn_to_gltf
from .reference_body import OFFSETS, wandering

WALK = wandering(30)
_TICKS = 46_186_158_000  # of FBX a second


def degrees_xyz(rotations: np.ndarray) -> np.ndarray:
    """Angles ``[..., 3]`` about x, then y, then z, all fixed, of quaternions."""
    m = quat.to_matrix(rotations)
    y = np.arcsin(np.clip(-m[..., 2, 0], -1.0, 1.0))
    x, z = np.arctan2(m[..., 2, 1], m[..., 2, 2]), np.arctan2(m[..., 1, 0], m[..., 0, 0])
    return np.degrees(np.unwrap(np.stack([x, y, z], axis=-1), axis=0))


class Scene:
    """Objects and connections of a file, growing; numbers of objects are their identities."""

    def __init__(self, unit_cm: float = 1.0, up: str = "Y") -> None:
        self.unit_cm, self.up = unit_cm, up
        self.objects: list[str] = []
        self.connections: list[str] = []
        self._last = 1000

    def add(self, kind: str, name: str, inner: str = "", shape: str = "", under: object = None) -> int:
        self._last += 1
        self.objects.append(f'{kind}: {self._last}, "{name}", "{shape}" {{\n{inner}\n}}')
        if under is not None:
            self.connect(self._last, under)
        return self._last

    def connect(self, child: int, parent: object, prop: str = "") -> None:
        self.connections.append(f'C: "{"OP" if prop else "OO"}",{child},{parent}' + (f', "{prop}"' if prop else ""))

    def limb(self, name: str, place: np.ndarray, under: int) -> int:
        inner = f"Version: 232\nProperties70: {{\n{_vector('Lcl Translation', place)}\n}}"
        limb = self.add("Model", f"Model::{name}", inner, "LimbNode", under)
        self.add("NodeAttribute", "NodeAttribute::", 'TypeFlags: "Skeleton"', "LimbNode", limb)
        return limb

    def stack(self, name: str, seconds: float) -> int:
        """An animation; returns its layer."""
        span = "\n".join(f'P: "{kind}", "KTime", "Time", "",{t}' for kind, t in (
            ("LocalStart", 0), ("LocalStop", round(seconds * _TICKS)),
        ))  # fmt: skip
        stack = self.add("AnimationStack", f"AnimStack::{name}", f"Properties70: {{\n{span}\n}}")
        return self.add("AnimationLayer", "AnimLayer::base", under=stack)

    def curves(self, layer: int, limb: int, channel: str, values: np.ndarray, fps: float) -> None:
        """Moves a limb by ``values`` ``[T, 3]``, linear between the frames."""
        node = self.add("AnimationCurveNode", f"AnimCurveNode::{channel[0]}", under=layer)
        self.connect(node, limb, f"Lcl {channel}")
        times = np.round(np.arange(len(values)) / fps * _TICKS).astype(np.int64)
        for axis, column in zip("XYZ", values.T, strict=True):
            inner = "\n".join([
                "KeyVer: 4008",
                _array("KeyTime", times),
                _array("KeyValueFloat", column),
                _array("KeyAttrFlags", np.array([4])),
                _array("KeyAttrDataFloat", np.zeros(4, int)),
                _array("KeyAttrRefCount", np.array([len(times)])),
            ])  # fmt: skip
            self.connect(self.add("AnimationCurve", "AnimCurve::", inner), node, f"d|{axis}")

    def text(self, fps: float = 30.0) -> bytes:
        up = {"Y": (1, 2, 1), "Z": (2, 1, -1)}[self.up]
        whole = {"UpAxis": up[0], "UpAxisSign": 1, "FrontAxis": up[1], "FrontAxisSign": up[2], "CoordAxis": 0}
        whole |= {"CoordAxisSign": 1, "TimeMode": 14}
        lines = [f'P: "{key}", "int", "Integer", "",{value}' for key, value in whole.items()]
        lines += [f'P: "{key}", "double", "Number", "",{value}' for key, value in
                  {"UnitScaleFactor": self.unit_cm, "CustomFrameRate": fps}.items()]  # fmt: skip
        sections = [
            "; FBX 7.4.0 project file",
            "FBXHeaderExtension: {\nFBXHeaderVersion: 1003\nFBXVersion: 7400\n}",
            "GlobalSettings: {\nVersion: 1000\nProperties70: {\n" + "\n".join(lines) + "\n}\n}",
            "Objects: {\n" + "\n".join(self.objects) + "\n}",
            "Connections: {\n" + "\n".join(self.connections) + "\n}\n",
        ]
        return "\n\n".join(sections).encode()


def _vector(name: str, values: np.ndarray) -> str:
    return f'P: "{name}", "{name}", "", "A",' + ",".join(f"{value:.9g}" for value in values)


def _array(name: str, values: np.ndarray) -> str:
    words = [f"{value:.9g}" if values.dtype.kind == "f" else str(value) for value in values]
    return f"{name}: *{len(values)} {{\na: {','.join(words)}\n}}"


def add_body(scene: Scene, prefix: str = "") -> list[int]:
    """The reference body at rest, joint by joint, in the unit and the axes of the scene."""
    limbs: list[int] = []
    for joint, parent in enumerate(PARENTS):
        place = _in_axes(scene, OFFSETS[joint]) * 100.0 / scene.unit_cm
        limbs.append(scene.limb(prefix + JOINTS[joint], place, limbs[parent] if parent >= 0 else 0))
    return limbs


def move_body(scene: Scene, limbs: list[int], motion: CanonicalMotion = WALK, name: str = "Take 001") -> None:
    """Animates a body of `add_body` with a motion of the reference body."""
    layer = scene.stack(name, motion.duration_s)
    places = _in_axes(scene, motion.positions[:, 0].astype(np.float64)) * 100.0 / scene.unit_cm
    scene.curves(layer, limbs[0], "Translation", places, motion.fps)
    world = motion.rotations.astype(np.float64)
    for joint, parent in enumerate(PARENTS):
        local = world[:, joint] if parent < 0 else quat.mul(quat.inv(world[:, parent]), world[:, joint])
        turns = turn_to_gltf(local) if scene.up == "Y" else local
        scene.curves(layer, limbs[joint], "Rotation", degrees_xyz(turns), motion.fps)


def _in_axes(scene: Scene, vectors: np.ndarray) -> np.ndarray:
    return to_gltf(vectors) if scene.up == "Y" else vectors


def body(unit_cm: float = 1.0, up: str = "Y") -> bytes:
    """A file of one body with one animation."""
    scene = Scene(unit_cm, up)
    move_body(scene, add_body(scene))
    return scene.text()
