# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a protocol asks a model fairly follows from what the model learnt from."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.class_names import class_name
from training.entries import chosen_entries
from training.protocols import PROTOCOLS, Protocol
from training.provenance import Sight, TrainingData

from .corpus_files import write_hdm05, write_mhad


@pytest.fixture(scope="module")
def mhad(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    folder = tmp_path_factory.mktemp("mhad")
    write_mhad(folder, actions=1, subjects=[1, 2, 8, 9], repetitions=1)
    return PROTOCOLS["mhad-xsub"](folder, folder / "cache")


@pytest.mark.parametrize(
    ("corpora", "leave_out", "sight"),
    [
        (("cmu",), (), Sight.UNSEEN),
        (("cmu", "mhad"), ("mhad/s08", "mhad/s09"), Sight.GALLERY),
        (("mhad",), ("mhad/s08",), Sight.QUERIES),
        (("mhad",), ("mhad/s0*",), Sight.CORPUS),
    ],
)
def test_what_was_learnt_from_decides_what_a_protocol_is_to_a_model(
    mhad: Protocol, corpora: tuple[str, ...], leave_out: tuple[str, ...], sight: Sight
) -> None:
    assert TrainingData(corpora, leave_out).sight(mhad) is sight


def test_the_test_takes_of_a_corpus_are_learnt_from_by_nobody_unless_under_another_name(tmp_path: Path) -> None:
    write_hdm05(tmp_path, "train/1/HDM_bd_kick_001_120.amc", "test/1/HDM_mm_kick_001_120.amc")
    protocol = PROTOCOLS["hdm05-11"](tmp_path, tmp_path / "cache")
    assert TrainingData(("hdm05",), ()).sight(protocol) is Sight.GALLERY
    assert TrainingData(("hdm05-25",), ()).sight(protocol) is Sight.QUERIES, "the same files, split otherwise"


def test_settings_and_cards_tell_the_same_and_a_card_may_tell_nothing() -> None:
    told = TrainingData(("cmu", "mhad"), ("mhad/s08",))
    assert TrainingData.of({"corpora": ("cmu", "mhad"), "leave_out": ("mhad/s08",)}) == told
    assert TrainingData.of({"training_data": ["cmu", "mhad"], "left_out": ["mhad/s08"]}) == told
    assert TrainingData.of({}) is None
    assert str(told) == "cmu + mhad without s08"


@pytest.mark.parametrize("text", ["no path", "=a.onnx", "name="])
def test_a_row_that_is_not_written_as_name_and_paths_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="NAME=PATH"):
        chosen_entries([], [text])


def test_classes_have_names_for_people(mhad: Protocol, tmp_path: Path) -> None:
    assert class_name(mhad.queries[0]) == "jump in place"
    take = mhad.queries[0]._replace(corpus="hdm05", label="6")
    for name, words in (("HDM_bd_kickLFront1Reps_001_120", "kick l front"), ("odd", "6"), ("a_b_1_c", "6")):
        motion = take.motion.cut(0.0)
        object.__setattr__(motion, "name", name)
        assert class_name(take._replace(motion=motion)) == words
    assert class_name(take._replace(label="walk")) == "walk"
