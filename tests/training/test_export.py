# SPDX-License-Identifier: GPL-3.0-or-later
"""The exported file computes what torch does, at every length, and says what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from hums_engine.encoder import Encoder
from hums_engine.normalize import NormalizedMotion, normalize
from training.card import make_card
from training.deephums import DeepHuMSSettings
from training.export import check, export
from training.model import DeepHuMS
from training.signature_net import STRIDE, SignatureNet

from .synthetic_motions import swinging
from .test_augment import batch_of

ENCODERS: dict[str, Callable[[], nn.Module]] = {"paper": DeepHuMS, "shipped": SignatureNet}


@pytest.fixture(scope="module", params=ENCODERS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    torch.manual_seed(1)
    model = ENCODERS[request.param]()
    for name, value in model.named_buffers():
        if name.endswith(("mean", "scale")):  # constants that, left at 0 and 1, would hide a mistake in their place
            value.copy_(torch.rand_like(value) + 0.5)
    path = tmp_path_factory.mktemp("onnx") / f"{request.param}.onnx"
    card = make_card(DeepHuMSSettings(), request.param, "1.2", "A test.", {"hdm05-11": {"mAP": 0.5}})
    assert export(model, card, path) < 1e-4
    return model, path


@pytest.mark.parametrize("frames", [1, 2, 15, 16, 60, 150, 600])
def test_the_file_gives_what_torch_gives_at_any_length(exported: tuple[nn.Module, Path], frames: int) -> None:
    model, path = exported
    motion = normalize(swinging(1, 1, frames=frames))
    batch = batch_of(motion)
    with torch.no_grad():
        wanted = model(batch.joints, batch.valid.float(), batch.length).numpy()
    np.testing.assert_allclose(Encoder(path).encode([motion]), wanted, atol=1e-4)


def test_padding_and_company_change_nothing(exported: tuple[nn.Module, Path]) -> None:
    _, path = exported
    encoder = Encoder(path)
    motions = [normalize(swinging(k, 1, frames=n)) for k, n in enumerate((33, 34, 37, 40, 41))]
    motions[2] = NormalizedMotion(motions[2].joints, np.arange(22) % 4 > 0)
    together = encoder.encode(motions)
    alone = np.concatenate([encoder.encode([motion]) for motion in motions])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3, "different motions differ"


def test_what_stands_in_a_missing_joint_changes_nothing(exported: tuple[nn.Module, Path]) -> None:
    _, path = exported
    motion = normalize(swinging(1, 1))
    valid = np.ones(22, dtype=bool)
    valid[[3, 18]] = False
    rubbish = motion.joints.copy()
    rubbish[:, ~valid] = 7.0
    a, b = Encoder(path).encode([NormalizedMotion(motion.joints, valid), NormalizedMotion(rubbish, valid)])
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_old_runtimes_can_read_the_file_and_its_card(exported: tuple[nn.Module, Path]) -> None:
    _, path = exported
    proto = onnx.load(path)
    assert proto.ir_version <= 10
    assert max(opset.version for opset in proto.opset_import) <= 21
    assert path.stat().st_size < 10_000_000
    card = {prop.key: json.loads(prop.value) for prop in proto.metadata_props}
    assert card["version"] == "1.2"
    assert card["dimension"] == 512
    assert card["fps"] == 30
    assert card["licence"] == "GPL-3.0-or-later"
    assert any("mocap.cs.cmu.edu" in citation for citation in card["citations"])
    assert Encoder(path).card == card


def test_the_tokens_of_a_motion_average_to_its_signature(tmp_path: Path) -> None:
    torch.manual_seed(2)
    path = tmp_path / "net.onnx"
    export(SignatureNet(), {}, path)
    import onnxruntime

    motion = normalize(swinging(2, 1, frames=61))
    batch = batch_of(motion)
    feed = {"joints": batch.joints.numpy(), "valid": batch.valid.float().numpy(), "length": batch.length.numpy()}
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    signature, tokens = (np.asarray(value) for value in session.run(["signature", "tokens"], feed))
    assert tokens.shape == (1, -(-61 // STRIDE), 512)
    mean = tokens[0].mean(axis=0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), signature[0], atol=1e-5)


def test_a_file_that_differs_from_torch_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    export(SignatureNet(), {}, path)
    with pytest.raises(ValueError, match="differs from torch"):
        check(SignatureNet(), path)
    assert not path.exists()
