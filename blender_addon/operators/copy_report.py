# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy Report: what somebody who helps needs to know, onto the clipboard; nothing is sent anywhere."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator

import bpy
from bpy.types import Context

from .. import preferences, properties
from ..core import last_error, manifest
from .guarded import Guarded

rpt = bpy.app.translations.pgettext_rpt


class HUMS_OT_copy_report(Guarded):
    """Copy versions, libraries and the last error to the clipboard, to paste into a message to whoever helps"""

    bl_idname = "hums.copy_report"
    bl_label = "Copy Report"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Always, above all where parts are missing."""
        del context
        return True

    def run(self, context: Context) -> None:
        """Copies it."""
        context.window_manager.clipboard = "\n".join(report(context)) + "\n"
        self.report({"INFO"}, rpt("The report is on the clipboard"))


class HUMS_OT_dismiss_trouble(Guarded):
    """Take the message away"""

    bl_idname = "hums.dismiss_trouble"
    bl_label = "Dismiss"
    bl_options = {"REGISTER"}

    def run(self, context: Context) -> None:
        """Takes it away."""
        session = properties.session(context)
        session.trouble = session.outcome = ""


def report(context: Context) -> Iterator[str]:
    """The report, line by line."""
    yield f"{manifest.NAME} {manifest.version()}"
    yield f"Blender {bpy.app.version_string} ({bpy.app.build_hash.decode()}), Python {platform.python_version()}"
    yield f"{platform.platform()}, {platform.machine()}"
    for package in ("numpy", "onnxruntime", "hnswlib", "pillow"):
        yield f"{package} {_release(package)}"
    for entry in preferences.of(context).libraries:
        facts = properties.session(context).facts.get(entry.path)
        yield f"library {entry.name}: {entry.path}{' (read only)' if entry.readonly else ''}"
        if facts is not None:
            yield f"    {facts.clips} motions, {facts.missing} files missing, {facts.failed} failed {facts.trouble}"
    last = last_error.recall()
    if last is None:
        yield "no error since Blender was started"
    else:
        yield f"last error, at {last.when}, {last.doing}: {last.told}"
        yield last.trace.rstrip()


def _release(package: str) -> str:
    module = sys.modules.get({"pillow": "PIL"}.get(package, package))
    version = getattr(module, "__version__", "")
    try:
        return version or importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "is not there"


CLASSES = (HUMS_OT_copy_report, HUMS_OT_dismiss_trouble)
