# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching beyond the one rig in the one library."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT

WALK = ROOT / "samples" / "walk_07_04.bvh"


def test_all_libraries_are_searched_as_one_and_one_that_is_gone_does_not_stop_it(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample_library, tmp_path / "twin.hums")
    facts = blender.run("search_in_all", first=sample_library, second=tmp_path / "twin.hums", take=WALK)
    assert sorted(facts["libraries"]) == ["samples"] * 3 + ["twin"] * 3
    assert facts["scores"] == sorted(facts["scores"], reverse=True)
    assert facts["own"] == [name == "walk_07_04" for name in facts["names"]]
    assert facts["left"]
    assert "There is no library in" in facts["trouble"]
    assert facts["own_after_apply"] == [facts["names"][2]], "the motion that was applied is told from the others"


def test_motions_are_listed_by_name_and_filters_narrow_what_a_motion_finds(
    blender: Blender, sample_library: Path
) -> None:
    facts = blender.run("search_by_name", library=sample_library, take=WALK)
    assert len(facts["by_name"]) > 3
    assert all("walk" in name for name in facts["by_name"] + facts["both"])
    assert not facts["scored"]
    assert facts["both"][0] == "walk_07_04"
    assert sorted(facts["both"]) == sorted(facts["by_name"])
    assert facts["longest"] <= 1.5
    assert facts["none"] == facts["cleared"] == []
    assert facts["everything"] == 20


def test_each_filter_lets_through_what_it_says(blender: Blender, tmp_path: Path) -> None:
    takes = tmp_path / "takes"
    (takes / "stunts").mkdir(parents=True)
    samples = ROOT / "samples"
    shutil.copy(samples / "walk_02_01.bvh", takes / "short.bvh")
    shutil.copy(samples / "walk_07_04.bvh", takes / "long.bvh")
    shutil.copy(samples / "kick_10_01.bvh", takes / "stunts" / "kick.bvh")
    (takes / "slow.bvh").write_text(at_30_fps_on_mixamo((samples / "box_02_05.bvh").read_text()))
    facts = blender.run("filters", takes=takes, library=tmp_path / "four.hums")
    assert facts == {
        "fps": ["slow"],
        "folder": ["kick"],
        "shortest_s": ["long", "slow"],
        "longest_s": ["kick", "short"],
        "rig": ["slow"],
    }


def at_30_fps_on_mixamo(bvh: str) -> str:
    """A sample of the CMU database as if it had been recorded for Mixamo's rig, at half the speed."""
    parts = {
        "Collar": "Shoulder",
        "Shldr": "Arm",
        "ForeArm": "ForeArm",
        "Hand": "Hand",
        "Thigh": "UpLeg",
        "Shin": "Leg",
    }
    names = {"hip": "Hips", "abdomen": "Spine", "chest": "Spine1", "neck": "Neck", "head": "Head"}
    for side, word in (("l", "Left"), ("r", "Right")):
        names |= {side + part: word + mixamo for part, mixamo in {**parts, "Foot": "Foot"}.items()}
    named = re.sub(r"(ROOT|JOINT) (\w+)", lambda found: f"{found[1]} mixamorig:{names.get(found[2], found[2])}", bvh)
    return re.sub(r"Frame Time: \S+", "Frame Time: 0.033333", named)


def test_mirrored_too_finds_the_mirror_image_and_marks_it(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("mirrored_too", library=sample_library, take=ROOT / "samples" / "kick_10_01.bvh")
    name, mirrored, score = facts["True"]
    assert (name, mirrored) == ("kick_10_01", True)
    assert score > 90.0 > facts["False"][2]
    assert not facts["False"][1]


def test_the_name_of_a_result_is_copied_and_its_folder_shown(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("name_and_file_of_a_result", library=sample_library, take=WALK)
    assert facts["copied"] in ("walk_07_04", "")  # Blender's module has no clipboard on some systems
    assert facts["opened"] == [str(ROOT / "samples")]
    assert "gone.bvh is not in" in facts["gone"]


def test_only_the_querys_own_file_is_marked_among_files_of_the_same_name(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(ROOT / "samples" / "walk_08_07.bvh", other / WALK.name)
    blender.run("create_library", directory=other, library=tmp_path / "other.hums")
    facts = blender.run("own_among_namesakes", first=sample_library, second=tmp_path / "other.hums", take=WALK)
    assert sorted(facts["namesakes"]) == sorted([str(WALK), str(other / WALK.name)])
    assert facts["own"] == [str(WALK)]


def test_errors_are_told_in_the_persons_language_with_their_names_as_they_are(blender: Blender) -> None:
    told = blender.run("told_in_german")
    assert told["own"].startswith("„Library“ hat keine Aktion")
    assert told["file"].startswith("walk: 2.bvh: die Datei ist abgeschnitten: sie hat 3 von 90 Bildern")
    assert told["nested"] == (
        "Statt „Hero“ das Rig einer menschlichen Figur wählen: In diesem Skelett wurde keine menschliche Figur "
        "gefunden: es hat keine zwei gleichen Gliedmaßen."
    )
    assert told["unknown"] == "Nobody: foresaw this."


def test_a_result_becomes_the_question_an_example_or_what_is_not_wanted(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("results_as_questions", library=sample_library, take=WALK)
    assert facts["after"] > facts["before"]
    assert facts["question"].endswith(f"; not like {facts['unwanted']}")
    assert facts["instead"], "a motion is most like itself"
    assert " + " in facts["also"]


def test_stars_and_tags_are_kept_in_the_library_and_a_shared_one_says_why_not(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.hums"
    shutil.copytree(sample_library, own)
    facts = blender.run("marks", library=own, take=WALK)
    assert facts["starred"]
    assert facts["tags"] == ["hero", "tired walk"]
    assert facts["shown"] == [True, "hero, tired walk"]
    assert facts["only_starred"]
    assert facts["by_tag"]
    assert "The library own is read only, so nothing can be marked in it" in facts["refused"]


def test_results_are_sorted_grouped_and_hidden(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("arrange", library=sample_library, take=WALK)
    assert all(facts.values()), facts


def test_selected_arms_find_a_motion_whatever_the_legs_do(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("search_by_bones", library=sample_library, take=ROOT / "samples" / "box_02_05.bvh")
    assert max(facts["arms"], key=facts["arms"].get) == "box_02_05"
    assert facts["arms"]["box_02_05"] > facts["whole"].get("box_02_05", 0.0)
    assert facts["joints"] == [
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"
    ]  # fmt: skip
    assert "None of the selected bones is a joint of the body" in facts["none"]


def test_a_long_evaluated_motion_is_read_in_slices_that_leave_the_frame_alone(blender: Blender) -> None:
    facts = blender.run("read_in_slices")
    assert facts["steps"] > 3
    assert set(facts["frames"]) == {17}
    assert facts["difference"] < 1e-5
    assert facts["longest_s"] < 0.1
    assert "The rig was changed while its motion was read" in facts["told"]


def test_moved_files_are_known_to_be_missing_and_are_relinked_and_failed_ones_are_named(
    blender: Blender, tmp_path: Path
) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for name in ("kick_10_01", "box_02_05", "wave_13_26"):
        shutil.copy(ROOT / "samples" / f"{name}.bvh", folder)
    facts = blender.run("missing_and_failed", directory=folder, library=tmp_path / "mine.hums")
    assert facts["failed"] == ["broken.bvh"]
    assert facts["reason"]
    assert [facts["clips"], facts["missing_before"], facts["missing"], facts["mended"]] == [3, 0, 3, 0]
    assert "No motion file of mine is missing" in facts["nothing_missing"]


def test_the_report_has_the_versions_the_libraries_and_the_last_error(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("report_of_an_error", library=sample_library)
    report = "\n".join(facts["report"])
    assert report.startswith("DeepHuMS ")
    for part in ("Blender ", "Python ", "onnxruntime ", f"library samples: {sample_library}", "Traceback"):
        assert part in report
    assert "'Hero' has no action" in facts["told"]
    assert "Find Similar: 'Hero' has no action" in report


def test_a_dropped_file_is_a_query_a_new_armature_or_lands_on_the_rig(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("drop", library=sample_library, take=WALK)
    assert facts["found"] == "walk_07_04"
    assert facts["question"] == "walk_07_04.bvh"
    assert facts["imported"].startswith("walk_07_04")
    assert facts["keys"] > 20


def test_an_answer_to_a_question_that_was_taken_back_is_not_listed(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("answer_after_clearing", library=sample_library, take=WALK)
    assert facts == {"cleared": [], "listed": 20}


def test_what_goes_wrong_beside_blender_is_kept_for_the_report_and_stops_nothing(blender: Blender) -> None:
    facts = blender.run("errors_beside_blender")
    assert facts["heard"] == ["told"]
    assert "ZeroDivisionError" in facts["kept"][0]
    assert "KeyError" in facts["kept"][1]


def test_everything_that_a_mouse_can_rest_on_has_a_tooltip(blender: Blender) -> None:
    facts = blender.run("tooltips")
    assert facts["seen"] > 120
    assert facts["untold"] == []
    assert facts["described"]["HUMS_OT_drop_files"] == "Put the motion of the first file on the rig"
    assert facts["described"]["HUMS_OT_more_like_this"] == "Leave out what is like this result"
