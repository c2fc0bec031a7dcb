# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text that the add-on shows or tells has a translation in each language, with the same blanks to fill in."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ADDON = Path(__file__).resolve().parent.parent / "blender_addon"
LANGUAGES = sorted(path.stem for path in (ADDON / "translations").glob("*.json"))
_LOOK_UPS = ("iface", "tip", "rpt", "n_")
"""What modules call Blender's ``pgettext_iface``, ``pgettext_tip``, ``pgettext_rpt`` and ``pgettext_n``."""
_TELLING = ("report", "poll_message_set", "status_text_set", "draw_words")
_SENTENCES = r"(^|_)(refusal|told|shared|promise|summary|outcome)$"
"""How functions are named that return a sentence, or a part of one."""
ENGINE = (
    *(
        "append_file",
        "bone_tree",
        "canonical",
        "hnsw_index",
        "joint_store",
        "library",
        "mapping",
        "normalize",
        "own_maps",
    ),
    *("reading", "relinking", "rig_families", "sealed_database", "shape_mapping", "signature_store", "writer"),
    *("writer_lock", "formats/__init__", "formats/files", "formats/bvh"),
)
"""The engine's modules whose errors are translated: not those of rarer formats, nor of what only scripts do wrong."""
PARTS = {
    "Choose a human figure's rig instead of '{0}': {1}",
    "it has no two limbs that are alike",
    "it has one pair of limbs, not legs and arms",
    "no pair of legs goes on from its trunk, as in an animal on four legs",
    "its limbs are not built like legs and arms",
}
"""What errors are put together from."""
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
    if function.removeprefix("pgettext_") in _LOOK_UPS and call.args:
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


def sentences_of_errors() -> set[str]:
    """What errors of the add-on say, and those of the engine that a person meets in Blender; blanks are numbered."""
    of_addon = (path for path in ADDON.rglob("*.py") if path.name != "apply_command.py")  # for a terminal
    of_engine = (ADDON.parent / "hums_engine" / f"{name}.py" for name in ENGINE)
    return {text for path in (*of_addon, *of_engine) for text in _sentences(path)}


def _sentences(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            told.update(node.values)
        if isinstance(node, ast.JoinedStr | ast.Constant) and node not in told:
            text = _template(node)
            if re.match(r"\w|'|{", text) and text.endswith(".") and len(re.findall(r"\w+", text)) > 3:
                yield text


def _template(node: ast.JoinedStr | ast.Constant) -> str:
    """A text with numbered blanks."""
    pieces = node.values if isinstance(node, ast.JoinedStr) else [node]
    blank = itertools.count()
    return "".join(str(piece.value) if isinstance(piece, ast.Constant) else f"{{{next(blank)}}}" for piece in pieces)


def told_in_english() -> Iterator[str]:
    """Sentences that are told, or that say why a button is grey, without being looked up in the translations."""
    for path in ADDON.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for value in _told(node):
                if any(_is_sentence(part) for part in _unwrapped(value)):
                    yield f"{path.relative_to(ADDON)}:{value.lineno}: {ast.unparse(value)}"


def _told(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TELLING:
        yield from node.args
    elif isinstance(node, ast.FunctionDef) and re.search(
        r"(^|_)(refusal|told|shared|promise|summary|outcome)$", node.name
    ):
        for part in ast.walk(node):
            if isinstance(part, ast.Return | ast.Assign | ast.AugAssign) and part.value is not None:
                yield part.value


def _unwrapped(value: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression outside of any call, such as both branches of a condition."""
    yield value
    if not isinstance(value, ast.Call | ast.JoinedStr):
        for part in ast.iter_child_nodes(value):
            if isinstance(part, ast.expr):
                yield from _unwrapped(part)


def _is_sentence(part: ast.expr) -> bool:
    """Whether it has words: two of them, with or without blanks to fill in."""
    pieces = part.values if isinstance(part, ast.JoinedStr) else [part]
    text = "".join(str(_constant(piece) or "x") for piece in pieces)
    has_letters = any(re.search(r"[A-Za-z]{2}", str(_constant(piece) or "")) for piece in pieces)
    return has_letters and len(re.findall(r"\w+", text)) > 1


def translations(language: str) -> dict[str, str]:
    return json.loads((ADDON / "translations" / f"{language}.json").read_text(encoding="utf-8"))


def test_the_texts_are_found() -> None:
    assert {"Find Similar", "Stretches of longer motions in which this happens", "{count} files missing"} <= texts()
    assert {"Add a motion library first", "Apply to {rig}", "The report is on the clipboard"} <= texts()
    assert LANGUAGES == ["de", "ja", "zh"]


def test_no_sentence_is_told_in_english_only() -> None:
    assert list(told_in_english()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_a_translation_and_none_is_left_over(language: str) -> None:
    known, wanted = set(translations(language)), texts() | sentences_of_errors() | PARTS
    assert sorted(wanted - known) == []
    assert sorted(known - wanted) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_blanks_to_fill_in(language: str) -> None:
    wrong = {
        text: translated
        for text, translated in translations(language).items()
        if set(re.findall(r"{[^}]*}", text)) != set(re.findall(r"{[^}]*}", translated)) or not translated.strip()
    }
    assert wrong == {}
