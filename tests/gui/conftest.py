# SPDX-License-Identifier: GPL-3.0-or-later
"""One installed add-on for all sessions in the user interface; skipped where no Blender with a screen is named."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui import real_blender


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """A folder that the Blender sees too: it may run in a root folder of its own, with /tmp shared."""
    if not real_blender.COMMAND:
        pytest.skip("HUMS_GUI_BLENDER does not name a Blender with a screen")
    folder = Path(tempfile.mkdtemp(prefix="hums-gui-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def resources(shared: Path) -> Iterator[Path]:
    """A fresh Blender user folder with the add-on."""
    folder = real_blender.install(shared)
    yield folder
    shutil.rmtree(folder)
