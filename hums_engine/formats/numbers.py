# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of decimal numbers to an array, fast: whole numbers shifted by powers of ten.

Motion files are nearly all digits, so reading them is parsing floats, and numpy parses whole numbers six
times as fast as floats. ``-12.34`` is therefore read as -1234 with two decimals and divided by 10**2: for up to
15 digits that is the correctly rounded value, for up to 18 it is within a unit in the last place. Text that does not
fit the pattern (NaN, 20 digits, columns that touch) goes to numpy's slower parser of floats.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 1 << 16  # arrays of this size stay in the processor's cache and are not fetched from the system anew
_LONGEST = 18  # digits that int64 always holds
_ABSURD = 1000  # characters of one number, beyond which reading it takes for ever
_POWERS = 10.0 ** np.arange(300)
_BLANKS = bytes(range(33))
_BLANK = re.compile(rb"[\x00-\x20]")
_PLAIN = _BLANKS + b"0123456789.-+e"
_E_TO_SPACE = bytes.maketrans(b"e", b" ")
_BLANKS_TO_SPACE = bytes.maketrans(_BLANKS, b" " * len(_BLANKS))
# What the C library of old Windows programs prints for NaN and infinity, such as "-1.#IND00".
_WINDOWS_NAN = re.compile(rb"[-+]?\d*\.#[A-Za-z0-9]+")
# Columns of fixed width touch where a negative number fills its own, as in "0.00-164.35".
_TOUCHING = re.compile(rb"(?<=[0-9.])(?=-)")


def parse(text: bytes) -> NDArray[np.float64]:
    """All numbers of ``text``, apart by blanks, line ends or other control characters.

    Args:
        text: ASCII decimals; signs, exponents, ``nan``, ``inf`` and decimal commas are understood.

    Returns:
        ``[n]`` float64.

    Raises:
        ValueError: a word is not a number; the text of the error is that word.
    """
    chunks = [_parse_chunk(chunk) for chunk in _chunks(text)]
    return np.concatenate(chunks) if chunks else np.empty(0)


def parse_plain(text: bytes) -> NDArray[np.float64] | None:
    """The same of a text that has nothing but decimals, each a word of its own; None of any other."""
    chunks = []
    for chunk in _chunks(text):
        values = _parse_decimals(chunk)
        if values is None:
            return None
        chunks.append(values)
    return np.concatenate(chunks) if chunks else np.empty(0)


def parse_few(text: str) -> list[float]:
    """The numbers of a short text such as one line, for which arrays do not pay. Errors as of `parse`."""
    return [_number(word) for word in _TOUCHING.sub(b" ", text.encode()).split()]


def are_plain(text: bytes, count: int) -> bool:
    """Whether a text is ``count`` plain decimals below 1e9, found without reading them, in a fifth of the time.

    What is left out of a file is so known to be whole. False also for numbers that `parse` understands but that are
    written otherwise (``1e5``, ``NaN``, 12 digits before the point): those have to be read.
    """
    words = 0
    for chunk in _chunks(text):
        found = _plain_words(chunk)
        if found is None:
            return False
        words += found
    return words == count


def _plain_words(text: bytes) -> int | None:
    """How many plain decimals a text is that ends with a blank, or None where one of its words is none."""
    text = text.replace(b"E", b"e")
    codes = np.frombuffer(b" " + text, dtype=np.uint8)
    blank, digit = codes <= 32, codes - np.uint8(ord("0")) < 10
    point, minus, e = codes == ord("."), codes == ord("-"), codes == ord("e")
    before, after = slice(None, -1), slice(1, None)
    wrong = (
        ~(blank | digit | point | minus | e)[after],
        minus[after] & ~(blank | e)[before],
        minus[before] & ~(digit | point)[after],
        e[before] & ~minus[after],
        e[after] & ~(digit | point)[before],
        point[1:-1] & ~(digit[:-2] | digit[2:]),
        (digit[after] & (blank | minus)[before])[:-9] & _ten_in_a_row(digit[after]) if len(digit) > 10 else point[:0],
    )
    # Of each word's signs, in their order: one point at most, and none after an e, of which there is one.
    signs = text.translate(_BLANKS_TO_SPACE, b"0123456789-")
    if any(map(np.any, wrong)) or any(pair in signs for pair in (b"..", b"e.", b"ee")):
        return None
    return int(np.count_nonzero(blank[before] & ~blank[after]))


def _ten_in_a_row(marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``[n - 9]``: where ten marks of ``[n]`` or more follow on one another."""
    two = marks[:-1] & marks[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    return eight[:-2] & two[8:]


def _chunks(text: bytes) -> Iterator[bytes]:
    """Pieces of ``text`` that end between two words, each closed by a blank."""
    start = 0
    while start < len(text):
        blank = _BLANK.search(text, start + _CHUNK_BYTES)
        stop = blank.start() if blank else len(text)
        yield text[start:stop] + b" "
        start = stop


def _parse_chunk(text: bytes) -> NDArray[np.float64]:
    numbers = _parse_decimals(text)
    return _parse_any(text) if numbers is None else numbers


def _parse_decimals(text: bytes) -> NDArray[np.float64] | None:
    """The fast way, or None when some word is not a plain decimal of at most 18 characters."""
    text = text.replace(b"E", b"e")
    if text.translate(None, _PLAIN):
        return None
    codes = np.frombuffer(text, dtype=np.uint8)
    # The marks: blanks, points and e's. An e ends a word like a blank: its exponent is the next word, whole too.
    marks = np.flatnonzero((codes <= 32) | (codes == ord(".")) | (codes == ord("e")))
    kinds = codes.take(marks)
    is_point = kinds == ord(".")
    is_end = np.diff(marks, prepend=-1) > 1
    is_end[1:] |= is_point[:-1]
    is_end &= ~is_point
    points, e_marks = np.flatnonzero(is_point), np.flatnonzero(kinds == ord("e"))
    ends, next_word = marks.take(np.flatnonzero(is_end)), np.cumsum(is_end)
    exponents = next_word.take(e_marks)
    if _longest_word(text, ends) > _LONGEST or is_point.take(points + 1).any():  # "1.2.3"
        return None
    if not is_end.take(e_marks).all() or (codes.take(marks.take(e_marks) + 1) <= 32).any():  # "e5", "5e 3"
        return None
    whole = _whole_numbers(text.translate(_E_TO_SPACE, b"."))
    if whole is None or len(whole) != len(ends):
        return None
    shift = np.zeros(len(ends), dtype=np.intp)
    shift[next_word.take(points)] = marks.take(points) + 1 - marks.take(points + 1)
    return _shifted(whole, shift, exponents)


def _shifted(
    whole: NDArray[np.int64], shift: NDArray[np.intp], exponents: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """``whole`` times ten to the power of ``shift``; the words ``exponents`` are shifts of the word before them."""
    if not len(exponents):
        return whole / _POWERS.take(-shift)  # exact powers, so this rounds once
    powers = whole.take(exponents)
    out_of_table = np.max(np.abs(powers)) > len(_POWERS) - _LONGEST - 1
    if out_of_table or shift.take(exponents).any() or (np.diff(exponents) == 1).any():  # "5e3.2", "1e5e3"
        return None
    shift[exponents - 1] += powers
    is_number = np.ones(len(whole), dtype=bool)
    is_number[exponents] = False
    kept = np.flatnonzero(is_number)
    whole, shift = whole.take(kept), shift.take(kept)
    return whole / _POWERS.take(np.maximum(-shift, 0)) * _POWERS.take(np.maximum(shift, 0))


def _longest_word(text: bytes, ends: NDArray[np.intp]) -> int:
    """Length of the longest word; exact only where the distances of ``ends`` do not already decide it."""
    with_blanks = int(np.max(np.diff(ends, prepend=-1), initial=0))
    return with_blanks if with_blanks <= _LONGEST else max(map(len, text.split()))


def _parse_any(text: bytes) -> NDArray[np.float64]:
    """The slow way: everything that Python takes for a number, and what odd exporters write."""
    words = text.translate(_BLANKS_TO_SPACE).split()
    longest = max(words, key=len, default=b"")
    if len(longest) > _ABSURD:
        raise ValueError(longest[:20].decode("latin-1"))
    words = _TOUCHING.sub(b" ", b" ".join(words)).split()
    return np.array([_number(word) for word in words], dtype=np.float64)


def _whole_numbers(text: bytes) -> NDArray[np.int64] | None:
    """What numpy makes of ``text``, or None where it stops early (an error in new versions, a warning in old)."""
    if not text.rstrip()[-1:].isdigit():
        return None  # a sign at the very end would pass as a zero
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, dtype=np.int64, sep=" ")
        except (ValueError, DeprecationWarning):
            return None


def _number(word: bytes) -> float:
    try:
        return float(word)
    except ValueError:
        if _WINDOWS_NAN.fullmatch(word):
            return math.nan
        with suppress(ValueError):
            return float(word.replace(b",", b"."))
    raise ValueError(word[:20].decode("latin-1"))
