# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to libraries and their answers: by motions or by name, in one library or in several together.

Nothing here touches Blender's data, so a question may be answered in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import bpy

from . import libraries
from .engine import canonical, errors, library
from .provenance import NOWHERE, Provenance

iface = bpy.app.translations.pgettext_iface

_SAME_SCORE = 99.5


@dataclass(frozen=True)
class Example:
    """A motion to search with, read when it is needed.

    Attributes:
        name: what the panel calls it: a rig, a clip or a file.
        read: gives the motion; may raise a `HumsError`.
        origin: where the motion came from.
        frames: first and last frame of the scene that it was read from, if it was.
    """

    name: str
    read: Callable[[], canonical.CanonicalMotion]
    origin: Provenance = NOWHERE
    frames: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """Such as ``Hero, frames 1 to 30``, in the interface's language."""
        if self.frames is None:
            return self.name
        first, last = self.frames
        return iface("{rig}, frames {first} to {last}").format(rig=self.name, first=first, last=last)

    @cached_property
    def motion(self) -> canonical.CanonicalMotion:
        """The motion, read once."""
        return self.read()


@dataclass(frozen=True)
class Subject:
    """What is looked for: motions to be like, motions to be unlike, and the joints by which; none to look by name."""

    like: tuple[Example, ...] = ()
    unlike: tuple[Example, ...] = ()
    joints: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """Such as ``Hero, frames 1 to 30; not like run_09_01``."""
        text = " + ".join(example.text for example in self.like)
        if self.unlike:
            names = ", ".join(example.text for example in self.unlike)
            text += iface("; not like {names}").format(names=names)
        return text

    def also(self, example: Example) -> Subject:
        """With one more example to be like."""
        return replace(self, like=(*self.like, example))

    def but_not(self, example: Example) -> Subject:
        """With one more example to be unlike."""
        return replace(self, unlike=(*self.unlike, example))


@dataclass(frozen=True)
class Terms:
    """Where and how to look.

    Attributes:
        libraries: folders of the libraries.
        count: how many motions at most.
        scope: whole clips, or moments.
        mirror: also like the motion's mirror image.
        where: the engine's filters.
    """

    libraries: tuple[Path, ...]
    count: int = 20
    scope: Literal["clips", "moments"] = "clips"
    mirror: bool = False
    where: Mapping[str, Any] = field(default_factory=dict)


class Found(NamedTuple):
    """A motion of a library; ``scored`` when it was compared, ``own`` when the question came from it."""

    library: Path
    hit: library.Hit
    scored: bool
    own: bool


@dataclass(frozen=True)
class Answer:
    """What was found, best first.

    Attributes:
        subject: what was looked for.
        found: the motions.
        trouble: one sentence for each library that could not be searched.
        seconds: how long it took.
    """

    subject: Subject
    found: tuple[Found, ...]
    trouble: tuple[str, ...]
    seconds: float


NO_ANSWER = Answer(Subject(), (), (), 0.0)
"""While nothing was asked."""


def answer(subject: Subject, terms: Terms) -> Answer:
    """Looks in all libraries and puts what they hold in one order.

    Raises:
        HumsError: nothing can be asked with the subject, or no library can be searched.
    """
    began = time.perf_counter()
    for example in (*subject.like, *subject.unlike):
        _ = example.motion  # what is wrong with it is said once, not for each library
    found: list[Found] = []
    trouble: list[errors.HumsError] = []
    for folder in terms.libraries:
        try:
            found += _in_one(folder, subject, terms)
        except errors.HumsError as error:
            trouble.append(error)
    if trouble and len(trouble) == len(terms.libraries):
        raise trouble[0]
    if subject.like:
        found.sort(key=lambda one: -one.hit.score)
    else:
        found.sort(key=lambda one: one.hit.name.casefold())
    told = tuple(str(error) for error in trouble)
    return Answer(subject, tuple(found[: terms.count]), told, time.perf_counter() - began)


def _in_one(folder: Path, subject: Subject, terms: Terms) -> list[Found]:
    opened = libraries.open_library(folder)
    if not subject.like:
        return [Found(folder, _named(clip), False, False) for clip in opened.clips(terms.where, limit=terms.count)]
    hits = opened.search(
        [example.motion for example in subject.like],
        terms.count,
        terms.scope,
        terms.where or None,
        mirror=terms.mirror,
        unlike=[example.motion for example in subject.unlike],
        joints=subject.joints,
    )
    return [Found(folder, hit, True, _is_own(hit, subject.like)) for hit in hits]


def _named(clip: library.Clip) -> library.Hit:
    """A clip that was found by its name, whole."""
    return library.Hit(
        clip_id=clip.id,
        name=clip.name,
        source=clip.source,
        score=0.0,
        start_s=0.0,
        end_s=clip.duration_s,
        duration_s=clip.duration_s,
        mirrored=False,
        tags=clip.tags,
        favourite=clip.favourite,
    )


def _is_own(hit: library.Hit, examples: Sequence[Example]) -> bool:
    """Whether a hit is the motion that one of the examples came from: the same take of the same file."""
    return any(_is_from(example.origin.source, hit) for example in examples if example.origin.name == hit.name)


def _is_from(source: str, hit: library.Hit) -> bool:
    """Whether a hit is of a file or the same motion; where one of the two files is not there, their names tell."""
    with suppress(OSError):  # moved, or of another computer
        if source and not Path(source).samefile(hit.source):
            return hit.score > _SAME_SCORE
    return Path(source).name == Path(hit.source).name or hit.score > _SAME_SCORE
