# SPDX-License-Identifier: GPL-3.0-or-later
"""NPZ files of joint positions, as numpy writes them and pose estimators and AMASS users keep them.

An NPZ is a zip of arrays, each under its key. The keys that are read:

- ``joints`` or ``positions``: ``[T, J, 3]`` numbers; NaN where a joint is not seen. Needed.
- ``fps`` (or AMASS's ``mocap_framerate``, ``mocap_frame_rate``): frames a second, one number. Needed.
- ``joint_names``: ``J`` texts. Without them 22, 24, 52 or 55 joints are those of SMPL, SMPL, SMPL-H or SMPL-X.
- ``parents``: ``J`` whole numbers, the place of each joint's parent; a root's is -1, or its own, or any beyond J.
  They may be left out where the names are SMPL's.
- ``up_axis``: ``"Y"`` or ``"Z"``. AMASS is Z up; without the key it is told from the figure.
- ``rotations``: ``[T, J, 4]`` local rotations as `Motion` has them, in the axes of the positions; may be left out.
- ``rest_positions``: ``[J, 3]`` the joints at rest, in the axes and the unit of the positions; may be left out.
- ``unit``: ``"m"``, ``"cm"``, ``"mm"``, ``"dm"`` or ``"in"``. Metres without it.

Own code instead of ``numpy.load``, because files may be hostile: sizes are checked in the zip's directory before
anything is unpacked, an array's header is matched instead of evaluated as Python, and pickles are never read.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .. import skeleton
from ..errors import MotionFileError
from ..motion import Motion
from .axes import METRE, UNITS, Unit, UpAxis, to_motion
from .channels import MOST_PLACES
from .files import read_binary

MAX_JOINTS: Final = 4096
"""More are refused: no figure has them, a damaged or hostile file may."""

_POSITIONS: Final = ("joints", "positions")
_LARGE: Final = (*_POSITIONS, "rotations")
_RATES: Final = ("fps", "mocap_framerate", "mocap_frame_rate")
_FINGERS: Final = tuple(f"{finger}{i}" for finger in ("index", "middle", "pinky", "ring", "thumb") for i in (1, 2, 3))
_HANDS: Final = tuple(f"{side}_{finger}" for side in ("left", "right") for finger in _FINGERS)
_SMPL: Final = {
    22: skeleton.JOINTS,
    24: (*skeleton.JOINTS, "left_hand", "right_hand"),
    52: (*skeleton.JOINTS, *_HANDS),
    55: (*skeleton.JOINTS, "jaw", "left_eye_smplhf", "right_eye_smplhf", *_HANDS),
}
_MOST_BYTES: Final = 1_000_000_000  # of the positions unpacked: two hours of 24 joints at 120 frames a second and more
_MOST_BYTES_OF_OTHERS: Final = 4_000_000
_MOST_BYTES_OF_DIRECTORY: Final = 1_000_000
_LAST_CHARACTER: Final = 0x10FFFF
_LARGEST: Final = 1e6  # in the file's unit
_END: Final = struct.Struct("<4s4H2LH")  # a zip's end of directory: signature, disks, entries, size, offset, comment
_LOCATOR: Final = 20  # bytes before the end, where a zip of 64 bits says where its real end is
_TAIL: Final = _LOCATOR + _END.size + (1 << 16)
_NPY: Final = re.compile(rb"\x93NUMPY(?:\x01.(..)|[\x02\x03].(....))", re.DOTALL)
_HEADER: Final = re.compile(
    rb"\s*\{\s*'descr':\s*'([<>|=]?[fiuUS]\d{1,9})',\s*'fortran_order':\s*(True|False),"
    rb"\s*'shape':\s*\(([\d, ]{0,100})\),?\s*\}\s*"
)
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, TypeError)


def holds_motion(path: Path) -> bool:
    """Whether a file is an NPZ with arrays of a motion, of joints or of poses. Never raises."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL, 0))
            _check_directory(file.read())
            with zipfile.ZipFile(file) as archive:
                return any(f"{key}.npy" in archive.NameToInfo for key in (*_POSITIONS, "poses"))
    except (MotionFileError, *_DAMAGE):
        return False


def read(path: Path) -> list[Motion]:
    """The one motion of a file; with rotations where it has them.

    Raises:
        MotionFileError: the file is no NPZ or damaged, or its arrays are not those of a motion.
    """
    raw = read_binary(path)
    _check_directory(raw[-_TAIL:])
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            arrays = _Arrays(archive)
            motion = _motion(arrays)
    except _DAMAGE as error:
        raise MotionFileError(f"the NPZ is damaged ({str(error)[:80]}); save or download it again.") from None
    return [replace(motion, name=path.stem, source=str(path))]


def _check_directory(tail: bytes) -> None:
    """Refuses a file whose end is not that of a zip with a directory of reasonable size.

    Python's `zipfile` makes an object of every entry, of which a hostile file may have millions.
    """
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise MotionFileError("this is not an NPZ file, or it was cut off; save or download it again.")
    size = _END.unpack_from(tail, place)[5]
    is_zip64 = tail[max(place - _LOCATOR, 0) : place].startswith(b"PK\x06\x07")
    if size > _MOST_BYTES_OF_DIRECTORY or is_zip64:
        raise MotionFileError("the NPZ has more arrays than a motion has, or larger ones; save the motion alone.")


class _Arrays:
    """The arrays of an NPZ, each unpacked when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.keys = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

    def __getitem__(self, key: str) -> NDArray[Any]:
        most = _MOST_BYTES if key in _LARGE else _MOST_BYTES_OF_OTHERS
        entry = self._archive.getinfo(f"{key}.npy")
        if entry.file_size > most:
            raise MotionFileError(
                f'"{key}" has {entry.file_size / 1e6:.0f} MB, of which {most / 1e6:.0f} can be read; cut the motion.'
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise MotionFileError(f'"{key}" is packed in a way that numpy does not use; save the file again.')
        with self._archive.open(entry) as file:
            return _array(file.read(most + 1), key)

    def first(self, keys: tuple[str, ...]) -> NDArray[Any] | None:
        """The array under the first of some keys that there is, or None."""
        return next((self[key] for key in keys if key in self.keys), None)


def _array(data: bytes, key: str) -> NDArray[Any]:
    """An array from the bytes of an NPY, whose header says what it is."""
    start = _NPY.match(data)
    if start is None:
        raise MotionFileError(f'"{key}" is not an array that numpy wrote; save the file again.')
    begin = start.end()
    end = begin + int.from_bytes(start[1] or start[2], "little")
    header = _HEADER.fullmatch(data[begin : min(end, begin + 10_000)])
    if header is None:
        raise MotionFileError(f'"{key}" holds Python objects or columns, which are not read; save plain numbers.')
    dtype = np.dtype(header[1].decode("ascii"))
    shape = tuple(int(size) for size in header[3].split(b",") if size.strip())
    if dtype.itemsize * math.prod(shape) != len(data) - end or not dtype.itemsize:
        raise MotionFileError(f'"{key}" is not as large as it says, perhaps cut off; save the file again.')
    return np.frombuffer(data, dtype, offset=end).reshape(shape, order="F" if header[2] == b"True" else "C")


def _motion(arrays: _Arrays) -> Motion:
    positions = arrays.first(_POSITIONS)
    if positions is None:
        raise MotionFileError(_why_no_positions(arrays.keys))
    if positions.dtype.kind not in "fiu" or positions.ndim != 3 or positions.shape[2] != 3 or not positions.size:
        raise MotionFileError(f"the joints must be numbers [frames, joints, 3], not {list(positions.shape)[:8]}.")
    count = positions.shape[1]
    if count > MAX_JOINTS or positions.shape[0] * count > MOST_PLACES:
        raise MotionFileError(f"{positions.shape[0]} frames of {count} joints are too many; cut the motion.")
    names = _names(arrays, count)
    order, parents = _parents_first(_parents(arrays, names))
    with np.errstate(over="ignore"):
        ordered = positions[:, order].astype(np.float32)
    ordered[~(np.abs(ordered) < _LARGEST).all(axis=-1)] = np.nan
    if np.isnan(ordered).all():
        raise MotionFileError("no joint is seen in any frame; leave this file out.")
    rotations, rest = _rotations(arrays, positions.shape[:2]), _rest(arrays, count)
    return to_motion(
        ordered,
        None if rotations is None else rotations[:, order],
        None if rest is None else rest[order],
        parents,
        [names[joint] for joint in order],
        _fps(arrays),
        _unit(arrays),
        _up_axis(arrays),
    )


def _rotations(arrays: _Arrays, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    rotations = arrays.first(("rotations",))
    if rotations is None:
        return None
    if rotations.dtype.kind not in "fiu" or rotations.shape != (*shape, 4):
        raise MotionFileError(f"rotations must be numbers {[*shape, 4]}, quaternions; correct the array.")
    lengths = np.linalg.norm(rotations.astype(np.float64), axis=-1, keepdims=True)
    if not np.all((lengths > 1e-6) & (lengths < _LARGEST)):
        raise MotionFileError(
            "some rotations are no quaternions (not numbers, or zero); leave the array rotations out."
        )
    return (rotations / lengths).astype(np.float32)


def _rest(arrays: _Arrays, count: int) -> NDArray[np.float32] | None:
    rest = arrays.first(("rest_positions",))
    if rest is None:
        return None
    if rest.dtype.kind not in "fiu" or rest.shape != (count, 3) or not (np.abs(rest) < _LARGEST).all():
        raise MotionFileError(f"rest_positions must be numbers {[count, 3]}; correct the array.")
    return rest.astype(np.float32)


def _why_no_positions(keys: list[str]) -> str:
    if "poses" in keys:
        return 'it holds poses of a body model, not joints; compute them with the model and save them as "joints".'
    others = ", ".join(sorted(keys))[:80] or "nothing"
    return f'it has no array "joints" or "positions", only {others}; name it so.'


def _names(arrays: _Arrays, count: int) -> list[str]:
    names = arrays.first(("joint_names",))
    if names is None:
        return list(_SMPL.get(count, [f"joint{joint}" for joint in range(count)]))
    if names.dtype.kind not in "US" or names.shape != (count,):
        raise MotionFileError(f"joint_names must be {count} texts, one for each joint.")
    return _texts(names)


def _parents(arrays: _Arrays, names: list[str]) -> NDArray[np.intp]:
    """The parent of each joint, -1 for a root, in the order of the file."""
    parents = arrays.first(("parents",))
    if parents is None:
        return _smpl_parents(names)
    if parents.dtype.kind not in "iu" or parents.shape != (len(names),):
        raise MotionFileError(f"parents must be {len(names)} whole numbers, one for each joint.")
    is_root = (parents < 0) | (parents >= len(names)) | (parents == np.arange(len(names)))
    found = np.full(len(names), -1, dtype=np.intp)
    found[~is_root] = parents[~is_root]
    return found


def _smpl_parents(names: list[str]) -> NDArray[np.intp]:
    """The parents of joints of SMPL: the nearest of the joints above that is there."""
    above = {
        joint: skeleton.JOINTS[p] if p >= 0 else "" for joint, p in zip(skeleton.JOINTS, skeleton.PARENTS, strict=True)
    }
    for side in ("left", "right"):
        above |= {f"{side}_hand": f"{side}_wrist", f"{side}_eye_smplhf": "head", "jaw": "head"}
        for finger in _FINGERS:
            knuckle = finger[-1] == "1"
            above[f"{side}_{finger}"] = f"{side}_wrist" if knuckle else f"{side}_{finger[:-1]}{int(finger[-1]) - 1}"
    if not set(names) <= set(above):
        raise MotionFileError(f"{len(names)} joints that are not SMPL's need the array parents; add it.")
    parents = []
    for name in names:
        parent = above[name]
        while parent and parent not in names:
            parent = above[parent]
        parents.append(names.index(parent) if parent else -1)
    return np.array(parents, dtype=np.intp)


def _parents_first(parents: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """An order of the joints in which parents stand before their children, and the parents in that order."""
    depth, above = np.zeros(len(parents), dtype=np.intp), parents.copy()
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parents[above], -1)
        if depth.max() > len(parents):
            raise MotionFileError("a joint is its own parent's parent; correct the array parents.")
    order = np.argsort(depth, kind="stable")
    place = np.empty(len(parents), dtype=np.intp)
    place[order] = np.arange(len(parents))
    ordered = parents[order]
    return order, np.where(ordered >= 0, place[ordered], -1)


def _fps(arrays: _Arrays) -> float:
    rate = arrays.first(_RATES)
    if rate is None:
        raise MotionFileError('it has no array "fps" with its frames a second; add it.')
    if rate.size != 1 or rate.dtype.kind not in "fiu" or not 0.01 <= float(rate.reshape(-1)[0]) <= 100_000:
        raise MotionFileError("fps must be one number, the frames a second.")
    return float(rate.reshape(-1)[0])


def _up_axis(arrays: _Arrays) -> UpAxis | None:
    match _text(arrays, "up_axis").upper():
        case "":
            return None
        case "Y":
            return "Y"
        case "Z":
            return "Z"
    raise MotionFileError('up_axis must be "Y" or "Z".')


def _unit(arrays: _Arrays) -> Unit:
    name = _text(arrays, "unit").lower()
    for unit in UNITS:
        if unit.name == name:
            return unit
    if name:
        raise MotionFileError(f"unit must be one of {', '.join(unit.name for unit in UNITS)}.")
    return METRE


def _text(arrays: _Arrays, key: str) -> str:
    """The text under a key, or an empty one."""
    array = arrays.first((key,))
    if array is None:
        return ""
    if array.size != 1 or array.dtype.kind not in "US":
        raise MotionFileError(f"{key} must be one text.")
    return _texts(array)[0]


def _texts(array: NDArray[Any]) -> list[str]:
    """The texts of an array, of bytes or of characters; what is no character becomes a question mark."""
    array = array.reshape(-1)
    if array.dtype.kind == "S":
        return [text.decode("utf-8", "replace") for text in array.tolist()]
    codes = array.view(np.dtype(f"{array.dtype.byteorder}u4"))
    if codes.max(initial=0) > _LAST_CHARACTER:  # numpy fails on them, each version in its own way
        raise MotionFileError("a text has characters that do not exist; save the file again.")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in array.tolist()]
