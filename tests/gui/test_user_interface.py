# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on in Blender's real user interface, driven by simulated mouse and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gui import real_blender
from tests.gui.real_blender import PICTURES


def play(session: str, resources: Path, shared: Path) -> dict[str, Any]:
    """Lets a session of this folder run in the user interface, and returns its facts."""
    return real_blender.play(Path(__file__).with_name(f"{session}.py"), resources, shared)


def test_a_first_session_from_the_empty_panel_to_a_motion_on_the_rig_and_back(resources: Path, shared: Path) -> None:
    facts = play("session_first_run", resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["outcome"] == "Motion files: 49 added"
    assert facts["results"][0] == "walk_07_04"
    assert facts["applied"] == facts["results"][2]
    assert facts["after_undo"] == facts["before"]
    assert facts["results_after_undo"] == len(facts["results"])
    for name in ("1_first_run", "2_indexing", "3_results", "4_applied", "5_undone"):
        assert (PICTURES / f"{name}.png").stat().st_size > 20_000
