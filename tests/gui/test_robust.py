# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody plans for, in Blender's real user interface."""

from __future__ import annotations

from pathlib import Path

from tests.gui import real_blender


def test_scenes_renders_undo_lost_libraries_and_muting_in_the_middle_leave_nothing_behind(
    resources: Path, shared: Path
) -> None:
    facts = real_blender.play(Path(__file__).with_name("session_robust.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["scenes"] == ["Scene", "Scene.001"]
    assert (facts["hovered_beside_scene"], facts["hovered_without_scene"]) == (2, 3)
    assert facts["found_beside_scene"] == facts["found_beside_render"] == 20
    assert facts["rendered"] == 6
    assert facts["undone_x"] == -1.0
    assert "49 added" in facts["indexed"]
    assert "beside.hums" in facts["deleted"]
    assert facts["found_after_removal"] == ["", True]
    assert facts["handlers_on"] > 0
    assert facts["left_behind"] == {"drawing": 0, "ticking": 0, "listening": 0}
    assert facts["process_ended"]
    assert (facts["timers_left"], facts["handlers_off"], facts["threads_left"]) == ([], 0, [])
    assert facts["found_after_muting"] == 20
