# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip that build_addon.py makes."""

from __future__ import annotations

import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon
from tests.addon.zip_for_tests import ROOT, build_zip

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def manifest_of(archive: zipfile.ZipFile) -> dict:
    return tomllib.loads(archive.read("blender_manifest.toml").decode())


def test_the_zip_holds_the_addon_the_engine_its_model_and_the_samples_and_nothing_stray(extension_zip: Path) -> None:
    with zipfile.ZipFile(extension_zip) as archive:
        names = archive.namelist()
    for needed in ("__init__.py", "hums_engine/models/deephums.onnx", "hums_engine/rig_maps/mixamo.json", "LICENSE"):
        assert needed in names
    assert "samples/NOTICE" in names
    assert sum(name.startswith("samples/") and name.endswith(".bvh") for name in names) == len(
        list((ROOT / "samples").glob("*.bvh"))
    )
    stray = [
        name for name in names if "__pycache__" in name or "/." in name or name.startswith((".", "tests", "training"))
    ]
    assert stray == []


def test_the_manifest_lists_the_wheels_that_are_there_and_the_blenders_that_have_this_python(
    extension_zip: Path,
) -> None:
    with zipfile.ZipFile(extension_zip) as archive:
        manifest, names = manifest_of(archive), archive.namelist()
    assert sorted(wheel.removeprefix("./") for wheel in manifest["wheels"]) == sorted(
        name for name in names if name.endswith(".whl")
    )
    assert manifest["version"] == build_addon.project_version()
    assert "blender" not in manifest["name"].lower()
    assert set(manifest["permissions"]) == {"files"}
    bounds = manifest["blender_version_min"], manifest.get("blender_version_max")
    assert bounds == {"3.11": ("4.2.0", "5.1.0"), "3.13": ("5.1.0", None)}[PYTHON]


def test_wheels_are_for_this_python_or_for_all(extension_zip: Path) -> None:
    with zipfile.ZipFile(extension_zip) as archive:
        wheels = [Path(name).stem.split("-") for name in archive.namelist() if name.endswith(".whl")]
    tag = f"cp{PYTHON.replace('.', '')}"
    assert {wheel[2] for wheel in wheels} <= {tag, "py3"}
    assert "onnxruntime" in {wheel[0] for wheel in wheels}


def test_building_twice_gives_the_same_bytes(extension_zip: Path, tmp_path: Path) -> None:
    more = [] if "hnswlib" in str(zipfile.ZipFile(extension_zip).namelist()) else ["--without-hnswlib"]
    assert build_zip(tmp_path, *more).read_bytes() == extension_zip.read_bytes()


def test_a_zip_for_another_python_says_that_it_needs_that_python(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = "3.13" if PYTHON == "3.11" else "3.11"
    flavour = build_addon.Flavour(other, build_addon.current_platform())
    with pytest.raises(build_addon.BuildError, match=f"hnswlib must be compiled by Python {other}"):
        build_addon._compile("hnswlib==0.8.0", flavour, tmp_path)


def test_windows_with_python_311_gets_the_last_onnxruntime_that_loads_beside_blenders_runtime() -> None:
    assert build_addon.Flavour("3.11", "windows-x64").onnxruntime == ("onnxruntime", "1.20.1")
    assert build_addon.Flavour("3.13", "windows-x64").onnxruntime == ("onnxruntime", "1.23.2")


def test_texts_with_quotes_and_umlauts_survive_in_the_manifest() -> None:
    document = {"name": 'a "quoted" Übung', "list": ["x\\y", "z"], "permissions": {"files": "read"}}
    assert tomllib.loads(build_addon.to_toml(document)) == document
