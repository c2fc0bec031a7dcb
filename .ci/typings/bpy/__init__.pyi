# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of Blender's module as the add-on uses: pyright's view of what Blender makes at run time."""

from typing import Any

from . import props as props
from . import types as types

app: Any
context: types.Context
data: Any
ops: Any
path: Any
utils: Any
