# SPDX-License-Identifier: GPL-3.0-or-later
"""What must never be lost: kills, full disks, two writers, read-only shares and damaged bytes.

``HUMS_KILLS`` sets how many processes are killed (5 when it is not set).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import hums_engine as hums
from benchmarks import kill_nine
from hums_engine.encoder import Encoder
from hums_engine.library import Library
from hums_engine.writer_lock import WriterLock
from tests.engine import posed_bvh

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("HUMS_KILLS", "5"))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks a process's memory up in /proc")
POSIX = pytest.mark.skipif(os.name == "nt", reason="uses what POSIX systems have")


def program(code: str, *words: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, words)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def run(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        program(code, *words), capture_output=True, text=True, env=environment(), timeout=120, check=False
    )


def script(name: str, *words: object) -> str:
    """What a script of the long proofs says, which must find nothing wrong."""
    command = [sys.executable, f"benchmarks/{name}", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.fixture
def mocap(tmp_path: Path) -> Path:
    posed_bvh.write_several(tmp_path / "mocap", 8, seconds=1.5)
    return tmp_path / "mocap"


@pytest.fixture
def filled(library: Library, mocap: Path) -> Library:
    library.add([mocap])
    return library


# kills


def test_a_kill_at_any_moment_loses_nothing_that_was_told_as_done() -> None:
    told = script("kill_nine.py", "--kills", KILLS)
    assert re.search(rf"^{KILLS} kills, \d+ clips checked, 0 losses$", told, re.MULTILINE)


def test_what_a_kill_loses_would_be_noticed(tmp_path: Path, encoder: Encoder) -> None:
    scene = kill_nine.Scene.made(tmp_path)
    trial = kill_nine.Trial(scene, random.Random(1), 1.0, encoder)
    with Library.open(scene.library, encoder=encoder) as library:
        library.add([scene.mocap])
        library.set_notes(library.clips({"source": scene.marked})[0].id, "6")
        trial.hear(["doing index", "indexed 3 14", "all", "doing mark", "marked 6"])
        trial.check("now")
        assert (trial.least, trial.losses) == (14, [])
        library.remove([scene.leaving])
        library.set_notes(library.clips({"source": scene.marked})[0].id, "5")
    trial.check("then")
    assert trial.losses == [
        "then: 9 clips, but 14 were told as done",
        "then: the mark 6 was told as done, there is '5'",
    ]
    flip(scene.library / "joints" / "joints-000001", 5000)
    with pytest.raises(hums.LibraryError, match="damaged"):
        trial.check("at last")
    assert "are damaged" in trial.losses[2]


@LINUX
def test_a_library_that_is_changed_for_long_keeps_its_clips_and_its_memory() -> None:
    told = script("soak.py", "--clips", "300", "--steps", "2", "--changes", "4")
    assert re.search("^600 files indexed, 100 clips verified", told, re.MULTILINE)
    assert "0 problems" in told


# two writers, many readers

HOLD = """
import sys, hums_engine as hums
library = hums.Library.open(sys.argv[1])
def hold(progress):
    if progress.done == 0:
        print("holding", flush=True)
        sys.stdin.readline()
print(library.add([sys.argv[2]], workers=1, progress=hold).added)
"""


@contextmanager
def another_writer(library: Library, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of indexing."""
    writer = subprocess.Popen(
        program(HOLD, library.path, folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert writer.stdin is not None and writer.stdout is not None
    try:
        assert writer.stdout.readline() == "holding\n"
        yield writer
    finally:
        writer.kill()
        writer.wait()
        writer.stdin.close()
        writer.stdout.close()


def test_a_second_writer_is_told_in_a_sentence_and_readers_go_on(filled: Library, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "more", 3)
    clip = filled.clips()[0]
    with another_writer(filled, tmp_path / "more") as writer:
        for change in (
            lambda: filled.add([tmp_path / "more"]),
            lambda: filled.remove([tmp_path / "mocap"]),
            lambda: filled.verify(repair=True),
            lambda: filled.reencode(filled.encoder),
        ):
            with pytest.raises(
                hums.LibraryError, match=r"^The library motions.hums is being changed by another program"
            ):
                change()
        assert filled.search(clip.id, k=1)[0].clip_id == clip.id
        assert filled.verify().sound
        filled.set_tags(clip.id, ["while it is indexed"])
        out, _ = writer.communicate("go on\n", timeout=60)
        assert out == "3\n"
    assert len(filled.clips()) == 11
    assert filled.clip(clip.id).tags == ("while it is indexed",)


def test_a_killed_writer_gives_the_lock_back(filled: Library, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "more", 3)
    with another_writer(filled, tmp_path / "more"):
        pass
    assert filled.add([tmp_path / "more"]).added == 3


def test_two_libraries_of_one_process_do_not_write_at_once(filled: Library, encoder: Encoder) -> None:
    with (
        Library.open(filled.path, encoder=encoder) as other,
        WriterLock(filled.path / "writer.lock"),
        pytest.raises(hums.LibraryError, match="another program"),
    ):
        other.add()


def test_readers_find_what_was_there_while_a_writer_changes_everything(filled: Library, tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "more", 12)
    errors: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        with Library.open(filled.path, readonly=True, encoder=filled.encoder) as reader:
            query = reader.clips({"name": "walk_000", "folder": tmp_path / "mocap"})[0].id
            while not done.is_set():
                try:
                    assert reader.search(query, k=1)[0].clip_id == query
                    assert reader.motion(query).frame_count > 10
                except Exception as error:
                    errors.append(error)
                    return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(2):
        filled.add([tmp_path / "more"])
        filled.reencode(filled.encoder)
        filled.remove([tmp_path / "more"])
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []


REENCODE = """
import sys, hums_engine as hums
encoder = hums.Encoder(provider="cpu")
library = hums.Library.open(sys.argv[1], encoder=encoder)
print("begun", flush=True)
for _ in range(12):
    library.reencode(encoder)
    print("signed", flush=True)
"""


def test_searches_here_find_the_same_while_another_process_signs_everything_anew(filled: Library) -> None:
    query = filled.clips()[0].id
    before = [(hit.clip_id, round(hit.score)) for hit in filled.search(query, k=5)]
    writer = subprocess.Popen(program(REENCODE, filled.path), stdout=subprocess.PIPE, text=True, env=environment())
    assert writer.stdout is not None
    assert writer.stdout.readline() == "begun\n"
    searches = 0
    while writer.poll() is None:
        assert [(hit.clip_id, round(hit.score)) for hit in filled.search(query, k=5)] == before
        searches += 1
    said = writer.stdout.read()
    writer.stdout.close()
    assert (writer.returncode, said.count("signed")) == (0, 12)
    assert searches > 1
    assert filled.verify().sound


# full disks

FILL = """
import sys, hums_engine as hums
if len(sys.argv) > 3:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
library = hums.Library.open(sys.argv[1])
done = 0
def told(progress):
    global done
    done = progress.done
try:
    library.add([sys.argv[2]], workers=1, progress=told)
    print("all")
except hums.LibraryError as error:
    print(done, error)
    print(len(library.clips()))
"""


def check_after_a_full_disk(done: subprocess.CompletedProcess[str], library: Path, encoder: Encoder) -> None:
    assert done.returncode == 0, done.stderr
    sentence, clips = done.stdout.splitlines()
    assert "cannot be written" in sentence
    assert int(clips) >= int(sentence.split()[0])
    with Library.open(library, encoder=encoder) as opened:
        assert len(opened.clips()) == int(clips)
        assert opened.verify().sound


@POSIX
@pytest.mark.parametrize("limit", [40_000, 90_000, 200_000])
def test_a_file_that_cannot_grow_stops_the_run_and_loses_nothing(tmp_path: Path, encoder: Encoder, limit: int) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 30, seconds=2.0)
    Library.create(tmp_path / "motions.hums", encoder).close()
    done = run(FILL, tmp_path / "motions.hums", tmp_path / "mocap", limit)
    check_after_a_full_disk(done, tmp_path / "motions.hums", encoder)
    with Library.open(tmp_path / "motions.hums", encoder=encoder) as library:
        assert library.add([tmp_path / "mocap"]).failed == []
        assert len(library.clips()) == 30


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    words = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if mount is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root on Linux only")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(small_disk: Path, tmp_path: Path, encoder: Encoder) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 40, seconds=2.0)
    Library.create(small_disk / "motions.hums", encoder).close()
    done = run(FILL, small_disk / "motions.hums", tmp_path / "mocap")
    check_after_a_full_disk(done, small_disk / "motions.hums", encoder)


def test_changes_on_a_full_disk_are_done_or_refused_and_lose_nothing(small_disk: Path) -> None:
    told = script("full_disk.py", small_disk, "--times", "30")
    assert "30 changes, 0 faults" in told
    assert re.search(r"^all +[1-9]\d* +[1-9]\d* +0$", told, re.MULTILINE)


# read-only shares

SEARCH = """
import os, shutil, sys, hums_engine as hums
encoder = hums.Encoder(provider="cpu")
with hums.Library.open(shutil.copytree(sys.argv[1], sys.argv[2]), encoder=encoder) as warm:
    warm.search(1)  # loads every module while the process may read them
if hasattr(os, "geteuid") and not os.geteuid():
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
library = hums.Library.open(sys.argv[1], encoder=encoder)
clip = library.clips()[0]
print(library.info().readonly, library.search(clip.id, k=1)[0].clip_id == clip.id, len(library.clips()))
for change in (lambda: library.set_tags(clip.id, ["x"]), library.add, lambda: library.reencode(encoder)):
    try:
        change()
    except hums.LibraryError as error:
        print(error)
"""


def check_reading_only(library: Path, clips: int, copy: Path) -> None:
    for parent in library.parents:  # root's process becomes nobody's, who must be able to reach it
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    done = run(SEARCH, library, copy)
    assert done.stderr == ""
    first, *refusals = done.stdout.splitlines()
    assert first == f"True True {clips}"
    assert refusals == ["The library motions.hums cannot be written here; it is open for reading only."] * 3


@contextmanager
def write_protected(folder: Path) -> Iterator[None]:
    """Nobody may write the folder meanwhile, root aside."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


@POSIX
@pytest.mark.parametrize("log", ["folded", "left by a reader"])
def test_a_folder_that_cannot_be_written_is_searched(filled: Library, log: str, tmp_path: Path) -> None:
    clips = len(filled.clips())
    filled.close()
    if log == "left by a reader":
        Library.open(filled.path, readonly=True).close()
        assert (filled.path / "catalogue.sqlite-shm").exists()
    with write_protected(filled.path):
        check_reading_only(filled.path, clips, tmp_path / "copy.hums")


def test_a_disk_that_is_mounted_for_reading_only_is_searched(small_disk: Path, mocap: Path, encoder: Encoder) -> None:
    with Library.create(small_disk / "motions.hums", encoder) as library:
        library.add([mocap / "walk_000.bvh", mocap / "jump_001.bvh"])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    check_reading_only(small_disk / "motions.hums", 2, mocap.parent / "copy.hums")


def test_a_library_opened_for_reading_only_is_not_changed(filled: Library, encoder: Encoder) -> None:
    filled.close()
    before = {path: path.read_bytes() for path in filled.path.rglob("*") if path.is_file() and "-" not in path.suffix}
    with Library.open(filled.path, readonly=True, encoder=encoder) as library:
        assert library.search(library.clips()[0].id)
        with pytest.raises(hums.LibraryError, match="reading only"):
            library.set_favourite(1)
        assert library.verify().sound
    assert {path: path.read_bytes() for path in before} == before


# damage


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x20
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["joints", "clips", "moments"])
@pytest.mark.parametrize("share", [0.0, 0.37, 0.99])
def test_a_changed_byte_in_any_file_is_found_and_mended(filled: Library, name: str, share: float) -> None:
    before = [(hit.clip_id, round(hit.score)) for hit in filled.search(filled.clips()[0].id)]
    path = next(filled.path.rglob(f"{name}-000001"))
    flip(path, int(share * path.stat().st_size))
    found = filled.verify()
    assert len(found.problems) == 1
    mended = filled.verify(repair=True)
    assert mended.sound
    assert mended.mended == found.problems
    assert filled.verify().sound
    assert [(hit.clip_id, round(hit.score)) for hit in filled.search(filled.clips()[0].id)] == before


def test_a_changed_byte_in_a_search_graph_is_found_and_mended(filled: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hums_engine.writer.GRAPH_FROM", 5)
    filled.add()
    graphs = list((filled.path / "graphs").iterdir())
    assert graphs
    flip(graphs[0], graphs[0].stat().st_size // 2)
    assert ["search graph" in problem for problem in filled.verify().problems] == [True]
    with Library.open(filled.path, encoder=filled.encoder) as other:
        assert other.search(other.clips()[0].id, k=1)[0].clip_id == other.clips()[0].id
    assert filled.verify(repair=True).sound
    assert filled.verify().sound


@pytest.mark.parametrize("column", ["name", "duration_s", "offset", "signature_row", "tags"])
def test_a_changed_value_in_the_catalogue_is_found_and_mended(filled: Library, encoder: Encoder, column: str) -> None:
    before = filled.clips()
    filled.close()
    connection = sqlite3.connect(filled.path / "catalogue.sqlite")
    connection.execute(f"UPDATE clips SET {column} = {column} || '7' WHERE id = ?", (before[0].id,))
    connection.commit()
    connection.close()
    with Library.open(filled.path, encoder=encoder) as library:
        assert f"row {before[0].id} of clips is damaged" in library.verify().problems[0]
        assert library.verify(repair=True).sound
        assert library.clips() == before


def test_a_damaged_catalogue_is_found_and_restored_from_its_backup(filled: Library, encoder: Encoder) -> None:
    before = filled.clips()
    filled.close()
    path = filled.path / "catalogue.sqlite"
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = bytes(len(data) // 2 - 4096)
    path.write_bytes(data)
    with (
        pytest.raises(hums.LibraryError, match="damaged; mend it with: hums verify --repair"),
        Library.open(filled.path, encoder=encoder) as library,
    ):
        library.clips()
    path.write_bytes(b"not even SQLite" * 1000)
    with pytest.raises(hums.LibraryError, match="damaged"):
        Library.open(filled.path)
    assert "backup is in its place" in Library.repair(filled.path, encoder).mended[0]
    with Library.open(filled.path, encoder=encoder) as library:
        assert library.clips() == before
        assert library.verify().sound


@pytest.mark.parametrize("name", ["joints-000001", "clips-000001", "moments-000001"])
@pytest.mark.parametrize("damage", ["cut off", "missing"])
def test_a_file_that_lost_its_end_is_found_and_mended(
    filled: Library, encoder: Encoder, name: str, damage: str
) -> None:
    before = [(hit.clip_id, round(hit.score)) for hit in filled.search(filled.clips()[0].id)]
    filled.close()
    path = next(filled.path.rglob(name))
    if damage == "missing":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2)
    with Library.open(filled.path, encoder=encoder) as library:
        assert any("missing or has lost its end" in problem for problem in library.verify().problems)
        assert library.verify(repair=True).problems == []
        assert [(hit.clip_id, round(hit.score)) for hit in library.search(library.clips()[0].id)] == before


def test_joints_whose_file_is_gone_are_named_and_taken_out(filled: Library, mocap: Path) -> None:
    clip = filled.clips()[0]
    Path(clip.source).unlink()
    path = filled.path / "joints" / "joints-000001"
    flip(path, filled._catalogue.place(clip.id).joints.offset + 5000)
    report = filled.verify(repair=True)
    assert len(report.problems) == 1
    assert f"{clip.name} was taken out" in report.problems[0]
    assert clip.id not in [one.id for one in filled.clips()]
    assert filled.verify().sound


def test_a_library_of_a_newer_version_is_refused(filled: Library) -> None:
    filled.close()
    connection = sqlite3.connect(filled.path / "catalogue.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(hums.LibraryError, match="newer version"):
        Library.open(filled.path)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.hums").mkdir()
    connection = sqlite3.connect(tmp_path / "x.hums" / "catalogue.sqlite")
    connection.execute("CREATE TABLE mine (id INTEGER)")
    connection.close()
    with pytest.raises(hums.LibraryError, match="not a library's catalogue"):
        Library.open(tmp_path / "x.hums")


@POSIX
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_command_keeps_what_is_done_and_goes_on_from_there(
    tmp_path: Path, encoder: Encoder, workers: int
) -> None:
    posed_bvh.write_several(tmp_path / "mocap", 120, seconds=0.5)
    words = [sys.executable, "-m", "hums_engine", "index", str(tmp_path / "l.hums"), str(tmp_path / "mocap"), "--json"]
    indexing = subprocess.Popen(
        [*words, "--workers", str(workers)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 30
    joints = tmp_path / "l.hums" / "joints" / "joints-000001"
    while not joints.exists() or not joints.stat().st_size:
        assert time.monotonic() < end
        time.sleep(0.01)
    os.killpg(indexing.pid, signal.SIGINT)  # as a terminal does: to the processes that read, too
    told, errors = indexing.communicate(timeout=60)
    stopped = json.loads(told)
    assert (indexing.returncode, stopped["cancelled"], stopped["failed"], errors) == (1, True, [], "")
    assert 0 < stopped["added"] == stopped["clips"] < 120
    with Library.open(tmp_path / "l.hums", encoder=encoder) as library:
        went_on = library.add()
        assert (went_on.unchanged, went_on.added) == (stopped["clips"], 120 - stopped["clips"])


def test_damage_of_every_kind_to_any_file_is_mended_or_named_or_changes_nothing() -> None:
    assert re.search(r"^all +\d+ +\d+ +\d+ +0$", script("damage.py", "--times", 12, "--seed", 2), re.MULTILINE)


def test_signatures_in_each_others_files_are_noticed(filled: Library, encoder: Encoder) -> None:
    before = [hit.clip_id for hit in filled.search(filled.clips()[0].id)]
    filled.close()
    clips, moments = (filled.path / "signatures" / f"{kind}-000001" for kind in ("clips", "moments"))
    data = clips.read_bytes()
    clips.write_bytes(moments.read_bytes()[: len(data)])
    with Library.open(filled.path, encoder=encoder) as library:
        assert all("signatures of" in problem for problem in library.verify().problems)
        assert library.verify(repair=True).sound
        assert [hit.clip_id for hit in library.search(library.clips()[0].id)] == before


@pytest.mark.parametrize("name", ["joints", "signatures"])
def test_an_emptied_folder_is_filled_again(filled: Library, encoder: Encoder, name: str) -> None:
    before = [(clip.id, clip.source) for clip in filled.clips()]
    filled.close()
    shutil.rmtree(filled.path / name)
    report = Library.repair(filled.path, encoder)
    assert report.sound
    assert any("missing" in line for line in report.mended)
    with Library.open(filled.path, encoder=encoder) as library:
        assert [(clip.id, clip.source) for clip in library.clips()] == before
        assert library.search(before[0][0], k=1)[0].clip_id == before[0][0]


def test_a_damaged_copy_of_the_catalogue_is_found_and_written_anew(filled: Library) -> None:
    filled.verify(repair=True)
    flip(filled.path / "catalogue.backup", 20)
    os.truncate(filled.path / "catalogue.backup", 9000)
    assert filled.verify().problems == ["catalogue.backup: the copy of the catalogue is damaged"]
    assert filled.verify(repair=True).sound
    assert filled.verify().sound
