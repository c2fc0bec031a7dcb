# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one function of a module of scenarios in Blender, with the extension enabled, and writes down what it returned.

Called as ``run_scenario.py NAME ARGUMENTS ANSWER``: keyword arguments as JSON, and the file for the answer. The
extension is disabled at the end. The process then ends at once: Blender's module of 4.5 may hang while it cleans up.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

sys.path[0] = str(Path(__file__).parent)

import bpy  # noqa: E402
import control_rig_scenarios  # noqa: E402
import landing_scenarios  # noqa: E402
import scenarios  # noqa: E402
import search_scenarios  # noqa: E402
import viewport_scenarios  # noqa: E402

MODULES = (scenarios, control_rig_scenarios, landing_scenarios, search_scenarios, viewport_scenarios)
PACKAGE = "bl_ext.user_default.deephums"


def main(name: str, arguments: str, answer: str) -> None:
    """Runs the scenario."""
    import addon_utils  # Blender's own, there once bpy is loaded

    bpy.ops.wm.read_factory_settings(use_empty=True)
    if name != "install":
        assert addon_utils.enable(PACKAGE, default_set=True) is not None, "the extension cannot be enabled"
    scenario = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    facts = scenario(**json.loads(arguments))
    addon_utils.disable(PACKAGE, default_set=True)
    Path(answer).write_text(json.dumps(facts, default=str), "utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if Path(sys.argv[3]).exists() else 1)
