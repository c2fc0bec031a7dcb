# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the Blender extension: add-on, engine, samples and wheels staged clean into one zip for one Python and system.

    python build_addon.py                      # for the Python that runs this, on this system
    python build_addon.py --python 3.13        # Blender 5.1 and later; 3.11 is Blender 4.2 to 5.0

Wheels are downloaded once into build/wheels; hnswlib, which has none, is compiled by the running Python without
instructions that other processors lack. Nothing is installed at run time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent
BUILD: Final = ROOT / "build"

CURRENT_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

# First Blender that has the Python, and the first that no longer has it.
BLENDERS: Final = {"3.11": ("4.2.0", "5.1.0"), "3.13": ("5.1.0", "")}

# Blender's name of a system, and the tags of the wheels that run on it.
PLATFORMS: Final = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"),
    "linux-arm64": ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64"),
    "macos-x64": ("macosx_13_0_x86_64", "macosx_11_0_x86_64", "macosx_10_13_x86_64"),
    "macos-arm64": ("macosx_13_0_arm64", "macosx_11_0_arm64"),
    "windows-x64": ("win_amd64",),
}

# Package and release; onnxruntime's differs by zip.
HNSWLIB: Final = ("hnswlib", "0.8.0")
PILLOW: Final = ("pillow", "11.3.0")
TQDM: Final = ("tqdm", "4.67.1")

_UNWANTED: Final = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class BuildError(Exception):
    """The zip cannot be built; the text says why and what to do."""


@dataclass(frozen=True)
class Flavour:
    """One zip: for one Python on one system.

    Attributes:
        python: such as ``"3.11"``.
        platform: Blender's name of the system, such as ``"linux-x64"``.
        any_blender: do not bind the zip to the Blenders whose official builds have this Python (Linux
            distributions build Blender with their own).
        compiled_index: carry hnswlib; without it libraries are searched exactly, which is slower from 100,000 clips on.
    """

    python: str
    platform: str
    any_blender: bool = False
    compiled_index: bool = True

    @property
    def name(self) -> str:
        """Such as ``py311-linux-x64``."""
        return f"py{self.python.replace('.', '')}-{self.platform}"

    @property
    def onnxruntime(self) -> tuple[str, str]:
        """Package and release to bundle: the last that runs beside what this Blender has loaded already.

        Blender 4.2 to 5.0 on Windows loads a C++ runtime that releases from 1.21 on crash with.
        """
        if self.platform == "windows-x64" and self.python == "3.11":
            return "onnxruntime", "1.20.1"
        return "onnxruntime", "1.23.2" if self.python in BLENDERS else "1.24.1"


def build(flavour: Flavour, out: Path) -> Path:
    """Builds one zip into the folder ``out`` and returns its path.

    Raises:
        BuildError: a wheel cannot be had, or Blender's own tool refuses the zip.
    """
    wheels = gather_wheels(flavour, BUILD / "wheels" / flavour.name)
    stage = stage_files(flavour, wheels, BUILD / "stage" / flavour.name)
    target = out / f"deephums-{project_version()}-{flavour.name}.zip"
    out.mkdir(parents=True, exist_ok=True)
    write_zip(stage, target)
    validate(target)
    return target


def project_version() -> str:
    """The version that pyproject.toml tells."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def gather_wheels(flavour: Flavour, folder: Path) -> list[Path]:
    """The wheels that the zip carries, from ``folder`` where an earlier build left them."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [flavour.onnxruntime, PILLOW, TQDM, *([HNSWLIB] if flavour.compiled_index else [])]
    return [_wheel(package, release, flavour, folder) for package, release in wanted]


def _wheel(package: str, release: str, flavour: Flavour, folder: Path) -> Path:
    pattern = f"{package}-{release}-*.whl"
    if not any(folder.glob(pattern)):
        get = _compile if package == "hnswlib" else _download
        get(f"{package}=={release}", flavour, folder)
    return next(folder.glob(pattern))


def _download(requirement: str, flavour: Flavour, folder: Path) -> None:
    tags = [f"--platform={tag}" for tag in PLATFORMS[flavour.platform]]
    _pip(
        ["download", "--no-deps", "--only-binary=:all:", f"--python-version={flavour.python}", *tags, requirement],
        folder,
        f"{requirement} cannot be downloaded for {flavour.name}: check the connection to the package index",
    )


def _compile(requirement: str, flavour: Flavour, folder: Path) -> None:
    if flavour.python != CURRENT_PYTHON or flavour.platform != current_platform():
        raise BuildError(
            f"hnswlib must be compiled by Python {flavour.python} on {flavour.platform}, and this is Python "
            f"{CURRENT_PYTHON} on {current_platform()}: run build_addon.py with that Python there, "
            "or add --without-hnswlib."
        )
    _pip(
        ["wheel", "--no-deps", "--no-cache-dir", requirement],
        folder,
        "hnswlib cannot be compiled: install a C++ compiler and Python's headers, or add --without-hnswlib",
    )


def _pip(arguments: Sequence[str], folder: Path, failure: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    where = ["-d" if arguments[0] == "download" else "-w", str(folder)]
    portable = {"HNSWLIB_NO_NATIVE": "1", "LDFLAGS": "-Wl,-S"}  # without debug symbols it is eight times smaller
    done = subprocess.run(
        [*command, *where], capture_output=True, text=True, check=False, env={**os.environ, **portable}
    )
    if done.returncode:
        raise BuildError(f"{failure}.\n{done.stderr.strip()}")


def stage_files(flavour: Flavour, wheels: Sequence[Path], stage: Path) -> Path:
    """Lays out what the zip holds in the clean folder ``stage``."""
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(ROOT / "blender_addon", stage, ignore=_UNWANTED)
    shutil.copytree(ROOT / "hums_engine", stage / "hums_engine", ignore=_UNWANTED)
    shutil.copy(ROOT / "LICENSE", stage)
    (stage / "samples").mkdir()
    for sample in sorted((ROOT / "samples").glob("*.bvh")):
        shutil.copy(sample, stage / "samples")
    shutil.copy(ROOT / "samples" / "NOTICE", stage / "samples")
    (stage / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, stage / "wheels")
    manifest = stage / "blender_manifest.toml"
    manifest.write_text(to_toml(manifest_of(flavour, wheels, manifest)), encoding="utf-8")
    return stage


def manifest_of(flavour: Flavour, wheels: Sequence[Path], template: Path) -> dict[str, Any]:
    """The add-on's manifest with what this zip adds to it."""
    manifest = tomllib.loads(template.read_text("utf-8"))
    first, beyond = BLENDERS.get(flavour.python, ("4.2.0", ""))
    manifest["version"] = project_version()
    manifest["platforms"] = [flavour.platform]
    manifest["wheels"] = [f"./wheels/{wheel.name}" for wheel in wheels]
    manifest["blender_version_min"] = "4.2.0" if flavour.any_blender else first
    if beyond and not flavour.any_blender:
        manifest["blender_version_max"] = beyond
    return manifest


def to_toml(document: dict[str, Any]) -> str:
    """TOML of a table whose values are texts, lists of texts, and tables of texts."""
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in document.items() if key not in tables]
    for name, table in tables.items():
        lines += [
            "",
            f"[{name}]",
            *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()),
        ]
    return "\n".join(lines) + "\n"


def write_zip(stage: Path, target: Path) -> None:
    """Packs ``stage`` so that the same files give the same zip, whenever and wherever it is built."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(stage.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


def validate(target: Path) -> None:
    """Has Blender's own extension tool check the zip, where the bpy module is installed.

    Raises:
        BuildError: the tool refuses it.
    """
    tool = next(_extension_tools(), None)
    if tool is None:
        print("The zip is not validated: Blender's tool for it comes with the bpy module, which is not installed here.")
        return
    done = subprocess.run(
        [sys.executable, str(tool), "validate", str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"Blender's extension tool refuses {target.name}:\n{done.stdout}{done.stderr}")


def _extension_tools() -> Iterator[Path]:
    for folder in map(Path, sys.path):
        yield from folder.glob("bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")


def current_platform() -> str:
    """Blender's name of this system."""
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(platform.system(), platform.system())
    processor = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x64"
    return f"{system}-{processor}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when the zip stands."""
    parser = argparse.ArgumentParser(description="Builds the Blender extension into one zip.")
    parser.add_argument(
        "--python", default="current", help="Python of the Blender: 3.11 (4.2 to 5.0), 3.13 (5.1 on) or current"
    )
    parser.add_argument("--platform", default="current", choices=["current", *PLATFORMS], help="system of the Blender")
    parser.add_argument("--out", type=Path, default=BUILD, help="folder for the zip (default: build)")
    parser.add_argument(
        "--any-blender", action="store_true", help="for a Blender built with another Python than the official"
    )
    parser.add_argument("--without-hnswlib", action="store_true", help="leave hnswlib out and search exactly")
    chosen = parser.parse_args(arguments)
    flavour = Flavour(
        python=CURRENT_PYTHON if chosen.python == "current" else chosen.python,
        platform=current_platform() if chosen.platform == "current" else chosen.platform,
        any_blender=chosen.any_blender,
        compiled_index=not chosen.without_hnswlib,
    )
    try:
        target = build(flavour, chosen.out)
    except BuildError as error:
        print(f"build_addon.py: {error}", file=sys.stderr)
        return 2
    print(f"{target}  {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
