# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews, tiles and promises: what the viewport shows, as far as no window is needed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.conftest import Blender


def test_previews_are_read_beside_blender_into_a_bounded_cache(blender: Blender, sample_library: Path) -> None:
    facts = blender.run("read_previews", library=sample_library)
    assert facts["frames"] == [31] * 10
    assert "gone.hums" in facts["gone"]
    assert "clip" in facts["unknown"]
    assert 1 <= facts["kept"] <= 3
    assert facts["last_is_kept"]
    assert facts["cleared"] == 0
    assert facts["in_step_with_itself"] < 0.05
    assert facts["still_there"] == [False, False, True], "what could not be had is tried again after a search"


def test_tiles_lie_between_what_overlaps_the_viewport_and_are_found_under_the_mouse(blender: Blender) -> None:
    facts = blender.run("lay_out_tiles")
    assert facts["within"]
    assert facts["visible"] == list(range(len(facts["visible"])))
    assert 5 < len(facts["visible"]) < 30
    assert (facts["hit"], facts["between"], facts["beside"]) == (4, None, None)
    assert facts["last_shown"] == 29
    assert facts["last_right"] == pytest.approx(0.0, abs=1.0)
    assert facts["shown_by"] == pytest.approx(0.0, abs=1.0)
    assert facts["bar"] == pytest.approx([0.0, 0.0, 0.0], abs=1.0)
    assert facts["short"] == [False, 0.0, True, True]
    assert facts["too_narrow"] is facts["too_low"] is facts["nothing"] is None


def test_a_drag_says_what_is_wrong_with_a_rig_before_it_is_dropped(blender: Blender, tmp_path: Path) -> None:
    facts = blender.run("what_a_drag_promises", blend=tmp_path / "hero.blend")
    assert facts["hero"] == ""
    assert facts["insect"].startswith("Choose a human figure's rig instead of 'Hexapod'")
    assert "override" in facts["linked"]
    assert "tweak mode" in facts["tweaked"]
