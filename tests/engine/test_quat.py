# SPDX-License-Identifier: GPL-3.0-or-later
"""Quaternions against rotation matrices, which are their own proof."""

from __future__ import annotations

import numpy as np
import pytest

from hums_engine import quat

RNG = np.random.default_rng(7)
Q = quat.normalize(RNG.normal(size=(200, 4)))
P = quat.normalize(RNG.normal(size=(200, 4)))
V = RNG.normal(size=(200, 3))


def test_a_product_is_the_product_of_the_matrices() -> None:
    np.testing.assert_allclose(quat.to_matrix(quat.mul(P, Q)), quat.to_matrix(P) @ quat.to_matrix(Q), atol=1e-12)


def test_rotating_a_vector_is_multiplying_by_the_matrix() -> None:
    np.testing.assert_allclose(quat.rotate(Q, V), np.einsum("nij,nj->ni", quat.to_matrix(Q), V), atol=1e-12)


def test_a_matrix_gives_back_its_quaternion_also_at_half_turns() -> None:
    half_turns = np.eye(4)[1:]
    every = np.concatenate([Q, half_turns])
    again = quat.from_matrix(quat.to_matrix(every))
    assert quat.angle(again, every).max() < 1e-6


@pytest.mark.parametrize("order", ["XYZ", "ZXY", "ZYX", "YXZ", "X", "ZX", "XYX", ""])
def test_euler_angles_are_turns_listed_from_the_outermost(order: str) -> None:
    angles = RNG.normal(size=(50, len(order)))
    expected = np.tile(np.eye(3), (50, 1, 1))
    for i, letter in enumerate(order):
        c, s = np.cos(angles[:, i]), np.sin(angles[:, i])
        a, b = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[letter]
        m = np.tile(np.eye(3), (50, 1, 1))
        m[:, a, a], m[:, b, b], m[:, a, b], m[:, b, a] = c, c, -s, s
        expected = expected @ m
    np.testing.assert_allclose(quat.to_matrix(quat.from_euler(angles, order)), expected, atol=1e-12)


def test_the_turn_between_two_directions_takes_one_to_the_other_even_when_opposite() -> None:
    a, b = quat.unit(V), quat.unit(RNG.normal(size=V.shape))
    np.testing.assert_allclose(quat.rotate(quat.between(a, b), a), b, atol=1e-9)
    np.testing.assert_allclose(quat.rotate(quat.between(a, -a), a), -a, atol=1e-7)
    assert quat.angle(quat.between(a, np.zeros(3)), quat.IDENTITY).max() == 0


def test_slerp_goes_the_short_way_at_an_even_pace() -> None:
    end = quat.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(1.2))
    for sign in (1.0, -1.0):
        middle = quat.slerp(quat.IDENTITY, sign * end, np.array(0.25))
        assert quat.angle(middle, quat.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(0.3))) < 1e-9


def test_unrolling_removes_every_sign_flip_and_changes_no_rotation() -> None:
    smooth = quat.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.linspace(0, 12, 100))
    flipped = smooth * RNG.choice([-1.0, 1.0], size=(100, 1))
    unrolled = quat.unroll(flipped)
    assert (np.sum(unrolled[1:] * unrolled[:-1], axis=-1) > 0).all()
    assert quat.angle(unrolled, smooth).max() < 1e-6
