# SPDX-License-Identifier: GPL-3.0-or-later
"""Landing in Blender's real user interface: the panel, the redo panel, undo, and many motions at once."""

from __future__ import annotations

from pathlib import Path

from tests.gui import real_blender
from tests.gui.real_blender import PICTURES


def test_a_motion_lands_as_chosen_and_as_chosen_anew_after_the_fact(resources: Path, shared: Path) -> None:
    facts = real_blender.play(Path(__file__).with_name("session_landing.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["start"] == 11, "at the playhead"
    assert facts["keys"] < facts["frames"], "as chosen in the panel"
    assert facts["path_in_place"] < 0.5 * facts["path"]
    assert facts["actions_in_place"] == facts["actions"], "what is done anew begins with what was there before"
    assert facts["actions_undone"] == facts["actions"] - 1
    assert facts["path_redone"] == facts["path_in_place"]
    assert facts["stopped"] < 5, "Escape stops"
    assert facts["many"] == 5
    assert facts["still"] == facts["applied"], "the rig keeps the action that it has"
    for name in ("1_panel", "2_redo_panel", "3_in_place", "4_batch", "5_many"):
        assert (PICTURES / f"landing_{name}.png").stat().st_size > 20_000
