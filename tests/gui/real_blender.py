# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on in Blender's real user interface, on a virtual screen, for tests and benchmarks.

``HUMS_GUI_BLENDER`` is the command that starts such a Blender, with ``--gui N`` for the number of the screen, and
``HUMS_GUI_PICTURES`` a folder for the pictures. Distributions build Blender with their own Python, so the zip is built
for whichever it has.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from tests.addon.zip_for_tests import ROOT, build_zip
from tests.gui import file_drag

COMMAND: Final = shlex.split(os.environ.get("HUMS_GUI_BLENDER", ""))
PICTURES: Final = Path(os.environ.get("HUMS_GUI_PICTURES", ROOT / "build" / "gui"))
TIMEOUT_S: Final = 420


def install(shared: Path, *more: str) -> Path:
    """A Blender user folder in ``shared`` into which the zip was installed from the command line."""
    folder = shared / "blender"
    folder.mkdir()
    headless = COMMAND[: COMMAND.index("--gui")]
    expression = f"import sys; open({str(shared / 'python')!r}, 'w').write('%d.%d' % sys.version_info[:2])"
    call([*headless, "--background", "--python-expr", expression], folder)
    python = (shared / "python").read_text()
    zip_path = build_zip(shared, "--python", python, "--any-blender", *more)
    call([*headless, "--command", "extension", "install-file", "-r", "user_default", "--enable", str(zip_path)], folder)
    return folder


def call(command: list[str], resources: Path) -> None:
    """Runs a Blender to its end."""
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources)}
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, timeout=TIMEOUT_S)


def play(script: Path, resources: Path, shared: Path, *arguments: str, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Lets a session run in the user interface, takes the pictures that it asks for, and returns its facts."""
    folder = shared / script.stem
    folder.mkdir()
    window = ["--enable-event-simulate", "--window-geometry", "0", "0", "1600", "900"]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources)}
    command = [*COMMAND, *window, "--python", str(script), "--", str(folder), *arguments]
    log = folder / "log.txt"
    with log.open("w") as out:
        blender = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=out, stderr=out)
        ends = time.monotonic() + timeout_s
        while blender.poll() is None and time.monotonic() < ends:
            for wanted in folder.glob("*.wanted"):
                photograph(wanted)
            for asked in folder.glob("*.dropped"):
                drop(asked)
            time.sleep(0.1)
        blender.kill()
    facts = folder / "facts.json"
    assert facts.exists(), log.read_text()[-3000:]
    return json.loads(facts.read_text("utf-8"))


def drop(asked: Path) -> None:
    """Drags a file onto a place of the screen, and says whether Blender took it."""
    across, down, file = asked.read_text("utf-8").split(" ", 2)
    asked.unlink()
    taken = file_drag.Source(display()).drop(Path(file), int(across), int(down))
    asked.with_suffix(".taken").write_text(str(taken), "utf-8")


def display() -> str:
    """The name of the virtual screen."""
    return f":{COMMAND[COMMAND.index('--gui') + 1]}"


def photograph(wanted: Path) -> None:
    """Takes a picture of the whole screen into the folder of pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{wanted.stem}.png"
    subprocess.run(["import", "-display", display(), "-window", "root", str(picture)], check=True)
    wanted.unlink()
