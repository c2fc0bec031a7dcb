# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def hums(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from hums_engine.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_demo_finds_the_take_that_its_damaged_query_was_cut_from_and_draws_it(tmp_path: Path) -> None:
    done = hums("demo", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = next(line for line in done.stdout.splitlines() if line.startswith("  "))
    assert first.split()[1] == "walk_08_07"
    with Image.open(tmp_path / "out" / "contact_sheet.png") as sheet:
        assert sheet.size[0] == 1600
        assert sheet.size[1] > 1000


def test_the_demo_runs_again_on_the_library_that_it_made(tmp_path: Path) -> None:
    assert hums("demo", "out", cwd=tmp_path).returncode == 0
    again = hums("demo", "out", cwd=tmp_path)
    assert again.returncode == 0
    assert "49 sample motions" in again.stdout


def test_samples_that_are_not_there_get_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = hums("demo", "out", "--samples", "empty", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
