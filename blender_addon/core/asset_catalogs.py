# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogs of the Asset Browser: a small text file beside the .blend file, with a line for each.

The format is Blender's asset catalog definition file, version 1: ``UUID:path/of/catalog:simple-name``.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from .engine import errors

_FILE = "blender_assets.cats.txt"
_HEADER = """# This is an Asset Catalog Definition file for Blender.
#
# Empty lines and lines starting with `#` will be ignored.
# The first non-ignored line should be the version indicator.
# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"

VERSION 1

"""


def ensure(folder: Path, path: str) -> str:
    """The id of the catalog ``path`` (such as ``Motions/Walks``) of the assets in ``folder``, made if need be.

    Raises:
        HumsError: the file of catalogs cannot be read or written.
    """
    file = folder / _FILE
    path = "/".join(part for part in path.replace(":", "-").split("/") if part.strip())
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else _HEADER
        for line in text.splitlines():
            number, _, rest = line.partition(":")
            if rest.split(":")[0] == path and not line.startswith("#"):
                return number
        number = str(uuid.uuid4())
        line = f"{number}:{path}:{path.replace('/', '-')}\n"
        file.write_text(text + ("" if text.endswith("\n") else "\n") + line, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.HumsError(f"The catalogs in {file} cannot be changed: {error}.") from None
    return number
