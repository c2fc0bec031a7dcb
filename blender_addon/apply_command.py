# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command hums apply``: motions onto the rig of a file, without a window.

It is a verb of the engine's command line that only Blender has: its errors, its exit codes and ``--json`` are the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.types import Object

from . import landing_options
from .core import armature_reader, batch, libraries, motion_assets
from .core.batch import Wanted
from .core.clip_writer import Reduction
from .core.engine import canonical, command_line, errors, formats, retarget
from .core.landing import Landing

_IMPORTERS: dict[str, Callable[[str], Any]] = {
    ".fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    ".glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    ".gltf": lambda path: bpy.ops.import_scene.gltf(filepath=path),
}


def add_verb(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the verb to the engine's command line."""
    words = add(
        "apply", _apply, "put motions on the rig of a file, each as an action of its own or one after the other"
    )
    words.add_argument("rig", help="a .blend, .fbx, .glb or .gltf file with the rig")
    words.add_argument("-o", "--output", required=True, help="the .blend file to write")
    words.add_argument("--object", default="", help="name of the armature (needed where the file holds several)")
    words.add_argument("--library", default="", help="the library of the clips, or the one to search with the query")
    words.add_argument(
        "--clips", nargs="*", default=[], metavar="CLIP", help="numbers or names of clips of the library"
    )
    words.add_argument("--files", nargs="*", default=[], metavar="FILE", help="motion files")
    words.add_argument("--query", default="", help="a motion file: the motions of the library that are most like it")
    words.add_argument("-k", type=int, default=20, help="how many motions like the query (default: 20)")
    words.add_argument(
        "--scope", choices=("clips", "moments"), default="clips", help="whole clips, or stretches of them"
    )
    words.add_argument("--whole", action="store_true", help="whole motions, not only the stretches like the query")
    words.add_argument(
        "--mode",
        choices=("actions", *_names(landing_options.MODES)),
        default="actions",
        help="an action each, kept for later (default); a new action that the rig plays; in place of the keys that are "
        "there; inserted between them; an NLA strip each. In the last three one motion follows the other",
    )
    words.add_argument("--frame", type=int, default=1, help="frame at which the first motion starts (default: 1)")
    words.add_argument("--blend-in", type=int, default=0, metavar="FRAMES", help="from what is there to the motion")
    words.add_argument("--blend-out", type=int, default=0, metavar="FRAMES", help="from the motion to what is there")
    words.add_argument("--root", choices=_names(landing_options.ROOTS), default="motion", help="what travels")
    words.add_argument(
        "--placement",
        choices=_names(landing_options.PLACEMENTS),
        default="rig",
        help="start where the rig rests, from its pose at that frame, or where it was recorded",
    )
    words.add_argument("--scale", type=float, default=0.0, help="size of the path (default: the ratio of the legs)")
    words.add_argument(
        "--mirror", choices=("found", "always", "never"), default="found", help="exchange left and right"
    )
    words.add_argument(
        "--plant-feet",
        action=argparse.BooleanOptionalAction,
        default=retarget.RetargetOptions.plant_feet,
        help="hold feet in place while they stand",
    )
    words.add_argument("--reach-hands", action="store_true", help="bring hands where they are in the motion")
    words.add_argument(
        "--match-ik",
        action=argparse.BooleanOptionalAction,
        default=Landing.match_ik,
        help="on control rigs, key the IK controls too",
    )
    words.add_argument("--fps", type=float, default=0.0, help="frames a second of the scene (default: the file's)")
    words.add_argument(
        "--fewer-keys", type=float, default=0.0, metavar="DEGREES", help="leave out keys within this error"
    )
    words.add_argument("--millimetres", type=float, default=2.0, help="the same for the path (default: 2)")
    words.add_argument("--curve", choices=("bezier", "linear"), default="bezier", help="what goes from key to key")
    words.add_argument("--assets", action="store_true", help="mark the actions as assets, with pictures and tags")
    words.add_argument("--catalog", default="", help="catalog of the assets, such as Motions/Walks")


def _names(items: tuple[tuple[str, str, str], ...]) -> tuple[str, ...]:
    return tuple(name for name, _, _ in items)


def _apply(options: argparse.Namespace) -> int:
    with _quiet_stdout():
        wanted = [_mirrored(one, options.mirror) for one in _wanted(options)]
        if options.mode == "new" and len(wanted) > 1:
            raise errors.HumsError(
                f"A rig plays one new action, and {len(wanted)} motions were named: use --mode actions or strip."
            )
        rig = _opened_rig(options.rig, options.object)
        if options.fps > 0:
            scene = bpy.context.scene
            scene.render.fps, scene.render.fps_base = round(options.fps), round(options.fps) / options.fps
        output = _writable(options.output)
        mark = motion_assets.AssetMark(catalog=options.catalog, folder=output.parent) if options.assets else None
        told = sys.stderr.isatty() or not options.json
        outcome = batch.run(rig, wanted, _landing(options), bpy.context.scene, mark, _told if told else None)
        if outcome.made:
            _save(output)
    _report(options, output, rig, outcome)
    cli = command_line()
    if not outcome.made:
        return cli.COULD_NOT
    return cli.WITH_FAILURES if outcome.failed else cli.DONE


@contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Sends what Blender says while it reads and writes to stderr: stdout is for the result alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _told(done: int, total: int) -> None:
    if done == total or done % 10 == 0:
        print(f"applying: {done} of {total}", file=sys.stderr)


def _mirrored(one: Wanted, mirror: str) -> Wanted:
    return one if mirror == "found" else replace(one, mirrored=mirror == "always")


def _landing(options: argparse.Namespace) -> Landing:
    degrees = options.fewer_keys
    return Landing(
        options=retarget.RetargetOptions(
            root=options.root,
            placement="source" if options.placement == "source" else "rig",
            scale=max(options.scale, 0.0),
            plant_feet=options.plant_feet,
            reach_hands=options.reach_hands,
        ),
        mode="aside" if options.mode == "actions" else options.mode,
        frame=options.frame,
        continues=options.placement == "pose",
        blend_in=max(options.blend_in, 0),
        blend_out=max(options.blend_out, 0),
        reduction=Reduction(degrees, options.millimetres, options.curve == "bezier") if degrees > 0 else None,
        match_ik=options.match_ik,
    )


def _wanted(options: argparse.Namespace) -> list[Wanted]:
    """The motions that the command line names.

    Raises:
        HumsError: a clip is not there, or nothing was named.
    """
    wanted = [Wanted(Path(file).stem, file=str(Path(file).expanduser().absolute())) for file in options.files]
    if not options.library and (options.clips or options.query):
        raise errors.HumsError("Clips of which library? Name it with --library.")
    library = Path(options.library).expanduser().absolute()
    for named in options.clips:
        wanted += _clips(library, named)
    if options.query:
        wanted += _found(library, options)
    if not wanted:
        raise errors.HumsError("No motion was named: use --clips, --files or --query.")
    return wanted


def _clips(library: Path, named: str) -> list[Wanted]:
    number = named.removeprefix("#")
    if number.isdigit():
        return [batch.of_clip(library, number)]
    found = libraries.open_library(library).clips({"name": named})
    exact = [clip for clip in found if clip.name == named] or found
    if not exact:
        raise errors.HumsError(f"No clip of {library.name} is called '{named}': hums list tells their names.")
    return [batch.of_clip(library, str(clip.id)) for clip in exact]


def _found(library: Path, options: argparse.Namespace) -> list[Wanted]:
    query = canonical.canonicalize(formats.load(options.query))
    return [
        Wanted(
            hit.name,
            library=str(library),
            clip_id=str(hit.clip_id),
            start_s=0.0 if options.whole else hit.start_s,
            end_s=0.0 if options.whole else hit.end_s,
            mirrored=hit.mirrored,
            tags=tuple(hit.tags),
        )
        for hit in libraries.open_library(library).search(query, options.k, options.scope)
    ]


def _opened_rig(path: str, name: str) -> Object:
    """The rig of a file, which becomes the open one.

    Raises:
        HumsError: the file cannot be read, or holds no such armature, or several.
    """
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise errors.HumsError(f"There is no file {file}.")
    try:
        if file.suffix.lower() == ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(file), load_ui=False, use_scripts=False)
        elif file.suffix.lower() in _IMPORTERS:
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            _IMPORTERS[file.suffix.lower()](str(file))
        else:
            raise errors.HumsError(f"{file.name}: a rig is read from .blend, .fbx, .glb and .gltf files.")
    except RuntimeError as error:
        raise errors.HumsError(f"{file.name}: Blender cannot read it: {' '.join(str(error).split())}") from None
    return _chosen(file, name)


def _chosen(file: Path, name: str) -> Object:
    if name:
        if name not in bpy.context.scene.objects:
            raise errors.HumsError(f"{file.name} has no object '{name}' in its scene.")
        return armature_reader.rig_of(bpy.context.scene.objects[name])
    rigs = [obj for obj in bpy.context.scene.objects if obj.type == "ARMATURE"]
    if len(rigs) != 1:
        names = ", ".join(obj.name for obj in rigs) or "none"
        raise errors.HumsError(f"{file.name} should hold one armature, and its scene has {names}: say --object.")
    return rigs[0]


def _writable(path: str) -> Path:
    """The file to write, in a folder that is there.

    Raises:
        HumsError: the folder cannot be made, or the file is no .blend file.
    """
    output = Path(path).expanduser().absolute()
    if output.suffix.lower() != ".blend":
        raise errors.HumsError(f"{output.name}: what is written is a .blend file.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.HumsError(f"The folder {output.parent} cannot be made: {error.strerror}.") from None
    return output


def _save(output: Path) -> None:
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(output), check_existing=False)
    except RuntimeError as error:
        raise errors.HumsError(f"{output} cannot be written: {' '.join(str(error).split())}") from None


def _report(options: argparse.Namespace, output: Path, rig: Object, outcome: batch.Outcome) -> None:
    if options.json:
        failed = [{"motion": name, "reason": reason} for name, reason in outcome.failed]
        actions = [action.name for action in outcome.made]
        command_line().print_json(
            {
                "output": str(output) if actions else "",
                "rig": rig.name,
                "actions": actions,
                "failed": failed,
                "left_alone": outcome.left,
            }
        )
        return
    print(f"{outcome.told(rig)}; {output if outcome.made else 'nothing was written'}")
    for name, reason in outcome.failed:
        print(f"  failed: {name}: {reason}")
