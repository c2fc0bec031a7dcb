# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps that people make themselves: a file for each skeleton, in folders that the environment names.

``HUMS_RIG_MAPS`` holds one or more folders, so that every process that reads motions for a library knows the maps:
workers, farms, and Blender. A map is taken for skeletons that have all its bones, hanging on each other as they did
where it was made; names such as "Bone.007" are in many rigs.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .errors import MappingError
from .rig_families import RigFamily, families, read_family
from .shape_mapping import spine_of
from .skeleton import INDEX, JOINT_COUNT, JOINTS

VARIABLE: Final = "HUMS_RIG_MAPS"
_NAMESPACE = re.compile(r"^.*[:|]")
_NOT_IN_FILE_NAMES = re.compile(r"[^\w\-]+")


@dataclass(frozen=True, eq=False)
class Fit:
    """A map that was made for a skeleton: the joints' places in it ``[22]``, -1 where missing, and the map's name."""

    joints: NDArray[np.intp]
    family: str


def maps() -> tuple[RigFamily, ...]:
    """The maps in the folders of ``HUMS_RIG_MAPS``; files that are no maps are passed over."""
    found = files()
    return _read(found) if found else ()


def use(folder: Path) -> None:
    """Adds a folder to those of ``HUMS_RIG_MAPS``, for this process and those it starts."""
    path = str(folder.absolute())
    os.environ[VARIABLE] = os.pathsep.join([path, *(one for one in _folders() if one != path)])


def leave(folder: Path) -> None:
    """Takes a folder off them again."""
    path = str(folder.absolute())
    os.environ[VARIABLE] = os.pathsep.join(one for one in _folders() if one != path)


def check(folder: Path) -> None:
    """Refuses a folder that does not hold maps only.

    Raises:
        MappingError: there is no such folder, or a file in it is no map.
    """
    if not folder.is_dir():
        raise MappingError(f"There is no folder {folder}: name one that holds rig maps.")
    for path in sorted(folder.glob("*.json")):
        read_family(path)


def files() -> tuple[tuple[str, int, int], ...]:
    """Path, size and time of every file that may be a map: changes when a map does."""
    found = []
    for folder in _folders():
        for path in sorted(Path(folder).glob("*.json")):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return tuple(found)


def _folders() -> list[str]:
    return [one for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]


def fitting(names: Sequence[str], parents: NDArray[np.intp]) -> Fit | None:
    """The first map that was made for this skeleton, or None; namespaces before its names do not count."""
    own = maps()
    if not own:
        return None
    for spelt in (str, _bare):
        index: dict[str, int] = {}
        for i, name in enumerate(names):
            index.setdefault(spelt(name), i)
        for one in own:
            joints = _joints(one, index, spelt, parents)
            if joints is not None and (not one.carriers or carriers(joints, parents) == one.carriers):
                return Fit(joints, one.family)
    return None


def _bare(name: str) -> str:
    return _NAMESPACE.sub("", name)


def _joints(
    own: RigFamily, index: Mapping[str, int], spelt: Callable[[str], str], parents: NDArray[np.intp]
) -> NDArray[np.intp] | None:
    """The joints' places ``[22]`` where all that the map names are there, else None."""
    joints = np.full(JOINT_COUNT, -1, dtype=np.intp)
    for joint, spellings in own.joints.items():
        joints[INDEX[joint]] = next((index[name] for name in map(spelt, spellings) if name in index), -1)
        if joints[INDEX[joint]] < 0:
            return None
    trunk = {index[name] for name in map(spelt, own.spine) if name in index}
    for joint, place in spine_of(sorted(trunk, key=lambda j: len(_above(parents, j)))).items():
        joints[INDEX[joint]] = place
    return joints


def _above(parents: NDArray[np.intp], joint: int) -> list[int]:
    """All that a joint hangs on, the nearest first; stops where parents go in circles."""
    chain: list[int] = []
    while (joint := int(parents[joint])) >= 0 and joint not in chain:
        chain.append(joint)
    return chain


def carriers(joints: NDArray[np.intp], parents: NDArray[np.intp]) -> dict[str, str]:
    """Which of the mapped joints each of them hangs on, by name; those that hang on none are left out."""
    joint_at = {int(j): JOINTS[k] for k, j in enumerate(joints) if j >= 0}
    on = {joint: next((a for a in _above(parents, at) if a in joint_at), -1) for at, joint in joint_at.items()}
    return {joint: joint_at[above] for joint, above in on.items() if above >= 0}


def save(folder: Path, title: str, joints: Mapping[str, str], names: Sequence[str], parents: NDArray[np.intp]) -> Path:
    """Writes a map of a skeleton under a title, over one with the same title; returns the file.

    Args:
        folder: where to.
        title: what people call it.
        joints: canonical joint -> the bone's name; joints without one are left out.
        names: ``J`` names of the skeleton.
        parents: ``[J]`` index of the parent, -1 for roots.

    Raises:
        MappingError: the title says nothing, is that of a shipped family, or the file cannot be written.
    """
    stem = stem_of(title)
    place = np.full(JOINT_COUNT, -1, dtype=np.intp)
    said = {joint: name for joint, name in joints.items() if joint in INDEX and name in names}
    for joint, name in said.items():
        place[INDEX[joint]] = names.index(name)
    data = {
        "family": stem,
        "title": title.strip(),
        "source": "made by hand",
        "joints": {joint: [said[joint]] for joint in JOINTS if joint in said},
        "carriers": carriers(place, parents),
    }
    return _write(folder, data)


def bring(file: Path, folder: Path) -> RigFamily:
    """Takes a map that somebody shared into a folder, over one of the same name.

    Raises:
        MappingError: the file is no map, has the name of a shipped family, or cannot be kept.
    """
    shared = read_family(file)
    data = json.loads(file.read_text(encoding="utf-8")) | {"family": stem_of(shared.family)}
    return read_family(_write(folder, data))


def _write(folder: Path, data: Mapping[str, object]) -> Path:
    path = folder / f"{data['family']}.json"
    try:
        path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise MappingError(f"{path} cannot be written ({error.strerror}): choose another folder.") from None
    return path


def stem_of(title: str) -> str:
    """The name of the file for a map's title.

    Raises:
        MappingError: the title says nothing, or is that of a shipped family.
    """
    stem = _NOT_IN_FILE_NAMES.sub("_", title.strip()).strip("_").lower()
    if not stem:
        raise MappingError("The map has no name: type one.")
    if any(stem == family.family for family in families()):
        raise MappingError(f"'{title}' is the name of a map that comes with the product: choose another.")
    return stem


@functools.lru_cache(maxsize=4)
def _read(found_files: tuple[tuple[str, int, int], ...]) -> tuple[RigFamily, ...]:
    found = []
    for path, _, _ in found_files:
        try:
            found.append(read_family(Path(path)))
        except MappingError:
            continue
    return tuple(found)
