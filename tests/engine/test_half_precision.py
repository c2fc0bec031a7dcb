# SPDX-License-Identifier: GPL-3.0-or-later
"""Half precision: every number that is stored comes back as it was stored."""

from __future__ import annotations

import numpy as np

from hums_engine.half_precision import single


def test_all_finite_halves_keep_their_value() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    np.testing.assert_array_equal(single(halves), halves.astype(np.float32))


def test_rows_are_converted_where_they_are_wanted() -> None:
    halves = np.linspace(-3.0, 3.0, 24).astype(np.float16).reshape(4, 6)
    out = np.empty((4, 6), dtype=np.float32)
    assert single(halves, out) is out
    np.testing.assert_array_equal(out, halves.astype(np.float32))
