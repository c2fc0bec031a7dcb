# SPDX-License-Identifier: GPL-3.0-or-later
"""Corpora are read with their subjects and classes, kept, read again when they change, and survive a broken file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training import data

from .corpus_files import write_mhad


def test_the_path_of_a_file_says_who_moved_and_what(tmp_path: Path) -> None:
    write_mhad(tmp_path, actions=2, subjects=[3, 8], repetitions=1)
    takes = data.load(tmp_path, "mhad", tmp_path / "cache")
    assert [(take.label, take.subject) for take in takes] == [
        ("a01", "s03"), ("a01", "s08"), ("a02", "s03"), ("a02", "s08"),
    ]  # fmt: skip
    assert all(take.motion.fps == 24.0 and take.motion.frame_count == 40 for take in takes)
    described = data.CORPORA["hdm05"].describe(Path("train/7/HDM_bk_sneak_003_120.amc"), Path())
    assert described == ("bk", "7", "train")
    assert data.CORPORA["cmu"].describe(Path("bvh/35_01.bvh"), Path()).subject == "35"
    assert data.CORPORA["cmu"].describe(Path("dance_martial/salsa/01.bvh"), Path()).subject == "salsa"


def test_what_was_read_once_is_the_same_from_the_cache(tmp_path: Path) -> None:
    write_mhad(tmp_path, actions=2, subjects=[1], repetitions=2)
    first = data.load(tmp_path, "mhad", tmp_path / "cache")
    before = (tmp_path / "cache" / "mhad.npz").stat().st_mtime_ns
    again = data.load(tmp_path, "mhad", tmp_path / "cache")
    assert (tmp_path / "cache" / "mhad.npz").stat().st_mtime_ns == before, "nothing was read anew"
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.motion.positions, b.motion.positions)
        assert (a.motion.name, a.motion.fps, a.subject, a.label) == (b.motion.name, b.motion.fps, b.subject, b.label)


def test_a_new_file_and_a_damaged_cache_are_read_anew(tmp_path: Path) -> None:
    write_mhad(tmp_path, actions=1, subjects=[1], repetitions=1)
    cache = tmp_path / "cache"
    assert len(data.load(tmp_path, "mhad", cache)) == 1
    write_mhad(tmp_path, actions=1, subjects=[2], repetitions=1)
    assert len(data.load(tmp_path, "mhad", cache)) == 2
    whole = (cache / "mhad.npz").read_bytes()
    for damaged in (b"not a zip", b"", whole[:-100], whole[: len(whole) // 2], whole[:1000] + b"?" + whole[1001:]):
        (cache / "mhad.npz").write_bytes(damaged)
        assert len(data.load(tmp_path, "mhad", cache)) == 2
        assert [path.name for path in cache.iterdir()] == ["mhad.npz"], "nothing unfinished is left behind"


def test_a_broken_file_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_mhad(tmp_path, actions=1, subjects=[1], repetitions=2)
    whole = tmp_path / "mhad" / "a01_s01_e01_skeleton.txt"
    broken = {
        "a02_s01_e01_skeleton.txt": b"",
        "a02_s01_e02_skeleton.txt": whole.read_bytes()[:-5000],
        "a02_s01_e03_skeleton.txt": bytes(range(256)) * 40,
        "odd_skeleton.txt": whole.read_bytes()[:100],
    }
    for name, content in broken.items():
        (tmp_path / "mhad" / name).write_bytes(content)
    takes = data.load(tmp_path, "mhad", tmp_path / "cache")
    assert [take.label for take in takes] == ["a01", "a01"]
    told = capsys.readouterr().err
    for name in broken:
        assert sum(name in line for line in told.splitlines()) == 1


def test_no_folder_no_corpus_and_nothing_readable_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no corpus 'kit'"):
        data.load(tmp_path, "kit", tmp_path)
    with pytest.raises(ValueError, match="give the folder"):
        data.load(tmp_path, "mhad", tmp_path)
    (tmp_path / "mhad").mkdir()
    (tmp_path / "mhad" / "a01_s01_e01_skeleton.txt").write_text("nothing")
    with pytest.raises(ValueError, match="None of the 1 files"):
        data.load(tmp_path, "mhad", tmp_path / "cache")


def test_subjects_are_left_out_by_name(tmp_path: Path) -> None:
    write_mhad(tmp_path, actions=1, subjects=[1, 8, 12], repetitions=1)
    takes = data.load(tmp_path, "mhad", tmp_path / "cache")
    assert [data.is_left_out(take, ["mhad/s08", "mhad/s1*"]) for take in takes] == [False, True, True]
