# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that a person made, as files in the extension's user folder, which updates leave alone."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Object

from . import armature_reader, rig_map
from .engine import errors, own_maps, skeleton

_PACKAGE = (__package__ or "").rpartition(".")[0]


def folder() -> Path:
    """Where they are; it is made when the first is kept, so that the add-on starts where nothing can be written."""
    return Path(bpy.utils.extension_path_user(_PACKAGE, path="rig_maps"))


def _made_folder() -> Path:
    """The folder, to be written into.

    Raises:
        HumsError: it cannot be made.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.HumsError(f"The folder for maps {folder()} cannot be made: {error.strerror}.") from None
    return folder()


def titles() -> dict[str, str]:
    """The maps by what their files are called, with what people call them."""
    here = {path.stem for path in folder().glob("*.json")}
    return {one.family: one.title for one in own_maps.maps() if one.family in here}


def save(rig: Object, title: str) -> Path:
    """Saves the rig's map under a title; it is used for all rigs with these bones from now on.

    Raises:
        HumsError: the rig has no map, the title cannot be one, or it cannot be kept.
    """
    names = rig.data.bones.keys()
    found = rig_map.joint_map_of(rig)
    parents = armature_reader.read_bones(rig).parents
    return own_maps.save(_made_folder(), title, found.as_names(names), names, parents)


def load(rig: Object, family: str) -> None:
    """Puts a saved map on a rig, as far as it has the bones.

    Raises:
        HumsError: there is no such map, or the rig has none of its bones.
    """
    own = next((one for one in own_maps.maps() if one.family == family), None)
    if own is None:
        raise errors.HumsError(f"There is no saved map '{family}': choose one of those in the menu.")
    bones = rig.data.bones
    said = {joint: next((name for name in names if name in bones), "") for joint, names in own.joints.items()}
    if not any(said.values()):
        raise errors.HumsError(f"'{rig.name}' has none of the bones in the map '{own.title}': choose another map.")
    rig_map.remember(rig, dict.fromkeys(skeleton.JOINTS, "") | said)


def delete(family: str) -> None:
    """Deletes a saved map.

    Raises:
        HumsError: there is none.
    """
    (folder() / f"{_known(family)}.json").unlink(missing_ok=True)


def export(family: str, to: Path) -> None:
    """Writes a saved map to a file, to be shared.

    Raises:
        HumsError: there is no such map, or the file cannot be written.
    """
    file, to = folder() / f"{_known(family)}.json", to.with_suffix(".json")
    try:
        to.write_bytes(file.read_bytes())
    except OSError as error:
        raise errors.HumsError(f"{to} cannot be written ({error.strerror}): choose another place.") from None


def bring(file: Path) -> str:
    """Takes a map that somebody shared into the folder; returns its title.

    Raises:
        HumsError: the file is no map, or it cannot be kept.
    """
    return own_maps.bring(file, _made_folder()).title


def _known(family: str) -> str:
    if family not in titles():
        raise errors.HumsError(f"There is no saved map '{family}': choose one of those in the menu.")
    return family


def register() -> None:
    """Lets everything that maps skeletons here, and what it starts, know the maps."""
    own_maps.use(folder())


def unregister() -> None:
    """Takes that back."""
    own_maps.leave(folder())
