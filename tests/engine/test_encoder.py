# SPDX-License-Identifier: GPL-3.0-or-later
"""The encoder, with the model that ships: what a signature depends on, and what is said when there can be none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hums_engine import quat
from hums_engine.canonical import CanonicalMotion
from hums_engine.encoder import BATCH_FRAMES, LONGEST, SHIPPED_MODEL, Encoder
from hums_engine.errors import ModelError
from hums_engine.motion import Motion
from hums_engine.normalize import NormalizedMotion, normalize
from hums_engine.skeleton import JOINTS, PARENTS

from .reference_body import swaying, wandering

pytest.importorskip("onnxruntime")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def moved(motion: CanonicalMotion, turn_deg: float, place: tuple[float, float, float], size: float) -> CanonicalMotion:
    turn = quat.from_axis_angle([0, 0, 1], np.radians(turn_deg))
    positions = quat.rotate(turn, motion.positions) * size + place
    return replace(motion, positions=positions.astype(np.float32))


def test_signatures_are_unit_vectors_in_the_order_given(encoder: Encoder) -> None:
    motions = [wandering(90, seed=1), swaying(30), wandering(12, seed=2)]
    vectors = encoder.encode(motions)
    assert vectors.shape == (3, 512) == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(motions[::-1]), vectors[::-1], atol=1e-5)
    assert encoder.encode([]).shape == (0, 512)


def test_a_motion_a_canonical_one_and_a_normalised_one_have_the_same_signature(encoder: Encoder) -> None:
    canonical = wandering(60)
    motion = Motion(canonical.positions, 30.0, JOINTS, PARENTS)
    vectors = encoder.encode([motion, canonical, normalize(canonical)])
    np.testing.assert_allclose(vectors, vectors[:1].repeat(3, axis=0), atol=1e-3)


def test_place_heading_and_size_do_not_change_a_signature(encoder: Encoder) -> None:
    motion = wandering(60)
    a, b = encoder.encode([motion, moved(motion, 137.0, (3.0, -5.0, 0.4), 1.7)])
    assert a @ b > 0.9999


def test_the_frame_rate_does_not_change_a_signature(encoder: Encoder) -> None:
    slow = wandering(61)
    a, b = encoder.encode([slow, slow.resampled(120.0)])
    assert a @ b > 0.999


def nearest_to_itself(encoder: Encoder, queries: list[CanonicalMotion], samples: list[CanonicalMotion]) -> float:
    nearest = (encoder.encode(queries) @ encoder.encode(samples).T).argmax(axis=1)
    return float((nearest == np.arange(len(samples))).mean())


def test_a_sample_with_joints_missing_is_nearest_to_itself(encoder: Encoder, samples: list[CanonicalMotion]) -> None:
    missing = np.isin(np.arange(22), [3, 7, 15, 20])
    queries = [replace(motion, valid=motion.valid & ~missing) for motion in samples]
    assert nearest_to_itself(encoder, queries, samples) >= 0.8


def test_a_sample_at_twice_the_speed_is_nearest_to_itself(encoder: Encoder, samples: list[CanonicalMotion]) -> None:
    queries = [replace(motion, fps=2 * motion.fps) for motion in samples]
    assert nearest_to_itself(encoder, queries, samples) >= 0.8


def test_the_shortest_motion_has_a_signature(encoder: Encoder) -> None:
    (vector,) = encoder.encode([wandering(1)])
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_a_take_of_half_an_hour_is_encoded_in_bounded_batches(encoder: Encoder) -> None:
    short = normalize(wandering(LONGEST))
    take = NormalizedMotion(np.tile(short.joints, (90, 1, 1)), short.valid)
    assert len(take.joints) > 6 * BATCH_FRAMES
    vector, part = encoder.encode([take, short])
    assert vector @ part > 0.999, "the mean of equal parts is the part"


def test_the_model_is_known_by_its_hash_and_its_card(encoder: Encoder) -> None:
    assert encoder.model_hash == hashlib.sha256(SHIPPED_MODEL.read_bytes()).hexdigest()
    assert encoder.model_name == encoder.card["name"]
    assert encoder.card["fps"] == 30
    assert encoder.card["dimension"] == 512
    assert any("mocap.cs.cmu.edu" in citation for citation in encoder.card["citations"])
    assert SHIPPED_MODEL.stat().st_size < 10_000_000


def test_a_device_that_is_not_there_gives_way_to_the_cpu() -> None:
    import onnxruntime

    for name, provider in (("cuda", "CUDAExecutionProvider"), ("directml", "DmlExecutionProvider")):
        if provider not in onnxruntime.get_available_providers():
            assert Encoder(provider=name).provider == "cpu"


def test_an_unknown_device_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ModelError, match="cuda, directml, coreml, cpu"):
        Encoder(provider="abacus")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "not an ONNX model"), (b"\x08\x07" + bytes(range(200)), "not an ONNX model")],
)
def test_a_model_that_is_missing_or_damaged_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "some.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        Encoder(path)


def test_half_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    model = SHIPPED_MODEL.read_bytes()
    path.write_bytes(model[: len(model) // 2])
    with pytest.raises(ModelError, match=r"half\.onnx is not an ONNX model"):
        Encoder(path)


def test_a_model_of_another_layout_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    shape = ["N", 7]
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "signature"))
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["signature"])], "other", [x], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="another layout"):
        Encoder(path)


def test_without_onnxruntime_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "import hums_engine.encoder as encoder\n"
        "from hums_engine.errors import MissingDependencyError\n"
        "try: encoder.Encoder()\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Encoding motions needs onnxruntime; install it with: pip install 'hums[run]'."


def test_onnxruntime_keeps_and_sends_no_record_of_its_use(tmp_path: Path) -> None:
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "APPDATA")}
    code = "from hums_engine.encoder import Encoder; Encoder()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, **homes})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("frames", [1, 3, 61, 150, 152, 599])
def test_the_stretch_that_is_the_whole_has_the_signature_of_the_whole(encoder: Encoder, frames: int) -> None:
    motion = wandering(frames)
    whole = encoder.encode_stretches(motion, np.array([[0.0, motion.duration_s]]))
    np.testing.assert_allclose(whole, encoder.encode([motion]), atol=1e-5)


def test_stretches_of_a_long_take_are_those_of_the_take_cut_out_with_room_around(encoder: Encoder) -> None:
    """Passes over a long take overlap: where one ends must not show."""
    take = wandering(2000)
    room = 8.0
    for start in (11.0, 16.0, 18.5, 29.2, 44.0):
        (within,) = encoder.encode_stretches(take, np.array([[start, start + 2.0]]))
        around = take.cut(start - room, start + 2.0 + room)
        (alone,) = encoder.encode_stretches(around, np.array([[room, room + 2.0]]))
        assert within @ alone > 0.99, f"the stretch at {start} s"


def test_a_stretch_is_nearer_to_its_own_excerpt_than_to_any_other(encoder: Encoder) -> None:
    take = wandering(900)
    times = np.arange(0.0, 26.0, 2.0)[:, None] + [0.0, 2.0]
    stretches = encoder.encode_stretches(take, times)
    excerpts = encoder.encode([take.cut(start, end) for start, end in times])
    assert ((excerpts @ stretches.T).argmax(axis=1) == np.arange(len(times))).mean() > 0.9


def test_a_model_without_tokens_signs_stretches_one_by_one(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(SHIPPED_MODEL))
    del model.graph.output[1:]
    onnx.save(model, str(tmp_path / "plain.onnx"))
    motion, times = wandering(200), np.array([[0.0, 1.0], [2.0, 4.0]])
    plain = Encoder(tmp_path / "plain.onnx")
    cut = plain.encode([motion.cut(start, end) for start, end in times])
    np.testing.assert_allclose(plain.encode_stretches(motion, times), cut, atol=1e-5)
