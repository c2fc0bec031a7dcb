# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's tests share: the shipped encoder, and an empty library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hums_engine.encoder import Encoder
from hums_engine.library import Library


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder(provider="cpu")


@pytest.fixture
def library(tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    with Library.create(tmp_path / "motions.hums", encoder) as made:
        yield made
