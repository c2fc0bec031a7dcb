# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in Blender: a BVH file, made into an FBX by its exporter.

Called as ``blender_export.py BVH FORWARD UP SCALE OUT``, with the exporter's axes and its way to scale.
"""

from __future__ import annotations

import bpy
from blender_process import run


def main(source: str, forward: str, up: str, scale: str, out: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=source, global_scale=0.0564, update_scene_fps=True, update_scene_duration=True)
    bpy.ops.export_scene.fbx(
        filepath=out, axis_forward=forward, axis_up=up, apply_scale_options=scale, bake_anim_simplify_factor=0.0,
        add_leaf_bones=False,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
