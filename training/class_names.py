# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of classes for people, where a corpus files its motions under numbers."""

from __future__ import annotations

import re

from .data import Take

MHAD_ACTIONS = {
    "a01": "jump in place", "a02": "jumping jacks", "a03": "bend", "a04": "punch", "a05": "wave both hands",
    "a06": "wave right hand", "a07": "clap", "a08": "throw", "a09": "sit down, stand up", "a10": "sit down",
    "a11": "stand up",
}  # fmt: skip
"""Berkeley MHAD's actions, as its authors number them."""


def class_name(take: Take) -> str:
    """``kick l front`` for ``HDM_bd_kickLFront1Reps_001_120`` in the folder 6; the label itself where it has words."""
    if take.corpus == "mhad":
        return MHAD_ACTIONS.get(take.label, take.label)
    parts = take.motion.name.split("_")
    if not take.label.isdecimal() or len(parts) < 3:
        return take.label
    action = re.split(r"\d", parts[2], maxsplit=1)[0]
    words: list[str] = re.findall(r"[A-Z]?[a-z]+|[A-Z]", action)
    return " ".join(words).lower() or take.label
