# SPDX-License-Identifier: GPL-3.0-or-later
"""Query: the motions that a search asks with, what it wants to be unlike, and the vectors that seek candidates.

Several examples stand for what they have in common: their signatures are averaged, and a hit is aligned with
the example that it is nearest to, since two performances of one action need not be aligned with each other. What the
hits must not be like is subtracted from the vectors that seek (Rocchio, "Relevance Feedback in Information Retrieval",
1971), so that the candidates are not all of the unwanted kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import dtw
from .canonical import CanonicalMotion
from .errors import LibraryError
from .moments import LONG_S, pieces
from .normalize import NormalizedMotion, normalize
from .skeleton import INDEX
from .vector_index import Vectors, unit

_HIPS: Final = ("pelvis", "left_hip", "right_hip")
_AWAY: Final = 0.5
"""Share of the unwanted signature that is taken off the wanted one."""


@dataclass(frozen=True, eq=False)
class Example:
    """A motion as it is compared: whole, and in pieces of a length that moments have, itself if it is short."""

    whole: NormalizedMotion
    pieces: list[NormalizedMotion]

    @cached_property
    def frames(self) -> dtw.Frames:
        """What is aligned of it."""
        return dtw.frames(self.whole)

    @classmethod
    def of(cls, motion: CanonicalMotion, joints: NDArray[np.bool_] | None = None) -> Example:
        """A motion to be found, by those of its joints that ``joints`` ``[22]`` says; None for all."""
        whole = _by(joints, normalize(motion))
        if motion.duration_s <= LONG_S:
            return cls(whole, [whole])
        cuts = (motion.cut(start, end) for start, end in pieces(0.0, motion.duration_s))
        return cls(whole, [_by(joints, normalize(cut)) for cut in cuts])

    def mirror_image(self) -> Example:
        """The same with left and right exchanged."""
        return Example(self.whole.mirror_image(), [piece.mirror_image() for piece in self.pieces])


class Query(NamedTuple):
    """Motions to be like, and motions to be unlike; in its mirror image all of them are mirrored."""

    like: list[Example]
    unlike: list[Example]
    mirrored: bool = False

    @classmethod
    def of(
        cls,
        like: Sequence[CanonicalMotion],
        unlike: Sequence[CanonicalMotion] = (),
        joints: Collection[str] | None = None,
    ) -> Query:
        """What to be like, and what not, by the canonical joints of these names or by all.

        Raises:
            LibraryError: there is no joint of a name.
            MappingError: a motion has neither hips nor pelvis.
        """
        chosen = None if joints is None else _chosen(joints)
        return cls([Example.of(motion, chosen) for motion in like], [Example.of(motion, chosen) for motion in unlike])

    def mirror_image(self) -> Query:
        """The same question, asked with left and right exchanged."""
        return Query([one.mirror_image() for one in self.like], [one.mirror_image() for one in self.unlike], True)


def _chosen(joints: Collection[str]) -> NDArray[np.bool_]:
    """Which joints ``[22]`` these names are, and the hips, which say where a body is."""
    unknown = sorted(set(joints) - set(INDEX))
    if unknown or not joints:
        told = f"is no joint '{unknown[0]}'" if unknown else "are no joints to compare"
        raise LibraryError(f"There {told}; name some of: {', '.join(INDEX)}.")
    chosen = np.zeros(len(INDEX), dtype=np.bool_)
    chosen[[INDEX[name] for name in (*joints, *_HIPS)]] = True
    return chosen


def _by(joints: NDArray[np.bool_] | None, motion: NormalizedMotion) -> NormalizedMotion:
    """The motion with the other joints unseen; they have told its size, place and heading by now."""
    if joints is None:
        return motion
    valid = motion.valid & joints
    return NormalizedMotion(np.where(valid[:, None], motion.joints, np.float32(0.0)), valid)


class SignedQuery(NamedTuple):
    """A query with its signatures.

    Attributes:
        query: what is asked.
        like: ``[1, D]`` the mean direction of the examples.
        unlike: ``[U, D]`` each of the motions to be unlike.
        seek: ``[1, D]`` what to look for among the signatures of clips.
        seek_pieces: ``[P, D]`` what to look for among those of moments.
    """

    query: Query
    like: Vectors
    unlike: Vectors
    seek: Vectors
    seek_pieces: Vectors

    @classmethod
    def of(cls, query: Query, encode: Callable[[list[NormalizedMotion]], Vectors]) -> SignedQuery:
        """Signs all motions of a query in one batch; a short example is its own only piece."""
        wholes = [one.whole for one in (*query.like, *query.unlike)]
        pieces = [piece for one in query.like for piece in one.pieces if piece is not one.whole]
        vectors = encode(wholes + pieces)
        examples, unlike = vectors[: len(query.like)], vectors[len(query.like) : len(wholes)]
        short = np.array([one.pieces[0] is one.whole for one in query.like])
        like = unit(examples.mean(axis=0, keepdims=True))
        away = _AWAY * unlike.mean(axis=0) if len(unlike) else 0.0
        sought = np.concatenate([examples[short], vectors[len(wholes) :]])
        return cls(query, like, unlike, unit(like - away), unit(sought - away))
