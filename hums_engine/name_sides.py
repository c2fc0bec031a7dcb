# SPDX-License-Identifier: GPL-3.0-or-later
"""The side, left or right, that a bone's name speaks of, in the languages that riggers write."""

from __future__ import annotations

import re
from typing import Final

LEFT: Final = 1
RIGHT: Final = -1

_LEFT_WORDS: Final = {
    "l", "left", "lft", "links", "gauche", "izquierda", "izquierdo", "izq", "sinistra", "sinistro", "sx", "esquerda",
}  # fmt: skip
_RIGHT_WORDS: Final = {
    "r", "right", "rgt", "rechts", "droite", "droit", "derecha", "derecho", "der", "destra", "destro", "dx", "direita",
}  # fmt: skip
_SIGNS: Final = (("左", LEFT), ("右", RIGHT), ("왼", LEFT), ("오른", RIGHT), ("лев", LEFT), ("прав", RIGHT))
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN: Final = re.compile(r"[\W_\d]+")


def side_of(name: str) -> int:
    """The side of a name such as "Hand.L", "lHand", "左手": `LEFT`, `RIGHT`, or 0 where it does not say."""
    folded = name.casefold()
    for sign, side in _SIGNS:
        if sign in folded:
            return side
    words = set(_BETWEEN.split(_CAMEL.sub(" ", name).casefold()))
    left, right = bool(words & _LEFT_WORDS), bool(words & _RIGHT_WORDS)
    return LEFT * left + RIGHT * right
