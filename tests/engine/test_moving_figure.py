# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from hums_engine import moving_figure, skeleton
from tests.engine.test_pictures import stride

LEFT_WRIST, RIGHT_WRIST = skeleton.INDEX["left_wrist"], skeleton.INDEX["right_wrist"]


def drawn(figure: moving_figure.MovingFigure, edge: float = 0.0) -> moving_figure.Strokes:
    points = figure.points[figure.telling][None] * np.array([60, 60, 1], dtype=np.float32)
    return moving_figure.strokes(points, figure.shown[None], np.array([60.0], dtype=np.float32), edge)


def test_a_figure_stays_where_it_is() -> None:
    figure = moving_figure.prepare(stride())
    hips = figure.points[:, 0, :2]
    assert np.abs(hips - hips[0]).max() < 0.01


def test_what_is_seen_does_not_depend_on_heading_place_rate_or_size() -> None:
    motion, larger = stride(), stride(heading=2.0)
    larger = replace(larger, positions=larger.positions * 100 + np.array([300, 200, 0], dtype=np.float32))
    one, other = moving_figure.prepare(motion), moving_figure.prepare(larger.resampled(120.0))
    assert other.points.shape == one.points.shape
    assert np.abs(one.points - other.points).max() < 0.01


def test_the_mirror_image_has_left_and_right_exchanged() -> None:
    figure, mirrored = map(moving_figure.prepare, (stride(), stride().mirror_image()))
    swing = figure.points[:, skeleton.INDEX["left_ankle"]] - figure.points[:, skeleton.INDEX["left_hip"]]
    other = mirrored.points[:, skeleton.INDEX["right_ankle"]] - mirrored.points[:, skeleton.INDEX["right_hip"]]
    assert np.abs(swing - other).max() < 0.05
    assert figure.points[0, LEFT_WRIST, 0] > figure.points[0, RIGHT_WRIST, 0]


def test_a_figure_fits_the_box_that_it_names() -> None:
    figure = moving_figure.prepare(stride())
    half, low, high = figure.box
    assert np.abs(figure.points[..., 0]).max() <= half
    assert low <= figure.points[..., 1].min()
    assert 1.6 < high < 2.0


def test_the_telling_frame_is_the_one_unlike_the_others() -> None:
    motion = stride(frames=30)
    motion.positions[20, [LEFT_WRIST, RIGHT_WRIST], 2] += 0.8
    assert moving_figure.prepare(motion).telling == 20


def test_joints_that_are_missing_leave_their_strokes_out_and_bridge_the_others() -> None:
    whole, partly = (
        moving_figure.prepare(stride(missing=missing)) for missing in ((), ("left_wrist", "spine1", "spine2"))
    )
    assert whole.shown.all()
    assert partly.shown.sum() == moving_figure.STROKE_COUNT - 3
    assert np.isfinite(partly.points).all()
    assert np.abs(partly.points).max() < 3.0


def test_a_limb_that_is_nearer_is_painted_later_with_its_edge_before_it() -> None:
    figure = moving_figure.prepare(stride())
    painted = drawn(figure, edge=1.5)
    assert len(painted.ends) == 2 * moving_figure.STROKE_COUNT
    assert painted.edge.sum() == moving_figure.STROKE_COUNT
    arms = [np.flatnonzero((painted.side == side) & ~painted.edge).mean() for side in (1, 2)]
    depth = [figure.points[figure.telling, wrist, 2] for wrist in (LEFT_WRIST, RIGHT_WRIST)]
    assert (arms[0] > arms[1]) == (depth[0] > depth[1])
    assert painted.edge[0]


def test_sixty_figures_become_strokes_in_a_few_milliseconds() -> None:
    figure = moving_figure.prepare(stride())
    points = np.repeat(figure.points[:1], 60, axis=0)
    shown, scale = np.ones((60, moving_figure.STROKE_COUNT), dtype=bool), np.full(60, 50.0, dtype=np.float32)
    spent = []
    for _ in range(20):
        start = time.process_time()
        moving_figure.strokes(points, shown, scale, 1.5)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.004
