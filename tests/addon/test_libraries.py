# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries: made, updated, listed, beside Blender and at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT


@pytest.fixture
def few_files(tmp_path: Path) -> Path:
    folder = tmp_path / "mocap"
    folder.mkdir()
    for name in ("walk_02_01", "jump_02_04", "kick_10_01"):
        shutil.copy(ROOT / "samples" / f"{name}.bvh", folder)
    return folder


def test_broken_files_among_good_ones_are_named_and_stop_nothing(
    blender: Blender, few_files: Path, tmp_path: Path
) -> None:
    whole = (few_files / "walk_02_01.bvh").read_text("utf-8")
    (few_files / "cut_off.bvh").write_text(whole[: len(whole) // 2], "utf-8")
    (few_files / "empty.bvh").write_text("", "utf-8")
    facts = blender.run("create_library", directory=few_files, library=tmp_path / "mine")
    assert facts["clips"] == 3
    assert facts["path"].endswith("mine.hums")
    failed = {Path(path).name: reason for path, reason in facts["failed"]}
    assert set(failed) == {"cut_off.bvh", "empty.bvh"}
    assert all(reason.endswith(".") for reason in failed.values())


def test_update_takes_in_new_files_and_forgets_those_that_are_gone(
    blender: Blender, few_files: Path, tmp_path: Path
) -> None:
    library = tmp_path / "mine.hums"
    blender.run("create_library", directory=few_files, library=library)
    shutil.copy(ROOT / "samples" / "run_09_01.bvh", few_files)
    (few_files / "kick_10_01.bvh").unlink()
    shutil.copy(ROOT / "samples" / "box_02_05.bvh", few_files)
    assert blender.run("update_library", library=library) == {"before": 3, "after": 4, "failed": []}


def test_indexing_beside_blender_tells_its_progress_and_never_holds_blender_up(
    blender: Blender, tmp_path: Path
) -> None:
    facts = blender.run("index_beside_blender", directory=ROOT / "samples", library=tmp_path / "beside.hums")
    assert facts["outcomes"] == ["Motion files: 49 added", "Motion files: nothing new, 49 unchanged"]
    assert max(facts["told"]) == 49
    assert facts["waiting"] == 1, "a second task waits for the first"
    assert facts["longest_stall_s"] < 0.05


def test_cancelling_keeps_what_was_done_and_update_goes_on_from_there(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("cancel_indexing", directory=ROOT / "samples", library=tmp_path / "cancelled.hums")
    assert facts["stopped"]
    assert not facts["running"]
    assert facts["outcome"] == "Indexing was cancelled: what was done is kept; press Update to go on."
    assert facts["clips_after_update"] == 49


def test_libraries_are_listed_once_and_leave_the_list_but_not_the_disk(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.hums"
    shutil.copytree(sample_library, shared)
    facts = blender.run("list_of_libraries", first=sample_library, second=shared)
    assert facts["listed"] == [["samples", False], ["shared", True]]
    assert facts["chosen"] == str(sample_library)
    assert facts["left"] == str(shared)
    assert "The library shared is read only" in facts["update_of_readonly"]
    assert "Add a motion library first" in facts["find_without"]
    assert (shared / "catalogue.sqlite").is_file()


def test_the_samples_that_came_with_the_addon_become_a_library_outside_of_its_folder(blender: Blender) -> None:
    facts = blender.run("add_samples")
    assert facts["clips"] == 49
    assert not facts["path"].startswith(facts["addon"])
    assert facts["path"].startswith(str(blender.resources))
