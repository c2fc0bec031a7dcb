# SPDX-License-Identifier: GPL-3.0-or-later
"""hums-train from a data folder to an encoder in use: fit, export, evaluate, and one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hums_engine.encoder import Encoder
from training.cli import main

from .corpus_files import write_mhad

TINY = ["steps=12", "batch=12", "pool=40", "neighbours=6", "longest=40", "width=32", "blocks=1", "corpora=mhad"]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, a run of the shipped recipe on it, and its export."""
    folder = tmp_path_factory.mktemp("work")
    write_mhad(folder / "data", actions=3, subjects=[1, 2, 8], repetitions=2)
    common = ["--data", str(folder / "data"), "--cache", str(folder / "cache")]
    settings = [word for setting in TINY for word in ("--set", setting)]
    assert main(["fit", str(folder / "run"), "--recipe", "signature", *common, *settings]) == 0
    assert main(["export", str(folder / "run"), str(folder / "net.onnx"), "--name", "tiny", "--version", "3.1"]) == 0
    return folder


def test_a_run_becomes_an_encoder_with_its_card(work: Path) -> None:
    card = Encoder(work / "net.onnx").card
    assert (card["name"], card["version"], card["steps"], card["recipe"]) == ("tiny", "3.1", 12, "signature")
    assert card["training_data"] == ["mhad"]
    assert "Berkeley MHAD" in card["citations"][0]


def test_evaluate_prints_and_saves_every_row_under_every_condition(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = work / "evaluation"
    asked = ["--protocol", "mhad-xsub", "--condition", "clean", "--condition", "20 % joints missing"]
    place = ["--data", str(work / "data"), "--cache", str(work / "cache"), "--out", str(out)]
    assert main(["evaluate", str(work / "net.onnx"), *asked, *place]) == 0
    printed = capsys.readouterr().out
    assert printed.strip() == (out / "evaluation.md").read_text(encoding="utf-8").strip()
    table = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))["protocols"]["mhad-xsub"]["rows"]
    assert set(table) == {
        "net", "exact DTW", "resampled pose", "pose PCA", "mean and deviation", "geometric features",
        "motion field + distance",
    }  # fmt: skip
    assert all(set(row) == {"clean", "20 % joints missing"} for row in table.values())
    assert table["exact DTW"]["clean"]["mean_ap"] > 0.9, "kinds this different are found by alignment"
    assert all(0 <= value <= 1 for row in table.values() for value in row["clean"]["precision"])


def test_a_run_folder_is_evaluated_as_its_export_is(work: Path) -> None:
    asked = ["--no-baselines", "--protocol", "mhad-xsub", "--condition", "clean"]
    place = ["--data", str(work / "data"), "--cache", str(work / "cache"), "--out", str(work / "two")]
    assert main(["evaluate", str(work / "run"), str(work / "net.onnx"), *asked, *place]) == 0
    rows = json.loads((work / "two" / "evaluation.json").read_text(encoding="utf-8"))["protocols"]["mhad-xsub"]["rows"]
    assert set(rows) == {"run", "net"}
    assert rows["run"]["clean"]["precision"] == pytest.approx(rows["net"]["clean"]["precision"])
    assert rows["run"]["clean"]["mean_ap"] == pytest.approx(rows["net"]["clean"]["mean_ap"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "RUN", "--data", "NOWHERE"], "holds no"),
        (["fit", "RUN", "--data", "DATA", "--set", "stepz=1"], "no setting 'stepz'"),
        (["fit", "RUN", "--data", "DATA", "--set", "steps=many"], "steps is a number"),
        (["export", "NOWHERE", "x.onnx"], "not the folder of a run"),
        (["evaluate", "NOWHERE/x.onnx", "--data", "DATA"], "cannot be read"),
        (["evaluate", "--no-baselines", "--data", "DATA"], "name a model"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    names = {"RUN": tmp_path / "run", "DATA": work / "data", "NOWHERE": tmp_path / "nowhere"}
    words = [str(names.get(word, word)).replace("NOWHERE", str(names["NOWHERE"])) for word in arguments]
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("hums-train: ")
    assert said in lines[0]
