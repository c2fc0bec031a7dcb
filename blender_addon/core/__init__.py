# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on does, apart from its buttons: arrays out of Blender, keys into it, libraries and jobs."""
