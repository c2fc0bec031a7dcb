# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo that happens in Blender, through the installed extension's own operators and command.

``python benchmarks/demo_in_blender.py ZIP RESULTS`` with Blender's module; BLENDER_USER_RESOURCES names the
folder that the extension is installed into. `demo` calls it.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import portrait
from bpy.types import Object

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = "bl_ext.user_default.deephums"
FPS = 30
QUERY = "walk_08_07"
QUERY_S = (0.4, 2.0)
SHOWN = 5
MOMENTS, SPACING_M = 7, 1.5


class Story:
    """What a person reads: numbered lines on the terminal, while Blender's own output goes to a log."""

    def __init__(self, log: Path) -> None:
        self._terminal = os.dup(1), os.dup(2)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._count = 1
        self._divert(self._log, self._log)

    def tell(self, sentence: str) -> None:
        """The next step that was done."""
        self._count += 1
        self.add(f"{self._count:2d}  {sentence}")

    def add(self, line: str) -> None:
        """A line that belongs to the last step."""
        os.write(self._terminal[0], f"{line}\n".encode())

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Lets what is said on standard error, such as a progress bar, reach the terminal."""
        self._divert(self._log, self._terminal[1])
        try:
            yield
        finally:
            self._divert(self._log, self._log)

    def _divert(self, output: int, errors: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(output, 1)
        os.dup2(errors, 2)


def main(extension: Path, results: Path) -> None:
    """Installs, indexes, asks, applies, and shows."""
    story = Story(Path(os.environ["BLENDER_USER_RESOURCES"]) / "blender.log")
    install(extension)
    story.tell(f"Installed it into Blender {bpy.app.version_string}, in a user folder of its own")
    library = results / "samples.hums"
    index(story, library)
    rig = add_character()
    query = ask(story, rig, library)
    hits = list(bpy.context.window_manager.hums.results)
    stored = part("core.libraries").open_library(library)
    part("hums_engine.demo").save_sheet(stored, query, "on the knight", hits[:SHOWN], results / "contact_sheet.png")
    apply_best(story, rig, hits[0])
    show(rig, results)
    story.tell(f"Drew the contact sheet, and rendered {MOMENTS} moments of him on the CPU")


def install(extension: Path) -> None:
    """Installs and enables the zip as a person would from Blender's preferences."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(filepath=str(extension), repo="user_default", enable_on_install=True)
    if not hasattr(bpy.types, "HUMS_OT_find_similar"):
        raise RuntimeError(f"Blender refused {extension.name}.")


def part(name: str) -> Any:  # noqa: ANN401 - modules of the installed extension
    """A module of the installed extension."""
    return importlib.import_module(f"{EXTENSION}.{name}")


def index(story: Story, library: Path) -> None:
    """Makes the library with the extension's command: what ``blender --command hums index`` runs."""
    started = time.monotonic()
    with story.progress():
        code = part("command").run(["index", str(library), str(ROOT / "samples")])
    if code:
        raise RuntimeError(f"hums index ended with {code}.")
    bpy.ops.hums.open_library(directory=str(library))
    info = part("core.libraries").open_library(library).info()
    seconds = time.monotonic() - started
    story.tell(f"Indexed {info.clips} motions, {info.duration_s / 60:.1f} minutes of movement, in {seconds:.1f} s")


def add_character() -> Object:
    """The knight, as the active object of a scene at 30 frames a second."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    bpy.ops.import_scene.gltf(filepath=str(ROOT / "samples" / "character" / "knight.glb"))
    rig = next(obj for obj in scene.objects if obj.type == "ARMATURE")
    bpy.context.view_layer.objects.active = rig
    return rig


def ask(story: Story, rig: Object, library: Path) -> Any:  # noqa: ANN401 - the extension's CanonicalMotion
    """Puts a piece of a take on the character, and finds what is like it; returns the piece as the character moves."""
    start_s, end_s = QUERY_S
    take = ROOT / "samples" / f"{QUERY}.bvh"
    bpy.ops.hums.apply_motion(filepath=str(take), start_s=start_s, end_s=end_s)
    story.tell(f"Put {end_s - start_s:.1f} seconds of a marching man on the knight, who is built quite differently")
    reader = part("core.armature_reader")
    first, last = reader.frame_range(rig, bpy.context.scene)
    query = part("hums_engine.canonical").canonicalize(reader.read_motion(rig, bpy.context.scene, first, last))
    bpy.ops.hums.find_similar()  # the first search loads the model
    started = time.monotonic()
    bpy.ops.hums.find_similar()
    took = (time.monotonic() - started) * 1000
    story.tell(f"Asked the library what is like the knight's motion; {took:.0f} ms later:")
    for hit in list(bpy.context.window_manager.hums.results)[:3]:
        origin = f"  where those {end_s - start_s:.1f} seconds were cut from" if hit.name == QUERY else ""
        story.add(f"      {hit.score:3.0f}  {hit.name:<18} {hit.start_s:.1f} to {hit.end_s:.1f} s{origin}")
    return query


def apply_best(story: Story, rig: Object, best: Any) -> None:  # noqa: ANN401 - the extension's result
    """Puts the whole of the best motion on the character, as a new action."""
    name, duration_s = best.name, best.duration_s
    bpy.ops.hums.apply_motion(clip_id=best.clip_id)
    action = rig.animation_data.action
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = (round(frame) for frame in action.frame_range)
    frames = scene.frame_end - scene.frame_start + 1
    story.tell(f"Put all {duration_s:.1f} seconds of {name} on him: {frames} frames, one action, '{action.name}'")


def show(rig: Object, results: Path) -> None:
    """Renders the character in its motion, and saves the file at the first frame."""
    scene = bpy.context.scene
    frames = np.linspace(scene.frame_start, scene.frame_end, MOMENTS + 2)[1:-1]
    portrait.render(scene, rig, "hips", frames.tolist(), SPACING_M, results / "character.png")
    scene.frame_set(scene.frame_start)
    scene.render.filepath = "//"
    bpy.ops.wm.save_as_mainfile(filepath=str(results / "demo.blend"), compress=True)


if __name__ == "__main__":
    code = 1
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]).resolve())
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        # Blender 4.5 hangs at its end when an extension is still enabled that takes dropped files.
        sys.stderr.flush()
        os._exit(code)
