# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion file holds is told: takes, sizes, rig, and what was taken for its unit and its up axis."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from hums_engine import cli, load
from hums_engine.motion import Motion
from hums_engine.motion_facts import MotionFacts
from tests.engine import posed_bvh, test_gltf, test_mhad, test_ntu
from tests.engine.fbx_text import body
from tests.engine.reference_body import wandering

NEEDS_UFBX = pytest.mark.skipif(importlib.util.find_spec("ufbx") is None, reason="ufbx is not installed")
NEEDS_PILLOW = pytest.mark.skipif(importlib.util.find_spec("PIL") is None, reason="Pillow is not installed")
WALK = wandering(30).positions


def test_a_bvh_is_told_with_its_rig_size_unit_and_up(tmp_path: Path) -> None:
    facts = MotionFacts.of(load(posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk, seconds=2.0)))
    assert (facts.name, facts.joints, facts.frames, facts.fps) == ("walk", 24, 61, 30.0)
    assert (facts.unit, facts.up, facts.rig, facts.problem) == ("cm", "Y", "cmu_daz", "")
    assert facts.duration_s == pytest.approx(2.0)
    assert 1.3 < facts.height_m < 2.0
    assert facts.line().startswith("61 frames at 30 fps (2.00 s), 24 joints, cmu_daz rig, 1.")
    assert facts.line().endswith(" m tall, file in cm with Y up")


@pytest.mark.parametrize(("up", "turned"), [("Z", WALK), ("Y", WALK[..., [0, 2, 1]] * [1, 1, -1])])
@pytest.mark.parametrize("told", [True, False])
def test_the_up_axis_is_that_of_the_file_whether_it_says_so_or_not(
    tmp_path: Path, up: str, turned: np.ndarray, told: bool
) -> None:
    np.savez(tmp_path / "walk.npz", joints=100 * turned, fps=30, unit="cm", **({"up_axis": up} if told else {}))
    motion = load(tmp_path / "walk.npz")
    assert (motion.up, motion.unit) == (up, "cm")
    np.testing.assert_allclose(motion.positions, WALK, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", test_mhad.text().encode()), ("a.skeleton", test_ntu.WHOLE.encode()), ("a.glb", test_gltf.WHOLE)],
)
def test_formats_with_y_up_say_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert load(tmp_path / name).up == "Y"


@NEEDS_UFBX
@pytest.mark.parametrize("up", ["Y", "Z"])
def test_fbx_has_the_up_axis_that_it_states(tmp_path: Path, up: str) -> None:
    (tmp_path / "a.fbx").write_bytes(body(2.54, up))
    facts = MotionFacts.of(load(tmp_path / "a.fbx"))
    assert (facts.up, facts.unit) == (up, "in")


def test_what_is_no_figure_says_why() -> None:
    box = Motion(np.zeros((2, 1, 3), np.float32), 30.0, ["box"], np.array([-1]))
    facts = MotionFacts.of(box)
    assert (facts.rig, facts.height_m) == ("", 0.0)
    assert facts.problem.endswith(".")
    assert "no figure" in facts.line()


def test_info_of_a_file_tells_every_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = posed_bvh.write(tmp_path / "walk 🚶.bvh", posed_bvh.walk)
    assert cli.main(["info", str(path)]) == cli.DONE
    assert capsys.readouterr().out.splitlines()[0] == "walk 🚶"
    assert cli.main(["info", str(path), "--json"]) == cli.DONE
    document = json.loads(capsys.readouterr().out)
    assert document["path"] == str(path)
    assert [(take["unit"], take["up"], take["rig"]) for take in document["takes"]] == [("cm", "Y", "cmu_daz")]


def test_info_of_a_file_that_is_no_motion_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bvh").write_text("HIERARCHY")
    assert cli.main(["info", str(tmp_path / "a.bvh")]) == cli.COULD_NOT
    assert "a.bvh: " in capsys.readouterr().err


@NEEDS_PILLOW
def test_the_picture_of_a_file_tells_its_unit_and_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = posed_bvh.write(tmp_path / "walk.bvh", posed_bvh.walk, seconds=2.0)
    words = ["show", str(path), "--frames", "0:30", "-o", str(tmp_path / "walk.png"), "--json"]
    assert cli.main(words) == cli.DONE
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert (facts["unit"], facts["up"], facts["frames"]) == ("cm", "Y", 31)
    assert (tmp_path / "walk.png").stat().st_size > 1000
