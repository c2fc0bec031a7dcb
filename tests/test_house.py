# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house: what each part may import, what the repository carries, and what its README promises."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hums_engine

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("hums_engine", "training", "blender_addon", "tests", "benchmarks", ".ci")
README_COMMANDS = ("make demo", "make test", "make test-blenders", "make lint", "make bench", "make addon")
OPTIONAL = ("onnxruntime", "hnswlib", "PIL", "tqdm", "torch", "bpy", "sqlite_utils", "distributed", "psycopg")


def python_files() -> list[Path]:
    return [*sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py")), ROOT / "build_addon.py"]


def imported_modules(path: Path) -> Iterator[str]:
    """First names of all modules that a file imports anywhere, relative imports left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_every_python_file_begins_with_its_licence() -> None:
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in python_files()}
    assert len(texts) > 40
    licence = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    assert [path for path, text in texts.items() if text and not text.startswith(licence)] == []


@pytest.mark.parametrize(
    ("house", "forbidden"),
    [
        ("hums_engine", {"bpy", "mathutils", "bpy_extras", "torch", "onnx", "training", "blender_addon"}),
        ("training", {"bpy", "mathutils", "bpy_extras", "blender_addon"}),
        ("blender_addon", {"torch", "onnx", "training"}),
    ],
)
def test_imports_go_in_one_direction(house: str, forbidden: set[str]) -> None:
    offenders = {
        str(path.relative_to(ROOT)): forbidden & set(imported_modules(path))
        for path in (ROOT / house).rglob("*.py")
        if forbidden & set(imported_modules(path))
    }
    assert offenders == {}


def test_the_engine_loads_nothing_beyond_numpy_when_it_is_imported() -> None:
    program = f"import sys, hums_engine; print([name for name in {OPTIONAL!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_each_optional_package_has_one_door_in_the_engine() -> None:
    doors: dict[str, list[str]] = {name: [] for name in ("onnxruntime", "hnswlib", "PIL", "torch")}
    for path in (ROOT / "hums_engine").rglob("*.py"):
        for name in doors.keys() & set(imported_modules(path)):
            doors[name].append(path.name)
    assert doors == {
        "onnxruntime": ["encoder.py"], "hnswlib": ["hnsw_index.py"], "PIL": ["pictures.py"], "torch": []
    }  # fmt: skip


def test_the_readme_names_the_makefiles_commands_and_no_other() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", readme.replace("make it", "")))
    assert named <= targets
    assert {command.split()[1] for command in README_COMMANDS} <= named


def test_every_file_and_picture_that_a_document_links_to_is_there() -> None:
    broken = []
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "samples").rglob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "mailto:")) and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert len(documents) > 4
    assert broken == []


def test_the_architecture_page_names_every_module_of_the_engine() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = [path.name for path in (ROOT / "hums_engine").rglob("*.py") if not path.name.startswith("__")]
    plain = {"errors.py", "interpreter.py", "quat.py", "skeleton.py"}  # what all others stand on
    assert [name for name in modules if name not in plain and f"{name}`" not in page] == []


def test_the_python_example_in_the_readme_runs(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert example is not None
    (tmp_path / "samples").symlink_to(ROOT / "samples", target_is_directory=True)
    command = [sys.executable, "-c", example[1]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=with_root())
    assert done.returncode == 0, done.stderr
    assert "walk" in done.stdout


def with_root() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_samples_are_small_and_carry_their_notices() -> None:
    files = [path for path in (ROOT / "samples").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    notice = " ".join((ROOT / "samples" / "NOTICE").read_text(encoding="utf-8").split())
    assert "The data used in this project was obtained from mocap.cs.cmu.edu." in notice
    assert "The database was created with funding from NSF EIA-0196217." in notice
    assert "CC0" in (ROOT / "samples" / "character" / "LICENSE.txt").read_text(encoding="utf-8")


def test_the_samples_table_lists_every_sample_and_each_is_what_it_says() -> None:
    with (ROOT / "samples" / "samples.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in (ROOT / "samples").glob("*.bvh"))
    assert len({row["label"] for row in rows}) >= 15
    for row in rows:
        motion = hums_engine.load(ROOT / "samples" / row["file"])
        frames = (int(row["last_frame"]) - int(row["first_frame"])) // 2 + 1
        assert row["file"] == f"{row['label']}_{row['take']}.bvh"
        assert (motion.frame_count, round(motion.fps)) == (frames, 60), row["file"]
        assert 1.0 < motion.duration_s < 8.1, row["file"]


def test_the_sample_character_is_a_valid_binary_gltf_without_animations() -> None:
    content = (ROOT / "samples" / "character" / "knight.glb").read_bytes()
    assert content[:4] == b"glTF"
    assert int.from_bytes(content[8:12], "little") == len(content)
    document = json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])
    assert "animations" not in document
    assert document["nodes"][document["skins"][0]["joints"][0]]["name"]
    assert all(view["byteOffset"] + view["byteLength"] <= len(content) for view in document["bufferViews"])


def test_no_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "farm", "root", "opt")) + r")/")
    texts = [*python_files(), ROOT / "Makefile", ROOT / ".ci" / "run", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    assert [path.name for path in texts if pattern.search(path.read_text(encoding="utf-8"))] == []


def other_pythons() -> list[str]:
    """Interpreters on this machine that Blender has no module for."""
    found = [shutil.which(f"python3.{minor}") for minor in (8, 9, 10, 12, 14)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += [
        str(path) for path in pyenv.glob("3.*/bin/python3") if not re.match(r"3\.([0-7]|11|13)\b", path.parts[-3])
    ]
    return [python for python in found if python and runs(python)]


def runs(python: str) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_python_that_blender_does_not_support_gets_one_sentence() -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip("needs a Python other than 3.11 and 3.13 on this machine")
    command = ["make", "test", f"PYTHON={pythons[0]}", "VENV=build/never-made"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode != 0
    assert len(said) == 1
    assert said[0].startswith("Blender's module runs on Python 3.11 and 3.13, and this is 3.")
    assert not (ROOT / "build" / "never-made").exists()
