# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hums_engine import __version__, cli, formats
from hums_engine.canonical import canonicalize
from hums_engine.cli.output import LINES_SHOWN
from hums_engine.cli.progress_bar import ProgressBar
from hums_engine.encoder import SHIPPED_MODEL, Encoder
from hums_engine.library import Library
from hums_engine.skeleton import TWINS
from tests.engine import posed_bvh

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"


@dataclass
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as JSON: all of it, or this fails."""
        return json.loads(self.out)


Hums = Callable[..., Said]


@pytest.fixture
def hums(capsys: pytest.CaptureFixture[str]) -> Hums:
    """Runs a command in this process."""

    def run(*words: object) -> Said:
        code = cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder ``mocap`` with three motions and a broken file, and the library of it."""
    folder = tmp_path_factory.mktemp("shared")
    for motion in (posed_bvh.walk, posed_bvh.jump, posed_bvh.wave):
        posed_bvh.write(folder / "mocap" / f"{motion.__name__}.bvh", motion)
    (folder / "mocap" / "broken.bvh").write_text("HIERARCHY\n")
    assert cli.main(["index", str(folder / "motions.hums"), str(folder / "mocap")]) == cli.WITH_FAILURES
    return folder / "motions.hums"


def command(*words: object) -> subprocess.CompletedProcess[str]:
    """Runs a command as a process of its own, as people do."""
    return subprocess.run(
        [sys.executable, "-m", "hums_engine", *map(str, words)],
        cwd=ROOT, text=True, capture_output=True, timeout=120, check=False,
    )  # fmt: skip


def test_index_makes_a_library_and_tells_what_it_did(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 3)
    first = hums("index", tmp_path / "m.hums", tmp_path / "mocap")
    assert first.code == cli.DONE
    assert re.fullmatch(r"3 added, 0 updated, .* 0 failed in [\d.]+ s; m.hums holds 3 clips \(4 s\)\.\n", first.out)
    again = hums("index", tmp_path / "m.hums")
    assert again.out.startswith("0 added, 0 updated, 3 unchanged")


def test_index_lists_failures_and_says_so_with_its_exit_code(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 2)
    (tmp_path / "mocap" / "bad.bvh").write_text("HIERARCHY\n")
    said = hums("index", tmp_path / "m.hums", tmp_path / "mocap", "--json")
    assert said.code == cli.WITH_FAILURES
    assert said.err == ""
    document = said.document
    assert (document["added"], document["clips"]) == (2, 2)
    (failure,) = document["failed"]
    assert failure["path"] == str(tmp_path / "mocap" / "bad.bvh")
    assert failure["reason"]


def test_index_says_what_files_of_kinds_without_a_skeleton_are_left_out(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "mocap" / "walk.bvh", posed_bvh.walk)
    for name in ("one.c3d", "TWO.C3D", "mesh.abc", "notes.txt"):
        (tmp_path / "mocap" / name).write_bytes(b"x")
    said = hums("index", tmp_path / "m.hums", tmp_path / "mocap")
    assert said.code == cli.DONE
    assert "left out: 2 .c3d files: a C3D file holds markers, not a skeleton; solve them" in said.out
    assert "left out: 1 .abc file: an Alembic file holds moving meshes" in said.out
    assert "notes" not in said.out
    again = hums("index", tmp_path / "m.hums", "--json").document
    assert (again["unchanged"], again["left_out"]) == (1, {".c3d": 2, ".abc": 1})


def test_a_folder_of_motions_in_the_place_of_the_library_is_told_with_the_way_out(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "mocap" / "walk.bvh", posed_bvh.walk)
    said = hums("index", tmp_path / "mocap", tmp_path / "m.hums")
    assert said.code == cli.COULD_NOT
    assert "no library but a folder of other things" in said.err
    assert f"hums index mocap.hums {tmp_path / 'mocap'}." in said.err
    assert [path.name for path in (tmp_path / "mocap").iterdir()] == ["walk.bvh"]


def test_remove_takes_files_out_of_the_library_and_leaves_them_where_they_are(hums: Hums, tmp_path: Path) -> None:
    first, second = posed_bvh.write_several(tmp_path / "mocap", 2, seconds=0.5)
    hums("index", tmp_path / "m.hums", first, second)
    assert "1 file taken out; m.hums holds 1 clip" in hums("remove", tmp_path / "m.hums", first).out
    assert first.exists()
    assert hums("index", tmp_path / "m.hums", "--json").document["clips"] == 1
    assert hums("remove", tmp_path / "m.hums", first).code == cli.WITH_FAILURES


def test_a_lone_clip_is_counted_as_one(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk)
    said = hums("index", tmp_path / "m.hums", tmp_path / "walk.bvh").out
    said += hums("info", tmp_path / "m.hums").out + hums("verify", tmp_path / "m.hums").out
    assert re.findall(r"1 (?:clip|file)\w*", said) == ["1 clip", "1 clip", "1 file", "1 clip", "1 clip"]


def test_nothing_to_index_is_told_and_a_misspelt_folder_makes_no_library(hums: Hums, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no motion files were found; those are: .bvh" in hums("index", tmp_path / "m.hums", tmp_path / "empty").out
    said = hums("index", tmp_path / "other.hums", tmp_path / "emtpy")
    assert (said.code, (tmp_path / "other.hums").exists()) == (cli.COULD_NOT, False)
    assert "no library was made" in said.err


def test_moving_or_removing_what_the_library_does_not_know_is_told(hums: Hums, indexed: Path) -> None:
    moved = hums("relink", indexed, indexed.parent / "nowhere", indexed.parent / "mocap")
    removed = hums("remove", indexed, indexed.parent / "nowhere")
    for said in (moved, removed):
        assert (said.code, said.out.startswith("motions.hums knows no file at ")) == (cli.WITH_FAILURES, True)


def test_paths_alone_can_be_printed_for_other_programs(hums: Hums, indexed: Path) -> None:
    mocap = indexed.parent / "mocap"
    listed = hums("list", indexed, "--paths").out.splitlines()
    assert listed == [str(mocap / name) for name in ("jump.bvh", "walk.bvh", "wave.bvh")]
    assert hums("search", indexed, mocap / "walk.bvh", "--paths", "-k", 1).out == f"{mocap / 'walk.bvh'}\n"


def test_index_with_shards_leaves_the_rest_to_the_others(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 6)
    for number in (1, 2):
        hums("index", tmp_path / f"{number}.hums", tmp_path / "mocap", "--shard", f"{number}/2")
    merged = hums("merge", tmp_path / "all.hums", tmp_path / "1.hums", tmp_path / "2.hums", "--json")
    assert merged.code == cli.DONE
    assert (merged.document["added"], merged.document["clips"]) == (6, 6)


def test_index_with_reencode_adopts_a_library_of_another_model(hums: Hums, tmp_path: Path) -> None:
    model = tmp_path / "other.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes() + bytes([6 << 3 | 2, 1]) + b"x")
    posed_bvh.write_several(tmp_path / "mocap", 2)
    with Library.create(tmp_path / "m.hums", Encoder(model, provider="cpu")) as library:
        library.add([tmp_path / "mocap"])
    refused = hums("search", tmp_path / "m.hums", 1)
    assert refused.code == cli.COULD_NOT
    assert "hums index LIBRARY --reencode" in refused.err
    assert hums("info", tmp_path / "m.hums").code == cli.DONE
    assert hums("index", tmp_path / "m.hums", "--reencode").code == cli.DONE
    assert hums("search", tmp_path / "m.hums", 1).code == cli.DONE


def test_search_prints_the_best_first_with_scores_and_stretches(hums: Hums, indexed: Path) -> None:
    said = hums("search", indexed, indexed.parent / "mocap" / "jump.bvh", "-k", 2)
    assert said.code == cli.DONE
    lines = said.out.splitlines()
    assert len(lines) == 2
    assert re.match(r" +1 +(100\.0|99\.\d) +jump +0\.00 - 2\.00 of 2\.00 s +#\d+$", lines[0])


def test_search_as_json_is_one_document(hums: Hums, indexed: Path) -> None:
    said = hums("search", indexed, indexed.parent / "mocap" / "walk.bvh", "--json", "--scope", "moments", "--mirror")
    hits = said.document["hits"]
    assert hits[0]["name"] == "walk"
    assert set(hits[0]) == {
        "clip_id", "name", "source", "score", "start_s", "end_s", "duration_s", "mirrored", "tags", "cosine",
        "distance_m", "others", "favourite",
    }  # fmt: skip


def test_search_takes_frames_of_a_file_and_clips_by_number(hums: Hums, indexed: Path) -> None:
    part = hums("search", indexed, indexed.parent / "mocap" / "walk.bvh", "--frames", "12:48", "--json")
    hit = part.document["hits"][0]
    assert (hit["name"], hit["start_s"], hit["end_s"]) == (
        "walk",
        pytest.approx(0.4, abs=0.1),
        pytest.approx(1.6, abs=0.1),
    )
    for number in (str(hit["clip_id"]), f"#{hit['clip_id']}"):
        assert hums("search", indexed, number, "-k", 1, "--json").document["hits"][0]["name"] == "walk"


def test_several_queries_ask_together_and_what_is_unlike_sinks(hums: Hums, indexed: Path) -> None:
    mocap = indexed.parent / "mocap"
    both = hums("search", indexed, mocap / "walk.bvh", mocap / "wave.bvh", "-k", 2, "--json").document
    assert {hit["name"] for hit in both["hits"]} == {"walk", "wave"}
    assert both["queries"] == [str(mocap / "walk.bvh"), str(mocap / "wave.bvh")]
    without = hums("search", indexed, mocap / "walk.bvh", mocap / "wave.bvh", "--unlike", mocap / "walk.bvh", "--json")
    assert without.document["hits"][0]["name"] == "wave"
    assert {hit["name"]: hit["score"] for hit in without.document["hits"]}["walk"] < 0.1


def test_search_tells_mirror_images_and_further_moments(hums: Hums, tmp_path: Path) -> None:
    take = canonicalize(formats.load(SAMPLES / "kick_10_01.bvh"))
    flipped = take.positions[:, TWINS] * np.array([-1, 1, 1], dtype=np.float32)
    np.savez(tmp_path / "flipped.npz", joints=np.where(take.valid[:, None], flipped, np.nan), fps=take.fps, up_axis="Z")
    assert hums("index", tmp_path / "m.hums", SAMPLES / "kick_10_01.bvh").code == cli.DONE
    said = command("search", tmp_path / "m.hums", tmp_path / "flipped.npz", "--mirror", "-k", 1)
    assert re.match(r"  1  \d+\.\d  kick_10_01 .* mirrored of ", said.stdout), said.stdout + said.stderr
    assert " mirrored" not in hums("search", tmp_path / "m.hums", "1", "--mirror").out
    posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk, seconds=10.0)
    hums("index", tmp_path / "m.hums", tmp_path / "walk.bvh")
    steps = hums("search", tmp_path / "m.hums", tmp_path / "walk.bvh", "--frames", "60:88", "--scope", "moments")
    assert len(steps.out.splitlines()) > 8


def test_clips_are_listed_and_marked_by_number(hums: Hums, indexed: Path) -> None:
    listed = hums("list", indexed, "--where", "name=W", "--json").document["clips"]
    assert [clip["name"] for clip in listed] == ["walk", "wave"]
    walk, wave = (clip["id"] for clip in listed)
    marked = hums(
        "mark", indexed, f"#{walk}", wave, "--tag", "slow", "--tag", "old", "--favourite", "--notes", "take 2"
    )
    assert marked.code == cli.DONE
    assert [line.split()[-4:] for line in marked.out.splitlines()] == [["old,", "slow", "take", "2"]] * 2
    assert hums("mark", indexed, wave, "--untag", "old", "--no-favourite", "--json").document["clips"][0]["tags"] == [
        "slow"
    ]
    assert [clip["name"] for clip in hums("list", indexed, "--where", "favourite", "--json").document["clips"]] == [
        "walk"
    ]
    assert len(hums("list", indexed, "-k", 1).out.splitlines()) == 1
    assert hums("mark", indexed, walk, 99, "--untag", "slow").code == cli.COULD_NOT
    assert hums("list", indexed, "--where", "tag=slow", "--json").document["clips"][0]["notes"] == "take 2"
    hums("mark", indexed, walk, wave, "--untag", "slow", "--untag", "old", "--no-favourite", "--notes", "")


def test_a_search_that_the_filters_leave_nothing_of_says_so(hums: Hums, indexed: Path) -> None:
    said = hums("search", indexed, indexed.parent / "mocap" / "walk.bvh", "--where", "name=nobody")
    assert (said.code, said.out) == (cli.DONE, "")
    assert said.err.endswith(": no clip passes the filters\n")


def test_search_filters(hums: Hums, indexed: Path) -> None:
    mocap = indexed.parent / "mocap"
    words = ("search", indexed, mocap / "walk.bvh", "--json", "--where")
    assert [hit["name"] for hit in hums(*words, "name=wav").document["hits"]] == ["wave"]
    assert hums(*words, "favourite=yes").document["hits"] == []
    assert len(hums(*words, "favourite=no", "--where", f"folder={mocap}").document["hits"]) == 3
    assert hums(*words, "favorites").document["hits"] == []
    assert len(hums(*words, "rig=cmu", "--where", "fps=30", "--where", "rig=mixamo").document["hits"]) == 3
    assert hums(*words, "min_duration_s=2.5", "--no-rerank").document["hits"] == []


def test_info_tells_what_is_there(hums: Hums, indexed: Path) -> None:
    document = hums("info", indexed, "--json").document
    assert (document["clips"], document["files"], document["roots"]) == (3, 3, [str(indexed.parent / "mocap")])
    assert [Path(failure["path"]).name for failure in document["failed"]] == ["broken.bvh"]
    plain = hums("info", indexed).out
    assert "3 clips of 3 files, 6 s" in plain
    assert "failed:" in plain


def test_info_of_a_motion_file_that_is_not_there_does_not_speak_of_libraries(hums: Hums, tmp_path: Path) -> None:
    said = hums("info", tmp_path / "walk.bvh")
    assert (said.code, said.err.startswith("hums: walk.bvh: there is no such file")) == (cli.COULD_NOT, True)


def test_info_lists_missing_files_and_relink_finds_them(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 25, seconds=0.5)
    library = tmp_path / "motions.hums"
    assert hums("index", library, tmp_path / "mocap").code == cli.DONE
    far = (tmp_path / "mocap").rename(tmp_path / "far")
    told = hums("info", library).out
    assert f"missing: {tmp_path / 'mocap' / 'walk_000.bvh'}" in told
    assert "25 files are not where they were; say where with: hums relink" in told
    assert "5 more, which --json lists" in told
    (far / "walk_000.bvh").unlink()
    done = hums("relink", library, tmp_path / "mocap", far)
    assert (done.code, done.out.splitlines()[0]) == (cli.WITH_FAILURES, "24 files linked anew, 1 still missing.")
    assert hums("info", library, "--json").document["missing"] == [str(tmp_path / "mocap" / "walk_000.bvh")]
    assert hums("relink", library, tmp_path / "nothing", far, "--json").document == {"found": [], "missing": []}


def test_verify_names_the_first_of_many_damages_and_counts_the_others(hums: Hums, tmp_path: Path) -> None:
    hums("index", tmp_path / "m.hums", SAMPLES)
    for file in (tmp_path / "m.hums" / "signatures").iterdir():
        file.write_bytes(bytes(file.stat().st_size))
    lines = hums("verify", tmp_path / "m.hums").out.splitlines()
    assert len(lines) == 1 + LINES_SHOWN + 1
    assert lines[-1].endswith("more, which --json lists")


def test_verify_finds_damage_and_repair_mends_it(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 2)
    hums("index", tmp_path / "m.hums", tmp_path / "mocap")
    assert hums("verify", tmp_path / "m.hums").code == cli.DONE
    path = tmp_path / "m.hums" / "joints" / "joints-000001"
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    found = hums("verify", tmp_path / "m.hums")
    assert (found.code, found.out.count("damaged:")) == (cli.WITH_FAILURES, 1)
    mended = hums("verify", tmp_path / "m.hums", "--repair", "--json")
    assert (mended.code, mended.document["sound"], len(mended.document["mended"])) == (cli.DONE, True, 1)
    (tmp_path / "m.hums" / "catalogue.sqlite").write_bytes(b"lost" * 5000)
    assert hums("verify", tmp_path / "m.hums").code == cli.COULD_NOT
    assert "its backup is in its place" in hums("verify", tmp_path / "m.hums", "--repair").out
    assert hums("verify", tmp_path / "m.hums").code == cli.DONE


def test_a_library_that_has_lost_its_catalogue_names_the_way_out(hums: Hums, tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk)
    hums("index", tmp_path / "m.hums", tmp_path / "walk.bvh")
    (tmp_path / "m.hums" / "catalogue.sqlite").unlink()
    for verb in ("info", "index"):
        assert f"mend it with: hums verify {tmp_path / 'm.hums'} --repair" in hums(verb, tmp_path / "m.hums").err
    assert hums("verify", tmp_path / "m.hums", "--repair").code == cli.DONE
    assert "1 clip of 1 file" in hums("info", tmp_path / "m.hums").out


def test_show_draws_a_file_and_a_clip(hums: Hums, indexed: Path, tmp_path: Path) -> None:
    file = hums("show", indexed.parent / "mocap" / "walk.bvh", "-o", tmp_path / "file.png")
    clip = hums("show", 1, "--library", indexed, "--frames", "0:30", "--json", "--output", tmp_path / "clip.png")
    assert (file.code, file.out) == (cli.DONE, f"{tmp_path / 'file.png'}\n")
    assert clip.document["picture"] == str(tmp_path / "clip.png")
    assert clip.document["duration_s"] == pytest.approx(1.0)
    for name in ("file.png", "clip.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


REFUSALS = {
    "a library that is not there": ("search", "{tmp}/nothing.hums", "1"),
    "a query that is not there": ("search", "{library}", "{tmp}/nothing.bvh"),
    "a broken query": ("search", "{library}", "{mocap}/broken.bvh"),
    "a clip that is not there": ("search", "{library}", "4711"),
    "frames behind the end": ("search", "{library}", "{mocap}/walk.bvh", "--frames", "500:600"),
    "frames that make no sense": ("search", "{library}", "{mocap}/walk.bvh", "--frames", "9:3"),
    "an unknown filter": ("search", "{library}", "1", "--where", "colour=red"),
    "a filter without a value": ("search", "{library}", "1", "--where", "walk"),
    "no results asked for": ("search", "{library}", "1", "-k", "0"),
    "a library that is a file": ("index", "{mocap}/walk.bvh", "{mocap}"),
    "a folder of other things as a library": ("index", "{mocap}", "{mocap}"),
    "a shard beyond the count": ("index", "{tmp}/new.hums", "{mocap}", "--shard", "3/2"),
    "fewer workers than none": ("index", "{tmp}/new.hums", "{mocap}", "--workers", "-2"),
    "a clip without its library": ("show", "12"),
    "a picture that cannot be written": ("show", "{mocap}/walk.bvh", "-o", "{mocap}/walk.bvh/x.png"),
    "merging what is no library": ("merge", "{tmp}/all.hums", "{mocap}"),
    "no verb": (),
    "an unknown verb": ("dance",),
}


@pytest.mark.parametrize("words", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_be_done_costs_one_sentence_and_exit_code_2(
    hums: Hums, indexed: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    places = {"tmp": tmp_path, "library": indexed, "mocap": indexed.parent / "mocap"}
    said = hums(*(word.format(**places) for word in words))
    assert (said.code, said.out) == (cli.COULD_NOT, "")
    sentence = said.err.strip().splitlines()[-1]
    assert sentence.startswith("hums")
    assert len(sentence) < 300
    assert "unexpected" not in sentence


def test_a_refusal_as_json_is_one_document(hums: Hums, tmp_path: Path) -> None:
    said = hums("info", tmp_path / "nothing.hums", "--json")
    assert said.code == cli.COULD_NOT
    assert "There is no library" in said.document["error"]


def test_a_folder_where_the_catalogue_belongs_is_one_sentence(hums: Hums, indexed: Path, tmp_path: Path) -> None:
    shared = tmp_path / "motions.hums"
    shared.mkdir()
    (shared / "catalogue.sqlite").mkdir()
    said = hums("info", shared)
    assert said.code == cli.COULD_NOT
    assert len(said.err.splitlines()) == 1


def test_the_first_interruption_says_what_it_does_and_the_second_breaks_off(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("indexing", "files", argparse.Namespace(json=False)) as bar:
        assert bar.counted(1, 3)
        signal.raise_signal(signal.SIGINT)
        assert not bar.counted(2, 3)
        assert capfd.readouterr().err.startswith("indexing: stopping as soon as what is being done is safe")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_comes_after_the_last_file_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProgressBar, "_EVERY_S", 0.0)
    with ProgressBar("indexing", "files", argparse.Namespace(json=False)) as bar:
        bar.counted(3, 3, "walk.bvh")
        bar.counted(3, 3, "search graph: 1,000 of 9,000 signatures")
    assert capsys.readouterr().err.splitlines()[1] == "indexing: search graph: 1,000 of 9,000 signatures"


def test_a_host_that_does_not_tell_its_signal_handler_gets_one_back(
    hums: Hums, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Blender handles Ctrl-C in C, which Python sees as no handler at all."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(signal, "getsignal", lambda _number: None)
    try:
        said = hums("index", tmp_path / "one.hums", SAMPLES / "run_09_01.bvh", "--json")
        assert said.code == cli.DONE
        assert said.document["added"] == 1
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_host_adds_verbs_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    def add(verb: cli.AddVerb) -> None:
        verb("greet", lambda options: print("hello") or cli.WITH_FAILURES, "says hello").add_argument("--loud")

    assert cli.main(["greet"], prog="host", more=add) == cli.WITH_FAILURES
    assert capsys.readouterr().out == "hello\n"
    assert cli.main(["greet"]) == cli.COULD_NOT


def test_help_names_the_program_it_runs_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"], prog="blender --command hums") == cli.DONE
    assert "usage: blender --command hums" in capsys.readouterr().out
    for verb in ("index", "search", "info", "verify", "show", "merge", "demo"):
        assert cli.main([verb, "--help"]) == cli.DONE
        assert verb in capsys.readouterr().out


# as processes


def test_json_stays_clean_when_stderr_is_a_file_and_exit_codes_reach_the_shell(indexed: Path, tmp_path: Path) -> None:
    done = command("index", tmp_path / "m.hums", indexed.parent / "mocap", "--json", "--workers", "2")
    assert done.returncode == cli.WITH_FAILURES
    assert (json.loads(done.stdout)["added"], done.stderr) == (3, "")
    refused = command("info", tmp_path / "none.hums")
    assert (refused.returncode, refused.stdout) == (cli.COULD_NOT, "")


def test_without_a_terminal_progress_is_plain_lines_on_stderr(indexed: Path, tmp_path: Path) -> None:
    done = command("index", tmp_path / "m.hums", indexed.parent / "mocap")
    assert re.fullmatch(r"indexing: 4 of 4, \d+\.\d a second\n", done.stderr)
    assert done.stdout.startswith("3 added")


def test_names_that_the_output_cannot_spell_are_printed_all_the_same(tmp_path: Path) -> None:
    posed_bvh.write(tmp_path / "🕺 walk.bvh", posed_bvh.walk)
    assert command("index", tmp_path / "m.hums", tmp_path / "🕺 walk.bvh").returncode == cli.DONE
    done = subprocess.run(
        [sys.executable, "-m", "hums_engine", "list", str(tmp_path / "m.hums")],
        cwd=ROOT, capture_output=True, timeout=120, check=True, env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert b"? walk" in done.stdout


def test_the_version_can_be_asked_for() -> None:
    assert command("--version").stdout == f"hums {__version__}\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("rows", "columns"), [(24, 100), (0, 0)], ids=["known size", "size untold"])
def test_on_a_terminal_progress_is_a_bar(indexed: Path, tmp_path: Path, rows: int, columns: int) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    words = [sys.executable, "-m", "hums_engine", "index", str(tmp_path / "m.hums"), str(indexed.parent / "mocap")]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, timeout=120, check=False)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == cli.WITH_FAILURES
    assert "100%|" in shown
    assert "4/4" in shown


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_reader_that_stops_listening_is_no_error(indexed: Path) -> None:
    searching = subprocess.Popen(
        [sys.executable, "-m", "hums_engine", "info", str(indexed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert searching.stdout is not None and searching.stderr is not None
    searching.stdout.close()
    assert searching.stderr.read() == b""
    searching.wait()
    searching.stderr.close()
