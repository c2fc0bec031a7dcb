# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's switch of add-ons, as much of it as the tests use."""

from typing import Any

def enable(module_name: str, *, default_set: bool = False) -> Any: ...
def disable(module_name: str, *, default_set: bool = False) -> None: ...
