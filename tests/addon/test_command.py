# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command hums``: the function that Blender calls for it (the bpy module itself never does)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.addon.conftest import Blender
from tests.addon.zip_for_tests import ROOT


def test_the_command_indexes_searches_and_tells_in_json(blender: Blender, tmp_path: Path) -> None:
    library, walk = str(tmp_path / "farm.hums"), str(ROOT / "samples" / "walk_07_04.bvh")
    facts = blender.run(
        "command",
        arguments=[
            ["index", library, str(ROOT / "samples"), "--json"],
            ["search", library, walk, "-k", "3", "--json"],
            ["info", library, "--json"],
            ["search", str(tmp_path / "nothing.hums"), walk],
        ],
    )
    index, search, info, missing = facts["answers"]
    assert [answer["code"] for answer in facts["answers"]] == [0, 0, 0, 2]
    assert json.loads(index["out"])["added"] == 49
    assert json.loads(info["out"])["clips"] == 49
    assert "walk_07_04" in search["out"]
    assert json.loads(search["out"])
    assert missing["out"] == ""
