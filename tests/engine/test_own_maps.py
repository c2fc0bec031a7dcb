# SPDX-License-Identifier: GPL-3.0-or-later
"""A map that a person made is taken for the skeleton it was made for, in every process, and for no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hums_engine import own_maps
from hums_engine.errors import MappingError
from hums_engine.mapping import JointMap, map_joints, title_of
from hums_engine.skeleton import MAIN_JOINTS
from tests.engine import posed_bvh
from tests.engine.synthetic_rigs import Build, Rig, make

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is used for maps until the test ends."""
    folder = tmp_path / "maps"
    folder.mkdir()
    monkeypatch.setenv(own_maps.VARIABLE, "")
    own_maps.use(folder)
    return folder


def anonymous(rig: Rig) -> list[str]:
    return [f"Bone.{i:03d}" for i in range(len(rig.names))]


def parents(rig: Rig) -> NDArray[np.intp]:
    return np.array(rig.parents, dtype=np.intp)


def mapped(rig: Rig, names: list[str]) -> JointMap:
    return map_joints(names, parents(rig), np.array(rig.heads), np.array(rig.tips))


def odd_map(rig: Rig) -> dict[str, str]:
    """The true map with the elbows where a person wants them: on the second of two forearm bones."""
    names = anonymous(rig)
    said = {joint: names[bone] for joint, bone in rig.truth.items() if joint in MAIN_JOINTS}
    return said | {f"{side}_elbow": names[rig.truth[f"{side}_elbow"] + 1] for side in ("left", "right")}


def test_a_map_is_taken_for_its_skeleton_under_any_namespace(maps: Path) -> None:
    rig = make(Build(arm_twists=1))
    said = odd_map(rig)
    own_maps.save(maps, "Studio Ogre", said, anonymous(rig), parents(rig))
    for names in (anonymous(rig), [f"Ogre7:{name}" for name in anonymous(rig)]):
        found = mapped(rig, names)
        assert (found.family, found.score, title_of(found.family)) == ("studio_ogre", 1.0, "Studio Ogre")
        assert found.as_names(anonymous(rig)) == said


def test_another_skeleton_with_the_same_names_is_mapped_as_before(maps: Path) -> None:
    ogre, dwarf = make(Build(arm_twists=1)), make(Build(arm_twists=1, spine=5, roots=1, fingers=2))
    before = mapped(dwarf, anonymous(dwarf))
    own_maps.save(maps, "Studio Ogre", odd_map(ogre), anonymous(ogre), parents(ogre))
    after = mapped(dwarf, anonymous(dwarf))
    assert (after.family, after.joints.tolist()) == ("shape", before.joints.tolist())


def test_more_bones_on_the_skeleton_do_not_matter(maps: Path) -> None:
    rig = make(Build(arm_twists=1))
    own_maps.save(maps, "Studio Ogre", odd_map(rig), anonymous(rig), parents(rig))
    rig.add("cape", rig.truth["spine3"], np.array([0.0, 0.2, 1.4]))
    assert mapped(rig, anonymous(rig)).family == "studio_ogre"


def test_a_map_written_by_hand_need_not_say_what_hangs_on_what(maps: Path) -> None:
    rig = make(Build())
    joints = {joint: rig.names[bone] for joint, bone in rig.truth.items() if joint in MAIN_JOINTS}
    spine = [name for name in rig.names if name.startswith("spine")]
    data = {"family": "mine", "title": "Mine", "joints": joints, "spine": spine}
    (maps / "mine.json").write_text(json.dumps(data))
    (maps / "broken.json").write_text("{")
    found = mapped(rig, list(rig.names))
    assert found.family == "mine"
    assert found.as_names(rig.names)["spine3"] == "spine 2"


def test_saving_again_under_the_same_title_replaces_the_map(maps: Path) -> None:
    rig = make(Build(arm_twists=1))
    true = {joint: anonymous(rig)[bone] for joint, bone in rig.truth.items() if joint in MAIN_JOINTS}
    own_maps.save(maps, "Studio Ogre", odd_map(rig), anonymous(rig), parents(rig))
    own_maps.save(maps, "studio ogre", true, anonymous(rig), parents(rig))
    assert mapped(rig, anonymous(rig)).as_names(anonymous(rig)) == true
    assert len(own_maps.maps()) == 1


def test_a_shared_map_is_kept_under_the_name_it_has_whatever_its_file_was_called(maps: Path, tmp_path: Path) -> None:
    shared = tmp_path / "download (3).json"
    shared.write_text(json.dumps({"family": "Studio Ogre", "title": "Studio Ogre", "joints": {"pelvis": "root"}}))
    brought = own_maps.bring(shared, maps)
    assert brought.family == "studio_ogre"
    assert [path.name for path in maps.iterdir()] == ["studio_ogre.json"]


@pytest.mark.parametrize(("title", "why"), [(" ", "type one"), ("..", "type one"), ("Mixamo", "choose another")])
def test_a_title_that_cannot_be_is_refused(maps: Path, title: str, why: str) -> None:
    with pytest.raises(MappingError, match=why):
        own_maps.save(maps, title, {"pelvis": "a"}, ["a"], np.array([-1]))


def test_a_folder_that_is_not_there_and_a_file_that_is_no_map_are_named(maps: Path) -> None:
    with pytest.raises(MappingError, match=r"no folder .*nowhere"):
        own_maps.check(maps / "nowhere")
    (maps / "broken.json").write_text("{")
    with pytest.raises(MappingError, match=r"broken\.json is not a rig map"):
        own_maps.check(maps)


def save_walkers_map(folder: Path) -> None:
    """A map of the skeleton that `posed_bvh` writes."""
    folder.mkdir()
    names = [joint for joint, _, _ in posed_bvh.SKELETON]
    above = np.array([names.index(parent) if parent else -1 for _, parent, _ in posed_bvh.SKELETON])
    said = {"pelvis": "hip", "spine3": "chest"}
    for side in ("left", "right"):
        limbs = (("hip", "Thigh"), ("knee", "Shin"), ("ankle", "Foot"), ("shoulder", "Shldr"), ("wrist", "Hand"))
        said |= {f"{side}_{joint}": side[0] + bone for joint, bone in limbs}
    own_maps.save(folder, "Studio Walker", said, names, above)


def test_a_library_is_indexed_with_the_maps_that_its_command_names(tmp_path: Path) -> None:
    save_walkers_map(tmp_path / "maps")
    posed_bvh.write_several(tmp_path / "motions", 3)
    library = str(tmp_path / "walks.hums")
    hums("index", library, str(tmp_path / "motions"), "--rig-maps", str(tmp_path / "maps"), "--workers", "2", "--json")
    clips = json.loads(hums("list", library, "--json"))["clips"]
    assert [clip["family"] for clip in clips] == ["studio_walker"] * 3


def test_a_new_map_is_used_for_files_that_the_library_has_when_they_are_to_be_read_again(tmp_path: Path) -> None:
    first, *_ = posed_bvh.write_several(tmp_path / "motions", 3)
    library, maps = str(tmp_path / "walks.hums"), str(tmp_path / "maps")
    hums("index", library, str(tmp_path / "motions"))
    hums("mark", library, "1", "2", "3", "--tag", "slow")
    save_walkers_map(tmp_path / "maps")
    assert "0 updated, 3 unchanged" in hums("index", library, "--rig-maps", maps)
    assert "1 updated, 0 unchanged" in hums("index", library, str(first), "--again", "--rig-maps", maps)
    clips = json.loads(hums("list", library, "--json"))["clips"]
    assert [clip["source"] for clip in clips if clip["family"] == "studio_walker"] == [str(first)]
    assert sorted((clip["id"], *clip["tags"]) for clip in clips) == [(1, "slow"), (2, "slow"), (3, "slow")]
    assert "3 updated, 0 unchanged" in hums("index", library, "--again", "--rig-maps", maps)


def hums(*words: str) -> str:
    """Runs the command in a process of its own, and returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != own_maps.VARIABLE}
    command = [sys.executable, "-m", "hums_engine", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
