# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader says of a file that it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from hums_engine.errors import MotionFileError
from hums_engine.formats import load


def refusal(path: Path) -> str:
    """The one sentence, beginning with the file's name."""
    with pytest.raises(MotionFileError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path.name}: ") and message.endswith(".") and "\n" not in message
    return message
