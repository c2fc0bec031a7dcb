# SPDX-License-Identifier: GPL-3.0-or-later
"""NTU RGB+D, HDM05's cuts and plain folders of BVH are read with their classes; what is damaged costs a line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from tests.engine import posed_bvh
from training import data, hdm05, ntu
from training.protocols import PROTOCOLS
from training.sources import sources

from .corpus_files import write_hdm05, write_ntu

ROOT = Path(__file__).resolve().parents[2]


def told(capsys: pytest.CaptureFixture[str], *about: str) -> list[str]:
    """The lines on stderr that speak of something, without those of the progress bar."""
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    return [line for line in lines if any(word in line for word in about)]


# NTU RGB+D


def test_the_name_of_a_recording_says_who_did_what_and_whether_they_train(tmp_path: Path) -> None:
    write_ntu(tmp_path, "S001C001P001R001A013", "S001C002P003R001A050", "S018C001P103R002A120")
    takes = data.load(tmp_path, "ntu", tmp_path / "cache")
    assert [(take.subject, take.label, take.split) for take in takes] == [
        ("P001", "A013", "train"), ("P003", "A050", "test"), ("P103", "A120", "train"),
    ]  # fmt: skip
    assert all(take.motion.fps == 30.0 and take.motion.frame_count == 30 for take in takes)
    assert len(data.normalized(takes)) == 3


def test_as_many_train_in_x_sub_as_was_published() -> None:
    assert len(ntu.TRAINING_SUBJECTS) == 53
    assert len([subject for subject in ntu.TRAINING_SUBJECTS if subject <= 40]) == 20
    assert max(ntu.TRAINING_SUBJECTS) <= 106


LISTS = {
    "missing_skeletons.txt": "S001C001P001R001A002\n\ns001c001p001r001a003.skeleton  # wrong\n# S001C001P001R001A001\n",
    "NTU_RGBD_samples_with_missing_skeletons.txt": "\ufeffmissing:\r\nS001C001P001R001A002\r\nS001C001P001R001A003",
}


@pytest.mark.parametrize("name", LISTS)
def test_recordings_on_the_list_of_missing_skeletons_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_ntu(tmp_path, *(f"S001C001P001R001A00{action}" for action in range(1, 5)))
    assert len(data.load(tmp_path, "ntu", tmp_path / "cache")) == 4
    (tmp_path / "ntu" / name).write_text(LISTS[name], encoding="utf-8")
    capsys.readouterr()
    assert [take.label for take in data.load(tmp_path, "ntu", tmp_path / "cache")] == ["A001", "A004"]
    assert len(told(capsys, "without skeletons")) == 1
    data.load(tmp_path, "ntu", tmp_path / "cache")
    assert "2 recordings" in told(capsys, "without skeletons")[0]


def test_in_x_sub_a_recording_asks_and_answers_with_the_body_that_moves(tmp_path: Path) -> None:
    names = [f"S001C001P00{subject}R001A00{action}" for subject in (1, 3) for action in (1, 2)]
    write_ntu(tmp_path, *names, bystander=True)
    assert len(data.load(tmp_path, "ntu", tmp_path / "cache")) == 8
    protocol = PROTOCOLS["ntu-xsub"](tmp_path, tmp_path / "cache")
    assert [(take.subject, take.label) for take in protocol.gallery] == [("P001", "A001"), ("P001", "A002")]
    assert [(take.subject, take.label) for take in protocol.queries] == [("P003", "A001"), ("P003", "A002")]
    for take in (*protocol.gallery, *protocol.queries):
        assert take.motion.positions.std(axis=0).max() > 0.1


def test_damaged_and_misnamed_recordings_cost_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ntu(tmp_path, "S001C001P001R001A001", "S001C001P001R001A002", "S001C001P001R001A003")
    folder = tmp_path / "ntu"
    whole = (folder / "S001C001P001R001A002.skeleton").read_bytes()
    broken = {
        "S001C001P001R001A002.skeleton": whole[:-500],
        "S001C001P001R001A003.skeleton": b"3\n0\n0\n0\n",
        "S001C001P001R001A004.skeleton": b"",
        "S001C001P001R001A005.skeleton": bytes(range(256)) * 40,
        "walk.skeleton": whole,
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    takes = data.load(tmp_path, "ntu", tmp_path / "cache")
    assert [take.label for take in takes] == ["A001"]
    lines = told(capsys, *broken)
    assert len(lines) == len(broken)
    assert [sum(name in line for line in lines) for name in broken] == [1] * len(broken)


# HDM05


def test_the_classes_of_hdm05_are_130_then_65_then_25() -> None:
    of_130, of_65, of_25 = hdm05.classes(130), hdm05.classes(65), hdm05.classes(25)
    assert len(of_130) == len(set(of_130.values())) == 130
    assert list(of_65) == list(of_25) == list(of_130)
    assert len(set(of_65.values())) == 65
    assert len(set(of_25.values()) - {""}) == 25
    assert [cut for cut, label in of_25.items() if not label] == ["hitRHandHead"]


def test_a_class_of_65_is_never_parted_among_the_25() -> None:
    of_65, of_25 = hdm05.classes(65), hdm05.classes(25)
    pairs = {(of_65[cut], of_25[cut]) for cut in of_65}
    assert len(pairs) == 65


def test_repetitions_and_starting_sides_are_merged_and_sides_and_directions_are_not() -> None:
    of_65 = hdm05.classes(65)
    assert of_65["clap1Reps"] == of_65["clap5Reps"] != of_65["clapAboveHead1Reps"]
    assert of_65["walk2StepsLstart"] == of_65["walk4StepsRstart"] != of_65["walkLeft2Steps"]
    assert of_65["jogOnPlaceStartAir2StepsLStart"] == of_65["jogOnPlaceStartFloor4StepsRStart"]
    assert of_65["kickLFront1Reps"] != of_65["kickRFront1Reps"]
    of_25 = hdm05.classes(25)
    assert of_25["kickLFront1Reps"] == of_25["kickRSide2Reps"] == "kick"
    assert of_25["walkLeftCircle4StepsLstart"] != of_25["walkRightCircle4StepsLstart"]


def test_the_classes_are_packed_with_the_code() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    assert [path.name for path in (ROOT / "training").glob("*.json")] == packed["training"]


CUTS = (
    "clap1Reps/HDM_bd_clap1Reps_001_120.amc",
    "clap5Reps/HDM_mm_clap5Reps_002_120.AMC",
    "cuts/hitRHandHead/HDM_dg_hitRHandHead_003_120.amc",
    "throwFarR/HDM_tr_take_004_120.amc",
)


def test_cuts_are_read_with_the_classes_of_the_level_that_is_asked_for(tmp_path: Path) -> None:
    write_hdm05(tmp_path, *CUTS)
    cache = tmp_path / "cache"
    labels = {
        name: [take.label for take in data.load(tmp_path, name, cache)]
        for name in ("hdm05", "hdm05-130", "hdm05-65", "hdm05-25")
    }
    assert labels["hdm05-130"] == ["clap1Reps", "clap5Reps", "hitRHandHead", "throwFarR"] == labels["hdm05"]
    assert labels["hdm05-65"] == ["clap", "clap", "hitRHandHead", "throwFarR"]
    assert labels["hdm05-25"] == ["clap", "clap", "", "throw"]
    takes = data.load(tmp_path, "hdm05-65", cache)
    assert [take.subject for take in takes] == ["bd", "mm", "dg", "tr"]
    assert {take.corpus for take in takes} == {"hdm05-65"}
    assert len(list(cache.iterdir())) == 1, "the motions are kept once, whatever their classes"


def test_the_25_classes_are_asked_by_the_actors_who_are_not_in_the_gallery(tmp_path: Path) -> None:
    write_hdm05(tmp_path, *CUTS)
    protocol = PROTOCOLS["hdm05-25"](tmp_path, tmp_path / "cache")
    assert [(take.subject, take.label) for take in protocol.gallery] == [("bd", "clap")]
    assert [(take.subject, take.label) for take in protocol.queries] == [("mm", "clap"), ("tr", "throw")]


def test_hdm05_11_keeps_its_numbered_classes_and_its_parts(tmp_path: Path) -> None:
    write_hdm05(tmp_path, "train/1/HDM_bd_depositFloorR_001_120.amc", "test/1/HDM_tr_depositFloorR_002_120.AMC")
    takes = data.load(tmp_path, "hdm05", tmp_path / "cache")
    assert [(take.subject, take.label, take.split) for take in takes] == [("tr", "1", "test"), ("bd", "1", "train")]


def test_damaged_and_unknown_cuts_cost_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = ("HDM_bd_moonwalk_001_120.amc", "walk.amc", "clap5Reps/HDM_bd_clap5Reps_007_120.amc")
    write_hdm05(tmp_path, CUTS[0], *others)
    cut_off = tmp_path / "hdm05" / others[2]
    cut_off.write_bytes(cut_off.read_bytes()[:-100])
    assert [take.label for take in data.load(tmp_path, "hdm05-65", tmp_path / "cache")] == ["clap"]
    lines = told(capsys, "moonwalk", "walk.amc", "_007_120")
    assert len(lines) == 3
    assert any("none of the 130 classes" in line for line in lines)


# plain folders of BVH


def write_bvh(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        posed_bvh.write(folder / "bvh" / name, lambda t, n=number: posed_bvh.walk(t, speed=1.0 + 0.1 * n), seconds=1.0)


def labelled(folder: Path) -> list[tuple[str, str, str, str]]:
    takes = data.load(folder, "bvh", folder / "cache")
    return [(take.motion.name, take.subject, take.label, take.split) for take in takes]


def test_a_folder_of_bvh_takes_its_classes_from_a_table(tmp_path: Path) -> None:
    write_bvh(tmp_path, "a.bvh", "deep/er/b.bvh", "deep/c, d.BVH", "e.bvh")
    table = 'label,"file",split,subject,mood\nwalk,a.bvh,train,Ada,glad\n"walk, then ""stop""",deep/er/b.bvh\n'
    table += 'größer,"deep\\c, d.BVH",Test,Zoë,\n'
    (tmp_path / "bvh" / "labels.csv").write_text(table, encoding="utf-8-sig", newline="\r\n")
    assert labelled(tmp_path) == [
        ("a", "Ada", "walk", "train"),
        ("c, d", "Zoë", "größer", "test"),
        ("b", "", 'walk, then "stop"', ""),
        ("e", "", "", ""),
    ]


def test_a_folder_of_bvh_without_a_table_has_no_classes_and_a_later_table_counts_at_once(tmp_path: Path) -> None:
    write_bvh(tmp_path, "a.bvh")
    assert labelled(tmp_path) == [("a", "", "", "")]
    kept = (tmp_path / "cache" / "bvh.npz").stat().st_mtime_ns
    (tmp_path / "bvh" / "labels.csv").write_text("file,label\na.bvh,walk\n")
    assert labelled(tmp_path) == [("a", "", "walk", "")]
    assert (tmp_path / "cache" / "bvh.npz").stat().st_mtime_ns == kept, "no motion was read anew"


def test_rows_of_files_that_are_not_there_cost_one_line_in_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bvh(tmp_path, "a.bvh")
    (tmp_path / "bvh" / "labels.csv").write_text("file,label\na.bvh,walk\ngone.bvh,run\n../a.bvh,run\n,run\n")
    assert labelled(tmp_path) == [("a", "", "walk", "")]
    (line,) = told(capsys, "labels.csv")
    assert "3 rows" in line and "line 3: gone.bvh" in line


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", "needs a first line with the columns file and label"),
        (b"name,label\na.bvh,walk\n", "needs a first line with the columns file and label"),
        (b"file,label,split\na.bvh,walk,training\n", 'line 2: the split is "training"'),
        (b"file,label\na.bvh,\xff\xfe\n", "no table in UTF-8"),
        (b'file,label\n"a.bvh,walk\n', "no table in UTF-8"),
        (b"file,label\na.bvh," + b"x" * 200_000 + b"\n", "no table in UTF-8"),
        (bytes(range(256)) * 10, "labels.csv"),
    ],
)
def test_a_damaged_table_is_told_in_one_sentence(tmp_path: Path, table: bytes, said: str) -> None:
    write_bvh(tmp_path, "a.bvh")
    (tmp_path / "bvh" / "labels.csv").write_bytes(table)
    with pytest.raises(ValueError, match=r"\.$") as caught:
        labelled(tmp_path)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_bvh_costs_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_bvh(tmp_path, "a.bvh", "b.bvh")
    (tmp_path / "bvh" / "b.bvh").write_bytes(b"HIERARCHY\nROOT hip\n{")
    assert [name for name, *_ in labelled(tmp_path)] == ["a"]
    assert len(told(capsys, "b.bvh")) == 1


# what a cache depends on


def test_a_reader_is_made_of_what_it_imports_and_not_of_the_other_readers() -> None:
    formats = ROOT / "hums_engine" / "formats"
    names = {name: {path.name for path in sources([formats / f"{name}.py"])} for name in ("bvh", "mhad", "ntu")}
    assert {"bvh.py", "channels.py", "numbers.py", "axes.py", "files.py", "motion.py", "quat.py"} <= names["bvh"]
    assert not {"mhad.py", "ntu.py", "asf_amc.py", "__init__.py"} & names["bvh"]
    assert "mhad.py" not in names["ntu"] and "bvh.py" not in names["mhad"]


def test_what_a_module_imports_is_followed_through_packages_and_round_circles(tmp_path: Path) -> None:
    package = tmp_path / "body"
    (package / "arm").mkdir(parents=True)
    modules = {
        "__init__.py": "from . import leg",
        "leg.py": "from .arm import hand as h, nothing\nimport os, leg",
        "arm/__init__.py": "",
        "arm/hand.py": "def f():\n    from ..spine import bend",
        "spine.py": "from . import leg",
        "head.py": "",
    }
    for name, text in modules.items():
        (package / name).write_text(text)
    found = [path.relative_to(package).as_posix() for path in sources([package / "leg.py"])]
    assert found == ["arm/hand.py", "leg.py", "spine.py"]


def test_motions_from_the_cache_have_the_positions_that_were_read(tmp_path: Path) -> None:
    write_ntu(tmp_path, "S001C001P001R001A001", bystander=True)
    first = data.load(tmp_path, "ntu", tmp_path / "cache")
    again = data.load(tmp_path, "ntu", tmp_path / "cache")
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.motion.positions, b.motion.positions)
        np.testing.assert_array_equal(a.motion.rotations, b.motion.rotations)
    assert [take.motion.name for take in again] == ["S001C001P001R001A001: body 1", "S001C001P001R001A001: body 2"]
