# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of models that differ by seed, rows that fail while they are measured, and folders that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from training.cli import main
from training.export import to_onnx
from training.model import DeepHuMS

from .corpus_files import write_mhad


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder and models: two seeds, one that learnt from those who ask, and one whose weights are no numbers."""
    folder = tmp_path_factory.mktemp("evaluation")
    write_mhad(folder / "data", actions=2, subjects=[1, 8], repetitions=2)
    cards: dict[str, dict[str, Any]] = {
        "a": {"training_data": ["cmu"], "left_out": []},
        "b": {"training_data": ["cmu"], "left_out": []},
        "unfair": {"training_data": ["mhad"], "left_out": []},
        "silent": {},
        "broken": {"training_data": ["cmu"], "left_out": []},
    }
    for seed, (name, card) in enumerate(cards.items()):
        torch.manual_seed(seed)
        network = DeepHuMS(1, 32)
        if name == "broken":
            next(network.parameters()).data.fill_(torch.nan)
        (folder / f"{name}.onnx").write_bytes(to_onnx(network, card).SerializeToString())
    return folder


def evaluate(folder: Path, out: Path, *words: str, pictures: bool = False) -> int:
    """The command on clean queries."""
    places = ["--data", str(folder / "data"), "--cache", str(folder / "cache"), "--out", str(out)]
    asked = ["--protocol", "mhad-xsub", "--condition", "clean", *([] if pictures else ["--no-pictures"])]
    return main(["evaluate", *words, *places, *asked])


def read(out: Path) -> dict[str, Any]:
    """The JSON that was saved."""
    return json.loads((out / "evaluation.json").read_text(encoding="utf-8"))


def test_models_named_in_one_row_are_its_seeds(folder: Path, tmp_path: Path) -> None:
    row = f"both={folder / 'a.onnx'},{folder / 'b.onnx'}"
    assert evaluate(folder, tmp_path, "--row", row, str(folder / "a.onnx"), "--no-baselines") == 0
    found = read(tmp_path)["protocols"]["mhad-xsub"]["rows"]
    assert list(found) == ["both", "a"]
    assert found["both"]["clean"]["seeds"][0]["mean_ap"] == found["a"]["clean"]["mean_ap"]
    assert "seeds" not in found["a"]["clean"]


def test_models_of_other_training_data_are_no_seeds_of_one_row(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(folder, tmp_path, "--row", f"both={folder / 'a.onnx'},{folder / 'unfair.onnx'}") == 2
    assert "learnt from different data" in capsys.readouterr().err


def test_two_rows_of_one_name_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(folder, tmp_path, "--row", f"a={folder / 'b.onnx'}", str(folder / "a.onnx")) == 2
    assert "Two rows are named 'a'" in capsys.readouterr().err


def test_a_row_that_fails_while_it_is_measured_costs_one_line(folder: Path, tmp_path: Path) -> None:
    models = [str(folder / f"{name}.onnx") for name in ("broken", "a", "unfair", "silent")]
    assert evaluate(folder, tmp_path, *models, pictures=True) == 1
    found = read(tmp_path)
    assert len(found["failures"]) == 1
    assert found["failures"][0].startswith("broken in mhad-xsub, clean: ")
    assert "not finite" in found["failures"][0]
    assert found["left_out"] == ["unfair is not in mhad-xsub: it was trained on those who ask."]
    assert {"a", "silent", "exact DTW"} <= set(found["protocols"]["mhad-xsub"]["rows"])
    words = (tmp_path / "evaluation.md").read_text(encoding="utf-8")
    assert "| a | cmu: unseen corpus |" in words
    assert "| silent | its card does not say |" in words
    drawn = {path.name for path in tmp_path.glob("*.png")}
    assert drawn == {"precision_recall.png", "signatures.png", "hits_mhad-xsub.png"}, "of the first row that stands"


def test_a_data_folder_with_nothing_in_it_is_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(tmp_path), "--cache", str(tmp_path), "--out", str(tmp_path / "out"), "--no-pictures"]
    assert main(["evaluate", str(folder / "a.onnx"), *words]) == 2
    assert "Nothing could be measured. hdm05-11: " in capsys.readouterr().err
