# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text of the add-on that Blender shows has a translation in each language, with the same blanks to fill in."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ADDON = Path(__file__).resolve().parent.parent / "blender_addon"
LANGUAGES = sorted(path.stem for path in (ADDON / "translations").glob("*.json"))
_SHOWN = ("name", "description", "text", "heading", "placeholder")


def texts() -> set[str]:
    """Labels, tooltips and what panels write, as they stand in the add-on's source."""
    found: set[str] = set()
    for path in ADDON.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found.update(_of(node))
    return {text for text in found if re.search(r"[A-Za-z]{2}", text)}


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.ClassDef) and node.name.startswith("HUMS_"):
        yield from _of_class(node)
    elif isinstance(node, ast.Tuple) and 3 <= len(node.elts) <= 5:  # an item of an enumeration
        key, *words = node.elts[:3]
        is_key = isinstance(key, ast.Name) or re.fullmatch(r"[A-Za-z_]+", str(_constant(key) or ""))
        label, tip = (text if isinstance(text, str) else "" for text in map(_constant, words))
        if is_key and label and re.fullmatch(r"[A-Z][a-z ].*", tip):
            yield from (label, tip)


def _of_call(call: ast.Call) -> Iterator[str]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function in ("iface", "pgettext_iface", "pgettext_tip") and call.args:
        yield from _known(call.args[0])
    untold = any(word.arg == "translate" and _constant(word.value) is False for word in call.keywords)
    if function.endswith("Property") or (function in ("operator", "label", "prop", "menu", "column") and not untold):
        for word in call.keywords:
            if word.arg in _SHOWN:
                yield from _known(word.value)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "bl_label":
            yield from _known(statement.value)
    if node.name.startswith("HUMS_OT_"):
        yield ast.get_docstring(node) or ""


def _known(node: ast.expr) -> Iterator[str]:
    text = _constant(node)
    if isinstance(text, str):
        yield text


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def translations(language: str) -> dict[str, str]:
    return json.loads((ADDON / "translations" / f"{language}.json").read_text(encoding="utf-8"))


def test_the_texts_are_found() -> None:
    assert {"Find Similar", "Stretches of longer motions in which this happens", "{count} files missing"} <= texts()
    assert LANGUAGES == ["de", "ja", "zh"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_a_translation_and_none_is_left_over(language: str) -> None:
    known, wanted = set(translations(language)), texts()
    assert sorted(wanted - known) == []
    assert sorted(known - wanted) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_blanks_to_fill_in(language: str) -> None:
    wrong = {
        text: translated
        for text, translated in translations(language).items()
        if sorted(re.findall(r"{[^}]*}", text)) != sorted(re.findall(r"{[^}]*}", translated)) or not translated.strip()
    }
    assert wrong == {}
