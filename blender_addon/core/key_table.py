# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of an F-curve as arrays: read, cut, shifted, joined and written in bulk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from bpy.types import FCurve
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_PLACES: Final = ("co", "handle_left", "handle_right")
_NUMBERS: Final = ("amplitude", "back", "period")
_CHOICES: Final = ("interpolation", "easing", "handle_left_type", "handle_right_type", "type")
_NEAR: Final = 1e-3  # frames: keys so close are at one time


def _choice(field: str, name: str) -> int:
    return bpy.types.Keyframe.bl_rna.properties[field].enum_items[name].value


_LINEAR: Final = _choice("interpolation", "LINEAR")
_BEZIER: Final = _choice("interpolation", "BEZIER")
_FREE: Final = _choice("handle_left_type", "FREE")
_AUTO: Final = _choice("handle_left_type", "AUTO_CLAMPED")


@dataclass(frozen=True)
class KeyTable:
    """Keys, a row each, in order of time.

    Attributes:
        fields: Blender's name of an attribute of a key -> its values, ``[N, 2]`` for places and ``[N]`` for the rest.
            What is missing is as Blender makes it.
    """

    fields: dict[str, NDArray[Any]]

    @property
    def frames(self) -> Array:
        """When the keys are ``[N]``."""
        return self.fields["co"][:, 0].astype(np.float64)

    def only(self, mask: Mask) -> KeyTable:
        """The keys for which ``mask`` ``[N]`` is true."""
        return KeyTable({name: values[mask] for name, values in self.fields.items()})

    def shifted(self, frames: float) -> KeyTable:
        """The keys so many frames later."""
        return self._placed(1.0, np.array([frames, 0.0]))

    def revalued(self, factor: float, offset: float) -> KeyTable:
        """The keys with other numbers: ``value * factor + offset``."""
        return self._placed(np.array([1.0, factor]), np.array([0.0, offset]))

    def _placed(self, factor: float | Array, offset: Array) -> KeyTable:
        moved = {name: self.fields[name] * factor + offset for name in _PLACES if name in self.fields}
        return KeyTable({**self.fields, **moved})


def linear(frames: Array, values: Array) -> KeyTable:
    """Keys at ``frames`` ``[N]`` of ``values`` ``[N]`` with straight lines between them."""
    return KeyTable({"co": np.stack([frames, values], axis=-1), "interpolation": np.full(len(frames), _LINEAR)})


def curved(frames: Array, values: Array, leaving: Array, arriving: Array) -> KeyTable:
    """Keys with cubic curves between them.

    Args:
        frames: ``[N]``.
        values: ``[N]``.
        leaving: ``[N - 1]`` slope per frame at the start of each span.
        arriving: ``[N - 1]`` slope at its end.
    """
    third = np.diff(frames) / 3.0
    ahead = np.stack([np.append(third, 1.0), np.append(third * leaving, 0.0)], axis=-1)
    behind = np.stack([np.append(1.0, third), np.append(0.0, third * arriving)], axis=-1)
    places = np.stack([frames, values], axis=-1)
    return KeyTable(
        {
            "co": places,
            "handle_left": places - behind,
            "handle_right": places + ahead,
            "handle_left_type": np.full(len(frames), _FREE),
            "handle_right_type": np.full(len(frames), _FREE),
            "interpolation": np.full(len(frames), _BEZIER),
        }
    )


def joined(*tables: KeyTable) -> KeyTable:
    """The keys of tables that follow each other in time; what one of them lacks is filled in for it."""
    names = {name for table in tables for name in table.fields}
    return KeyTable({name: np.concatenate([_filled(table, name) for table in tables]) for name in names})


def _filled(table: KeyTable, name: str) -> NDArray[Any]:
    if name in table.fields:
        return table.fields[name]
    if name in _PLACES:
        return table.fields["co"]  # handles of automatic types, which Blender places itself
    count = len(table.fields["co"])
    return np.full(count, _AUTO) if name.endswith("_type") else np.zeros(count)


def read(curve: FCurve) -> KeyTable:
    """All keys of a curve."""
    points = curve.keyframe_points
    fields: dict[str, NDArray[Any]] = {}
    for name in (*_PLACES, *_NUMBERS, *_CHOICES):
        width = 2 if name in _PLACES else 1
        values = np.empty(len(points) * width, dtype=np.uint8 if name in _CHOICES else np.float32)
        points.foreach_get(name, values)
        fields[name] = values.reshape(-1, 2).astype(np.float64) if name in _PLACES else values
    return KeyTable(fields)


def write(curve: FCurve, table: KeyTable) -> None:
    """Makes the keys of a curve those of the table."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(table.fields["co"]))
    for name, values in table.fields.items():
        kind = np.uint8 if name in _CHOICES else np.float32
        points.foreach_set(name, np.ascontiguousarray(values, dtype=kind).ravel())
    curve.update()


def pin(curve: FCurve, frame: float) -> None:
    """Puts a key on a curve where it is at ``frame``, without changing its course: what is beyond stays as it was."""
    table = read(curve)
    at = int(np.searchsorted(table.frames, frame))
    beside = [i for i in (at - 1, at) if 0 <= i < len(table.frames)]
    if not beside or np.abs(table.frames[beside] - frame).min() < _NEAR:
        return
    for index in beside:  # handles that Blender places itself would move
        point = curve.keyframe_points[index]
        point.handle_left_type = point.handle_right_type = "FREE"
    interpolation = curve.keyframe_points[beside[0]].interpolation
    made = curve.keyframe_points.insert(frame, curve.evaluate(frame), options={"FAST"})
    made.interpolation = interpolation
    curve.update()
