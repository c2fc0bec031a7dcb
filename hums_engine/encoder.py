# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoder: any motion as one signature, by an ONNX model; the one door to onnxruntime."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .canonical import CanonicalMotion, canonicalize
from .completion import Poses
from .errors import MissingDependencyError, ModelError
from .motion import Motion
from .normalize import FPS, NormalizedMotion, normalize
from .skeleton import JOINT_COUNT
from .vector_index import unit

SHIPPED_MODEL: Final = Path(__file__).parent / "models" / "deephums.onnx"

# Fastest first; what each is called by people and by onnxruntime.
PROVIDERS: Final = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
LONGEST: Final = 600
"""Frames of one pass: the longest motion that the shipped models were trained on."""
BATCH_FRAMES: Final = 8192
"""Frames of one padded batch: bounds the memory to about 200 MB."""
_PASSES_AT_ONCE: Final = BATCH_FRAMES // LONGEST
FRAMES_PER_TOKEN: Final = 4
_CONTEXT: Final = 112
"""Frames on either side that a token of the shipped model depends on; each pass over a long motion has so many more."""
_STRETCHES_AT_ONCE: Final = 512  # bounds the memory that a take of hours needs
_PADDING: Final = 1.25  # longest over shortest of a batch: beyond it, padding costs more than batching saves
_INPUTS: Final = {"joints", "valid", "length"}
_POSES: Final = {"pose_mean", "pose_covariance"}


class Encoder:
    """Turns motions into signatures: float32 vectors of unit length, near for similar motions.

    A motion of more than 600 frames (20 s at 30 fps) is encoded as the mean direction of the
    signatures of its equal parts, so memory stays bounded for a take of any length. A model that knows how poses are
    distributed gets motions whose missing joints are filled in (`completion`).

    Attributes:
        path: of the model file.
        model_hash: SHA-256 of the model file in hex: two encoders of one hash give the same signatures.
        dimension: numbers of a signature.
        poses: how the poses of the model's training data are distributed; None where the model does not say.

    Args:
        path: an ONNX model with the project's inputs; None for the one that ships.
        provider: ``"cuda"``, ``"directml"``, ``"coreml"`` or ``"cpu"``; None for the fastest at hand.
            Where the device cannot be started, the CPU is used.
        threads: threads of the CPU for one pass; batches gain more from one.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        ModelError: the model is missing, unreadable or has another layout, or the provider is unknown.
    """

    def __init__(self, path: str | Path | None = None, provider: str | None = None, threads: int = 1) -> None:
        self.path: Final = Path(path) if path is not None else SHIPPED_MODEL
        model = _read(self.path)
        self.model_hash: Final = hashlib.sha256(model).hexdigest()
        self._session: Final[Any] = _open_session(model, self.path, _providers(provider), threads)
        self.dimension: Final[int] = _check_layout(self._session, self.path)
        outputs = {output.name for output in self._session.get_outputs()}
        self._gives_tokens: Final = "tokens" in outputs
        self.poses: Final[Poses | None] = self._known_poses() if outputs >= _POSES else None

    @property
    def provider(self) -> str:
        """The device at work: ``"cuda"``, ``"directml"``, ``"coreml"`` or ``"cpu"``."""
        used = self._session.get_providers()[0]
        return next((short for short, long in PROVIDERS.items() if long == used), used)

    @cached_property
    def card(self) -> dict[str, Any]:
        """What the model says of itself: name, version, training data, citations, licence, metrics."""
        return {key: _json(text) for key, text in self._session.get_modelmeta().custom_metadata_map.items()}

    @property
    def model_name(self) -> str:
        """The card's name, or the file's where the card has none."""
        return str(self.card.get("name") or self.path.stem)

    def encode(self, motions: Sequence[Motion | CanonicalMotion | NormalizedMotion]) -> NDArray[np.float32]:
        """Signatures ``[N, dimension]`` of unit length, in the order given.

        Raises:
            MappingError: a ``Motion`` has a skeleton that is not a body's.
            ModelError: the model gave numbers that are not finite.
        """
        parts, owner = _parts([self._completed(_normalized(motion)) for motion in motions])
        sums = np.zeros((len(motions), self.dimension), dtype=np.float64)
        for batch in _batches([len(part.joints) for part in parts]):
            vectors = self._run([parts[i] for i in batch])
            np.add.at(sums, owner[batch], vectors)
        return unit(sums).astype(np.float32)

    def encode_stretches(
        self, motion: CanonicalMotion, times_s: NDArray[np.floating], normalized: NormalizedMotion | None = None
    ) -> NDArray[np.float32]:
        """Signatures ``[M, dimension]`` of the stretches ``times_s [M, 2]`` (start and end, seconds) of one motion.

        ``normalized`` is the motion's normal form, where the caller has it already.

        A model that gives tokens, one for every four frames, is run over the motion once: the signature of a stretch is
        the mean direction of its tokens. Any other is run over every stretch.

        Raises:
            ModelError: the model gave numbers that are not finite.
        """
        if not self._gives_tokens:
            motion = motion.resampled(FPS)
            groups = np.array_split(times_s, -(-len(times_s) // _STRETCHES_AT_ONCE))
            return np.concatenate([self.encode([motion.cut(start, end) for start, end in some]) for some in groups])
        tokens = self._tokens(self._completed(normalized or normalize(motion)))
        return _pooled(tokens, np.asarray(times_s, dtype=np.float64))

    def _completed(self, motion: NormalizedMotion) -> NormalizedMotion:
        """The motion as the model wants it: with all joints, if it knows where missing ones are likely to be."""
        return motion if self.poses is None else self.poses.complete(motion)

    def _known_poses(self) -> Poses:
        """What the model says of how poses are distributed, whatever motion it is given."""
        frame = {"joints": (1, 1, JOINT_COUNT, 3), "valid": (1, JOINT_COUNT)}
        feed: dict[str, Any] = {name: np.zeros(shape, dtype=np.float32) for name, shape in frame.items()}
        mean, covariance = self._session.run(["pose_mean", "pose_covariance"], feed | {"length": np.array([1])})
        return Poses(mean.astype(np.float64), covariance.astype(np.float64))

    def _tokens(self, motion: NormalizedMotion) -> NDArray[np.float32]:
        """Tokens ``[ceil(T / 4), dimension]`` of a motion of any length, in passes that overlap."""
        frames = len(motion.joints)
        step = LONGEST - 2 * _CONTEXT
        starts = range(0, max(frames - 2 * _CONTEXT, 1), step) if frames > LONGEST else range(1)
        passes = [motion.joints[start : start + LONGEST] for start in starts]
        found = []
        for first in range(0, len(passes), _PASSES_AT_ONCE):
            some = [NormalizedMotion(joints, motion.valid) for joints in passes[first : first + _PASSES_AT_ONCE]]
            found += list(self._run(some, "tokens"))
        context, kept = _CONTEXT // FRAMES_PER_TOKEN, step // FRAMES_PER_TOKEN
        parts = [tokens[(context if i else 0) : context + kept] for i, tokens in enumerate(found[:-1])]
        parts.append(found[-1][(context if len(found) > 1 else 0) : -(-len(passes[-1]) // FRAMES_PER_TOKEN)])
        return np.concatenate(parts)

    def _run(self, motions: Sequence[NormalizedMotion], output: str = "signature") -> NDArray[np.float32]:
        """One padded batch through the network."""
        length = np.array([len(motion.joints) for motion in motions], dtype=np.int64)
        joints = np.zeros((len(motions), int(length.max()), *motions[0].joints.shape[1:]), dtype=np.float32)
        for row, motion in zip(joints, motions, strict=True):
            row[: len(motion.joints)] = motion.joints
        valid = np.stack([motion.valid for motion in motions]).astype(np.float32)
        feed = {"joints": joints, "valid": valid, "length": length}
        vectors = np.asarray(self._session.run([output], feed)[0])
        if not np.isfinite(vectors).all():
            raise ModelError(f"The model {self.path.name} gave numbers that are not finite; use the shipped model.")
        return vectors


def _pooled(tokens: NDArray[np.float32], times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean directions ``[M, D]`` of the tokens within each of ``times_s [M, 2]``, at least one token each."""
    frames = np.rint(times_s * FPS).astype(np.intp)
    first = np.clip(np.rint(frames[:, 0] / FRAMES_PER_TOKEN).astype(np.intp), 0, len(tokens) - 1)
    last = np.clip(frames[:, 1] // FRAMES_PER_TOKEN + 1, first + 1, len(tokens))
    sums = np.concatenate([np.zeros_like(tokens[:1], dtype=np.float64), tokens.cumsum(axis=0, dtype=np.float64)])
    return unit(sums[last] - sums[first]).astype(np.float32)


def _normalized(motion: Motion | CanonicalMotion | NormalizedMotion) -> NormalizedMotion:
    if isinstance(motion, Motion):
        motion = canonicalize(motion)
    return normalize(motion) if isinstance(motion, CanonicalMotion) else motion


def _parts(motions: Sequence[NormalizedMotion]) -> tuple[list[NormalizedMotion], NDArray[np.intp]]:
    """Motions cut into equal parts of at most ``LONGEST`` frames, and whose part each is."""
    parts: list[NormalizedMotion] = []
    owner: list[int] = []
    for i, motion in enumerate(motions):
        count = -(-len(motion.joints) // LONGEST)
        parts += [NormalizedMotion(joints, motion.valid) for joints in np.array_split(motion.joints, count)]
        owner += [i] * count
    return parts, np.array(owner, dtype=np.intp)


def _batches(lengths: Sequence[int]) -> Iterator[NDArray[np.intp]]:
    """Indices in groups of similar length, each of at most ``BATCH_FRAMES`` frames with its padding."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        if stop == len(order) or _full(lengths[order[start]], lengths[order[stop]], stop + 1 - start):
            yield order[start:stop]
            start = stop


def _full(shortest: int, longest: int, count: int) -> bool:
    return longest > shortest * _PADDING + 8 or longest * count > BATCH_FRAMES


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model {path} cannot be read ({error.strerror}); give the path of an ONNX model."
        ) from error


def _providers(wanted: str | None) -> list[str]:
    """The names in onnxruntime of the devices to try, the CPU last."""
    available = _onnxruntime().get_available_providers()
    if wanted is None:
        return [long for long in PROVIDERS.values() if long in available]
    if wanted not in PROVIDERS:
        raise ModelError(f"There is no device '{wanted}'; choose one of {', '.join(PROVIDERS)}.")
    return [long for long in dict.fromkeys((PROVIDERS[wanted], PROVIDERS["cpu"])) if long in available]


def _onnxruntime() -> Any:  # noqa: ANN401 - a module
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # from 1.32 on it would send usage to its maker, and keep a file of it
    try:
        import onnxruntime  # noqa: PLC0415 - loads on first use: numpy alone is needed to import the engine
    except ImportError as error:
        raise MissingDependencyError(
            "Encoding motions needs onnxruntime; install it with: pip install 'hums[run]'."
        ) from error
    return onnxruntime


def _open_session(model: bytes, path: Path, providers: list[str], threads: int) -> Any:  # noqa: ANN401
    """An inference session on the first device that starts; the CPU where none does."""
    runtime = _onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a device that cannot be started is not the user's concern: .provider tells
    for attempt in (providers, [PROVIDERS["cpu"]]):
        try:
            return runtime.InferenceSession(model, options, providers=attempt)
        except Exception as error:  # onnxruntime raises many kinds, for bad files and bad drivers alike
            failure = error
    raise ModelError(
        f"{path.name} is not an ONNX model that this onnxruntime can run; use the shipped model."
    ) from failure


def _check_layout(session: Any, path: Path) -> int:  # noqa: ANN401
    """The size of the signature; refuses a model whose inputs or outputs are not the project's."""
    inputs = {value.name: value.shape for value in session.get_inputs()}
    outputs = {value.name: value.shape for value in session.get_outputs()}
    shape = outputs.get("signature", ())
    if set(inputs) != _INPUTS or inputs["joints"][2:] != [22, 3] or len(shape) != 2 or not isinstance(shape[1], int):
        raise ModelError(
            f"{path.name} is a model of another layout; export one with hums-train export or use the shipped model."
        )
    return shape[1]


def _json(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError:
        return text
