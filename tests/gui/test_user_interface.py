# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on in Blender's real user interface, on a virtual screen, driven by simulated mouse and keys.

``HUMS_GUI_BLENDER`` is the command that starts such a Blender, with ``--gui N`` for the number of the screen, and
``HUMS_GUI_PICTURES`` a folder for the pictures. Distributions build Blender with their own Python, so the zip is built
for whichever it has.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.addon.zip_for_tests import ROOT, build_zip

COMMAND = shlex.split(os.environ.get("HUMS_GUI_BLENDER", ""))
PICTURES = Path(os.environ.get("HUMS_GUI_PICTURES", ROOT / "build" / "gui"))
TIMEOUT_S = 420

pytestmark = pytest.mark.skipif(not COMMAND, reason="HUMS_GUI_BLENDER does not name a Blender with a screen")


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A folder that the Blender sees too: it may run in a root folder of its own, with /tmp shared."""
    folder = Path(tempfile.mkdtemp(prefix="hums-gui-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def resources(shared: Path) -> Path:
    """A Blender user folder into which the zip was installed from the command line."""
    folder = shared / "blender"
    folder.mkdir()
    headless = COMMAND[: COMMAND.index("--gui")]
    expression = f"import sys; open({str(shared / 'python')!r}, 'w').write('%d.%d' % sys.version_info[:2])"
    call([*headless, "--background", "--python-expr", expression], folder)
    python = (shared / "python").read_text()
    zip_path = build_zip(shared, "--python", python, "--any-blender", "--without-hnswlib")
    call([*headless, "--command", "extension", "install-file", "-r", "user_default", "--enable", str(zip_path)], folder)
    return folder


def call(command: list[str], resources: Path) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources)}
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=TIMEOUT_S)


def play(session: str, resources: Path, shared: Path) -> dict[str, Any]:
    """Lets a session run in the user interface, takes the pictures that it asks for, and returns its facts."""
    folder = shared / session
    folder.mkdir()
    window = ["--enable-event-simulate", "--window-geometry", "0", "0", "1600", "900"]
    script = ["--python", str(ROOT / "tests" / "gui" / f"{session}.py"), "--", str(folder)]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources)}
    log = folder / "log.txt"
    with log.open("w") as out:
        blender = subprocess.Popen([*COMMAND, *window, *script], env=environment, cwd=ROOT, stdout=out, stderr=out)
        ends = time.monotonic() + TIMEOUT_S
        while blender.poll() is None and time.monotonic() < ends:
            for wanted in folder.glob("*.wanted"):
                photograph(wanted)
            time.sleep(0.1)
        blender.kill()
    facts = folder / "facts.json"
    assert facts.exists(), log.read_text()[-3000:]
    return json.loads(facts.read_text("utf-8"))


def photograph(wanted: Path) -> None:
    """Takes a picture of the whole screen into the folder of pictures."""
    display = f":{COMMAND[COMMAND.index('--gui') + 1]}"
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{wanted.stem}.png"
    subprocess.run(["import", "-display", display, "-window", "root", str(picture)], check=True)
    wanted.unlink()


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


def test_the_panels_search_while_typing_follow_the_rig_and_survive_undo_files_and_reloads(
    resources: Path, shared: Path
) -> None:
    facts = play("session_panels", resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["motions"] == 49
    assert facts["while_typing"]
    assert all("kick" in name for name in facts["while_typing"])
    assert facts["found"][0] == "walk_07_04"
    assert facts["own"] == [True] + 19 * [False]
    unwanted, without = facts["unwanted"]
    assert unwanted not in without[:5]
    assert facts["live"][0] == "walk_07_04"
    assert facts["live_again"].endswith("frames 20 to 50")
    assert 0.0 < facts["reading_seen"] < 1.0
    assert facts["reading_stall_s"] < 0.25, "a software renderer draws each slice"
    assert facts["after_undo"][1] > 0
    assert "nowhere.hums" in facts["trouble"]
    assert facts["found_beside"] == 20
    assert "nowhere.hums" in facts["report"]
    assert facts["handlers_off"] == []
    assert facts["handlers_again"] == 0
    assert facts["found_after_reload"] == ["walk_07_04"]


def test_results_are_looked_through_in_the_strip_and_dragged_onto_rigs_and_the_floor(
    resources: Path, shared: Path
) -> None:
    facts = play("session_strip", resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["hovered"] == 2
    assert facts["wheel"] > 0
    assert facts["wheel_back"] == 0
    assert (facts["clicked"], facts["arrow"], facts["end"]) == (3, 4, 19)
    assert facts["scrolled_to_end"] > facts["wheel"]
    assert facts["left"] is None
    assert facts["ticking_at_rest"] == 0, "nothing moves, so nothing is drawn anew"
    assert facts["active_before"] == "Right"
    assert facts["promise"] == "Apply to Left"
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


def test_a_motion_lands_as_chosen_and_as_chosen_anew_after_the_fact(resources: Path, shared: Path) -> None:
    facts = play("session_landing", resources, shared)
    assert "error" not in facts, facts["error"]
    assert facts["start"] == 11, "at the playhead"
    assert facts["keys"] < facts["frames"], "as chosen in the panel"
    assert facts["path_in_place"] < 0.5 * facts["path"]
    assert facts["actions_in_place"] == facts["actions"], "what is done anew begins with what was there before"
    assert facts["actions_undone"] == facts["actions"] - 1
    assert facts["path_redone"] == facts["path_in_place"]
    assert facts["many"] == 5
    assert facts["still"] == facts["applied"], "the rig keeps the action that it has"
