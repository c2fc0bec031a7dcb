# SPDX-License-Identifier: GPL-3.0-or-later
"""One command makes the whole table: it trains what is missing, measures every row, draws, and survives what fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from training.cli import main

from .corpus_files import write_mhad

TINY = [
    "steps=4", "batch=12", "pool=40", "neighbours=6", "longest=40", "width=32", "blocks=1", "corpora=mhad",
    "save_every=2",
]  # fmt: skip
ROWS = ["signature", "cm_recognition-hcn", "hdm05_autoencoder"]
PICTURES = ["precision_recall.png", "robustness.png", "signatures.png", "hits_mhad-xsub.png"]


def reproduce(folder: Path, *words: str, rows: list[str] = ROWS, protocol: str = "mhad-xsub") -> int:
    """The command on a small data folder."""
    named = {"--data": "data", "--cache": "cache", "--runs": "runs", "--out": "out"}
    places = [word for option, place in named.items() for word in (option, str(folder / place))]
    only = [word for row in rows for word in ("--only", row)]
    settings = [word for setting in TINY for word in ("--set", setting)]
    return main(["reproduce", *places, *only, *settings, "--protocol", protocol, *words])


def table(folder: Path) -> dict[str, Any]:
    """The JSON that was saved."""
    return json.loads((folder / "out" / "evaluation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, and all that the command makes of it."""
    folder = tmp_path_factory.mktemp("reproduce")
    write_mhad(folder / "data", actions=3, subjects=[1, 2, 8], repetitions=2)
    assert reproduce(folder, "--seeds", "0", "1") == 0
    return folder


@pytest.fixture
def again(done: Path, tmp_path: Path) -> Path:
    """The same folder with its runs, to go on in."""
    for place in ("data", "cache", "runs"):
        shutil.copytree(done / place, tmp_path / place)
    return tmp_path


def test_seeds_of_a_model_are_one_row_with_mean_and_spread_and_each_seed_in_json(done: Path) -> None:
    found = table(done)["protocols"]["mhad-xsub"]["rows"]["signature"]["clean"]
    seeds = [seed["mean_ap"] for seed in found["seeds"]]
    assert len(seeds) == 2
    assert found["mean_ap"] == pytest.approx(np.mean(seeds), abs=1e-3)
    assert found["spread"]["mean_ap"] == pytest.approx(np.std(seeds, ddof=1), abs=1e-3)
    words = (done / "out" / "evaluation.md").read_text(encoding="utf-8")
    assert "| signature (2 seeds) |" in words
    assert f"{found['top_1']:.3f} ± {found['spread']['top_1']:.3f}" in words


def test_every_encoder_is_timed_and_no_other_row(done: Path) -> None:
    rows = table(done)["rows"]
    assert all(time > 0 for time in rows["signature"]["encode_ms"])
    assert (rows["signature"]["runs_in"], rows["HCN recognition"]["runs_in"]) == ("ONNX", "torch")
    assert len(rows["HCN recognition"]["encode_ms"]) == 2
    assert rows["pose PCA"]["encode_ms"] == []


def test_slow_rows_are_measured_on_clean_queries_and_the_others_at_every_severity(done: Path) -> None:
    rows = table(done)["protocols"]["mhad-xsub"]["rows"]
    assert set(rows["exact DTW"]) == {"clean"}
    assert {"40 % joints missing", "0.7 x speed", "40 % crop", "20 mm noise", "60 fps"} <= set(rows["signature"])
    assert set(rows["pose PCA"]) == set(rows["signature"])
    assert "| exact DTW | 1.000 | - |" in (done / "out" / "evaluation.md").read_text(encoding="utf-8")


def test_a_row_that_learnt_from_those_who_ask_is_left_out_and_it_is_said(done: Path) -> None:
    found = table(done)
    assert "auto-encoder, HDM05" in found["rows"], "its plan leaves no subject out, and here it learnt from MHAD"
    assert "auto-encoder, HDM05" not in found["protocols"]["mhad-xsub"]["rows"]
    assert found["left_out"] == ["auto-encoder, HDM05 is not in mhad-xsub: it was trained on those who ask."]
    assert found["protocols"]["mhad-xsub"]["sights"]["signature"] == "trained on the gallery"


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_shows_something(done: Path, name: str) -> None:
    with Image.open(done / "out" / name) as picture:
        pixels = np.asarray(picture.convert("RGB"))[::5, ::5]
    assert min(pixels.shape[:2]) > 60
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
    assert 0.3 < (pixels > 240).all(axis=2).mean() < 0.995, "most of a sheet is paper, and not all of it"


def test_given_again_it_goes_on_with_what_was_stopped_and_trains_nothing_twice(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped, finished = (again / "runs" / f"signature_{seed}" / "model.pt" for seed in (1, 0))
    before = torch.load(stopped, weights_only=True)
    stopped.unlink()
    times = finished.stat().st_mtime_ns
    assert reproduce(again, "--seeds", "0", "1", "--no-pictures", "--condition", "clean", rows=["signature"]) == 0
    after = torch.load(stopped, weights_only=True)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert finished.stat().st_mtime_ns == times
    assert not (again / "out" / "robustness.png").exists()
    assert "signature (2 seeds)" in capsys.readouterr().out


def test_what_fails_costs_its_row_a_line_and_the_others_nothing(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (again / "runs" / "signature_1" / "checkpoint.pt").write_bytes(b"not weights")
    (again / "runs" / "cm_recognition-hcn_0" / "settings.json").write_text("{}")
    words = ["--seeds", "0", "1", "--no-pictures", "--condition", "clean", "--protocol", "hdm05-11"]
    assert reproduce(again, *words) == 1, "done, with failures told"
    failures = table(again)["failures"]
    told = ["signature, seed 1: ", "HCN recognition, seed 0: ", "hdm05-11: "]
    assert [failure.startswith(start) for failure, start in zip(failures, told, strict=True)] == [True] * 3
    assert all("\n" not in failure for failure in failures)
    rows = table(again)["protocols"]["mhad-xsub"]["rows"]
    assert {"signature", "HCN recognition", "exact DTW"} <= set(rows)
    assert "## Failed" in capsys.readouterr().out


def test_a_finished_run_of_other_settings_is_not_taken_for_the_planned_one(
    again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--seeds", "0", "--no-pictures", "--condition", "clean", "--set", "steps=5"]
    assert reproduce(again, *words, rows=["signature"]) == 1
    assert "holds a run of other settings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"), [(["--set", "stepz=3"], "no setting 'stepz'"), (["--set", "steps=few"], "is a number")]
)
def test_a_mistake_in_a_setting_is_told_before_anything_is_trained(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    shutil.copytree(done / "data", tmp_path / "data")
    assert reproduce(tmp_path, *words, rows=["signature"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
