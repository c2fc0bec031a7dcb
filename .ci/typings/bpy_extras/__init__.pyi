# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that come with Blender, as many of them as the project uses."""

from . import view3d_utils as view3d_utils
