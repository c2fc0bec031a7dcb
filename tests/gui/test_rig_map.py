# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of a rig in the sidebar: seen, a joint clicked, another one corrected, and undone."""

from __future__ import annotations

from pathlib import Path

from tests.gui import real_blender


def test_the_map_of_a_rig_is_seen_and_corrected_in_the_sidebar(resources: Path, shared: Path) -> None:
    facts = real_blender.play(Path(__file__).with_name("session_rig_map.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["chosen"] == ["pelvis", "hip"]
    assert facts["corrected"] == ["lForeArm", "rForeArm", ""]
    assert facts["undone"] == ["lCollar", "lForeArm"]
