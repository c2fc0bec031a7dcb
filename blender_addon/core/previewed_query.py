# SPDX-License-Identifier: GPL-3.0-or-later
"""What was searched for last: its motion, and the frames of the scene that it was taken from."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import canonical, moving_figure


@dataclass(frozen=True, eq=False)
class PreviewedQuery:
    """A motion that was searched for.

    Attributes:
        motion: on the canonical skeleton.
        figure: the same, ready to be drawn.
        first: frame of the scene at which it starts.
        last: frame at which it ends.
    """

    motion: canonical.CanonicalMotion
    figure: moving_figure.MovingFigure
    first: int
    last: int


_last: list[PreviewedQuery] = []


def remember(asked: canonical.CanonicalMotion, first: int, last: int) -> None:
    """Keeps what is searched for, so that it can be shown beside what is found."""
    _last[:] = [PreviewedQuery(asked, moving_figure.prepare(asked), first, last)]


def last() -> PreviewedQuery | None:
    """What was searched for last, or None."""
    return _last[0] if _last else None


def forget() -> None:
    """Lets go of it."""
    _last.clear()
