# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m hums_engine``: the command line where no ``hums`` is on the path."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
