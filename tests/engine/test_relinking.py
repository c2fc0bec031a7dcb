# SPDX-License-Identifier: GPL-3.0-or-later
"""Where files lie: a library and its files move together or apart, and are told where they are now."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

import hums_engine as hums
from hums_engine.encoder import Encoder
from hums_engine.library import Library
from hums_engine.source_paths import SourcePaths, absolute
from tests.engine import posed_bvh


@pytest.fixture
def project(tmp_path: Path, encoder: Encoder) -> Path:
    """A folder with ``mocap/``, ``mocap/deep/`` and ``motions.hums``, whose jump is a favourite."""
    folder = tmp_path / "project"
    posed_bvh.write_several(folder / "mocap", 3)
    posed_bvh.write(folder / "mocap" / "deep" / "run.bvh", lambda t: posed_bvh.walk(t, speed=2.5))
    with Library.create(folder / "motions.hums", encoder) as library:
        library.add([folder / "mocap"])
        library.set_favourite(library.clips({"name": "jump"})[0].id)
    return folder


def sources(library: Library) -> list[str]:
    return sorted(clip.source for clip in library.clips())


def files_in(folder: Path) -> list[str]:
    return sorted(map(str, folder.rglob("*.bvh")))


def kept(library: Path) -> list[str]:
    """Paths as they stand in the catalogue."""
    connection = sqlite3.connect(library / "catalogue.sqlite")
    rows = connection.execute("SELECT path FROM sources UNION SELECT path FROM roots ORDER BY path").fetchall()
    connection.close()
    return [path for (path,) in rows]


def test_files_below_the_librarys_folder_are_kept_relative_and_others_whole(project: Path, encoder: Encoder) -> None:
    far = posed_bvh.write(project.parent / "far" / "wave.bvh", posed_bvh.wave)
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        library.add([far])
        assert sources(library) == sorted([*files_in(project), str(far)])
    inside = ["deep/run.bvh", "jump_001.bvh", "walk_000.bvh", "wave_002.bvh"]
    assert kept(project / "motions.hums") == ["./mocap", *(f"./mocap/{path}" for path in inside), far.as_posix()]


@pytest.mark.parametrize("readonly", [False, True])
def test_a_library_that_moves_with_its_files_knows_them(project: Path, encoder: Encoder, readonly: bool) -> None:
    moved = project.rename(project.parent / "umgezogen 📦")
    with Library.open(moved / "motions.hums", readonly, encoder) as library:
        assert sources(library) == files_in(moved)
        assert library.missing() == []
        assert library.info().roots == [str(moved / "mocap")]
        assert len(library.clips({"folder": moved / "mocap"})) == 4
        assert len(library.clips({"folder": moved / "mocap" / "deep"})) == 1
        assert len(library.clips({"folder": moved.parent})) == 4
        assert len(library.clips({"source": moved / "mocap" / "jump_001.bvh"})) == 1
        assert library.clips({"folder": project}) == []
    if not readonly:
        with Library.open(moved / "motions.hums", encoder=encoder) as library:
            assert library.add().unchanged == 4
            assert len(library.clips({"favourite": True})) == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_library_that_moves_alone_knows_where_its_files_stayed(
    project: Path, encoder: Encoder, written: bool
) -> None:
    away = project.parent / "away"
    away.mkdir()
    (project / "motions.hums").rename(away / "motions.hums")
    with Library.open(away / "motions.hums", encoder=encoder) as library:
        if written:
            assert library.add().unchanged == 4
            assert kept(away / "motions.hums")[0].startswith(project.as_posix())
        assert sources(library) == files_in(project)
        assert library.missing() == []
    (away / "motions.hums").rename(project / "back.hums")
    with Library.open(project / "back.hums", encoder=encoder) as library:
        assert library.add().unchanged == 4
        assert sources(library) == files_in(project)
    assert kept(project / "back.hums")[0] == "./mocap"


def test_a_library_reached_by_a_link_is_the_same_library(project: Path, encoder: Encoder) -> None:
    link = project.parent / "link"
    try:
        link.symlink_to(project, target_is_directory=True)
    except OSError:
        pytest.skip("links need a privilege on Windows")
    with Library.open(link / "motions.hums", encoder=encoder) as library:
        assert library.add([project / "mocap"]).unchanged == 4
        assert sources(library) == files_in(project)


def test_files_that_moved_as_they_lay_are_linked_by_their_paths(project: Path, encoder: Encoder) -> None:
    far = (project / "mocap").rename(project.parent / "server")
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        before = {clip.id: clip.favourite for clip in library.clips()}
        assert library.missing() == files_in_place(project, far)
        assert library.search(library.clips()[0].id, k=1)[0].score > 99
        report = library.relink(project / "mocap", far)
        assert (len(report.found), report.missing) == (4, [])
        assert (sources(library), library.missing()) == (files_in(far), [])
        assert {clip.id: clip.favourite for clip in library.clips()} == before
        assert library.info().roots == [str(far)]
        again = library.add()
        assert (again.unchanged, again.added, again.failed) == (4, 0, [])
        assert library.verify().sound


def files_in_place(project: Path, moved: Path) -> list[str]:
    """Where the files of ``moved`` were below ``project``."""
    return sorted(str(project / "mocap" / path.relative_to(moved)) for path in moved.rglob("*.bvh"))


def test_files_that_were_renamed_and_sorted_anew_are_linked_by_their_content(project: Path, encoder: Encoder) -> None:
    far = project.parent / "sorted"
    for number, path in enumerate(files_in(project)):
        target = far / f"shot_{number}" / f"take {number}.bvh"
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)
    shutil.rmtree(project / "mocap")
    (far / "shot_2" / "take 2.bvh").write_text("another content")
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        (favourite,) = library.clips({"favourite": True})
        report = library.relink(project / "mocap", far)
        assert (len(report.found), len(report.missing)) == (3, 1)
        assert library.missing() == report.missing
        assert library.clip(favourite.id).source == str(far / "shot_1" / "take 1.bvh")


def test_a_file_that_was_indexed_at_its_new_place_gives_its_marks_to_the_one_that_was_known(
    project: Path, encoder: Encoder
) -> None:
    far = Path(shutil.copytree(project / "mocap", project.parent / "server"))
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        library.add([far])
        (first, second) = library.clips({"name": "jump"})
        library.set_tags(max(first.id, second.id), ["of the copy"])
        shutil.rmtree(project / "mocap")
        assert len(library.relink(project / "mocap", far).found) == 4
        (clip,) = library.clips({"name": "jump"})
        assert (clip.id, clip.tags, clip.favourite) == (min(first.id, second.id), ("of the copy",), True)
        assert sources(library) == files_in(far)
        assert library.verify().sound


def test_a_place_that_is_not_there_is_refused_and_a_read_only_library_too(project: Path, encoder: Encoder) -> None:
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        with pytest.raises(hums.LibraryError, match="no file or folder"):
            library.relink(project / "mocap", project / "nowhere")
        assert len(sources(library)) == 4
    with (
        Library.open(project / "motions.hums", readonly=True, encoder=encoder) as library,
        pytest.raises(hums.LibraryError, match="reading only"),
    ):
        library.relink(project / "mocap", project)


def older_version(library: Path) -> None:
    """Turns a library into one of the first version of the catalogue, whose paths are all absolute."""
    home = library.parent.as_posix()
    connection = sqlite3.connect(library / "catalogue.sqlite")
    for table in ("sources", "roots"):
        connection.execute(f"UPDATE {table} SET path = ? || substr(path, 2) WHERE substr(path, 1, 2) = './'", (home,))
    for table in ("home", "axes"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()


def test_a_library_of_the_first_version_opens_and_moves_from_then_on(project: Path, encoder: Encoder) -> None:
    older_version(project / "motions.hums")
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        assert sources(library) == files_in(project)
        assert library.add().unchanged == 4
        assert library.info().axes == [("", "", 4)]
        (read_again := Path(library.clips()[0].source)).write_bytes(read_again.read_bytes() + b"\n")
        assert library.add().updated == 1
        assert library.info().axes == [("", "", 3), ("cm", "Y", 1)]
    moved = project.rename(project.parent / "moved")
    with Library.open(moved / "motions.hums", encoder=encoder) as library:
        assert sources(library) == files_in(moved)


def test_a_library_of_the_first_version_that_cannot_be_written_is_read(project: Path, encoder: Encoder) -> None:
    older_version(project / "motions.hums")
    before = (project / "motions.hums" / "catalogue.sqlite").read_bytes()
    with Library.open(project / "motions.hums", readonly=True, encoder=encoder) as library:
        assert sources(library) == files_in(project)
        assert library.search(library.clips()[0].id, k=1)[0].score > 99
        assert len(library.clips({"folder": project})) == 4
        with pytest.raises(hums.LibraryError, match="reading only"):
            library.set_favourite(1)
    assert (project / "motions.hums" / "catalogue.sqlite").read_bytes() == before


def test_paths_of_another_system_are_kept_and_can_be_named(project: Path, encoder: Encoder) -> None:
    connection = sqlite3.connect(project / "motions.hums" / "catalogue.sqlite")
    connection.execute("UPDATE sources SET path = 'M:/studio' || substr(path, 8) WHERE path LIKE './mocap/%'")
    connection.commit()
    connection.close()
    with Library.open(project / "motions.hums", encoder=encoder) as library:
        assert len(library.missing()) == 4
        assert len(library.clips({"folder": r"M:\studio"})) == 4
        report = library.relink("M:\\studio\\", project / "mocap")
        assert (len(report.found), report.missing) == (4, [])
        assert sources(library) == files_in(project)


@pytest.mark.parametrize("home", ["/", "/a", "/a b/ü"])
@pytest.mark.parametrize("path", ["/a/x.bvh", "/a b/ü/m/x.bvh", "/a", "/a b/ü", "/ab/x", "/other/x.bvh", "/a/./x"])
def test_a_path_comes_back_as_it_was_kept(home: str, path: str) -> None:
    paths = SourcePaths(absolute(home))
    assert paths.whole(paths.kept(absolute(path))) == absolute(path)
