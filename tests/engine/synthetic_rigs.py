# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs of human figures of any build, made up from a seed, with the truth about which bone is which."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class Rig:
    """Bones in the making: names, parents, heads, tips, and the canonical joint that each one is (or "")."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    heads: list[Array] = field(default_factory=list)
    tips: list[Array] = field(default_factory=list)
    truth: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, parent: int, head: Array, joint: str = "") -> int:
        """Adds a bone whose tip is its first child's head, or else goes on as its parent does."""
        index = len(self.names)
        head = np.asarray(head, dtype=np.float64)
        along = (head - self.heads[parent]) * 0.5 if parent >= 0 else np.array([0.0, 0.0, 0.1])
        if parent >= 0 and parent not in self.parents:
            self.tips[parent] = head
        self.names.append(name)
        self.parents.append(parent)
        self.heads.append(head)
        self.tips.append(head + along)
        if joint:
            self.truth[joint] = index
        return index

    def chain(self, name: str, parent: int, points: list[Array], joint: str = "") -> int:
        """Adds bones at the points, one under the other; the joint is the first."""
        for k, point in enumerate(points):
            parent = self.add(f"{name}{k}", parent, point, joint if k == 0 else "")
        return parent


@dataclass(frozen=True)
class Build:
    """What a rig is like; lengths in metres for a figure of usual size."""

    thigh: float = 0.42
    shin: float = 0.41
    foot: float = 0.16
    trunk: float = 0.5
    upper_arm: float = 0.28
    forearm: float = 0.26
    hip_width: float = 0.1
    shoulder_width: float = 0.18
    head: float = 0.2
    arm_angle: float = 0.0
    leg_angle: float = 2.0
    knee_bend: float = 3.0
    elbow_bend: float = 3.0
    spine: int = 3
    necks: int = 1
    collars: int = 1
    hip_bones: int = 0
    toes: bool = True
    leg_twists: int = 0
    arm_twists: int = 0
    leaf_twists: int = 0
    fingers: int = 5
    palms: bool = False
    roots: int = 0
    ends: bool = False
    extras: tuple[str, ...] = ()


def random_build(rng: np.random.Generator) -> Build:
    """A build with every trait drawn at random; one in five is a figure with short limbs and a big head."""
    chibi = rng.random() < 0.2
    limbs = rng.uniform(0.45, 0.7) if chibi else rng.uniform(0.9, 1.15)
    leg, upper = rng.uniform(0.75, 0.95) * limbs, rng.uniform(0.45, 0.55)
    return Build(
        thigh=leg * upper,
        shin=leg * (1.0 - upper),
        foot=rng.uniform(0.13, 0.2),
        trunk=rng.uniform(0.42, 0.58) * (0.8 if chibi else 1.0),
        upper_arm=rng.uniform(0.24, 0.32) * limbs,
        forearm=rng.uniform(0.2, 0.29) * limbs,
        hip_width=rng.uniform(0.06, 0.13),
        shoulder_width=rng.uniform(0.14, 0.24),
        head=rng.uniform(0.18, 0.25) * (2.0 if chibi else 1.0),
        arm_angle=float(rng.choice([0, 30, 45, 60, 80])),
        leg_angle=float(rng.choice([0, 2, 5, 15, 20])),
        knee_bend=float(rng.choice([0, 1, 3, 5])),
        elbow_bend=float(rng.choice([0, 1, 3, 6])),
        spine=int(rng.integers(1, 8)),
        necks=int(rng.integers(0, 4)),
        collars=int(rng.integers(0, 3)),
        hip_bones=int(rng.integers(0, 3)),
        toes=bool(rng.random() < 0.7),
        leg_twists=int(rng.choice([0, 0, 1, 2, 3])),
        arm_twists=int(rng.choice([0, 0, 1, 2, 3])),
        leaf_twists=int(rng.integers(0, 3)),
        fingers=int(rng.choice([0, 2, 4, 5])),
        palms=bool(rng.random() < 0.3),
        roots=int(rng.integers(0, 3)),
        ends=bool(rng.random() < 0.3),
        extras=tuple(extra for extra in EXTRAS if rng.random() < 0.2),
    )


def make(build: Build) -> Rig:
    """A rig at rest, Z up, facing -Y, in metres."""
    rig = Rig()
    root = -1
    for k in range(build.roots):
        root = rig.add(f"root{k}", root, np.array([0.0, 0.0, 0.0]))
    ankle_height = 0.09
    hips = np.array([0.0, 0.0, ankle_height + build.thigh + build.shin])
    pelvis = rig.add("pelvis", root, hips + [0.0, 0.0, 0.05], "pelvis")
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _leg(rig, build, pelvis, hips, side, sign)
    chest, neck_base = _trunk(rig, build, pelvis, hips)
    _head(rig, build, chest, neck_base)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _arm(rig, build, chest, neck_base, side, sign)
    for extra in build.extras:
        EXTRAS[extra](rig, build)
    return rig


def _turned(direction: Array, degrees: float, axis: str) -> Array:
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    x, y, z = direction
    return np.array({"x": [x, c * y - s * z, s * y + c * z], "y": [c * x + s * z, y, -s * x + c * z]}[axis])


def _split(start: Array, end: Array, parts: int) -> list[Array]:
    """The start and the points that divide the way to the end into equal parts, the end left out."""
    return [start + (end - start) * k / (parts + 1) for k in range(parts + 1)]


def _leg(rig: Rig, build: Build, pelvis: int, hips: Array, side: str, sign: float) -> None:
    hip = hips + [sign * build.hip_width, 0.0, 0.0]
    down = _turned(np.array([0.0, 0.0, -1.0]), -sign * build.leg_angle, "y")
    knee = hip + build.thigh * _turned(down, -build.knee_bend, "x")
    ankle = knee + build.shin * _turned(down, build.knee_bend, "x")
    parent = pelvis
    for k in range(build.hip_bones):
        parent = rig.add(f"{side} hip bone {k}", parent, hips + [sign * 0.02 * k, 0.01, 0.03])
    parent = rig.chain(f"{side} thigh", parent, _split(hip, knee, build.leg_twists), f"{side}_hip")
    thigh = parent
    parent = rig.chain(f"{side} shin", parent, _split(knee, ankle, build.leg_twists), f"{side}_knee")
    _leaf_twists(rig, build, thigh, hip, knee)
    foot = rig.add(f"{side} foot", parent, ankle, f"{side}_ankle")
    rig.tips[foot] = ankle + [0.0, -0.7 * build.foot, -0.07]
    if build.toes:
        toe = rig.add(f"{side} toe", foot, rig.tips[foot], f"{side}_foot")
        rig.tips[toe] = rig.tips[foot] + [0.0, -0.3 * build.foot, 0.0]
        foot = toe
    if build.ends:
        rig.add(f"{side} foot end", foot, rig.tips[foot])


def _leaf_twists(rig: Rig, build: Build, bone: int, start: Array, end: Array) -> None:
    for k in range(build.leaf_twists):
        rig.add(f"twist {k}", bone, start + (end - start) * (k + 0.5) / build.leaf_twists)


def _trunk(rig: Rig, build: Build, pelvis: int, hips: Array) -> tuple[int, Array]:
    neck_base = hips + [0.0, 0.0, build.trunk + 0.04]
    parent = pelvis
    for k in range(build.spine):
        share = (k + 1) / (build.spine + 1)
        parent = rig.add(
            f"spine {k}", parent, hips + [0.0, 0.01 * np.sin(3 * share), 0.05 + share * (build.trunk - 0.1)]
        )
    if build.spine:
        rig.truth["spine3"] = parent
    return parent, neck_base


def _head(rig: Rig, build: Build, chest: int, neck_base: Array) -> None:
    parent = chest
    for k in range(build.necks):
        parent = rig.add(f"neck {k}", parent, neck_base + [0.0, -0.01 * k, 0.05 * k], "neck" if k == 0 else "")
    at = neck_base + [0.0, -0.02, 0.05 * max(build.necks, 1)]
    head = rig.add("head", parent, at, "head")
    rig.tips[head] = at + [0.0, 0.0, build.head]
    if build.ends:
        rig.add("head end", head, rig.tips[head])


def _arm(rig: Rig, build: Build, chest: int, neck_base: Array, side: str, sign: float) -> None:
    shoulder = neck_base + [sign * build.shoulder_width, 0.0, -0.04]
    out = _turned(np.array([sign, 0.0, 0.0]), sign * build.arm_angle, "y")
    back = np.array([0.0, np.sin(np.radians(build.elbow_bend)), 0.0])
    elbow = shoulder + build.upper_arm * (out + back)
    wrist = elbow + build.forearm * (out - back)
    parent = chest
    for k in range(build.collars):
        start = neck_base + [sign * 0.02, -0.01, -0.05]
        at = start + (shoulder - start) * k / max(build.collars, 1)
        parent = rig.add(f"{side} collar {k}", parent, at, f"{side}_collar" if k == 0 else "")
    parent = upper = rig.chain(
        f"{side} upper arm", parent, _split(shoulder, elbow, build.arm_twists), f"{side}_shoulder"
    )
    parent = rig.chain(f"{side} forearm", parent, _split(elbow, wrist, build.arm_twists), f"{side}_elbow")
    _leaf_twists(rig, build, upper, shoulder, elbow)
    hand = rig.add(f"{side} hand", parent, wrist, f"{side}_wrist")
    rig.tips[hand] = wrist + 0.35 * build.forearm * out
    _fingers(rig, build, hand, wrist, out, side)
    if build.ends and not build.fingers:
        rig.add(f"{side} hand end", hand, rig.tips[hand])


def _fingers(rig: Rig, build: Build, hand: int, wrist: Array, out: Array, side: str) -> None:
    for f in range(build.fingers):
        away = np.array([0.0, -0.03 + 0.015 * f, 0.0])
        parent = hand
        if build.palms and f:
            parent = rig.add(f"{side} palm {f}", hand, wrist + 0.12 * build.forearm * out + 0.5 * away)
        points = [wrist + build.forearm * (0.38 + 0.13 * k - 0.08 * (f == 0)) * out + away for k in range(3)]
        tip = rig.chain(f"{side} finger {f} ", parent, points)
        if build.ends:
            rig.add(f"{side} finger {f} end", tip, wrist + build.forearm * 0.77 * out + away)


def _hang(rig: Rig, name: str, parent: int, start: Array, step: Array, count: int) -> None:
    rig.chain(name, parent, [start + step * k for k in range(count)])


def _hair(rig: Rig, build: Build) -> None:
    head = rig.truth["head"]
    top = rig.heads[head] + [0.0, 0.0, 0.8 * build.head]
    for x in np.linspace(-0.08, 0.08, 4):
        _hang(rig, f"hair {x:.2f} ", head, top + [x, 0.08, 0.0], np.array([x * 0.1, 0.02, -0.4 * build.head]), 5)


def _skirt(rig: Rig, build: Build) -> None:
    pelvis = rig.truth["pelvis"]
    for a in np.linspace(0.0, 2.0 * np.pi, 9)[:-1] + np.pi / 8.0:
        out = np.array([np.cos(a), np.sin(a), 0.0])
        _hang(
            rig,
            f"skirt {a:.1f} ",
            pelvis,
            rig.heads[pelvis] + 0.15 * out,
            0.04 * out - [0.0, 0.0, 0.3 * build.thigh],
            3,
        )


def _tail(rig: Rig, build: Build) -> None:
    pelvis = rig.truth["pelvis"]
    _hang(rig, "tail ", pelvis, rig.heads[pelvis] + [0.0, 0.12, -0.02], np.array([0.0, 0.12, -0.05]), 6)


def _wings(rig: Rig, build: Build) -> None:
    chest = rig.parents[rig.truth.get("left_collar", rig.truth["left_shoulder"])]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        start = rig.heads[chest] + [sign * 0.06, 0.12, 0.02]
        _hang(rig, f"{side} wing ", chest, start, build.trunk * np.array([sign * 0.4, 0.15, 0.2]), 4)


def _weapon(rig: Rig, build: Build) -> None:
    hand = rig.truth["right_wrist"]
    _hang(rig, "weapon ", hand, rig.heads[hand] + [-0.08, -0.05, 0.0], np.array([0.0, -0.6, 0.0]), 2)


def _face(rig: Rig, build: Build) -> None:
    head = rig.truth["head"]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rig.add(f"{side} eye", head, rig.heads[head] + [sign * 0.03, -0.09, 0.4 * build.head])
    rig.add("jaw", head, rig.heads[head] + [0.0, -0.05, 0.1 * build.head])


def _breast(rig: Rig, build: Build) -> None:
    chest = rig.parents[rig.truth.get("left_collar", rig.truth["left_shoulder"])]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rig.add(f"{side} breast", chest, rig.heads[chest] + [sign * 0.08, -0.12, 0.05])


def _controls(rig: Rig, build: Build) -> None:
    """Inverse-kinematics targets and poles under the root, as riggers leave them in."""
    root = 0
    for side in ("left", "right"):
        for joint, ahead in (("ankle", 0.0), ("knee", -0.5), ("wrist", 0.0), ("elbow", 0.5)):
            place = rig.heads[rig.truth[f"{side}_{joint}"]] + [0.0, ahead, 0.0]
            target = rig.add(f"{side} {joint} target", root, place)
            if joint == "ankle":
                _hang(rig, f"{side} roll ", target, place + [0.0, 0.05, -0.06], np.array([0.0, -0.12, 0.0]), 3)


EXTRAS = {
    "hair": _hair,
    "skirt": _skirt,
    "tail": _tail,
    "wings": _wings,
    "weapon": _weapon,
    "face": _face,
    "breast": _breast,
    "controls": _controls,
}
