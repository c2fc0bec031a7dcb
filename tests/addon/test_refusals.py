# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be done is said in one sentence that tells the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT

WALK = ROOT / "samples" / "walk_07_04.bvh"

TOLD = {
    "no library": "Add a motion library first",
    "missing library": "There is no library in /nowhere.hums",
    "nothing active": "No object is active: click the rig first",
    "mesh": "'Cube' is not an armature and no armature moves it: click the rig first",
    "no action": "'Hero' has no action: give the rig some motion",
    "empty action": "The action 'Nothing' has no keys for 'Hero': key a pose or two",
    "one frame": "Frames 3 to 3 hold no motion: choose a longer range",
    "no such clip": "999999",
    "no motion named": "No motion was named: give a filepath",
    "broken file": "broken.bvh:",
    "broken import": "notes.bvh: this is not a BVH file",
    "missing file": "missing.bvh",
    "missing folder": "There is no folder",
    "not human, find": "Hexapod",
    "not human, apply": "Hexapod",
    "library gone": "There is no library in",
    "library gone, update": "There is no library in",
}


@pytest.fixture(scope="module")
def told(blender: Blender, sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    return blender.run("refusals", library=sample_library, take=WALK, folder=folder)


@pytest.mark.parametrize("case", TOLD)
def test_a_refusal_says_what_is_wrong_in_one_sentence(told: dict[str, str], case: str) -> None:
    assert TOLD[case] in told[case]
    assert "Traceback" not in told[case]
    assert len(told[case].splitlines()) == 1


def test_a_library_of_another_model_is_refused_when_opened_and_when_searched(
    blender: Blender, sample_library: Path, tmp_path: Path
) -> None:
    for told in blender.run("foreign_model", library=sample_library, foreign=tmp_path / "foreign.hums").values():
        assert "was made with the model 'of-another-studio'" in told
        assert "--reencode" in told


def test_a_folder_that_is_no_library_is_told_in_the_panel(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("refused_beside_blender", folder=tmp_path / "missing.hums")
    assert "missing.hums" in facts["outcome"]
    assert facts["kind"] == "failed"


def test_a_linked_rig_asks_for_an_override(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("linked_rig", blend=tmp_path / "hero.blend", take=WALK)
    assert "'Hero' is linked from another file: make a library override" in facts["told"]
