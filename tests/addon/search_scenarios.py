# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios of searching: several libraries, names and filters, chosen bones, results as questions, marks, files."""

from __future__ import annotations

import itertools
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import rigs
from scenarios import activate, core, key_frames, refusal, session


def named() -> list[str]:
    return [result.name for result in session().results]


def ask_again() -> list[str]:
    """What a person gets after a pause of typing."""
    core("operators.asking").ask_again(bpy.context)
    return named()


def search_in_all(first: str, second: str, take: str) -> dict[str, Any]:
    """Two libraries as one, and one that is gone."""
    bpy.ops.hums.open_library(directory=first)
    bpy.ops.hums.open_library(directory=second)
    preferences = core("preferences").of(bpy.context)
    preferences.active = "ALL"
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar(count=6)
    facts: dict[str, Any] = {
        "libraries": [Path(result.library).stem for result in session().results],
        "scores": [result.score for result in session().results],
        "own": [result.own for result in session().results],
        "names": named(),
    }
    shutil.move(second, second + ".away")
    core("core.libraries").forget(Path(second))
    bpy.ops.hums.find_similar(count=6)
    facts["left"] = {Path(result.library).stem for result in session().results} == {Path(first).stem}
    facts["trouble"] = session().trouble
    bpy.ops.hums.apply_motion(clip_id=session().results[1].clip_id, library=session().results[1].library)
    bpy.ops.hums.find_similar(count=6)
    facts["own_after_apply"] = [result.name for result in session().results if result.own]
    return facts


def search_by_name(library: str, take: str) -> dict[str, Any]:
    """By a text, with and without a motion, and by filters."""
    bpy.ops.hums.open_library(directory=library)
    filters = session().filters
    filters.text = "WALK"
    by_name = ask_again()
    scored = [result.scored for result in session().results]
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    both = named()
    filters.text = ""
    filters.longest_s = 1.5
    short = [result.duration_s for _ in ask_again() for result in session().results]
    filters.rig = "no such rig"
    none = ask_again()
    bpy.ops.hums.clear_filters()
    everything = named()
    bpy.ops.hums.clear_query()
    return {
        "by_name": by_name,
        "scored": any(scored),
        "both": both,
        "longest": max(short),
        "none": none,
        "everything": len(everything),
        "cleared": named(),
    }


def filters(takes: str, library: str) -> dict[str, list[str]]:
    """Each filter by itself, on four motions of which each differs from the others in one thing."""
    bpy.ops.hums.create_library(directory=takes, library=library)
    chosen = session().filters
    facts = {}
    for name, value in (
        ("fps", 30.0),
        ("folder", str(Path(takes, "stunts"))),
        ("shortest_s", 3.2),
        ("longest_s", 3.2),
        ("rig", "mixamo"),
    ):
        setattr(chosen, name, value)
        facts[name] = ask_again()
        chosen.property_unset(name)
    return facts


def mirrored_too(library: str, take: str) -> dict[str, Any]:
    """Searches with the mirror image of a take, without and with Mirrored Too."""
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take, mirrored=True)
    facts: dict[str, Any] = {}
    for wanted in (False, True):
        session().mirror = wanted
        bpy.ops.hums.find_similar()
        first = session().results[0]
        facts[str(wanted)] = first.name, first.mirrored, first.score
    return facts


def name_and_file_of_a_result(library: str, take: str) -> dict[str, Any]:
    """Copy Name and Show in File Browser; the system's file browser is not opened."""
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    bpy.ops.hums.copy_name(index=0)
    marks, opened = core("operators.mark_results"), []
    marks.bpy = SimpleNamespace(
        ops=SimpleNamespace(wm=SimpleNamespace(path_open=lambda filepath: opened.append(str(filepath))))
    )
    bpy.ops.hums.show_file(index=0)
    session().results[0].source = "/nowhere/gone.bvh"
    return {
        "copied": bpy.context.window_manager.clipboard,
        "opened": opened,
        "gone": refusal(bpy.ops.hums.show_file, index=0),
    }


def own_among_namesakes(first: str, second: str, take: str) -> dict[str, Any]:
    """The query's file, a copy of it in another library, and another motion in a file of the same name."""
    for library in (first, second):
        bpy.ops.hums.open_library(directory=library)
    core("preferences").of(bpy.context).active = "ALL"
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    own = [result.source for result in session().results if result.own]
    namesakes = [result.source for result in session().results if result.name == Path(take).stem]
    return {"own": own, "namesakes": namesakes}


def told_in_german() -> dict[str, str]:
    """Errors of the add-on, of the engine, of a file and in another sentence; names in them are left alone."""
    wording = core("core.wording")
    german = core("translations").messages()["de_DE"]
    wording.rpt = lambda text: german.get(("*", text), text)
    rig = "No human figure was found in this skeleton: it has no two limbs that are alike."
    texts = {
        "own": "'Library' has no action: give the rig some motion, or choose an action for it.",
        "file": "walk: 2.bvh: the file was cut off: it has 3 of its 90 frames; download it again.",
        "nested": f"Choose a human figure's rig instead of 'Hero': {rig[:1].lower()}{rig[1:]}",
        "unknown": "Nobody: foresaw this.",
    }
    return {name: wording.told(text) for name, text in texts.items()}


def results_as_questions(library: str, take: str) -> dict[str, Any]:
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    first = named()
    index = next(i for i, name in enumerate(first) if name.startswith("basketball"))
    unwanted = first[index]
    bpy.ops.hums.more_like_this(index=index, how="not")
    without, question = named(), session().question
    bpy.ops.hums.more_like_this(index=index, how="instead")
    instead, chosen = named(), session().question
    bpy.ops.hums.more_like_this(index=1, how="also")
    return {
        "unwanted": unwanted,
        "before": index,
        "after": without.index(unwanted) if unwanted in without else 99,
        "question": question,
        "instead": instead[0] == chosen,
        "also": session().question,
    }


def marks(library: str, take: str) -> dict[str, Any]:
    """Stars and tags go into the library, unless it is read only."""
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    bpy.ops.hums.star_motion(index=2)
    bpy.ops.hums.tag_motion(index=2, tags="hero,  tired walk ,hero")
    result = session().results[2]
    clip = core("core.libraries").open_library(Path(library)).clip(int(result.clip_id))
    facts: dict[str, Any] = {"starred": clip.favourite, "tags": clip.tags, "shown": [result.starred, result.tags]}
    session().filters.starred = True
    facts["only_starred"] = ask_again() == [clip.name]
    session().filters.starred = False
    session().filters.text = "tired"
    facts["by_tag"] = ask_again() == [clip.name]
    session().filters.text = ""
    ask_again()
    core("preferences").of(bpy.context).libraries[0].readonly = True
    facts["refused"] = refusal(bpy.ops.hums.star_motion, index=0)
    return facts


def arrange(library: str, take: str) -> dict[str, Any]:
    """Order, grouping and hiding."""
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar(scope="moments", frame_start=10, frame_end=40)
    grouped = named()
    session().group = False
    single = named()
    session().order = "name"
    by_name = named()
    session().order = "duration"
    seconds = [result.end_s - result.start_s for result in session().results]
    session().order, session().group = "score", True
    bpy.ops.hums.hide_result(index=0)
    hidden, count = named(), session().hidden
    bpy.ops.hums.find_similar(scope="moments", frame_start=10, frame_end=40)
    still = named()
    bpy.ops.hums.show_hidden()
    return {
        "grouped": len(grouped) == len(set(grouped)),
        "single": len(single) > len(grouped),
        "by_name": by_name == sorted(by_name, key=str.casefold),
        "by_duration": all(a < b + 1e-4 for a, b in itertools.pairwise(seconds)),
        "hidden": grouped[0] not in hidden and count == 1,
        "still": grouped[0] not in still,
        "back": named() == grouped,
    }


def search_by_bones(library: str, take: str) -> dict[str, Any]:
    """A rig whose legs do nothing is found by its arms."""
    bpy.ops.hums.open_library(directory=library)
    hero = rigs.humanoid(mixed_modes=False)
    activate(hero)
    bpy.ops.hums.apply_motion(filepath=take, placement="source")
    for curve in core("core.action_api").curves_of(hero):
        if any(word in curve.data_path for word in ("Leg", "Foot", "Toe")):
            curve.mute = True
    hero.pose.bones["mixamorig:LeftUpLeg"].rotation_quaternion = (0.7, 0.7, 0.0, 0.0)  # and hangs somewhere
    bpy.ops.hums.find_similar(bones="all", scope="moments")
    whole = {result.name: result.score for result in session().results}
    select(hero, ["LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm", "RightHand"])
    bpy.ops.hums.find_similar(bones="selected", scope="moments")
    joints = core("operators.listing").subject().joints
    found = {result.name: result.score for result in session().results}
    select(hero, [])
    return {
        "whole": whole,
        "arms": found,
        "joints": joints,
        "none": refusal(bpy.ops.hums.find_similar, bones="selected"),
    }


def select(rig: bpy.types.Object, bones: list[str]) -> None:
    by_pose = "select" in bpy.types.PoseBone.bl_rna.properties
    for bone in rig.pose.bones:
        (bone if by_pose else bone.bone).select = bone.name.removeprefix("mixamorig:") in bones


def read_in_slices() -> dict[str, Any]:
    """A rig with a constraint, read a few frames at a time; then one that is deleted meanwhile."""
    reader, scene = core("core.armature_reader"), bpy.context.scene
    hero = rigs.humanoid(mixed_modes=False)
    rigs.key_turns(hero, ["mixamorig:Spine"], frames=900)
    hero.pose.bones["mixamorig:Spine1"].constraints.new("LIMIT_ROTATION")
    scene.frame_set(17)
    at_once = reader.read_motion(hero, scene, 1, 900)
    reading, progress, frames, longest = reader.Reading(hero, scene, 1, 900), [], [], 0.0
    while reading.progress < 1.0:
        began = time.thread_time()
        reading.advance(0.005)
        longest = max(longest, time.thread_time() - began)
        progress.append(reading.progress)
        frames.append(scene.frame_current)
    difference = float(abs(reading.motion.positions - at_once.positions).max())
    lost = reader.Reading(hero, scene, 1, 900)
    lost.advance(0.001)
    bpy.data.objects.remove(hero)
    try:
        lost.advance(0.001)
        told = ""
    except core("core.engine").errors.HumsError as error:
        told = str(error)
    return {"steps": len(progress), "frames": frames, "difference": difference, "longest_s": longest, "told": told}


def missing_and_failed(directory: str, library: str) -> dict[str, Any]:
    """Files that move and files that cannot be read, and what the panel knows of them."""
    facts_of = core("core.library_facts").look_up
    broken = Path(directory, "broken.bvh")
    broken.write_text("HIERARCHY\nROOT Hips\n{\n")
    bpy.ops.hums.create_library(directory=directory, library=library)
    first = facts_of(Path(library))
    moved = directory + " moved"
    shutil.move(directory, moved)
    missing = facts_of(Path(library))
    bpy.ops.hums.relink_library(directory=moved)
    mended = facts_of(Path(library))
    return {
        "clips": first.clips,
        "failed": [Path(path).name for path, _ in first.failed],
        "reason": first.failed[0][1],
        "missing_before": len(first.missing),
        "missing": len(missing.missing),
        "mended": len(mended.missing),
        "nothing_missing": refusal(bpy.ops.hums.relink_library, directory=moved),
    }


def report_of_an_error(library: str) -> dict[str, Any]:
    bpy.ops.hums.open_library(directory=library)
    activate(rigs.humanoid())
    told = refusal(bpy.ops.hums.find_similar)
    return {"told": told, "report": list(core("operators.copy_report").report(bpy.context))}


def drop(library: str, take: str) -> dict[str, Any]:
    """What the entries of the menu do with a dropped file."""
    bpy.ops.hums.open_library(directory=library)
    path = Path(take)
    files = {"directory": str(path.parent), "files": [{"name": path.name}]}
    bpy.ops.hums.drop_files(**files, how="query")
    found, question = named(), session().question
    bpy.ops.hums.drop_files(**files, how="import")
    imported = bpy.context.object.name
    hero = rigs.humanoid()
    activate(hero)
    bpy.ops.hums.drop_files(**files, how="apply")
    return {"found": found[0], "question": question, "imported": imported, "keys": len(key_frames(hero))}


def answer_after_clearing(library: str, take: str) -> dict[str, Any]:
    """A question is taken back while its answer is on its way; another one is not."""
    asking = core("operators.asking")
    bpy.ops.hums.open_library(directory=library)
    bpy.ops.hums.import_motion(filepath=take)
    bpy.ops.hums.find_similar()
    answer = core("operators.listing")._state.answer
    asking._state.awaited = answer.subject
    bpy.ops.hums.clear_query()
    asking._hear(answer)
    cleared = named()
    asking._state.awaited = answer.subject
    asking._hear(answer)
    return {"cleared": cleared, "listed": len(named())}


def errors_beside_blender() -> dict[str, Any]:
    """Work that fails, an answer that cannot be told, and one that can."""
    background, last_error = core("core.background"), core("core.last_error")
    heard: list[str] = []
    kept = []
    pairs = (lambda: 1 / 0, heard.append), (lambda: "late", {}.__getitem__), (lambda: "told", heard.append)
    for work, tell in pairs:
        background.start(work, tell)
        for thread in list(background._at_work):
            thread.join(timeout=60.0)
        background._tick()
        kept.append(last_error.recall().told)
    return {"heard": heard, "kept": kept}


def known(cls: type) -> set[str]:
    """The properties that a class and those above it say they have."""
    return {name for above in cls.__mro__ for name in vars(above).get("__annotations__", {})}


def tooltips() -> dict[str, Any]:
    """Of every operator, property and panel of the add-on: what Blender shows for it, or that it shows nothing."""
    untold, seen = [], 0
    for name in dir(bpy.types):
        if not name.startswith("HUMS_"):
            continue
        cls = getattr(bpy.types, name)
        rna, is_operator = cls.bl_rna, issubclass(cls, bpy.types.Operator)
        if is_operator:
            rna = getattr(bpy.ops.hums, name.removeprefix("HUMS_OT_")).get_rna_type()
        seen += 1
        if is_operator and not rna.description:
            untold.append(name)
        own = [prop for prop in rna.properties if prop.identifier in known(cls) and not prop.is_hidden]
        seen += len(own)
        untold += [f"{name}.{prop.identifier}" for prop in own if not (prop.name and prop.description)]
        untold += [
            f"{name}.{prop.identifier}.{item.identifier}"
            for prop in own
            if prop.type == "ENUM"
            for item in prop.enum_items
            if not item.description
        ]
    described = {}
    for operator, how in (("HUMS_OT_drop_files", "apply"), ("HUMS_OT_more_like_this", "not")):
        settings = SimpleNamespace(how=how)
        described[operator] = getattr(bpy.types, operator).description(bpy.context, settings)
    return {"untold": untold, "seen": seen, "described": described}
