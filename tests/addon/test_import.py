# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion as a new armature."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT


def test_a_mirrored_motion_has_its_left_where_its_right_was(blender: Blender) -> None:
    facts = blender.run("import_mirrored", take=ROOT / "samples" / "walk_07_04.bvh")
    assert facts["names"] == ["left_ankle", "right_ankle"]
    assert facts["mirrored_m"] < 0.08
    assert facts["as_it_was_m"] > 0.2


@pytest.mark.parametrize(("take", "fps"), [("walk_07_04", 24), ("cartwheel_49_06", 60)])
def test_the_bones_go_where_the_files_joints_go(blender: Blender, take: str, fps: int) -> None:
    facts = blender.run("import_motion", take=ROOT / "samples" / f"{take}.bvh", fps=fps)
    assert facts["error_m"] < 1e-3
    assert facts["fps"] == fps
    assert facts["name"] == facts["action"] == take
    assert facts["selected"] == [take]
    assert facts["frames"] == [5, 5 + round(facts["duration_s"] * fps)]
    assert facts["whole"], "keys stand on whole frames of the scene"


def test_a_clip_has_its_files_skeleton_or_the_canonical_one_when_the_file_is_gone(
    blender: Blender, tmp_path: Path
) -> None:
    files = tmp_path / "mocap"
    files.mkdir()
    (files / "walk_02_01.bvh").write_bytes((ROOT / "samples" / "walk_02_01.bvh").read_bytes())
    blender.run("create_library", directory=files, library=tmp_path / "one.hums")
    facts = blender.run("import_from_library", library=tmp_path / "one.hums", clip_name="walk_02_01")
    assert "hip" in facts["own"]
    assert "left_shoulder" in facts["stored"]
    assert facts["seconds"] == pytest.approx(1.0, abs=0.05)
