# SPDX-License-Identifier: GPL-3.0-or-later
"""A control rig as Auto-Rig Pro makes them, built by a script: limbs of three chains, blended by a switch each.

Every limb has a chain that is turned (FK), one that reaches for a control (IK), and one that moves the skin and copies
the other two: IK first, then FK by as much as the limb's switch says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from mathutils import Vector

Place = tuple[float, float, float]

_MIDDLE: tuple[tuple[str, str, Place], ...] = (
    ("c_pos", "", (0.0, 0.0, 0.0)),
    ("c_traj", "c_pos", (0.0, 0.0, 0.0)),
    ("c_root_master.x", "c_traj", (0.0, 0.0, 1.0)),
    ("c_root.x", "c_root_master.x", (0.0, 0.0, 1.0)),
    ("c_spine_01.x", "c_root_master.x", (0.0, 0.0, 1.12)),
    ("c_spine_02.x", "c_spine_01.x", (0.0, 0.0, 1.28)),
    ("c_neck.x", "c_spine_02.x", (0.0, 0.0, 1.50)),
    ("c_head.x", "c_neck.x", (0.0, -0.02, 1.62)),
)
# what it hangs on; its skin's bones and where they start on the left; where the last one ends; where its pole is
_LIMBS: dict[str, tuple[str, tuple[tuple[str, Place], ...], Place, Place]] = {
    "hand": (
        "c_shoulder",
        (("arm", (0.18, 0.0, 1.47)), ("forearm", (0.37, 0.02, 1.28)), ("hand", (0.55, 0.0, 1.10))),
        (0.61, 0.0, 1.04),
        (0.37, 0.6, 1.28),
    ),
    "foot": (
        "c_root.x",
        (("thigh", (0.10, 0.0, 0.95)), ("leg", (0.10, -0.01, 0.52)), ("foot", (0.10, 0.02, 0.09))),
        (0.10, -0.11, 0.02),
        (0.10, -0.6, 0.52),
    ),
}
_SIDES = ((".l", 1.0), (".r", -1.0))


@dataclass(frozen=True)
class Switches:
    """How the rig says whether its limbs are turned (at ``top``) or reach (at 0).

    Attributes:
        owner: whose custom properties they are: each limb's IK "control", the "object", or its "data".
        top: the upper end of their range; whole numbers where it is an integer.
    """

    owner: str = "control"
    top: float | int = 1.0


def auto_rig(switches: Switches) -> bpy.types.Object:
    """The rig, with all its limbs switched to IK."""
    rig = bpy.data.objects.new("Hero", bpy.data.armatures.new("Hero"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, head in _MIDDLE:
        _bone(rig, name, parent, head, next((at for _, above, at in _MIDDLE if above == name and at != head), None))
    for side, sign in _SIDES:
        _bone(rig, f"c_shoulder{side}", "c_spine_02.x", (sign * 0.06, 0.0, 1.47), (sign * 0.18, 0.0, 1.47))
        for limb in _LIMBS:
            _limb(rig, limb, side, sign)
        _bone(rig, f"c_toes_fk{side}", f"foot{side}", (sign * 0.10, -0.11, 0.02), (sign * 0.10, -0.19, 0.02))
    bpy.ops.object.mode_set(mode="OBJECT")
    for side, _ in _SIDES:
        for limb in _LIMBS:
            _constrain(rig, limb, side, switches)
    _draw_controls(rig)
    bpy.context.view_layer.update()
    return rig


def take_names(rig: bpy.types.Object) -> None:
    """Gives all bones names that say nothing."""
    for place, bone in enumerate(list(rig.data.bones)):
        bone.name = f"b{place * 37 % 1009:04d}"
    bpy.context.view_layer.update()


def _bone(rig: bpy.types.Object, name: str, parent: str, head: Place, tail: Place | None) -> None:
    edit = rig.data.edit_bones.new(name)
    edit.head = head
    edit.tail = tail or Vector(head) + Vector((0.0, 0.0, 0.15))
    edit.parent = rig.data.edit_bones.get(parent)
    edit.use_deform = not name.startswith("c_")


def _limb(rig: bpy.types.Object, limb: str, side: str, sign: float) -> None:
    root, bones, end, pole = _LIMBS[limb]
    root += side if root == "c_shoulder" else ""

    def at(place: Place) -> Place:
        return sign * place[0], place[1], place[2]

    starts = [place for _, place in bones]
    for form in ("c_{}_fk", "{}_ik", "{}"):
        parent = root
        for (part, head), tail in zip(bones, [*starts[1:], end], strict=True):
            name = form.format(part) + side
            _bone(rig, name, parent, at(head), at(tail))
            parent = name
    _bone(rig, f"c_{limb}_ik{side}", "c_traj", at(starts[-1]), at(end))
    _bone(rig, f"c_{limb}_pole{side}", "c_traj", at(pole), None)


def _constrain(rig: bpy.types.Object, limb: str, side: str, switches: Switches) -> None:
    parts = [name for name, _ in _LIMBS[limb][1]]
    control = f"c_{limb}_ik{side}"
    reach = rig.pose.bones[f"{parts[1]}_ik{side}"].constraints.new("IK")
    reach.target, reach.subtarget, reach.chain_count = rig, control, 2
    reach.pole_target, reach.pole_subtarget = rig, f"c_{limb}_pole{side}"
    turned = rig.pose.bones[f"{parts[2]}_ik{side}"].constraints.new("COPY_ROTATION")
    turned.target, turned.subtarget = rig, control
    owner: Any = {"object": rig, "data": rig.data}.get(switches.owner, rig.pose.bones[control])
    name = "ik_fk_switch" if switches.owner == "control" else f"ik_fk_switch_{limb}{side}"
    owner[name] = type(switches.top)(0)
    owner.id_properties_ui(name).update(min=0, max=switches.top)
    for part in parts:
        for form in ("{}_ik", "c_{}_fk"):
            copy = rig.pose.bones[part + side].constraints.new("COPY_TRANSFORMS")
            copy.target, copy.subtarget = rig, form.format(part) + side
        driver = copy.driver_add("influence").driver
        variable = driver.variables.new()
        target = variable.targets[0]
        if switches.owner == "data":
            variable.type, target.id_type = "SINGLE_PROP", "ARMATURE"
        target.id = rig.data if switches.owner == "data" else rig
        target.data_path = (owner.path_from_id() if switches.owner == "control" else "") + f'["{name}"]'
        driver.expression = f"{variable.name} / {switches.top}"


def _draw_controls(rig: bpy.types.Object) -> None:
    shape = bpy.data.objects.new("Ring", None)
    for bone in rig.pose.bones:
        bone.custom_shape = shape if bone.name.startswith("c_") else None
