# SPDX-License-Identifier: GPL-3.0-or-later
"""Time from the click on Find Similar to the results in the panel, in Blender's real user interface.

    python benchmarks/many_motions.py BASE.hums FOLDER --signatures 1000000
    export HUMS_GUI_BLENDER="command that starts a Blender --gui N"
    python benchmarks/find_similar_latency.py FOLDER/1000000.hums

Every third sample in turn is imported and searched with, by a simulated mouse on the button. The time ends when the
list is filled; what of it is the search itself is told beside. The first search, which loads the model and opens the
library, is told apart.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples"
EVERY: Final = 3
"""Of the samples, which are 49."""


def session(library: Path, facts: dict[str, Any]) -> Iterator[None]:
    """What happens inside Blender."""
    import bpy  # noqa: PLC0415 - only there

    from tests.gui import drive  # noqa: PLC0415 - needs bpy

    asking: Any = importlib.import_module(f"{drive.PACKAGE}.operators.asking")
    listed: list[tuple[float, float]] = []
    show = asking._take

    def take(context: Any, answer: Any) -> None:  # noqa: ANN401 - Blender's context, an answer
        show(context, answer)
        listed.append((time.perf_counter(), answer.seconds))

    asking._take = take
    yield from drive.wait(20)
    yield from drive.show_sidebar()
    with drive.over_view():
        bpy.ops.hums.open_library(directory=str(library), readonly=True)
    yield from drive.until(lambda: len(bpy.context.window_manager.hums.facts) > 0, seconds=120)
    facts["clips"] = bpy.context.window_manager.hums.facts[0].clips
    facts["times"], facts["searches"] = [], []
    for sample in sorted(SAMPLES.glob("*.bvh"))[::EVERY]:
        drive.only(sample)
        yield from drive.wait(20)
        place = yield from button(drive)
        count, began = len(listed), 0.0
        while len(listed) == count:  # on a crowded machine Blender may miss a click: it is repeated
            drive.window().event_simulate(type="LEFTMOUSE", value="PRESS", x=place[0], y=place[1])
            yield from drive.wait(2)
            began = time.perf_counter()
            drive.window().event_simulate(type="LEFTMOUSE", value="RELEASE", x=place[0], y=place[1])
            yield from drive.wait(40)
            while bpy.context.window_manager.hums.searching:
                yield
        facts["times"].append(listed[-1][0] - began)
        facts["searches"].append(listed[-1][1])
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def button(drive: Any) -> Iterator[None]:  # noqa: ANN401 - a module
    """Moves over the button, and returns its place."""
    for place in drive.find_button("hums.find_similar"):
        yield
        if place is not None:
            yield from drive.move(*place)
            return place
    raise LookupError("there is no button")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Measures the time from the click to the results.")
    parser.add_argument("library", type=Path, help="a library on a path that Blender sees")
    options = parser.parse_args()
    from tests.gui import real_blender  # noqa: PLC0415 - not inside Blender

    with tempfile.TemporaryDirectory(prefix="hums-latency-", dir="/tmp") as folder:
        resources = real_blender.install(Path(folder))
        script = Path(__file__).resolve()
        facts = real_blender.play(script, resources, Path(folder), str(options.library.resolve()), timeout_s=1200)
    if "error" in facts:
        sys.exit(facts["error"])
    first, times, searches = facts["times"][0], np.array(facts["times"][1:]), np.array(facts["searches"][1:])
    print(f"{facts['clips']:,} clips, {len(times)} clicks; load {os.getloadavg()[0]:.1f}")
    print("| first click, s | p50, ms | p95, ms | of it the search, p50, ms | p95, ms | peak memory of Blender, MB |")
    print("|---|---|---|---|---|---|")
    cells = [*np.percentile(times, [50, 95]) * 1000, *np.percentile(searches, [50, 95]) * 1000, facts["peak_mb"]]
    print(f"| {first:.2f} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")


if __name__ == "__main__":
    if "--" in sys.argv:
        from tests.gui import drive as _drive

        told: dict[str, Any] = {}
        _drive.run(session(Path(sys.argv[sys.argv.index("--") + 2]), told), told)
    else:
        main()
