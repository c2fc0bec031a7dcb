# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a map shows which joints were found, and which one a person looks at."""

from __future__ import annotations

import numpy as np

from hums_engine import map_picture
from hums_engine.skeleton import INDEX, JOINT_COUNT

ALL = np.ones(JOINT_COUNT, dtype=bool)


def test_a_found_joint_is_a_filled_dot_and_a_missing_one_hollow() -> None:
    found = map_picture.draw(ALL)
    missing = ALL.copy()
    missing[INDEX["left_wrist"]] = False
    lacking = map_picture.draw(missing)
    changed = np.argwhere(np.abs(found - lacking).max(axis=-1) > 0.5)
    rows, columns = changed.mean(axis=0) / len(found)
    assert columns > 0.75, "left is at the viewer's right"
    assert 0.4 < rows < 0.6, "the first row is the lowest"
    assert lacking[..., 3].sum() < found[..., 3].sum()


def test_the_chosen_joint_stands_out() -> None:
    assert map_picture.draw(ALL, "head")[..., 3].sum() > map_picture.draw(ALL)[..., 3].sum() + 20


def test_nothing_is_drawn_in_the_corners_so_that_it_stands_on_any_ground() -> None:
    picture = map_picture.draw(ALL, size=64)
    assert picture.shape == (64, 64, 4)
    assert picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].max() == 0.0
    assert picture.min() >= 0.0
    assert picture.max() <= 1.0
