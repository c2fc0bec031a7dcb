# SPDX-License-Identifier: GPL-3.0-or-later
"""These tests need torch and onnx; without them (Blender's Python, say) none is collected."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if all(importlib.util.find_spec(name) for name in ("torch", "onnx")) else ["test_*.py"]
