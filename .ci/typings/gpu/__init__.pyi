# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's drawing on the graphics card, as much of it as the add-on uses."""

from typing import Any

from . import types as types

shader: Any
state: Any
