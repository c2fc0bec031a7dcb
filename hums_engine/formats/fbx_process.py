# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that reads an FBX with ufbx, in a process of its own: the file comes in, its animations go out.

Called with a JSON list of where Python finds packages. The Python side of ufbx 0.0.5 returns objects that it keeps as
if it had given a reference away (``Element_from`` in its source), so using a node twice, or collecting garbage, ends
the process. Here each object gets the reference that is missing, nothing is ever collected, and the process ends
without cleaning up. What is sent is a head in JSON and arrays of numbers, never a pickle: this process may be in the
hands of a hostile file. It imports nothing of this package, so that it starts quickly.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import struct
import sys
from array import array
from collections.abc import Iterable
from typing import Any, Final

MOST_NODES: Final = 20_000
NOT_INSTALLED: Final = 3
"""Exit code where ufbx is not installed."""

_SLOWEST, _FASTEST, _USUAL = 1.0, 240.0, 30.0
_MOST_SEGMENTS: Final = 4096  # between two keys, of as many frames; the default of 32 cuts long turns short
_MOST_BYTES: Final = 12 << 30
_CHANNELS: Final = (("translation_keys", 3), ("rotation_keys", 4), ("scale_keys", 3))


def main() -> int:
    """Reads the file on standard input; the answer goes to standard output, a reason why not to standard error."""
    gc.disable()
    _limit_memory()
    sys.path += [path for path in json.loads(sys.argv[1]) if path not in sys.path]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get into the answer
    try:
        import ufbx  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        return NOT_INSTALLED
    try:
        head, numbers = _scene(ufbx, sys.stdin.buffer.read())
    except Exception as error:  # whatever a hostile file makes of it is told, not raised
        sys.stderr.write(f"{type(error).__name__}: {error}"[:500])
        return 1
    text = json.dumps(head).encode()
    answers.write(struct.pack("<Q", len(text)) + text + numbers.tobytes())
    answers.flush()
    return 0


def _limit_memory() -> None:
    """Has a file that asks for all memory fail, where the system can limit a process."""
    try:
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        pass


def _scene(ufbx: Any, data: bytes) -> tuple[dict[str, Any], array[float]]:  # noqa: ANN401 - a module
    """The nodes as they stand, and the keys of each animation, in metres and Blender's axes."""
    axis = ufbx.CoordinateAxis
    scene = ufbx.load_memory(
        data,
        file_format=ufbx.FileFormat.FBX,
        ignore_geometry=True,
        ignore_embedded=True,
        target_axes=ufbx.CoordinateAxes(axis.POSITIVE_X, axis.POSITIVE_Z, axis.NEGATIVE_Y),
        target_unit_meters=1.0,
        space_conversion=ufbx.SpaceConversion.ADJUST_TRANSFORMS,
        inherit_mode_handling=ufbx.InheritModeHandling.COMPENSATE,
    )
    nodes = [_kept(node) for node in scene.nodes]
    if len(nodes) > MOST_NODES:
        raise ValueError(f"{len(nodes)} nodes are more than can be read")
    numbers = array("d")
    rate = scene.settings.frames_per_second
    rate = rate if _SLOWEST <= rate <= _FASTEST else _USUAL
    head = {
        "unit_m": scene.settings.original_unit_meters,
        "up": scene.settings.axes.up,
        "fps": rate,
        "nodes": [_node(node, numbers) for node in nodes],
        "takes": [_take(ufbx, scene, _kept(stack), rate, numbers) for stack in scene.anim_stacks],
    }
    return head, numbers


def _kept(element: Any) -> Any:  # noqa: ANN401 - an element of ufbx
    """An element with the reference that ufbx forgot to take."""
    if element is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(element))
    return element


def _node(node: Any, numbers: array[float]) -> dict[str, Any]:  # noqa: ANN401
    """A node; its translation, rotation (x, y, z, w) and scale are the next ten numbers."""
    stands = node.local_transform
    for values in (stands.translation, stands.rotation, stands.scale):
        numbers.extend(values)
    parent = _kept(node.parent)
    return {
        "name": node.name,
        "parent": -1 if parent is None else parent.typed_id,
        "bone": _kept(node.bone) is not None,
        "shown": any(_kept(part) is not None for part in (node.mesh, node.camera, node.light)),
    }


def _take(ufbx: Any, scene: Any, stack: Any, rate: float, numbers: array[float]) -> dict[str, Any]:  # noqa: ANN401
    """An animation: of each node that it moves, how many keys each channel has; the keys follow in ``numbers``."""
    baked = ufbx.bake_anim(
        scene,
        stack.anim,
        resample_rate=rate,
        maximum_sample_rate=_FASTEST,
        max_keyframe_segments=_MOST_SEGMENTS,
    )
    moved = []
    for node in baked.nodes:
        counts = [_keys(getattr(node, channel), numbers) for channel, _ in _CHANNELS]
        moved.append([node.typed_id, *counts])
    begin, end = stack.time_begin, stack.time_end
    if not end > begin:
        begin, end = baked.key_time_min, baked.key_time_max
    return {"name": stack.name, "begin": begin, "end": end, "moved": moved}


def _keys(keys: Iterable[Any], numbers: array[float]) -> int:
    """Writes the time and the value of each key, and returns how many there are."""
    count = 0
    for key in keys:
        numbers.append(key.time)
        numbers.extend(key.value)
        count += 1
    return count


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
