# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's panels in Blender's real user interface."""

from __future__ import annotations

from pathlib import Path

from tests.gui import real_blender


def test_the_panels_search_while_typing_follow_the_rig_and_survive_undo_files_and_reloads(
    resources: Path, shared: Path
) -> None:
    facts = real_blender.play(Path(__file__).with_name("session_panels.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["motions"] == 49
    assert facts["while_typing"]
    assert all("kick" in name for name in facts["while_typing"])
    assert facts["found"][0] == "walk_07_04"
    assert facts["own"] == [True] + 19 * [False]
    unwanted, without = facts["unwanted"]
    assert unwanted not in without[:5]
    assert facts["by_keys"] == [1, 2, 1]
    assert facts["dragging_by_keys"] == []
    assert facts["live"][0] == "walk_07_04"
    assert facts["live_again"].endswith("frames 20 to 50")
    assert 0.0 < facts["reading_seen"] < 1.0
    assert facts["after_undo"][1] > 0
    assert facts["dropped"] == "kick_10_01"
    assert "nowhere.hums" in facts["trouble"]
    assert facts["found_beside"] == 20
    assert "nowhere.hums" in facts["report"]
    assert facts["updated"] == "Motion files: 1 added, 1 updated"
    assert facts["handlers_off"] == []
    assert facts["handlers_again"] == 0
    assert facts["found_after_reload"] == ["walk_07_04"]
