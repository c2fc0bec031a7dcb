# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the sample character: KayKit's Knight (CC0) with one sword, without helmet, shields and 76 animations.

``HUMS_DATA=<unpacked archives> python benchmarks/make_character.py`` reads ``$HUMS_DATA/fixtures/rigs/kaykit`` and
writes ``samples/character``. The rig, the meshes and the texture stay as they are. A glTF binary is a JSON chunk and
a binary chunk (glTF 2.0, section 4.4), so the standard library is enough.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

CHARACTER = Path(__file__).resolve().parent.parent / "samples" / "character"
LEFT_OUT = ("2H_Sword", "Offhand", "Shield", "Helmet")
MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942

Document = dict[str, Any]


def main() -> None:
    """Writes the character and its licence."""
    data = os.environ.get("HUMS_DATA")
    if not data:
        sys.exit("Set HUMS_DATA to the folder that holds the unpacked archives (fixtures/rigs/kaykit).")
    source = Path(data) / "fixtures" / "rigs" / "kaykit"
    document, binary = read_glb((source / "Knight.glb").read_bytes())
    document.pop("animations", None)
    drop_nodes(document)
    binary = drop_unused(document, binary)
    target = CHARACTER / "knight.glb"
    target.write_bytes(write_glb(document, binary))
    shutil.copyfile(source / "LICENSE.txt", CHARACTER / "LICENSE.txt")
    print(f"{target.name}: {len(document['nodes'])} nodes, {target.stat().st_size / 1e3:.0f} kB")


def read_glb(content: bytes) -> tuple[Document, bytes]:
    """The JSON document and the binary chunk of a glTF binary."""
    json_length = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + json_length])
    return document, content[20 + json_length + 8 :]


def write_glb(document: Document, binary: bytes) -> bytes:
    """A glTF binary of both chunks, each padded to four bytes as the format asks."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    header = struct.pack("<III", MAGIC, 2, 12 + 8 + len(text) + 8 + len(binary))
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return header + chunks


def drop_nodes(document: Document) -> None:
    """Takes the nodes of what is left out from the document, and their meshes."""
    nodes = document["nodes"]
    kept = [i for i, node in enumerate(nodes) if not any(word in node["name"] for word in LEFT_OUT)]
    place = {old: new for new, old in enumerate(kept)}
    document["nodes"] = [nodes[i] for i in kept]
    for node in document["nodes"]:
        if "children" in node:
            node["children"] = [place[child] for child in node["children"] if child in place]
        if not node.get("children", True):
            del node["children"]  # an empty list is not valid glTF
    for scene in document["scenes"]:
        scene["nodes"] = [place[node] for node in scene["nodes"]]
    for skin in document["skins"]:
        skin["joints"] = [place[joint] for joint in skin["joints"]]
    renumber(document, "meshes", [node for node in document["nodes"] if "mesh" in node], "mesh")


def drop_unused(document: Document, binary: bytes) -> bytes:
    """Takes accessors and bytes that nothing refers to any more from the document; returns the bytes that remain."""
    parts = [part for mesh in document["meshes"] for part in mesh["primitives"]]
    attributes = [(part["attributes"], name) for part in parts for name in part["attributes"]]
    users = [(part, "indices") for part in parts] + attributes
    users += [(skin, "inverseBindMatrices") for skin in document["skins"]]
    used = sorted({owner[key] for owner, key in users})
    document["accessors"] = [document["accessors"][i] for i in used]
    for owner, key in users:
        owner[key] = used.index(owner[key])
    renumber(document, "bufferViews", [*document["accessors"], *document["images"]], "bufferView")
    chunks, at = [], 0
    for view in document["bufferViews"]:
        start, length = view.get("byteOffset", 0), view["byteLength"]
        chunks.append(binary[start : start + length] + b"\0" * (-length % 4))
        view["byteOffset"], at = at, at + len(chunks[-1])
    document["buffers"] = [{"byteLength": at}]
    return b"".join(chunks)


def renumber(document: Document, table: str, owners: list[Document], key: str) -> None:
    """Keeps the entries of ``document[table]`` that ``owners`` name under ``key``, and renames them there."""
    used = sorted({owner[key] for owner in owners})
    document[table] = [document[table][i] for i in used]
    for owner in owners:
        owner[key] = used.index(owner[key])


if __name__ == "__main__":
    main()
