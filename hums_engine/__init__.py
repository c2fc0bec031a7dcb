# SPDX-License-Identifier: GPL-3.0-or-later
"""Find similar human motion: read it, bring it onto one body, sign it, search it.

    import hums_engine as hums

    encoder = hums.Encoder()
    library = hums.Library.create("mocap.hums")
    library.add(["~/mocap"])
    hits = library.search(hums.load("walk.bvh"), k=20)

Names are imported when they are first used, so that this import costs no more than numpy's, and onnxruntime
and hnswlib are needed only by those who use what stands on them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .canonical import CanonicalMotion
    from .encoder import Encoder
    from .errors import (
        HumsError,
        LibraryError,
        MappingError,
        MissingDependencyError,
        ModelError,
        MotionFileError,
    )
    from .formats import load, load_all
    from .indexing import IndexReport
    from .library import Library
    from .motion import Motion
    from .search import Hit

__version__: Final = "0.1.0"

__all__ = [
    "CanonicalMotion",
    "Encoder",
    "Hit",
    "HumsError",
    "IndexReport",
    "Library",
    "LibraryError",
    "MappingError",
    "MissingDependencyError",
    "ModelError",
    "Motion",
    "MotionFileError",
    "load",
    "load_all",
]

_MODULE_OF: Final = {
    "CanonicalMotion": "canonical",
    "Encoder": "encoder",
    "Hit": "search",
    "IndexReport": "indexing",
    "Library": "library",
    "Motion": "motion",
    "load": "formats",
    "load_all": "formats",
} | {name: "errors" for name in __all__ if name.endswith("Error")}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type is that of the name, which the imports above declare
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
