# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion lands where and how a person says, and all else stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT

WALK = ROOT / "samples" / "walk_07_04.bvh"
SAME = 1e-3  # metres between poses that are one


def test_replacing_keys_keeps_the_rest_of_the_action(blender: Blender) -> None:
    facts = blender.run("replace_keys", take=WALK)
    assert facts["action"] == "Blocking"
    assert facts["actions"] == ["Blocking"]
    assert facts["around"] < SAME, "also between the keys around it"
    assert facts["scale"], "channels that the clip does not have are not touched"
    assert facts["inside"] < SAME
    inside = [frame for frame in facts["frames"] if 20 <= frame <= 32]
    assert inside == [float(frame) for frame in range(20, 33)]


def test_an_inserted_clip_shifts_all_that_comes_later(blender: Blender) -> None:
    facts = blender.run("insert_clip", take=WALK)
    assert facts["earlier"] < SAME
    assert facts["later"] < SAME
    assert facts["inside"] < SAME
    assert facts["scale_keys"][-1] == 50 + facts["count"], "channels that the clip does not have shift too"
    assert facts["scale_keys"][0] == 10


def test_changing_an_action_that_another_rig_plays_is_told(blender: Blender) -> None:
    told = blender.run("change_what_others_play", take=WALK)
    for mode in ("replace", "insert"):
        assert told[mode].endswith("; Twin plays the same action and has changed too")
    assert "Twin" not in told["new"]


@pytest.mark.parametrize("mode", ["replace", "insert", "new"])
def test_a_clip_blends_from_what_was_there_and_back_without_a_jump(blender: Blender, mode: str) -> None:
    facts = blender.run("blend_clip", take=WALK, mode=mode)
    assert facts["first"] < SAME
    assert facts["last"] < SAME
    assert facts["middle"] < SAME
    assert facts["cut"] > 0.5
    assert facts["steps"] < 0.5 * facts["cut"]
    if mode != "new":
        assert facts["onward"] < 0.02, "a hundredth of the way that the arms go in these frames"


def test_no_curve_goes_the_long_way_round_at_a_seam(blender: Blender) -> None:
    assert blender.run("seams", take=WALK)["apart"] < SAME


def test_a_strip_lies_above_all_others_and_leaves_the_action_alone(blender: Blender) -> None:
    facts = blender.run("strip_of_clip", take=WALK)
    assert facts["tracks"][-1] == "walk_07_04"
    assert len(facts["tracks"]) == 2
    assert facts["strip"] == ["walk_07_04", "walk_07_04", 20.0, 32.0, 4.0, 5.0]
    assert facts["sane"] == [False, False, "NOTHING", "REPLACE", 1.0]
    assert facts["slot"] in (None, "OBHero")
    assert facts["kept"]
    assert not facts["hidden"]
    assert facts["inside"] < SAME
    assert facts["outside"] < SAME


def test_a_clip_goes_on_from_where_the_pose_stands_and_faces(blender: Blender) -> None:
    facts = blender.run("go_on_from_the_pose", take=WALK)
    assert facts["walked"] > 1.5
    for where in ("here", "elsewhere"):
        assert facts[where] < 0.01
        assert facts[f"turn {where}"] < 15, "degrees; the pelvis leans differently in the two frames"


def test_the_object_can_carry_the_path(blender: Blender) -> None:
    facts = blender.run("travel_on_the_object", take=WALK)
    assert facts["apart"] < SAME
    assert facts["way"] > 0.8
    assert facts["height"] < SAME
    assert facts["groups"] == ["Object Transforms"]
    assert facts["stands"] < SAME, "a clip that moves the bones stops the object meanwhile"


def test_handles_lie_around_the_stretch_and_a_mirror_exchanges_the_sides(blender: Blender) -> None:
    facts = blender.run("mirrored_and_with_handles", take=WALK)
    assert facts["frames"] == [50, 74]
    assert facts["with_handles"] == [38, 80]
    assert facts["same_stretch"] < 0.02
    assert facts["mirrored"] < 0.03
    assert facts["differs"] > 0.1


@pytest.mark.parametrize("curve", ["bezier", "linear"])
def test_fewer_keys_keep_every_frame_within_the_bounds(blender: Blender, curve: str) -> None:
    facts = blender.run("fewer_keys", take=WALK, curve=curve)
    assert facts["degrees"] < 1.01
    assert facts["millimetres"] < 2.1
    assert facts["share"] < 0.45
    assert facts["kinds"] == [curve.upper()]


def test_locked_and_driven_channels_are_left_alone_and_named(blender: Blender) -> None:
    facts = blender.run("held_channels", take=WALK)
    keyed = facts["keyed"]
    for name in ("LeftArm", "Head"):
        assert f'pose.bones["{name}"].rotation_quaternion' not in keyed
    assert keyed['pose.bones["RightArm"].rotation_quaternion'] == [1, 2, 3]
    assert keyed['pose.bones["LeftForeArm"].rotation_quaternion'] == [0, 2], "a hinge"
    assert keyed['pose.bones["LeftLeg"].rotation_quaternion'] == [0, 1, 2, 3]
    assert facts["within_lock"] < 1e-5
    assert keyed['pose.bones["RightForeArm"].rotation_euler'] == [0, 2]
    assert keyed['pose.bones["Hips"].location'] == [0, 1]
    assert facts["left"] == ["Head", "Hips", "LeftArm", "LeftForeArm", "LeftLeg", "RightArm", "RightForeArm"]
    assert "left alone where locked, driven or muted: mixamorig:" in facts["told"]
    assert facts["told"].endswith("and 4 more")


def test_locked_and_muted_curves_are_left_alone(blender: Blender) -> None:
    assert blender.run("held_curves", take=WALK) == {"kept": True, "others": True}


REFUSED = {
    "all locked": "is locked, driven or muted: unlock the bones first",
    "instance of a collection": "make a library override of it first (menu Object), or make the instance real",
    "edit mode": "'Hero' is in edit mode: leave it first",
    "its data in edit mode": "'Twin' is in edit mode: leave it first",
    "tweak mode": "'Hero' has an NLA strip in tweak mode: leave it first",
    "linked action, replace": "The action 'Blocking' is linked from another file: land as a new action",
    "linked action, insert": "The action 'Blocking' is linked from another file: land as a new action",
}


def test_rigs_that_cannot_be_keyed_are_refused_with_the_way_out(blender: Blender, tmp_path: Path) -> None:
    told = blender.run("refused_rigs", take=WALK, folder=tmp_path)
    for case, sentence in REFUSED.items():
        assert sentence in told[case], case
    assert told["linked action, new"] == ""


def test_a_library_override_takes_an_action_and_keeps_it(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("overridden_rig", take=WALK, blend=tmp_path / "hero.blend")
    assert "is not editable: make it so first" in facts["system"]
    assert facts["action"] == "walk_07_04"
    assert facts["posed"] < SAME


def test_pose_mode_shared_armatures_hidden_collections_and_other_scenes(blender: Blender) -> None:
    facts = blender.run("rigs_of_all_kinds", take=WALK)
    assert facts["mode"] == "POSE"
    assert facts["twin"]
    assert facts["pose"] == 13
    assert facts["hidden"].startswith("walk_07_04")
    assert facts["other_scene"] == [7, 37]
    assert facts["fps"] == 24


def test_an_action_without_a_slot_for_the_rig_gets_back_the_one_of_its_name(blender: Blender) -> None:
    slots = blender.run("slot_of_its_name", take=WALK)
    assert slots[: len(slots) // 2] == slots[len(slots) // 2 :]


def test_one_undo_brings_replaced_keys_back(blender: Blender) -> None:
    assert blender.run("undo_replace", take=WALK) == {"changed": True, "undone": True, "redone": True}


def test_many_motions_become_actions_and_assets_and_the_rig_keeps_its_own(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    takes = [ROOT / "samples" / f"{name}.bvh" for name in ("walk_07_04", "kick_11_01")]
    facts = blender.run("batch", library=sample_library, folder=tmp_path, takes=[str(take) for take in takes])
    assert facts["made"] == facts["results"]
    assert facts["fake"]
    assert facts["assets"]
    assert facts["tags"] == ["calm", "locomotion"]
    assert facts["catalogs"] == 1
    assert facts["catalog"].endswith(":Motions/Walks:Motions-Walks")
    assert facts["current"] == "Blocking"
    assert "No result is picked" in facts["none_picked"]
    assert facts["more"] == 6, "one star, one tick, two clips, two files; the missing file stops nothing"
    assert facts["asset"] == 1
    assert facts["kept"] == 4 + 6 + 1
    shape, contrast = facts["picture"]
    assert shape == [256, 256, 4]
    assert contrast > 0.5
    assert facts["plays"] > 0.5
    assert "999999" in facts["nothing"]


def test_a_farm_applies_motions_to_rigs_of_files(blender: Blender, sample_library: Path, tmp_path: Path) -> None:
    facts = blender.run("apply_on_the_farm", library=sample_library, folder=tmp_path, take=WALK)
    assert {name: facts[name]["code"] for name in facts} == {
        "clips": 0, "query": 0, "broken": 1, "nothing": 2, "strips": 0, "two new": 2, "no rig": 2, "no such file": 2
    }  # fmt: skip
    assert facts["clips"]["said"]["actions"] == facts["clips"]["actions"][::-1] == ["walk_07_04", "run_09_01"]
    assert all(facts["clips"]["assets"])
    assert facts["query"]["said"]["actions"][0] == "walk_07_04"
    assert len(facts["query"]["actions"]) == 3
    assert facts["query"]["fps"] == 30
    assert facts["broken"]["said"]["failed"][0]["motion"] == "missing"
    assert facts["nothing"]["said"]["error"].startswith("No motion was named")
    (start, end), (onward, _) = facts["strips"]["spans"]
    assert start == 20
    assert onward == end + 1, "one motion follows the other"
    assert "one new action" in facts["two new"]["said"]["error"]
