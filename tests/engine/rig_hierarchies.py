# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - a chain of bones is a line
"""The bones of rigs as their makers hang them on each other, twists, fingers and helpers included.

A line is a chain, each bone hanging on the one before; before a colon stands what the first one hangs on. Braces hold what
differs between left and right, and such a line is two. The joints are told by the bones that begin there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hums_engine.skeleton import INDEX, REFERENCE

Array = NDArray[np.float64]

_SIDES = re.compile(r"\{([^|}]*)\|([^}]*)\}")
_LIMB = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")


@dataclass(frozen=True)
class Hierarchy:
    """A rig: its chains, the bones of pelvis, spine3, neck and head, and those of a limb's joints with sides in braces."""

    family: str
    chains: str
    middle: str
    limbs: str

    def truth(self) -> dict[str, str]:
        """Canonical joint -> bone; "-" stands for a joint that the rig lacks."""
        bones = dict(zip(("pelvis", "spine3", "neck", "head"), self.middle.split(), strict=True))
        for joint, bone in zip(_LIMB, self.limbs.split(), strict=True):
            bones |= {f"left_{joint}": _side(bone, 1), f"right_{joint}": _side(bone, 2)}
        return {joint: bone for joint, bone in bones.items() if bone != "-"}

    def bones(self) -> tuple[list[str], NDArray[np.intp], Array]:
        """Names, parents and where the bones begin: at their joints, else a little way on from what they hang on."""
        above: dict[str, str] = {}
        for line in self.chains.strip().splitlines():
            for side in (1, 2) if "{" in line else (1,):
                start, _, chain = _side(line, side).rpartition(": ")
                parent = start.strip()
                for name in chain.split():
                    above[name] = parent
                    parent = name
        names = list(above)
        parents = np.array([names.index(above[n]) if above[n] else -1 for n in names], dtype=np.intp)
        return names, parents, self._places(names, parents)

    def _places(self, names: list[str], parents: NDArray[np.intp]) -> Array:
        joint_of = {bone: joint for joint, bone in self.truth().items()}
        places = np.zeros((len(names), 3))
        for j, name in enumerate(names):
            if name in joint_of:
                places[j] = REFERENCE[INDEX[joint_of[name]]]
            elif parents[j] >= 0:
                side = np.sign(places[parents[j], 0])
                places[j] = places[parents[j]] + [0.012 * side, 0.0, 0.0 if side else 0.02]
        return places


def _side(text: str, side: int) -> str:
    return _SIDES.sub(rf"\{side}", text)


HIERARCHIES = (
    Hierarchy(
        "mixamo",
        """
        mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head mixamorig:HeadTop_End
        mixamorig:Spine2: mixamorig:{Left|Right}Shoulder mixamorig:{Left|Right}Arm mixamorig:{Left|Right}ForeArm mixamorig:{Left|Right}Hand mixamorig:{Left|Right}HandIndex1 mixamorig:{Left|Right}HandIndex2
        mixamorig:Hips: mixamorig:{Left|Right}UpLeg mixamorig:{Left|Right}Leg mixamorig:{Left|Right}Foot mixamorig:{Left|Right}ToeBase mixamorig:{Left|Right}Toe_End
        """,
        "mixamorig:Hips mixamorig:Spine2 mixamorig:Neck mixamorig:Head",
        "mixamorig:{Left|Right}UpLeg mixamorig:{Left|Right}Leg mixamorig:{Left|Right}Foot mixamorig:{Left|Right}ToeBase "
        "mixamorig:{Left|Right}Shoulder mixamorig:{Left|Right}Arm mixamorig:{Left|Right}ForeArm mixamorig:{Left|Right}Hand",
    ),
    Hierarchy(
        "rigify_deform",
        """
        DEF-spine DEF-spine.001 DEF-spine.002 DEF-spine.003 DEF-spine.004 DEF-spine.005 DEF-spine.006
        DEF-spine: DEF-pelvis.{L|R}
        DEF-spine.003: DEF-breast.{L|R}
        DEF-spine.003: DEF-shoulder.{L|R} DEF-upper_arm.{L|R} DEF-upper_arm.{L|R}.001 DEF-forearm.{L|R} DEF-forearm.{L|R}.001 DEF-hand.{L|R} DEF-f_index.01.{L|R}
        DEF-spine: DEF-thigh.{L|R} DEF-thigh.{L|R}.001 DEF-shin.{L|R} DEF-shin.{L|R}.001 DEF-foot.{L|R} DEF-toe.{L|R}
        """,
        "DEF-spine DEF-spine.003 DEF-spine.004 DEF-spine.006",
        "DEF-thigh.{L|R} DEF-shin.{L|R} DEF-foot.{L|R} DEF-toe.{L|R} "
        "DEF-shoulder.{L|R} DEF-upper_arm.{L|R} DEF-forearm.{L|R} DEF-hand.{L|R}",
    ),
    Hierarchy(
        "unreal",
        """
        root pelvis spine_01 spine_02 spine_03 spine_04 spine_05 neck_01 neck_02 head
        spine_05: clavicle_{l|r} upperarm_{l|r} lowerarm_{l|r} hand_{l|r} index_metacarpal_{l|r} index_01_{l|r}
        upperarm_{l|r}: upperarm_twist_01_{l|r} upperarm_twistCor_01_{l|r}
        lowerarm_{l|r}: lowerarm_twist_02_{l|r}
        pelvis: thigh_{l|r} calf_{l|r} foot_{l|r} ball_{l|r}
        thigh_{l|r}: thigh_twist_01_{l|r}
        root: ik_foot_root ik_foot_{l|r}
        root: ik_hand_root ik_hand_gun ik_hand_{l|r}
        """,
        "pelvis spine_05 neck_01 head",
        "thigh_{l|r} calf_{l|r} foot_{l|r} ball_{l|r} clavicle_{l|r} upperarm_{l|r} lowerarm_{l|r} hand_{l|r}",
    ),
    Hierarchy(
        "humanik",
        """
        Character1_Reference Character1_Hips Character1_Spine Character1_Spine1 Character1_Spine2 Character1_Spine3 Character1_Neck Character1_Head
        Character1_Spine3: Character1_{Left|Right}Shoulder Character1_{Left|Right}Arm Character1_{Left|Right}ForeArm Character1_{Left|Right}Hand
        Character1_{Left|Right}ForeArm: Character1_{Left|Right}ForeArmRoll
        Character1_Hips: Character1_{Left|Right}UpLeg Character1_{Left|Right}Leg Character1_{Left|Right}Foot Character1_{Left|Right}ToeBase
        """,
        "Character1_Hips Character1_Spine3 Character1_Neck Character1_Head",
        "Character1_{Left|Right}UpLeg Character1_{Left|Right}Leg Character1_{Left|Right}Foot Character1_{Left|Right}ToeBase "
        "Character1_{Left|Right}Shoulder Character1_{Left|Right}Arm Character1_{Left|Right}ForeArm Character1_{Left|Right}Hand",
    ),
    Hierarchy(
        "unity",
        """
        Hips Spine Chest UpperChest Neck Head {Left|Right}Eye
        UpperChest: {Left|Right}Shoulder {Left|Right}UpperArm {Left|Right}LowerArm {Left|Right}Hand {Left|Right}IndexProximal
        Hips: {Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot {Left|Right}Toes
        """,
        "Hips UpperChest Neck Head",
        "{Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot {Left|Right}Toes "
        "{Left|Right}Shoulder {Left|Right}UpperArm {Left|Right}LowerArm {Left|Right}Hand",
    ),
    Hierarchy(
        "vrm",
        """
        Root J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head
        J_Bip_C_UpperChest: J_Bip_{L|R}_Shoulder J_Bip_{L|R}_UpperArm J_Bip_{L|R}_LowerArm J_Bip_{L|R}_Hand J_Bip_{L|R}_Index1
        J_Bip_C_UpperChest: J_Sec_{L|R}_Bust1 J_Sec_{L|R}_Bust2
        J_Bip_C_Hips: J_Bip_{L|R}_UpperLeg J_Bip_{L|R}_LowerLeg J_Bip_{L|R}_Foot J_Bip_{L|R}_ToeBase
        J_Bip_C_Head: J_Sec_Hair1_01 J_Sec_Hair2_01
        """,
        "J_Bip_C_Hips J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head",
        "J_Bip_{L|R}_UpperLeg J_Bip_{L|R}_LowerLeg J_Bip_{L|R}_Foot J_Bip_{L|R}_ToeBase "
        "J_Bip_{L|R}_Shoulder J_Bip_{L|R}_UpperArm J_Bip_{L|R}_LowerArm J_Bip_{L|R}_Hand",
    ),
    Hierarchy(
        "cmu_motionbuilder",
        """
        Hips LowerBack Spine Spine1 Neck Neck1 Head
        Hips: {LHipJoint|RHipJoint} {Left|Right}UpLeg {Left|Right}Leg {Left|Right}Foot {Left|Right}ToeBase
        Spine1: {Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand {Left|Right}FingerBase {Left|Right}HandIndex1
        """,
        "Hips Spine1 Neck Head",
        "{Left|Right}UpLeg {Left|Right}Leg {Left|Right}Foot {Left|Right}ToeBase "
        "{Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand",
    ),
    Hierarchy(
        "character_creator",
        """
        CC_Base_BoneRoot CC_Base_Hip CC_Base_Pelvis CC_Base_{L|R}_Thigh CC_Base_{L|R}_Calf CC_Base_{L|R}_Foot CC_Base_{L|R}_ToeBase CC_Base_{L|R}_BigToe1
        CC_Base_{L|R}_Thigh: CC_Base_{L|R}_ThighTwist01 CC_Base_{L|R}_ThighTwist02
        CC_Base_Hip: CC_Base_Waist CC_Base_Spine01 CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_NeckTwist02 CC_Base_Head
        CC_Base_Spine02: CC_Base_{L|R}_Clavicle CC_Base_{L|R}_Upperarm CC_Base_{L|R}_Forearm CC_Base_{L|R}_Hand CC_Base_{L|R}_Mid1
        CC_Base_{L|R}_Forearm: CC_Base_{L|R}_ForearmTwist01 CC_Base_{L|R}_ForearmTwist02
        """,
        "CC_Base_Hip CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head",
        "CC_Base_{L|R}_Thigh CC_Base_{L|R}_Calf CC_Base_{L|R}_Foot CC_Base_{L|R}_ToeBase "
        "CC_Base_{L|R}_Clavicle CC_Base_{L|R}_Upperarm CC_Base_{L|R}_Forearm CC_Base_{L|R}_Hand",
    ),
    Hierarchy(
        "daz_genesis",
        """
        Genesis8Female hip pelvis {l|r}ThighBend {l|r}ThighTwist {l|r}Shin {l|r}Foot {l|r}Metatarsals {l|r}Toe
        hip: abdomenLower abdomenUpper chestLower chestUpper neckLower neckUpper head
        chestLower: {l|r}Pectoral
        chestUpper: {l|r}Collar {l|r}ShldrBend {l|r}ShldrTwist {l|r}ForearmBend {l|r}ForearmTwist {l|r}Hand {l|r}Carpal1 {l|r}Index1
        """,
        "hip chestUpper neckLower head",
        "{l|r}ThighBend {l|r}Shin {l|r}Foot {l|r}Toe {l|r}Collar {l|r}ShldrBend {l|r}ForearmBend {l|r}Hand",
    ),
    Hierarchy(
        "daz_genesis9",
        """
        Genesis9 hip pelvis {l|r}_thigh {l|r}_shin {l|r}_foot {l|r}_metatarsal {l|r}_toes
        {l|r}_thigh: {l|r}_thightwist1 {l|r}_thightwist2
        hip: spine1 spine2 spine3 spine4 neck1 neck2 head
        spine4: {l|r}_shoulder {l|r}_upperarm {l|r}_forearm {l|r}_hand {l|r}_indexmetacarpal {l|r}_index1
        """,
        "hip spine4 neck1 head",
        "{l|r}_thigh {l|r}_shin {l|r}_foot {l|r}_toes {l|r}_shoulder {l|r}_upperarm {l|r}_forearm {l|r}_hand",
    ),
    Hierarchy(
        "smpl",
        """
        root pelvis spine1 spine2 spine3 neck head jaw
        pelvis: {left|right}_hip {left|right}_knee {left|right}_ankle {left|right}_foot
        spine3: {left|right}_collar {left|right}_shoulder {left|right}_elbow {left|right}_wrist {left|right}_index1
        """,
        "pelvis spine3 neck head",
        "{left|right}_hip {left|right}_knee {left|right}_ankle {left|right}_foot "
        "{left|right}_collar {left|right}_shoulder {left|right}_elbow {left|right}_wrist",
    ),
    Hierarchy(
        "rokoko",
        """
        Root Hips Spine Spine1 Spine2 Spine3 Spine4 Neck Head
        Hips: {Left|Right}Thigh {Left|Right}Shin {Left|Right}Foot {Left|Right}Toe {Left|Right}ToeTip
        Spine4: {Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand {Left|Right}Finger1Proximal
        """,
        "Hips Spine4 Neck Head",
        "{Left|Right}Thigh {Left|Right}Shin {Left|Right}Foot {Left|Right}Toe "
        "{Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand",
    ),
    Hierarchy(
        "xsens",
        """
        Pelvis L5 L3 T12 T8 Neck Head
        Pelvis: {Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot {Left|Right}Toe
        T8: {Left|Right}Shoulder {Left|Right}UpperArm {Left|Right}ForeArm {Left|Right}Hand
        """,
        "Pelvis T8 Neck Head",
        "{Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot {Left|Right}Toe "
        "{Left|Right}Shoulder {Left|Right}UpperArm {Left|Right}ForeArm {Left|Right}Hand",
    ),
    Hierarchy(  # Axis Neuron
        "humanik",
        """
        Robot_Hips Robot_{Left|Right}UpLeg Robot_{Left|Right}Leg Robot_{Left|Right}Foot
        Robot_Hips: Robot_Spine Robot_Spine1 Robot_Spine2 Robot_Spine3 Robot_Neck Robot_Head
        Robot_Spine3: Robot_{Left|Right}Shoulder Robot_{Left|Right}Arm Robot_{Left|Right}ForeArm Robot_{Left|Right}Hand Robot_{Left|Right}InHandIndex Robot_{Left|Right}HandIndex1
        """,
        "Robot_Hips Robot_Spine3 Robot_Neck Robot_Head",
        "Robot_{Left|Right}UpLeg Robot_{Left|Right}Leg Robot_{Left|Right}Foot - "
        "Robot_{Left|Right}Shoulder Robot_{Left|Right}Arm Robot_{Left|Right}ForeArm Robot_{Left|Right}Hand",
    ),
    Hierarchy(  # Ready Player Me
        "humanik",
        """
        Armature Hips Spine Spine1 Spine2 Neck Head HeadTop_End
        Head: {Left|Right}Eye
        Spine2: {Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand {Left|Right}HandThumb1
        Hips: {Left|Right}UpLeg {Left|Right}Leg {Left|Right}Foot {Left|Right}ToeBase {Left|Right}Toe_End
        """,
        "Hips Spine2 Neck Head",
        "{Left|Right}UpLeg {Left|Right}Leg {Left|Right}Foot {Left|Right}ToeBase "
        "{Left|Right}Shoulder {Left|Right}Arm {Left|Right}ForeArm {Left|Right}Hand",
    ),
    Hierarchy(
        "auto_rig_pro_export",
        """
        root root.x spine_01.x spine_02.x spine_03.x neck.x head.x
        root.x: thigh_stretch.{l|r} leg_stretch.{l|r} foot.{l|r} toes_01.{l|r}
        thigh_stretch.{l|r}: thigh_twist.{l|r}
        leg_stretch.{l|r}: leg_twist.{l|r}
        spine_03.x: shoulder.{l|r} arm_stretch.{l|r} forearm_stretch.{l|r} hand.{l|r} index1_base.{l|r}
        """,
        "root.x spine_03.x neck.x head.x",
        "thigh_stretch.{l|r} leg_stretch.{l|r} foot.{l|r} toes_01.{l|r} "
        "shoulder.{l|r} arm_stretch.{l|r} forearm_stretch.{l|r} hand.{l|r}",
    ),
    Hierarchy(
        "kaykit",
        """
        root hips spine chest head
        chest: upperarm.{l|r} lowerarm.{l|r} wrist.{l|r} hand.{l|r} handslot.{l|r}
        hips: upperleg.{l|r} lowerleg.{l|r} foot.{l|r} toes.{l|r}
        root: kneeIK.{l|r}
        root: control-foot-roll.{l|r} IK-foot.{l|r} IK-toe.{l|r}
        """,
        "hips chest - head",
        "upperleg.{l|r} lowerleg.{l|r} foot.{l|r} toes.{l|r} - upperarm.{l|r} lowerarm.{l|r} wrist.{l|r}",
    ),
    Hierarchy(
        "sides_behind",
        """
        Hips Spine Chest UpperChest Neck Head
        UpperChest: Shoulder.{L|R} UpperArm.{L|R} LowerArm.{L|R} Hand.{L|R} Index_Proximal.{L|R}
        Hips: UpperLeg.{L|R} LowerLeg.{L|R} Foot.{L|R} Toe.{L|R}
        Head: Hair_root Hair_front
        """,
        "Hips UpperChest Neck Head",
        "UpperLeg.{L|R} LowerLeg.{L|R} Foot.{L|R} Toe.{L|R} Shoulder.{L|R} UpperArm.{L|R} LowerArm.{L|R} Hand.{L|R}",
    ),
    Hierarchy(
        "advanced_skeleton",
        """
        Root_M RootPart1_M Spine1_M Spine1Part1_M Chest_M Neck_M NeckPart1_M Head_M
        Root_M: Hip_{L|R} HipPart1_{L|R} Knee_{L|R} Ankle_{L|R} Toes_{L|R} ToesEnd_{L|R}
        Chest_M: Scapula_{L|R} Shoulder_{L|R} ShoulderPart1_{L|R} Elbow_{L|R} ElbowPart1_{L|R} Wrist_{L|R} IndexFinger1_{L|R}
        """,
        "Root_M Chest_M Neck_M Head_M",
        "Hip_{L|R} Knee_{L|R} Ankle_{L|R} Toes_{L|R} Scapula_{L|R} Shoulder_{L|R} Elbow_{L|R} Wrist_{L|R}",
    ),
    Hierarchy(
        "roblox",
        """
        HumanoidRootPart LowerTorso UpperTorso Head
        UpperTorso: {Left|Right}UpperArm {Left|Right}LowerArm {Left|Right}Hand
        LowerTorso: {Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot
        """,
        "LowerTorso UpperTorso - Head",
        "{Left|Right}UpperLeg {Left|Right}LowerLeg {Left|Right}Foot - - {Left|Right}UpperArm {Left|Right}LowerArm {Left|Right}Hand",
    ),
)
