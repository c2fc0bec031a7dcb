# SPDX-License-Identifier: GPL-3.0-or-later
"""What a redraw of the strip of results takes of Blender's main thread, with all its figures moving.

    export HUMS_GUI_BLENDER="command that starts a Blender --gui N"
    python benchmarks/strip_redraw.py --figures 60

In a real user interface (tests/gui), moments of the samples are found and all of them play, in a viewport that is drawn
so small that as many tiles are to be seen. Measured is the processor time of the main thread in the strip's drawing,
from the look at the tiles to the last draw call, which includes what a software renderer does in that thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples"
REDRAWS: Final = 100


def session(figures: int, facts: dict[str, Any]) -> Iterator[None]:
    """What happens inside Blender."""
    import bpy  # noqa: PLC0415 - only there

    from tests.gui import drive  # noqa: PLC0415 - needs bpy

    strip = sys.modules[f"{drive.PACKAGE}.core.strip"]
    drawing: Any = sys.modules[f"{drive.PACKAGE}.ui.strip"]
    previews = sys.modules[f"{drive.PACKAGE}.core.preview_motions"].shared
    settings = sys.modules[f"{drive.PACKAGE}.preferences"].of(bpy.context).strip
    yield from drive.wait(20)
    bpy.ops.hums.create_library(directory=str(SAMPLES), library=str(drive.FOLDER / "samples.hums"))
    state = bpy.context.window_manager.hums
    state.group = False
    with drive.over_view():
        bpy.ops.hums.import_motion(filepath=str(SAMPLES / "walk_07_04.bvh"))
        bpy.ops.hums.find_similar(scope="moments", count=1000, frame_start=1, frame_end=20)
        bpy.ops.screen.screen_full_area(use_hide_panels=True)
    settings.play_all, settings.size = True, 56
    bpy.context.preferences.view.ui_scale = min(1.0, 1560 / (figures * 56))
    yield from drive.wait(20)
    yield from drive.until(lambda: not previews.is_reading, seconds=60)
    spent: list[float] = []
    drawn = drawing._Drawing

    class Timed(drawn):
        """The strip's drawing, from the look at its tiles on."""

        def __init__(self, *given: Any) -> None:  # noqa: ANN401 - as the strip's drawing is made
            self.start = time.thread_time()
            super().__init__(*given)

        def draw(self) -> None:
            """Draws, and takes the time."""
            super().draw()
            spent.append(time.thread_time() - self.start)

    drawing._Drawing = Timed
    while len(spent) < REDRAWS:
        drive.region("WINDOW").tag_redraw()
        yield
    drawing._Drawing = drawn
    layout = strip.layout(bpy.context, drive.view(), drive.region("WINDOW"))
    spent.sort()
    facts["figures"] = len(layout.visible())
    facts["median_ms"], facts["p95_ms"] = (1000 * spent[round(part * (REDRAWS - 1))] for part in (0.5, 0.95))
    facts["preview_mb"] = previews.byte_count / 1e6


def main() -> None:
    """Prints the row."""
    parser = argparse.ArgumentParser(description="Measures what a redraw of the strip costs Blender's main thread.")
    parser.add_argument("--figures", type=int, default=60, help="how many are to be seen at once, about")
    options = parser.parse_args()
    from tests.gui import real_blender  # noqa: PLC0415 - not inside Blender

    with tempfile.TemporaryDirectory(prefix="hums-strip-", dir="/tmp") as folder:
        shared = Path(folder)
        resources = real_blender.install(shared)
        facts = real_blender.play(Path(__file__).resolve(), resources, shared, str(options.figures))
    if "error" in facts:
        sys.exit(facts["error"])
    print("| figures | median, ms | 95th percentile, ms | previews, MB |\n|---|---|---|---|")
    print(
        f"| {facts['figures']} | {facts['median_ms']:.1f} | {facts['p95_ms']:.1f} | {facts['preview_mb']:.1f} |"
        f"\nload {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    if "--" in sys.argv:
        from tests.gui import drive

        told: dict[str, Any] = {}
        drive.run(session(int(sys.argv[sys.argv.index("--") + 2]), told), told)
    else:
        main()
