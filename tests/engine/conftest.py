# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's tests share: the shipped encoder, an empty library, and the samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.encoder import Encoder
from hums_engine.formats import load
from hums_engine.library import Library


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder(provider="cpu")


@pytest.fixture
def library(tmp_path: Path, encoder: Encoder) -> Iterator[Library]:
    with Library.create(tmp_path / "motions.hums", encoder) as made:
        yield made


@pytest.fixture(scope="session")
def samples() -> list[CanonicalMotion]:
    """The motions that the repository carries."""
    paths = sorted((Path(__file__).parents[2] / "samples").glob("*.bvh"))
    return [canonicalize(load(path)) for path in paths]
