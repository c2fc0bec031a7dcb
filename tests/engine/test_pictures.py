# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hums_engine import skeleton
from hums_engine.canonical import CanonicalMotion
from hums_engine.errors import HumsError
from hums_engine.pictures import LEFT, RIGHT, Row, draw_strip, save_contact_sheet, save_strip


def stride(frames: int = 30, heading: float = 0.0, missing: tuple[str, ...] = ()) -> CanonicalMotion:
    """The reference body gliding 1.5 m forward with swinging legs, turned by ``heading`` radians as a whole."""
    time = np.linspace(0.0, 1.0, frames)[:, None]
    positions = np.tile(skeleton.REFERENCE, (frames, 1, 1))
    for side, phase in (("left", 1.0), ("right", -1.0)):
        for joint, reach in (("knee", 0.15), ("ankle", 0.3), ("foot", 0.3)):
            positions[:, skeleton.INDEX[f"{side}_{joint}"], 1] += phase * reach * np.sin(2 * np.pi * time[:, 0])
    positions[..., 1] -= 1.5 * time
    cos, sin = np.cos(heading), np.sin(heading)
    positions = positions @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    valid = np.array([name not in missing for name in skeleton.JOINTS])
    positions[:, ~valid] = 0.0
    rotations = np.tile(np.array([1, 0, 0, 0], dtype=np.float32), (frames, 22, 1))
    return CanonicalMotion(positions.astype(np.float32), rotations, valid, fps=30.0)


def pixels(path: Path) -> NDArray[np.int16]:
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.int16)


def like(image: NDArray[np.int16], colour: tuple[int, int, int], within: int = 12) -> NDArray[np.bool_]:
    return (np.abs(image - np.array(colour, dtype=np.int16)) <= within).all(axis=-1)


def test_a_figure_that_comes_toward_the_viewer_has_its_left_limbs_on_the_right(tmp_path: Path) -> None:
    save_strip(stride(), tmp_path / "strip.png", frames=1)
    image = pixels(tmp_path / "strip.png")
    left, right = like(image, LEFT, 60), like(image, RIGHT, 60)
    assert left.sum() > 200
    assert right.sum() > 200
    assert np.nonzero(left)[1].mean() > np.nonzero(right)[1].mean() + 5


def test_the_picture_does_not_depend_on_where_the_motion_heads(tmp_path: Path) -> None:
    save_strip(stride(), tmp_path / "south.png")
    save_strip(stride(heading=2.2), tmp_path / "elsewhere.png")
    differing = (np.abs(pixels(tmp_path / "south.png") - pixels(tmp_path / "elsewhere.png")) > 40).any(axis=-1)
    assert differing.mean() < 0.002


def test_the_same_motion_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_contact_sheet([Row(stride(), "stride", "forward", 50.0)], tmp_path / name, heading="Hits")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_strip_shows_as_many_figures_as_asked_for_and_no_more_than_there_are_frames(tmp_path: Path) -> None:
    for name, frames, asked in (("three", 30, 3), ("six", 30, 6), ("one", 1, 6)):
        save_strip(stride(frames), tmp_path / f"{name}.png", frames=asked)
    assert figures(tmp_path / "three.png") == 3
    assert figures(tmp_path / "six.png") == 6
    assert figures(tmp_path / "one.png") == 1


def test_a_strip_for_a_sheet_of_ones_own_has_the_asked_size(tmp_path: Path) -> None:
    strip = draw_strip(stride(), 430, 172, frames=4)
    strip.save(tmp_path / "strip.png")
    assert strip.size == (430, 172)
    assert like(pixels(tmp_path / "strip.png"), LEFT, 60).any()


def figures(path: Path) -> int:
    """How many groups of columns hold left-coloured pixels, gaps of some pixels within a figure closed."""
    columns = np.flatnonzero(like(pixels(path), LEFT, 60).any(axis=0))
    return int((np.diff(columns) > 60).sum()) + 1


def test_joints_that_the_source_lacks_are_bridged(tmp_path: Path) -> None:
    save_strip(stride(), tmp_path / "whole.png", frames=1)
    save_strip(stride(missing=("spine2", "spine3", "left_collar", "left_knee")), tmp_path / "parts.png", frames=1)
    whole, parts = (like(pixels(tmp_path / name), LEFT, 60).sum() for name in ("whole.png", "parts.png"))
    assert 0.5 * whole < parts < 1.2 * whole


@pytest.mark.parametrize("missing", [("head",), ("pelvis",), ("left_hip", "right_hip"), skeleton.JOINTS])
def test_a_motion_with_hardly_any_joints_is_still_drawn(tmp_path: Path, missing: tuple[str, ...]) -> None:
    save_strip(stride(missing=missing), tmp_path / "strip.png", title="Sensors fell off")
    assert pixels(tmp_path / "strip.png").shape[1] == 1600


def test_positions_that_are_not_numbers_do_not_stop_the_picture(tmp_path: Path) -> None:
    motion = stride()
    motion.positions[3:7, 4] = np.nan
    save_strip(motion, tmp_path / "strip.png")
    assert figures(tmp_path / "strip.png") > 6


def test_a_higher_score_has_a_longer_bar(tmp_path: Path) -> None:
    def bar(score: float) -> int:
        save_contact_sheet([Row(stride(), "a", score=score)], tmp_path / "sheet.png")
        return int(like(pixels(tmp_path / "sheet.png")[:, :240], RIGHT).any(axis=0).sum())

    lengths = [bar(score) for score in (-20.0, 0.0, 30.0, 90.0, 170.0)]
    assert lengths[0] == lengths[1] == 0
    assert 0 < lengths[2] < lengths[3] < lengths[4]
    assert lengths[4] < 200


def test_a_long_title_is_cut_and_leaves_the_figures_alone(tmp_path: Path) -> None:
    save_contact_sheet([Row(stride(), "walk", "short", 50.0)], tmp_path / "short.png")
    save_contact_sheet([Row(stride(), "walk" * 40, "word " * 90, 50.0)], tmp_path / "long.png")
    short, long = pixels(tmp_path / "short.png"), pixels(tmp_path / "long.png")
    assert not np.array_equal(short[:, :264], long[:, :264])
    assert np.array_equal(short[:, 264:], long[:, 264:])


def test_each_row_of_a_sheet_takes_the_same_height(tmp_path: Path) -> None:
    heights = []
    for count in (1, 2, 4):
        save_contact_sheet([Row(stride(), str(i)) for i in range(count)], tmp_path / "sheet.png")
        heights.append(pixels(tmp_path / "sheet.png").shape[0])
    assert heights[2] - heights[1] == 2 * (heights[1] - heights[0])


def test_a_place_that_cannot_be_written_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HumsError, match="Cannot write the picture"):
        save_strip(stride(), tmp_path / "file" / "strip.png")
    with pytest.raises(HumsError, match="Cannot write the picture"):
        save_strip(stride(), tmp_path / "strip.nonsense")


def test_pillow_loads_on_first_use_and_its_absence_gets_one_sentence() -> None:
    program = (
        "import sys, hums_engine.pictures as pictures\n"
        "assert 'PIL' not in sys.modules\n"
        "sys.modules['PIL'] = None\n"
        "try:\n    pictures.save_strip(None, 'never.png')\n"
        "except pictures.MissingDependencyError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Pillow" in done.stdout
    assert 'pip install "hums[run]"' in done.stdout
