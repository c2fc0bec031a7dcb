# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of a GUI session on one sheet: docs/images/blender_contact_sheet.png.

    export HUMS_GUI_BLENDER="command that starts a Blender --gui N"
    python benchmarks/contact_sheet.py

Plays tests/gui/session_contact_sheet.py in a real user interface with the built extension and puts what it photographs
side by side; ``--pictures FOLDER`` takes pictures that are there already.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROOT: Final = Path(__file__).resolve().parents[1]
OUT: Final = ROOT / "docs" / "images" / "blender_contact_sheet.png"
COLUMNS: Final = 3
SHOWN: Final = (0, 0, 1320, 900)
"""Of a screen of 1600 by 900: without the editors beside the viewport."""
SIZE: Final = (800, 545)
GAP: Final = 12
COLOURS: Final = 128
"""Of the palette, so that the file stays below a megabyte."""

TITLES: Final = {
    "sheet_1_empty_dark": "First run",
    "sheet_2_indexing": "Indexing",
    "sheet_3_results_dark": "Results, one of them starred and tagged",
    "sheet_4_dragging": "Dragging a result over a rig",
    "sheet_5_error": "One of two libraries is not there",
    "sheet_6_results_light": "Light theme",
    "sheet_7_twice_light": "Twice the size",
    "sheet_8_narrow": "Narrow sidebar",
    "sheet_8_wide": "Wide sidebar",
    "sheet_l_german": "German",
    "sheet_l_japanese": "Japanese",
    "sheet_l_chinese": "Simplified Chinese",
}


def sheet(folder: Path) -> Image.Image:
    """The pictures in ``folder`` with their titles."""
    found = [(folder / f"{name}.png", title) for name, title in TITLES.items() if (folder / f"{name}.png").exists()]
    rows = -(-len(found) // COLUMNS)
    font = ImageFont.load_default(20)
    width, height = SIZE[0] + GAP, SIZE[1] + GAP + 30
    page = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), (34, 34, 34))
    draw = ImageDraw.Draw(page)
    for number, (path, title) in enumerate(found):
        x, y = GAP + number % COLUMNS * width, GAP + number // COLUMNS * height
        page.paste(Image.open(path).convert("RGB").crop(SHOWN).resize(SIZE, Image.Resampling.LANCZOS), (x, y + 28))
        draw.text((x, y), title, fill=(220, 220, 220), font=font)
    return page


def photograph(shared: Path) -> Path:
    """Plays the session; returns the folder with its pictures."""
    os.environ["HUMS_GUI_PICTURES"] = str(shared / "pictures")
    from tests.gui import real_blender  # noqa: PLC0415 - reads the environment

    script = ROOT / "tests" / "gui" / "session_contact_sheet.py"
    facts = real_blender.play(script, real_blender.install(shared), shared, timeout_s=900)
    if "error" in facts:
        sys.exit(facts["error"])
    return shared / "pictures"


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description="Puts the pictures of a session on one sheet.")
    parser.add_argument("--pictures", type=Path, help="a folder with the session's pictures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hums-sheet-", dir="/tmp") as shared:
        page = sheet(options.pictures or photograph(Path(shared)))
    page.quantize(COLOURS).save(OUT, optimize=True)
    print(f"{OUT}  {OUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
