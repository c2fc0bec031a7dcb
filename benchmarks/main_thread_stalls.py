# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender's user interface is held up while it indexes, and while it does nothing.

    export HUMS_GUI_BLENDER="command that starts a Blender --gui N"
    python benchmarks/main_thread_stalls.py --files 2000

In a real user interface (tests/gui), with the sidebar open, copies of the samples are indexed as by a click. A timer
that Blender should call every millisecond tells how long it was not called: by the clock, which also counts what else
the machine does, and by the processor time that Blender's main thread itself spent in between. A second timer has the
sidebar drawn anew five times a second in both phases, and both begin with a redraw of the whole window, as Blender
itself draws it after a click: so the difference is what indexing costs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples"
LIMIT_S: Final = 0.05
IDLE_S: Final = 20.0


class Gaps:
    """Seconds between two calls of a timer, by the clock and by the main thread's processor time."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []
        self.undrawn: list[float] = []
        self._drawn = False
        self.begin()

    def begin(self) -> None:
        """Starts anew."""
        self.clock, self.processor, self.undrawn = [], [], []
        self._last = time.perf_counter(), time.thread_time()

    def draw(self) -> None:
        """What Blender calls when it draws."""
        self._drawn = True

    def tick(self) -> float:
        """The timer."""
        now = time.perf_counter(), time.thread_time()
        self.clock.append(now[0] - self._last[0])
        self.processor.append(now[1] - self._last[1])
        if not self._drawn:
            self.undrawn.append(self.clock[-1])
        self._last, self._drawn = now, False
        return 0.001

    def facts(self) -> dict[str, Any]:
        """The longest, and how many were over the limit."""
        return {
            name: {"worst": max(gaps), "over": sum(gap > LIMIT_S for gap in gaps), "count": len(gaps)}
            for name, gaps in (("clock", self.clock), ("undrawn", self.undrawn), ("processor", self.processor))
        }


def copies(folder: Path, count: int) -> None:
    """Fills a folder with so many motion files."""
    samples = sorted(SAMPLES.glob("*.bvh"))
    folder.mkdir()
    for number in range(count):
        sample = samples[number % len(samples)]
        shutil.copy(sample, folder / f"{number:05}_{sample.name}")


def session(files: Path, facts: dict[str, Any]) -> Iterator[None]:
    """What happens inside Blender."""
    import bpy  # noqa: PLC0415 - only there

    from tests.gui import drive  # noqa: PLC0415 - needs bpy

    def redraw() -> float:
        drive.region("UI").tag_redraw()
        return 0.2

    state = bpy.context.window_manager.hums
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    gaps = Gaps()
    bpy.app.timers.register(redraw, persistent=True)
    bpy.app.timers.register(gaps.tick, persistent=True)
    yield from drive.wait(20)
    space: Any = bpy.types.SpaceView3D  # its stubs leave this out
    for region in ("UI", "WINDOW"):
        space.draw_handler_add(gaps.draw, (), region, "POST_PIXEL")
    for phase, busy in (("idle", contextlib.nullcontext()), ("beside a busy loop", busy_loop())):
        with busy:
            gaps.begin()
            for area in drive.window().screen.areas:
                area.tag_redraw()
            yield from drive.wait(round(IDLE_S / drive.STEP_S))
            facts[phase] = gaps.facts()
    gaps.begin()
    began = time.perf_counter()
    with drive.over_view():
        bpy.ops.hums.create_library(directory=str(files), library=str(files.with_suffix(".hums")), background=True)
    yield from drive.wait(10)
    while state.indexing:
        yield
    facts["seconds"] = time.perf_counter() - began
    yield from drive.wait(20)  # what the panel looks up when it is done counts, too
    facts["indexing"], facts["outcome"] = gaps.facts(), state.outcome
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def busy_loop() -> Iterator[None]:
    """A process that does nothing but take a core, as low in priority as the one that indexes."""
    looping = "import os\nif hasattr(os, 'nice'): os.nice(19)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", looping]) as process:
        try:
            yield
        finally:
            process.kill()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Measures how long Blender is held up while it indexes.")
    parser.add_argument("--files", type=int, default=2000, help="how many motion files")
    options = parser.parse_args()
    from tests.gui import real_blender  # noqa: PLC0415 - not inside Blender

    with tempfile.TemporaryDirectory(prefix="hums-stalls-", dir="/tmp") as folder:
        shared = Path(folder)
        copies(shared / "motions", options.files)
        resources = real_blender.install(shared)
        facts = real_blender.play(
            Path(__file__).resolve(), resources, shared, str(shared / "motions"), timeout_s=options.files + 300
        )
    if "error" in facts:
        sys.exit(facts["error"])
    print(f"{facts['outcome']} in {facts['seconds']:.0f} s; load {os.getloadavg()[0]:.1f}")
    print(f"peak memory of Blender: {facts['peak_mb']:.0f} MB\n")
    print(
        "| | longest gap, ms | gaps over 50 ms | of these without drawing | longest without, ms "
        "| longest by processor time, ms |"
    )
    print("|---|---|---|---|---|---|")
    for phase in ("idle", "beside a busy loop", "indexing"):
        clock, undrawn, processor = (facts[phase][name] for name in ("clock", "undrawn", "processor"))
        print(
            f"| {phase} | {1000 * clock['worst']:.0f} | {clock['over']} of {clock['count']:,} | {undrawn['over']} "
            f"| {1000 * undrawn['worst']:.0f} | {1000 * processor['worst']:.0f} |"
        )


if __name__ == "__main__":
    if "--" in sys.argv:
        from tests.gui import drive

        told: dict[str, Any] = {}
        drive.run(session(Path(sys.argv[sys.argv.index("--") + 2]), told), told)
    else:
        main()
