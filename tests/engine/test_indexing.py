# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexing folders: only what changed is read, moved files keep what was marked on them, and bad files cost a line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import hums_engine as hums
from hums_engine import indexing, worker
from hums_engine.canonical import CanonicalMotion
from hums_engine.encoder import SHIPPED_MODEL, Encoder
from hums_engine.indexing import IndexProgress, IndexReport, Shard
from hums_engine.library import Library
from hums_engine.normalize import NormalizedMotion
from hums_engine.reading import FileState, content_hash, read_file
from tests.engine import acclaim_text, posed_bvh, test_gltf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mocap(tmp_path: Path) -> Path:
    """A folder of six short files."""
    posed_bvh.write_several(tmp_path / "mocap", 6)
    return tmp_path / "mocap"


def counts(report: IndexReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed, len(report.failed)


def names(library: Library) -> list[str]:
    return [clip.name for clip in library.clips()]


def test_a_second_run_reads_nothing(library: Library, mocap: Path) -> None:
    assert counts(library.add([mocap])) == (6, 0, 0, 0, 0)
    told: list[IndexProgress] = []
    assert counts(library.add([mocap], progress=told.append)) == (0, 0, 6, 0, 0)
    assert [progress.total for progress in told] == [0]
    assert counts(library.add()) == (0, 0, 6, 0, 0)


def test_a_clip_that_is_named_after_its_file_is_renamed_with_it(library: Library, mocap: Path) -> None:
    library.add([mocap])
    (clip,) = library.clips({"name": "walk_000"})
    library.set_favourite(clip.id)
    (mocap / "walk_000.bvh").rename(mocap / "patrol.bvh")
    assert counts(library.add()) == (0, 1, 5, 0, 0)
    renamed = library.clip(clip.id)
    assert (renamed.name, renamed.favourite) == ("patrol", True)
    assert library.clips({"name": "walk_000"}) == []


def test_a_touched_file_is_unchanged(library: Library, mocap: Path) -> None:
    library.add([mocap])
    os.utime(mocap / "walk_000.bvh", (1, 1))
    assert counts(library.add([mocap])) == (0, 0, 6, 0, 0)


def test_a_changed_file_is_read_again_and_keeps_its_clip(library: Library, mocap: Path) -> None:
    library.add([mocap])
    (before,) = library.clips({"name": "walk_000"})
    library.set_tags(before.id, ["mine"])
    posed_bvh.write(mocap / "walk_000.bvh", posed_bvh.jump, seconds=3.0)
    assert counts(library.add([mocap])) == (0, 1, 5, 0, 0)
    (after,) = library.clips({"name": "walk_000"})
    assert (after.id, after.tags, after.duration_s) == (before.id, ("mine",), pytest.approx(3.0))
    query = hums.load(posed_bvh.write(mocap.parent / "query.bvh", posed_bvh.jump, seconds=3.0))
    assert library.search(query, k=1)[0].clip_id == before.id


def test_a_change_that_keeps_size_and_length_is_seen(library: Library, mocap: Path) -> None:
    library.add([mocap])
    path = mocap / "wave_002.bvh"
    path.write_text(path.read_text().replace("95.000", "96.000"))
    assert counts(library.add([mocap])) == (0, 1, 5, 0, 0)


def test_a_motion_whose_skeleton_changed_is_read_again(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "acclaim"
    folder.mkdir()
    (folder / "a.asf").write_text(acclaim_text.asf())
    for name in ("a_01", "a_02"):
        (folder / f"{name}.amc").write_text(acclaim_text.amc())
    assert counts(library.add([folder])) == (2, 0, 0, 0, 0)
    assert counts(library.add([folder])) == (0, 0, 2, 0, 0)
    (clip,) = library.clips({"name": "a_01"})
    tall = np.ptp(library.motion(clip.id).positions[0, :, 2])
    (folder / "a.asf").write_text(acclaim_text.asf(size=1.1))
    assert counts(library.add([folder])) == (0, 2, 0, 0, 0)
    assert np.ptp(library.motion(clip.id).positions[0, :, 2]) == pytest.approx(1.1 * tall, rel=1e-3)
    os.utime(folder / "a.asf", (1, 1))
    assert counts(library.add([folder])) == (0, 0, 2, 0, 0)
    (folder / "a.asf").unlink()
    assert counts(library.add([folder])) == (0, 0, 0, 0, 2)


def test_a_scene_whose_buffer_changed_is_read_again(library: Library, tmp_path: Path) -> None:
    scene = test_gltf.BODY
    (tmp_path / "walk.gltf").write_bytes(scene.text("walk.bin"))
    (tmp_path / "walk.bin").write_bytes(scene.binary)
    assert counts(library.add([tmp_path / "walk.gltf"])) == (1, 0, 0, 0, 0)
    assert counts(library.add([tmp_path / "walk.gltf"])) == (0, 0, 1, 0, 0)
    (tmp_path / "walk.bin").write_bytes(scene.binary + bytes(4))
    assert counts(library.add([tmp_path / "walk.gltf"])) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize("target", ["renamed.bvh", "deeper/below/walk_000.bvh"])
def test_a_moved_file_keeps_its_clip_and_is_not_read_again(library: Library, mocap: Path, target: str) -> None:
    library.add([mocap])
    (before,) = library.clips({"name": "walk_000"})
    library.set_tags(before.id, ["mine"])
    library.set_favourite(before.id)
    (mocap / target).parent.mkdir(parents=True, exist_ok=True)
    (mocap / "walk_000.bvh").rename(mocap / target)
    told: list[IndexProgress] = []
    assert counts(library.add([mocap], progress=told.append)) == (0, 1, 5, 0, 0)
    assert {progress.total for progress in told} == {0}
    (after,) = library.clips({"favourite": True})
    assert (after.id, after.tags, after.source) == (before.id, ("mine",), str(mocap / target))


def test_a_file_that_left_and_comes_back_elsewhere_has_its_marks_again(library: Library, mocap: Path) -> None:
    library.add([mocap])
    (before,) = library.clips({"name": "jump_001"})
    library.set_tags(before.id, ["mine"])
    library.set_notes(before.id, "the good one")
    shutil.move(mocap / "jump_001.bvh", mocap.parent / "elsewhere.bvh")
    assert counts(library.add([mocap])) == (0, 0, 5, 1, 0)
    assert counts(library.add([mocap.parent / "elsewhere.bvh"])) == (1, 0, 0, 0, 0)
    (after,) = library.clips({"tags": "mine"})
    assert (after.id, after.notes, after.source) == (before.id, "the good one", str(mocap.parent / "elsewhere.bvh"))


def test_two_files_of_one_content_are_two_clips(library: Library, mocap: Path) -> None:
    shutil.copy(mocap / "walk_000.bvh", mocap / "copy.bvh")
    assert counts(library.add([mocap])) == (7, 0, 0, 0, 0)
    (mocap / "walk_000.bvh").unlink()
    assert counts(library.add([mocap])) == (0, 0, 6, 1, 0)


def test_files_gone_from_a_folder_are_removed_and_an_unreachable_folder_is_kept(library: Library, mocap: Path) -> None:
    library.add([mocap])
    (mocap / "walk_000.bvh").unlink()
    (mocap / "jump_001.bvh").unlink()
    assert counts(library.add([mocap])) == (0, 0, 4, 2, 0)
    mocap.rename(mocap.parent / "drive that is not plugged in")
    report = library.add()
    assert counts(report) == (0, 0, 0, 0, 1)
    assert report.failed[0][0] == str(mocap)
    assert len(library.clips()) == 4


def test_a_folder_that_is_added_again_leaves_the_others_alone(library: Library, mocap: Path) -> None:
    other = posed_bvh.write(mocap.parent / "other" / "run.bvh", lambda t: posed_bvh.walk(t, speed=3.0))
    library.add([mocap, other.parent])
    other.unlink()
    assert counts(library.add([mocap])) == (0, 0, 6, 0, 0)
    assert "run" in names(library)
    assert counts(library.add([other.parent])) == (0, 0, 0, 1, 0)


def test_removing_a_folder_takes_its_clips_out_and_leaves_its_files(library: Library, mocap: Path) -> None:
    library.add([mocap])
    assert library.remove([mocap / "walk_000.bvh"]) == 1
    assert library.remove([mocap]) == 5
    assert (names(library), library.info().roots) == ([], [])
    assert len(list(mocap.iterdir())) == 6
    assert counts(library.add()) == (0, 0, 0, 0, 0)


def test_every_bad_file_costs_one_line_and_no_good_one(library: Library, mocap: Path) -> None:
    good = (mocap / "walk_000.bvh").read_bytes()
    bad = {
        "empty.bvh": b"",
        "cut_off.bvh": good[: len(good) // 2],
        "binary.bvh": bytes(range(256)) * 40,
        "words.bvh": good.replace(b"MOTION", b"NOTION"),
        "no_figure.bvh": b"HIERARCHY\nROOT box\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n}\n"
        b"MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n",
        "folder.amc": b":DEGREES\n1\nroot 0 0 0 0 0 0\n",
    }
    for name, data in bad.items():
        (mocap / name).write_bytes(data)
    (mocap / "notes.txt").write_text("not a motion, and not meant as one")
    report = library.add([mocap])
    assert report.added == 6
    assert {Path(path).name for path, _ in report.failed} == set(bad)
    for _, reason in report.failed:
        assert reason.strip()
        assert "\n" not in reason
        assert "Traceback" not in reason
    assert sorted(path for path, _ in library.info().failed) == sorted(path for path, _ in report.failed)
    (mocap / "empty.bvh").write_bytes(good)
    assert counts(library.add([mocap])) == (1, 0, 6, 0, 5)


def test_a_file_that_breaks_keeps_the_clip_that_it_had(library: Library, mocap: Path) -> None:
    library.add([mocap])
    (mocap / "walk_000.bvh").write_text("overwritten by mistake")
    assert counts(library.add([mocap])) == (0, 0, 5, 0, 1)
    (clip,) = library.clips({"name": "walk_000"})
    assert library.motion(clip.id).duration_s == pytest.approx(1.2, abs=0.05)


def test_named_files_that_are_no_motions_or_not_there_are_told(library: Library, mocap: Path) -> None:
    (mocap / "markers.c3d").write_bytes(b"\x02\x50")
    report = library.add([mocap / "markers.c3d", mocap / "nothing.bvh", mocap / "walk_000.bvh"])
    assert report.added == 1
    assert "markers" in dict(report.failed)[str(mocap / "markers.c3d")]
    assert "no such file" in dict(report.failed)[str(mocap / "nothing.bvh")]


def test_names_of_all_kinds_are_indexed(library: Library, tmp_path: Path) -> None:
    odd = ["with blanks", "ümläute", "日本語のモーション", "🕺💃", "100% 'quoted' \"x\"", "semi;colon", "~home", "-k"]
    long_name = "long " * 48
    deep = tmp_path / "mocap" / ("d" * 200) / ("e" * 200)
    paths = [posed_bvh.write(tmp_path / "mocap" / f"{name}.bvh", posed_bvh.walk, 0.5) for name in (*odd, long_name)]
    paths.append(posed_bvh.write(deep / "deep.bvh", posed_bvh.walk, 0.5))
    report = library.add([tmp_path / "mocap"])
    assert (report.failed, report.added) == ([], len(paths))
    assert {clip.source for clip in library.clips()} == {str(path) for path in paths}
    assert counts(library.add()) == (0, 0, len(paths), 0, 0)
    assert len(library.clips({"name": "🕺"})) == 1
    assert len(library.clips({"name": "ÜMLÄUTE"})) == 1


def test_names_that_repeat_in_other_folders_are_files_of_their_own(library: Library, tmp_path: Path) -> None:
    poses = {"a": posed_bvh.walk, "b/a": posed_bvh.jump, "b/c": posed_bvh.wave, "b/c/b": posed_bvh.walk}
    paths = [posed_bvh.write(tmp_path / "mocap" / folder / "take.bvh", pose, 1.0) for folder, pose in poses.items()]
    assert counts(library.add([tmp_path / "mocap"])) == (4, 0, 0, 0, 0)
    clips = {clip.source: clip.id for clip in library.clips()}
    assert sorted(clips) == sorted(map(str, paths))
    library.set_tags(clips[str(paths[3])], ["the second of one content"])
    paths[1].unlink()
    posed_bvh.write(paths[2], posed_bvh.jump, 1.5)
    assert counts(library.add()) == (0, 1, 2, 1, 0)
    assert {clip.source: clip.id for clip in library.clips()} == {
        path: number for path, number in clips.items() if path != str(paths[1])
    }
    (tagged,) = library.clips({"tags": "the second of one content"})
    assert tagged.source == str(paths[3])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_of_two_lines_costs_one_line_when_it_is_bad(library: Library, mocap: Path) -> None:
    shutil.copy(mocap / "walk_000.bvh", mocap / "two\nlines.bvh")
    (mocap / "bad\nfile.bvh").write_text("HIERARCHY")
    report = library.add([mocap])
    assert report.added == 7
    ((path, reason),) = report.failed
    assert (path, "\n" in reason) == (str(mocap / "bad\nfile.bvh"), False)
    with pytest.raises(hums.MotionFileError) as caught:
        hums.load(path)
    assert str(caught.value).isprintable()


def test_a_path_of_more_than_three_hundred_characters_is_indexed_and_found(library: Library, tmp_path: Path) -> None:
    path = posed_bvh.write(tmp_path / ("d" * 120) / ("🕺 " * 30) / ("e" * 120) / "take 1.bvh", posed_bvh.walk, 1.0)
    assert len(str(path)) > 300
    assert library.add([tmp_path]).added == 1
    (clip,) = library.clips({"folder": path.parent})
    assert library.search(hums.load(clip.source), k=1)[0].source == str(path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no text")
def test_a_name_that_is_no_text_is_told_and_skipped(library: Library, mocap: Path) -> None:
    with open(os.fsencode(mocap) + b"/latin-\xe9.bvh", "wb") as file:  # noqa: PTH123 - a Path cannot be made of it
        file.write((mocap / "walk_000.bvh").read_bytes())
    report = library.add([mocap])
    assert counts(report) == (6, 0, 0, 0, 1)
    assert "not valid Unicode" in report.failed[0][1]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_in_a_circle_end_and_a_file_is_taken_once(library: Library, mocap: Path) -> None:
    (mocap / "again").symlink_to(mocap, target_is_directory=True)
    (mocap / "up").symlink_to(mocap.parent, target_is_directory=True)
    (mocap / "lost.bvh").symlink_to(mocap / "nowhere.bvh")
    report = library.add([mocap])
    assert report.added == 6
    assert len({Path(clip.source).name for clip in library.clips()}) == 6


def test_the_library_inside_its_own_folder_is_no_source(tmp_path: Path, encoder: Encoder) -> None:
    posed_bvh.write_several(tmp_path, 2)
    with Library.create(tmp_path / "inside.hums", encoder) as library:
        posed_bvh.write(library.path / "joints" / "not_a_source.bvh", posed_bvh.walk)
        assert counts(library.add([tmp_path])) == (2, 0, 0, 0, 0)


def test_a_file_that_is_written_to_meanwhile_is_told(library: Library, mocap: Path) -> None:
    path = posed_bvh.write(mocap.parent / "recording.bvh", posed_bvh.walk, seconds=20.0)
    done = threading.Event()

    def go_on_recording() -> None:
        while not done.wait(0.002):
            os.utime(path)

    recorder = threading.Thread(target=go_on_recording)
    recorder.start()
    try:
        report = library.add([path])
    finally:
        done.set()
        recorder.join()
    assert report.failed == [(str(path), "the file is being written to; index it again when that is done.")]
    assert counts(library.add([path])) == (1, 0, 0, 0, 0)


def test_a_file_that_changed_once_while_it_was_read_is_read_as_it_is_now(encoder: Encoder, tmp_path: Path) -> None:
    path = posed_bvh.write(tmp_path / "recorded.bvh", posed_bvh.walk, 1.0)

    class Recorder:
        """Signs as the encoder does, and records on when it is asked first."""

        asked = 0

        def encode_stretches(
            self, motion: CanonicalMotion, times_s: NDArray[np.floating], normalized: NormalizedMotion | None = None
        ) -> NDArray[np.float32]:
            self.asked += 1
            if self.asked == 1:
                posed_bvh.write(path, posed_bvh.walk, 2.0)
            return encoder.encode_stretches(motion, times_s, normalized)

    read = read_file(str(path), Recorder())
    assert read.failures == []
    assert [take.facts.duration_s for take in read.takes] == [pytest.approx(2.0, abs=0.05)]
    assert (read.state, read.content) == (FileState.of(str(path)), content_hash(str(path)))


# progress, cancelling, processes


def test_progress_counts_up_to_all(library: Library, mocap: Path) -> None:
    told: list[IndexProgress] = []
    library.add([mocap], progress=told.append)
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 6)
    assert {progress.total for progress in told} == {6}
    assert told[-1].eta_s == 0
    assert told[-1].rate > 0
    assert Path(told[-1].current).parent == mocap


def test_a_cancelled_run_goes_on_where_it_stopped(
    library: Library, mocap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hums_engine.indexing._COMMIT_FILES", 1)
    report = library.add([mocap], progress=lambda progress: progress.done < 2)
    assert report.cancelled
    assert counts(report) == (2, 0, 0, 0, 0)
    assert library.verify().sound
    assert counts(library.add([mocap])) == (4, 0, 2, 0, 0)


def test_a_run_that_is_cancelled_at_once_does_nothing(library: Library, mocap: Path) -> None:
    assert library.add([mocap], progress=lambda progress: False).cancelled
    assert library.clips() == []


def test_processes_read_what_one_reads(library: Library, mocap: Path, tmp_path: Path, encoder: Encoder) -> None:
    (mocap / "broken.bvh").write_text("HIERARCHY")
    alone = library.add([mocap], workers=1)
    with Library.create(tmp_path / "several 🏭.hums", encoder) as other:
        together = other.add([mocap], workers=2)
        assert (counts(together), together.failed) == (counts(alone), alone.failed)
        for clip in other.clips():
            (mine,) = library.clips({"source": clip.source})
            hit = other.search(library.motion(mine.id), k=1, rerank=False)[0]
            assert (hit.clip_id, hit.score > 99.5) == (clip.id, True)
        assert other.verify().sound


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
def test_processes_end_with_a_cancelled_run(library: Library, tmp_path: Path) -> None:
    files = 300  # more than are committed at once, however fast they are read
    posed_bvh.write_several(tmp_path / "many", files)
    report = library.add([tmp_path / "many"], workers=2, progress=lambda progress: progress.done == 0)
    assert report.cancelled
    assert 0 < len(library.clips()) < files
    assert readers_of(os.getpid()) == []


def is_reader(process: int) -> bool:
    """Whether a process reads files for another (and is alive: a dead one has no command line)."""
    try:
        return b"hums_engine.worker" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def readers_of(parent: int) -> list[int]:
    """Ids of the processes that read files for ``parent``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            its_parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if its_parent == parent and is_reader(int(folder.name)):
            found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
def test_a_process_that_dies_costs_at_most_the_file_it_was_reading(library: Library, tmp_path: Path) -> None:
    files = indexing._COMMIT_FILES + 40  # so that some are told as done while others are being read
    posed_bvh.write_several(tmp_path / "many", files, seconds=0.2)
    killed: list[int] = []

    def kill_one(progress: IndexProgress) -> None:
        if not killed and progress.done and (alive := readers_of(os.getpid())):
            killed.append(alive[0])
            os.kill(alive[0], signal.SIGKILL)

    report = library.add([tmp_path / "many"], workers=2, progress=kill_one)
    assert killed
    assert report.added + len(report.failed) == files
    assert len(report.failed) <= 1
    assert counts(library.add()) == (len(report.failed), 0, files - len(report.failed), 0, 0)


def test_files_are_read_in_this_process_where_no_other_can_be_started(mocap: Path, encoder: Encoder) -> None:
    pool = worker.ReaderPool(encoder, mocap / "no such model.onnx", encoder.model_hash, 2)
    read = list(pool.read([str(path) for path in sorted(mocap.iterdir())]))
    assert [len(one.takes) for one in read] == [1] * 6


def test_a_model_file_that_is_replaced_meanwhile_signs_nothing(mocap: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes())
    encoder = Encoder(model, provider="cpu")
    assert encoder.model_hash
    model.write_bytes(SHIPPED_MODEL.read_bytes() + bytes([6 << 3 | 2, 1]) + b"x")
    started = worker._Worker(sys.executable, str(model))
    try:
        assert not started.is_ready(encoder.model_hash)
    finally:
        started.close()
    read = list(
        worker.ReaderPool(encoder, model, encoder.model_hash, 2).read([str(path) for path in sorted(mocap.iterdir())])
    )
    assert [len(one.takes) for one in read] == [1] * 6


def test_a_script_without_a_guard_may_use_processes(mocap: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, hums_engine as hums\n"
        "print('started')\n"
        "library = hums.Library.create(sys.argv[1])\n"
        "print(library.add([sys.argv[2]], workers=2).added)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(script), str(tmp_path / "made.hums"), str(mocap)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment, timeout=120)
    assert done.stdout.split() == ["started", "6"]


def test_a_negative_number_of_processes_is_refused(library: Library, mocap: Path) -> None:
    with pytest.raises(hums.LibraryError, match="not -1"):
        library.add([mocap], workers=-1)


@pytest.mark.parametrize(("cores", "spared", "processes"), [(8, 0, 8), (8, 1, 7), (2, 1, 0), (1, 1, 0)])
def test_automatic_processes_leave_cores_to_other_programs(
    library: Library, mocap: Path, monkeypatch: pytest.MonkeyPatch, cores: int, spared: int, processes: int
) -> None:
    counts: list[int] = []

    class Counted(worker.ReaderPool):
        def __init__(self, signer: worker.Signer, model: Path, model_hash: str, count: int) -> None:
            counts.append(count)
            super().__init__(signer, model, model_hash, 0)

    monkeypatch.setattr("hums_engine.indexing.ReaderPool", Counted)
    monkeypatch.setattr("hums_engine.indexing._FEW_FILES", 1)
    monkeypatch.setattr("hums_engine.indexing._FEW_BYTES", 1)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    taken = len(indexing.motion_files(str(mocap)))
    library.add([mocap], spare_cores=spared)
    assert counts == [min(processes, taken)]


# parts and merging


def test_shards_merge_into_what_one_machine_would_have(
    library: Library, mocap: Path, tmp_path: Path, encoder: Encoder
) -> None:
    added = 0
    for number in (1, 2, 3):
        with Library.create(tmp_path / f"shard{number}.hums", encoder) as shard:
            added += shard.add([mocap], shard=Shard(number, 3)).added
            for clip in shard.clips():
                shard.set_tags(clip.id, [f"from {number}"])
    assert added == 6
    for number in (1, 2, 3):
        with Library.open(tmp_path / f"shard{number}.hums", readonly=True, encoder=encoder) as shard:
            library.merge(shard)
    assert names(library) == sorted(path.stem for path in mocap.iterdir())
    assert all(clip.tags[0].startswith("from ") for clip in library.clips())
    assert counts(library.add([mocap])) == (0, 0, 6, 0, 0)
    assert library.search(library.clips()[0].id, k=1)[0].name == names(library)[0]
    assert library.verify().sound


def test_merging_again_takes_over_only_what_changed(
    library: Library, mocap: Path, tmp_path: Path, encoder: Encoder
) -> None:
    with Library.create(tmp_path / "other.hums", encoder) as other:
        other.add([mocap])
        assert counts(library.merge(other)) == (6, 0, 0, 0, 0)
        posed_bvh.write(mocap / "walk_000.bvh", posed_bvh.jump, seconds=1.7)
        other.add([mocap])
        assert counts(library.merge(other)) == (0, 1, 5, 0, 0)
        (clip,) = library.clips({"name": "walk_000"})
        assert clip.duration_s == pytest.approx(1.7, abs=0.02)


def test_a_library_of_another_model_is_not_merged(library: Library, mocap: Path, tmp_path: Path) -> None:
    model = tmp_path / "other.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes() + bytes([6 << 3 | 2, 1]) + b"x")
    with Library.create(tmp_path / "other.hums", Encoder(model, provider="cpu")) as other:
        other.add([mocap])
        with pytest.raises(hums.LibraryError, match="--reencode"):
            library.merge(other)
    assert library.clips() == []


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the processes in /proc")
def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    posed_bvh.write_several(tmp_path / "many", 40)
    words = [sys.executable, "-m", "hums_engine", "index", str(tmp_path / "l.hums"), str(tmp_path / "many")]
    indexing = subprocess.Popen([*words, "--workers", "2"], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(readers_of(indexing.pid)) == 2)
        readers = readers_of(indexing.pid)
    finally:
        indexing.kill()
        indexing.wait()
    wait_until(lambda: not any(is_reader(process) for process in readers))
