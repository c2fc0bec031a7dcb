# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes by name, and the encoder of a run folder: everything that can be trained by one script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from hums_engine.encoder import Encoder

from .autoencoder import AutoEncoder, AutoEncoderRecipe, AutoEncoderSettings
from .deephums import DeepHuMSRecipe, DeepHuMSSettings
from .fit import Recipe, Settings, load_encoder
from .hcn import HCN
from .model import DeepHuMS
from .motion_set import MotionSet
from .recognition import RecognitionHCNSettings, RecognitionIndRNNSettings, RecognitionRecipe
from .signature import SignatureRecipe, SignatureSettings
from .signature_net import SignatureNet
from .sub_motion import SubMotionRecipe, SubMotionSettings, Teacher
from .torch_encoder import TorchEncoder


class Kind(NamedTuple):
    """A recipe by its parts: its settings, how it learns, its encoder untrained, and that encoder in ONNX."""

    settings: type[Settings]
    recipe: Callable[..., Recipe]
    encoder: Callable[[Any], nn.Module]
    description: str


def _indrnn(settings: DeepHuMSSettings | RecognitionIndRNNSettings | SubMotionSettings) -> DeepHuMS:
    return DeepHuMS(settings.layers, settings.size)


def _recognition_indrnn(settings: RecognitionIndRNNSettings, motions: MotionSet, folder: Path) -> Recipe:
    return RecognitionRecipe(settings, motions, folder, _indrnn(settings))


def _recognition_hcn(settings: RecognitionHCNSettings, motions: MotionSet, folder: Path) -> Recipe:
    return RecognitionRecipe(settings, motions, folder, HCN(settings.dropout))


def _sub_motion(settings: SubMotionSettings, motions: MotionSet, folder: Path) -> Recipe:
    return SubMotionRecipe(settings, motions, folder, open_teacher(settings.teacher))


RECIPES: dict[str, Kind] = {
    "deephums": Kind(
        DeepHuMSSettings,
        DeepHuMSRecipe,
        _indrnn,
        "The encoder of DeepHuMS (Battan, Venkat, Sharma 2019): six layers of IndRNN, self-supervised by motion field "
        "and motion distance with the contrastive loss; supervised by cross-entropy besides where that has a weight.",
    ),
    "signature": Kind(
        SignatureSettings,
        SignatureRecipe,
        lambda settings: SignatureNet(width=settings.width, blocks=settings.blocks),
        "A convolutional net whose tokens, averaged, are the signature; taught by exact alignment and statistics over "
        "time, which need no labels, and by labels where there are any.",
    ),
    "recognition-indrnn": Kind(
        RecognitionIndRNNSettings,
        _recognition_indrnn,
        _indrnn,
        "IndRNN (Li et al. 2018) trained to recognise classes; its layer before the classes is the signature.",
    ),
    "recognition-hcn": Kind(
        RecognitionHCNSettings,
        _recognition_hcn,
        lambda settings: HCN(settings.dropout),
        "HCN (Li et al. 2018) trained to recognise classes; its layer before the classes is the signature.",
    ),
    "autoencoder": Kind(
        AutoEncoderSettings,
        AutoEncoderRecipe,
        lambda settings: AutoEncoder(settings.corruption),
        "The codes of auto-encoders of the body's parts, after Wang and Neff 2015.",
    ),
    "sub-motion": Kind(
        SubMotionSettings,
        _sub_motion,
        _indrnn,
        "The sub-motion network of DeepHuMS: gives a piece of a motion the signature that a frozen network gives the "
        "whole.",
    ),
}


def load_run(folder: Path) -> tuple[Settings, nn.Module, int]:
    """The settings of a run folder, its encoder, and the steps it has been trained.

    Raises:
        ValueError: the folder is not that of a run.
    """
    try:
        values: dict[str, Any] = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        kind = RECIPES[values["recipe"]]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{folder} is not the folder of a run of hums-train fit.") from error
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    settings = kind.settings(**values)
    encoder = kind.encoder(settings)
    steps = load_encoder(folder, encoder)
    return settings, encoder.eval(), steps


def open_teacher(model: str) -> Teacher:
    """The frozen network of a run folder or of an .onnx file.

    Raises:
        ModelError: the file is no model.
        ValueError: nothing is named, or the folder is not that of a run.
    """
    if not model:
        raise ValueError("The sub-motion network needs a frozen one; name its run folder with --set teacher=FOLDER.")
    path = Path(model)
    return Encoder(path) if path.suffix == ".onnx" else TorchEncoder(load_run(path)[1])
