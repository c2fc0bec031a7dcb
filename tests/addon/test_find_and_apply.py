# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: a motion is found by a motion, and put on a rig."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT

WALK = ROOT / "samples" / "walk_07_04.bvh"
TAKES = ("walk_07_04", "kick_11_01", "salsa_60_01", "run_09_01", "cartwheel_49_06")


@pytest.mark.parametrize("take", TAKES)
def test_a_take_is_found_first_from_its_own_skeleton_and_from_another_rig(
    blender: Blender, sample_library: Path, take: str
) -> None:
    facts = blender.run("find_and_apply", library=sample_library, take=ROOT / "samples" / f"{take}.bvh")
    assert facts["own"][0]["name"] == take
    assert facts["own"][0]["score"] > 90
    assert facts["other_rig"][0]["name"] == take
    assert len(facts["own"]) == 20
    scores = [hit["score"] for hit in facts["own"]]
    assert scores == sorted(scores, reverse=True)
    assert facts["question"].startswith(f"{take}, frames 1 to ")


def test_a_second_of_a_take_finds_the_take_and_the_moment(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("find_part", library=sample_library, take=WALK)
    assert facts["clips"][0]["name"] == "walk_07_04"
    moment = facts["moments"][0]
    assert moment["name"] == "walk_07_04"
    assert abs(moment["start_s"] - 1.0) < 0.5
    assert abs(moment["end_s"] - 2.46) < 0.5
    assert facts["moved"] == 0


def test_applying_adds_one_action_and_leaves_all_else_alone(blender: Blender) -> None:
    facts = blender.run("apply_keeps_the_rest", take=WALK)
    assert facts["before"] == facts["after"]
    assert facts["action"] == "walk_07_04"
    assert facts["actions"] == {"Blocking": True, "walk_07_04": False}
    assert facts["slot"] in (None, "OBHero"), "the slot is the rig's, where Blender has slots"
    assert facts["frames"] == [float(frame) for frame in range(11, 11 + 48 + 1)], "two seconds at 24 frames a second"
    assert "mixamorig:LeftForeArm" in facts["groups"]


@pytest.mark.parametrize("fps", [24, 60])
def test_the_limbs_of_an_a_posed_scaled_rig_point_where_the_source_points(blender: Blender, fps: int) -> None:
    facts = blender.run("apply_follows_the_source", take=WALK, fps=fps)
    assert facts["mean"] < 1.0
    assert facts["worst"] < 4.0


def test_the_path_can_be_kept_resized_and_dropped(blender: Blender) -> None:
    spans = blender.run("apply_in_place_and_scaled", take=WALK)
    assert spans["recorded"] > 1.0
    assert spans["in_place"] < 0.05, "metres: the hips turn about their middle"
    assert spans["half"] == pytest.approx(spans["full"] / 2, rel=0.02)


def test_one_undo_takes_the_motion_off_and_brings_the_old_action_back(blender: Blender) -> None:
    facts = blender.run("undo_apply", take=WALK)
    assert facts == {
        "applied": "walk_07_04", "after_undo": "Blocking", "actions": ["Blocking"], "after_redo": "walk_07_04"
    }  # fmt: skip


def test_a_skin_stands_for_the_rig_that_moves_it(blender: Blender) -> None:
    assert blender.run("apply_to_mesh", take=WALK) == {"action": "walk_07_04"}


def test_soles_stay_out_of_the_floor_farther_than_bones_tell(blender: Blender) -> None:
    samples = ROOT / "samples"
    depths = blender.run(
        "soles_of_a_character", character=samples / "character" / "knight.glb", take=samples / "ballet_05_05.bvh"
    )
    assert depths["shown"] < 0.75 * depths["not shown"]
