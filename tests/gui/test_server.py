# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries on file servers, in Blender's real user interface."""

from __future__ import annotations

from pathlib import Path

from tests.gui import real_blender


def test_a_server_that_does_not_answer_holds_nobody_up_and_is_there_again_when_it_does(
    resources: Path, shared: Path
) -> None:
    facts = real_blender.play(Path(__file__).with_name("session_server.py"), resources, shared)
    assert "error" not in facts, facts["error"]
    assert (facts["before"], facts["readonly"]) == ("", True)
    assert Path(facts["from_server"]).name == "served.hums"
    assert "served.hums does not answer" in facts["told"]
    assert "served.hums does not answer" in facts["trouble"]
    assert facts["found_beside"] == 20
    assert facts["libraries_found"] == ["own.hums"]
    assert facts["longest_stall_s"] < 2.0, "of a thread that waits for the server nothing is noticed"
    assert "does not answer" in facts["applied"]
    assert facts["refused_after_s"] < 1.0, "a look at the server is held up already, so nobody waits for another"
    assert "does not answer" in facts["still"]
    assert facts["clips_again"] == 49
    assert facts["libraries_again"] == ["own.hums", "served.hums"]
