# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for the stubs that name what operators return."""
