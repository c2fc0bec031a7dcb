# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers in text are read as Python reads them, however they are written."""

from __future__ import annotations

import math
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hums_engine.formats import numbers

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.one_of(
    FINITE.map(repr),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.6f}"),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:+.3e}"),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.3E}"),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        ["0", "-0", "+.5", "-.5", "5.", "00012.50", "1e5", "1E-5", "-1.5e+10", "1e308", "1e-400", "nan", "-inf"]
    ),
)
BLANKS = st.sampled_from([" ", "\n", "\t", "\r\n", "   ", " \n\n\t "])


@settings(max_examples=500, deadline=None)
@given(words=st.lists(WORDS, max_size=40), blank=BLANKS, edge=BLANKS)
def test_each_word_is_read_as_python_reads_it(words: list[str], blank: str, edge: str) -> None:
    found = numbers.parse((edge + blank.join(words) + edge).encode())
    truth = np.array([float(word) for word in words])
    with np.errstate(invalid="ignore"):
        close = np.isclose(found, truth, rtol=1e-15, atol=0.0, equal_nan=True) | (np.abs(truth) < 1e-290)
    assert found.shape == truth.shape and close.all()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=40), st.integers(0, 12))
def test_numbers_of_fifteen_digits_are_read_exactly(digits: list[int], decimals: int) -> None:
    words = [f"{abs(number):0{decimals + 1}d}" for number in digits]
    words = [
        ("-" if n < 0 else "") + f"{w[: len(w) - decimals]}.{w[len(w) - decimals :]}"
        for n, w in zip(digits, words, strict=True)
    ]
    assert numbers.parse(" ".join(words).encode()).tolist() == [float(word) for word in words]


def test_text_longer_than_a_piece_is_read_whole_and_in_order() -> None:
    truth = np.arange(400_000) / 8
    text = " ".join(f"{number:.3f}" for number in truth).encode()
    assert len(text) > 10 * numbers._CHUNK_BYTES
    np.testing.assert_array_equal(numbers.parse(text), truth)
    with_exponents = text.replace(b".125 ", b"125e-3 ")
    np.testing.assert_allclose(numbers.parse(with_exponents)[::4], numbers.parse(text)[::4])


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("0.00-164.35 1", [0.0, -164.35, 1.0]),
        ("1,5 -2,25", [1.5, -2.25]),
        ("-1.#IND00 1.#QNAN 1.#INF", [math.nan] * 3),
        ("1\x002\x1a", [1.0, 2.0]),
        ("12345678901234567890.5 1", [12345678901234567890.5, 1.0]),
        ("", []),
        (" \n\t\0", []),
    ],
)
def test_what_odd_exporters_write_is_understood(text: str, truth: list[float]) -> None:
    np.testing.assert_array_equal(numbers.parse(text.encode()), truth)


NO_NUMBERS = ["1.2.3", "--5", "5e", "e5", "5e3.2", "1e5e3", "1x", "x", "-", ".", "-.", "1/2", "(5)", "9" * 2000]


@pytest.mark.parametrize("word", NO_NUMBERS)
@pytest.mark.parametrize("place", ["{}", "1 {} 2.5", "1.5 2e3 {}", "-{}"])
def test_a_word_that_is_no_number_is_named(word: str, place: str) -> None:
    with pytest.raises(ValueError) as caught:
        numbers.parse(place.format(word).encode())
    assert str(caught.value) in place.format(word)
    assert 0 < len(str(caught.value)) <= 20


@pytest.mark.parametrize(
    "text", [b"1" * 30_000_000, b"1" * 30_000_000 + b"#", b"-" * 30_000_000, b"1-" * 5_000_000 + b"x"]
)
def test_a_word_of_millions_of_characters_is_refused_at_once(text: bytes) -> None:
    start = time.process_time()
    with pytest.raises(ValueError):
        numbers.parse(text)
    assert time.process_time() - start < 20  # some ways of looking at it would take days


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text("0123456789.eE+-,# \n", max_size=60).map(str.encode)))
def test_any_bytes_give_numbers_or_a_value_error(text: bytes) -> None:
    with suppress(ValueError):
        assert numbers.parse(text).dtype == np.float64


@settings(max_examples=500, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=40), blank=BLANKS, place=st.integers(0), sign=st.integers(0, 255))
def test_what_counts_as_plain_without_being_read_is_read_as_as_many_numbers(
    words: list[str], blank: str, place: int, sign: int
) -> None:
    text = bytearray(blank.join(words).encode())
    text[place % len(text)] = sign  # damage, or another number
    try:
        values = numbers.parse(bytes(text))
    except ValueError:
        values = np.full(1, np.nan)
    sound = bool((np.abs(values) < 1e9).all())
    assert not numbers.are_plain(bytes(text), len(words)) or (sound and len(values) == len(words))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.floats(-1e8, 1e8), min_size=1, max_size=40), st.sampled_from([".6f", ".0f", ".3e", "g", "r"]), BLANKS
)
def test_what_exporters_write_counts_as_plain_without_being_read(values: list[float], style: str, blank: str) -> None:
    words = [repr(value) if style == "r" else f"{value:{style}}" for value in values]
    plain = [word for word in words if "e+" not in word]
    assert numbers.are_plain((blank + blank.join(plain)).encode(), len(plain))
    assert not numbers.are_plain((blank + blank.join(plain)).encode(), len(plain) + 1)


@pytest.mark.parametrize(
    "word", ["1.2.3", "-", ".", "-.", "1-2", "--1", "5e", "e-5", "1e-5.2", "1e-5e-3", "x", "nan", "9" * 10]
)
def test_what_is_no_plain_number_does_not_count_as_one(word: str) -> None:
    assert not numbers.are_plain(f"0.5 {word} 1e-5 12".encode(), 4)
