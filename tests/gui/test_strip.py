# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip of results, dragging and the ghost, in Blender's real user interface.

``HUMS_GUI_TIMES`` says how often in a row: what works once may fail the next time.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.gui import real_blender
from tests.gui.real_blender import PICTURES

in_a_row = pytest.mark.parametrize("_time", range(int(os.environ.get("HUMS_GUI_TIMES", "1"))))


def play(session: str, resources: Path, shared: Path) -> dict[str, Any]:
    """Lets a session of this folder run in the user interface, and returns its facts."""
    shutil.rmtree(shared / session, ignore_errors=True)
    facts = real_blender.play(Path(__file__).with_name(f"{session}.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    return facts


@in_a_row
def test_results_are_looked_through_in_the_strip_and_dragged_onto_rigs_and_the_floor(
    resources: Path, shared: Path, _time: int
) -> None:
    facts = play("session_strip", resources, shared)
    assert facts["hovered"] == 2
    assert facts["wheel"] > 0
    assert facts["wheel_back"] == 0
    assert (facts["clicked"], facts["arrow"], facts["end"]) == (3, 4, 19)
    assert facts["scrolled_to_end"] > facts["wheel"]
    assert facts["left"] is None
    assert facts["ticking_at_rest"] == 0, "nothing moves, so nothing is drawn anew"
    assert facts["active_before"] == "Right"
    assert facts["promise"] == "Apply to Left"
    assert facts["promise_in_german"] == "Auf Left anwenden"
    assert facts["dropped"][1] == facts["start"][1], "the rig that was not under the mouse is left alone"
    assert facts["redone"] == facts["dropped"] != facts["start"] == facts["undone"]
    assert facts["results_after_undo"] == 20
    for button in ("ESC", "RIGHTMOUSE"):
        assert facts[f"after_{button}"] == facts["start"]
        assert not facts[f"dragging_after_{button}"]
    assert facts["new_at"] == pytest.approx([0.0, -0.8, 0.0], abs=0.05)
    assert facts["dropped_row"][0] == facts["start"][0]
    assert facts["dropped_row"][1].startswith(facts["row"])
    assert facts["hovered_after_load"] is None
    assert facts["results_after_load"] == 20
    assert facts["handlers_after_load"] == facts["handlers_after_reload"] > 0
    for name in ("6_hovered", "7_over_a_rig", "8_over_the_floor", "9_after_reload"):
        assert (PICTURES / f"{name}.png").stat().st_size > 20_000


@in_a_row
def test_the_ghost_touches_nothing_and_the_strip_survives_trouble(resources: Path, shared: Path, _time: int) -> None:
    facts = play("session_strip_trouble", resources, shared)
    assert facts["ghost_loops"]
    assert facts["ghost_from_rig_m"] < 0.3
    assert facts["rig_untouched"]
    assert facts["file_untouched"]
    assert facts["scrubbed"] == sorted(facts["scrubbed"])
    assert facts["scrubbed"][2] - facts["scrubbed"][0] > 0.5
    assert facts["results_after_undo"] == 20
    assert facts["hovered_after_undo"] == 1
    assert facts["quad_strips"] == [True, False, False, False]
    assert facts["windows"] == 2
    assert facts["hovered_beside_second_window"] == 1
    assert facts["redraw_ms"] < 10.0
    assert facts["hovered_after_render"] == 2
    assert facts["left_behind"] == {"drawing": 0, "ticking": 0, "listening": 0}
    assert facts["drawing_again"] == facts["drawing"] > 0
    assert "samples.hums" in facts["told"]
