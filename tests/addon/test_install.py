# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension comes and goes cleanly."""

from __future__ import annotations

from tests.addon.conftest import Blender


def test_the_packages_that_are_used_are_those_of_the_zip(blender: Blender) -> None:
    for place in blender.run("where_packages_are_from").values():
        assert place.startswith(str(blender.resources / "extensions")), place


def test_disabling_leaves_nothing_behind_and_enabling_brings_it_back(blender: Blender) -> None:
    facts = blender.run("disable")
    assert "find_similar" in facts["before"]["operators"]
    assert facts["before"]["session"]
    assert facts["after"] == {"operators": [], "types": [], "session": False, "handlers": []}
    assert facts["again"] == facts["before"]


def test_a_zip_for_another_python_says_so_and_does_not_break_blender(blender: Blender) -> None:
    facts = blender.run("without_onnxruntime")
    assert "This zip holds no onnxruntime for Python 3." in facts["panel"]
    assert facts["panel"] in facts["told"]
