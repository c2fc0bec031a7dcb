# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone is which joint: found, corrected by hand, remembered."""

from __future__ import annotations

from pathlib import Path

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT

WALK = ROOT / "samples" / "walk_07_04.bvh"


def test_a_map_corrected_by_hand_stays_with_the_rig_and_is_what_motions_land_by(
    blender: Blender, tmp_path: Path
) -> None:
    facts = blender.run("map_by_hand", blend=tmp_path / "hero.blend", take=WALK)
    found = facts["found"]
    assert facts["corrected"] == {
        **{joint: bone for joint, bone in found.items() if joint not in ("left_wrist", "neck")},
        "head": "mixamorig:Neck",
    }
    assert not facts["hand_keyed"]
    assert facts["ignored"] == facts["forgotten"] == found


def test_a_control_rig_is_mapped_onto_its_controls_whatever_its_bones_are_called(blender: Blender) -> None:
    facts = blender.run("map_generated_rig")
    main = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    for maps in (facts["named"], facts["anonymous"]):
        assert maps["pelvis"] == "torso"
        assert [maps[f"left_{joint}"] for joint in main] == [
            "thigh_fk.L", "shin_fk.L", "foot_fk.L", "upper_arm_fk.L", "forearm_fk.L", "hand_fk.L"
        ]  # fmt: skip


def test_maps_are_corrected_on_both_sides_saved_used_by_themselves_and_shared(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("saved_maps", folder=tmp_path)
    assert facts["both"] == {"left": "mixamorig:LeftForeArm", "right": "mixamorig:RightForeArm"}
    assert facts["shown"] == facts["active"] == "mixamorig:LeftForeArm"
    assert facts["hands"] == [], "clearing one side clears the other"
    assert facts["used"] == ["studio_hero", True, True]
    assert (facts["deleted"], facts["imported"], facts["loaded"]) == ("mixamo", "studio_hero", "hand")
    wanted = ("has no bone", "There is no joint 'tail'", "There is no saved map", "is not a rig map", "choose another")
    for told, part in zip(facts["told"], wanted, strict=True):
        assert part in told


def test_a_linked_rig_can_be_corrected_and_its_file_keeps_it(blender: Blender, tmp_path: Path) -> None:
    assert blender.run("map_of_a_linked_rig", folder=tmp_path) == ["mixamorig:Neck", "mixamorig:Neck"]


def test_asking_for_a_map_again_costs_a_panel_nothing(blender: Blender) -> None:
    assert blender.run("time_of_a_cached_map") < 0.002
