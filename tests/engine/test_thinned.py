# SPDX-License-Identifier: GPL-3.0-or-later
"""Of a file with many frames a second only those are read that a library keeps, and it holds the same by that."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hums_engine as hums
from hums_engine import formats
from hums_engine.canonical import canonicalize
from hums_engine.encoder import Encoder
from hums_engine.errors import MotionFileError
from hums_engine.joint_store import HIGHEST_FPS, thinned
from hums_engine.motion import Motion
from hums_engine.reading import read_file, take_of
from tests.engine import acclaim_text, posed_bvh
from tests.engine.posed_bvh import Pose, parade

ENCODER = Encoder(provider="cpu")


def after_a_t_pose(frames: int, fps: float) -> Callable[[float], Pose]:
    """A walk before which stand some frames of a T-pose in another place, as capture programs put them there."""
    return lambda t: ((0.0, 95.0, -300.0), {}) if t * fps < frames - 0.5 else posed_bvh.walk(t)


def both(path: Path) -> tuple[Motion, Motion]:
    """All of a file, and what an index reads of it."""
    (whole,), (kept,) = formats.load_all(path), formats.load_all(path, HIGHEST_FPS)
    return whole, kept


def assert_a_library_holds_the_same(whole: Motion, kept: Motion) -> None:
    expected, found = thinned(canonicalize(whole)), thinned(canonicalize(kept))
    assert (found.fps, found.frame_count) == (expected.fps, expected.frame_count)
    np.testing.assert_allclose(found.positions, expected.positions, atol=1e-5)
    np.testing.assert_allclose(found.rotations, expected.rotations, atol=1e-5)
    one, other = take_of(whole, 0, ENCODER), take_of(kept, 0, ENCODER)
    assert one.facts == other.facts
    for rows, others in ((one.signature, other.signature), (one.moments, other.moments)):
        np.testing.assert_allclose(rows.vectors, others.vectors, atol=1e-5)
        np.testing.assert_array_equal([rows.start_s, rows.end_s], [others.start_s, others.end_s])


@pytest.mark.parametrize(("fps", "read"), [(24, 24), (30, 30), (60, 60), (90, 90), (120, 60), (144, 72), (240, 60)])
def test_a_library_holds_the_same_of_a_file_of_any_rate(tmp_path: Path, fps: int, read: int) -> None:
    whole, kept = both(posed_bvh.write(tmp_path / "take.bvh", parade, 3.0, fps))
    assert (whole.fps, kept.fps) == (fps, read)
    assert (kept.thinned is not None) == (read < fps)
    assert kept.file_timing == whole.timing
    assert_a_library_holds_the_same(whole, kept)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_t_pose_before_the_motion_is_left_out_to_the_frame(tmp_path: Path, frames: int) -> None:
    whole, kept = both(posed_bvh.write(tmp_path / "take.bvh", after_a_t_pose(frames, 120), 2.0, 120))
    assert kept.thinned is not None
    assert np.ptp(canonicalize(kept).positions[:, 0, 1]) < 2.5 < np.ptp(whole.positions[:, 0, 1])
    assert_a_library_holds_the_same(whole, kept)


@pytest.mark.parametrize("frames", [1, 2, 8, 9, 10, 11, 12])
def test_a_short_file_keeps_its_frames(tmp_path: Path, frames: int) -> None:
    whole, kept = both(posed_bvh.write(tmp_path / "take.bvh", parade, (frames - 1) / 120, 120))
    assert whole.frame_count == frames
    assert_a_library_holds_the_same(whole, kept)


def written(folder: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """Two seconds at 120 frames a second, of which the lines of the MOTION are changed."""
    head, mark, body = posed_bvh.text(parade, 2.0, 120).partition("Frame Time: 0.0083333\n")
    (path := folder / "take.bvh").write_text(head + mark + "\n".join(change(body.splitlines())))
    return path


ODD: dict[str, Callable[[list[str]], list[str]]] = {
    "a blank line between frames": lambda lines: "\n\n".join(lines).splitlines(),
    "Windows line ends": lambda lines: [line + "\r" for line in lines],
    "all in one line": lambda lines: [" ".join(lines)],
    "two lines a frame": lambda lines: [part for line in lines for part in (line[:12], line[12:])],
    "numbers that are none": lambda lines: [*lines[:51], lines[51].rsplit(" ", 1)[0] + " nan", *lines[52:]],
    "an absurd number": lambda lines: [*lines[:51], "9999999999 " + lines[51].split(" ", 1)[1], *lines[52:]],
    "a frame more than declared": lambda lines: [*lines, lines[-1]],
    "a frame fewer than declared": lambda lines: lines[:-1],
    "half a frame behind the last": lambda lines: [*lines, lines[-1][:20]],
    "blanks of any number": lambda lines: [line.replace(" ", " " * (1 + i % 3)) for i, line in enumerate(lines)],
    "a number at the end of the frame before": lambda lines: [
        *lines[:50], " ".join([lines[50], lines[51].split(" ", 1)[0]]), lines[51].split(" ", 1)[1], *lines[52:]
    ],
    "exponents": lambda lines: [line.replace("0.000", "5.17363e-10") for line in lines],
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_a_library_holds_the_same_of_a_file_that_is_written_in_an_odd_way(tmp_path: Path, odd: str) -> None:
    whole, kept = both(written(tmp_path, ODD[odd]))
    assert_a_library_holds_the_same(whole, kept)


DAMAGES: dict[str, Callable[[list[str]], list[str]]] = {
    "cut off": lambda lines: lines[:100],
    "a frame that is read has a number too few": lambda lines: [*lines[:-2], lines[-2], lines[-1].rsplit(" ", 1)[0]],
    "a word in a frame that is left out": lambda lines: [*lines[:51], "here" + lines[51], *lines[52:]],
    "a word in a frame that is read": lambda lines: [*lines[:50], "here" + lines[50], *lines[51:]],
    "a number with two points": lambda lines: [*lines[:51], lines[51].replace(".", "..", 1), *lines[52:]],
    "a number too many in every frame": lambda lines: [line + " 0.5" for line in lines],
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_with_the_sentence_that_reading_all_of_it_gives(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path, DAMAGES[damage])
    told = refusals(path)
    assert told[0] == told[1]
    if told[0] is not None:
        assert read_file(str(path), ENCODER).failures == [told[0].removeprefix("take.bvh: ")]


def refusals(path: Path) -> list[str | None]:
    """Why a file cannot be read in full, and why an index does not read it."""
    told: list[str | None] = []
    for most_fps in (math.inf, HIGHEST_FPS):
        try:
            told.append(None if formats.load_all(path, most_fps) else "")
        except MotionFileError as error:
            told.append(str(error))
    return told


AMC_DAMAGES: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "cut off": lambda text: text[:-300],
    "cut off between two bones": lambda text: text.rsplit("\n", 3)[0],
    "a word in a frame that is left out": lambda text: text.replace("\n100\nroot ", "\n100\nroot here"),
    "a bone in another place": lambda text: text.replace("\n100\nroot ", "\n100\nbut "),
    "a number too few": lambda text: text.replace("\n100\nroot 0", "\n100\nroot "),
    "blanks before names": lambda text: text.replace("\nroot", "\n  root"),
}


@pytest.mark.parametrize("damage", AMC_DAMAGES)
def test_the_same_holds_for_an_amc(tmp_path: Path, damage: str) -> None:
    (tmp_path / "take.asf").write_text(acclaim_text.asf())
    (path := tmp_path / "take.amc").write_text(AMC_DAMAGES[damage](acclaim_text.amc(240)))
    told = refusals(path)
    assert told[0] == told[1]
    assert (told[0] is None) == (damage in ("none", "blanks before names"))
    if told[0] is None:
        whole, kept = both(path)
        assert (kept.thinned is None) == (damage != "none")
        assert_a_library_holds_the_same(whole, kept)


def test_a_person_who_loads_a_file_gets_all_its_frames(tmp_path: Path) -> None:
    motion = hums.load(posed_bvh.write(tmp_path / "take.bvh", parade, 2.0, 120))
    assert (motion.frame_count, motion.fps, motion.thinned) == (241, 120.0, None)
