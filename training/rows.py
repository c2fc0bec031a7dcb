# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the table: everything that measures how far motions are apart, the encoders and what they must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from hums_engine import rest_pose
from hums_engine.normalize import FPS, NormalizedMotion
from hums_engine.vector_index import unit

from .alignment import warping_distance
from .geometric_features import template

Floats = NDArray[np.float32]
Motions = Sequence[NormalizedMotion]
Row = Callable[[Motions, Motions], Floats]
"""Distances ``[Q, G]`` of queries from a gallery."""

RESAMPLED_FRAMES = 32
PCA_DIMENSIONS = 32
ALIGNED_FPS = 10


class Baseline(NamedTuple):
    """A row without a network; one that takes minutes for a whole protocol is costly, and measured on clean queries."""

    distance: Row
    what: str
    costly: bool = False


class Signer(Protocol):
    """What gives motions signatures ``[N, D]``: `hums_engine.encoder.Encoder` or a network in training."""

    def encode(self, motions: Motions, /) -> Floats:
        """Signatures of unit length, in the order given."""
        ...


def euclidean(queries: Floats, gallery: Floats) -> Floats:
    """Euclidean distances ``[Q, G]`` of vectors over the numbers that both have; NaN is a number not known.

    The squares are averaged over what is shared, so that a query with joints missing is not nearer to all.
    """
    a, b = np.nan_to_num(queries), np.nan_to_num(gallery)
    has_a, has_b = np.isfinite(queries).astype(np.float32), np.isfinite(gallery).astype(np.float32)
    squares = (a**2) @ has_b.T + has_a @ (b**2).T - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0) / np.maximum(has_a @ has_b.T, 1.0))


def poses(motion: NormalizedMotion) -> Floats:
    """Joints from over the hips ``[T, 66]``, heights kept; NaN where a joint is missing."""
    joints = np.where(motion.valid[:, None], motion.joints, np.nan)
    hips = rest_pose.hips(joints)[:, None] * [1.0, 1.0, 0.0]
    return (joints - hips).reshape(len(joints), -1).astype(np.float32)


def resampled(frames: Floats, count: int) -> Floats:
    """``count`` frames spread evenly over ``frames [T, F]``, blended between neighbours."""
    at = np.linspace(0.0, len(frames) - 1.0, count)
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(frames) - 1)
    part = (at - before)[:, None].astype(np.float32)
    return frames[before] * (1.0 - part) + frames[after] * part


class EncoderRow:
    """Cosine distance of the signatures of an encoder, or of their first ``dimensions`` numbers."""

    def __init__(self, encoder: Signer, dimensions: int | None = None) -> None:
        self.encoder = encoder
        self.dimensions = dimensions
        self._indexed: tuple[Motions, Floats] | None = None

    def signatures(self, motions: Motions) -> Floats:
        """Unit vectors ``[N, D]``; those of the motions that were indexed last are not computed again."""
        if self._indexed is not None and self._indexed[0] is motions:
            return self._indexed[1]
        return unit(self.encoder.encode(motions)[:, : self.dimensions])

    def index(self, gallery: Motions) -> None:
        """Keeps the signatures of a gallery, as a library does."""
        self._indexed = (gallery, self.signatures(gallery))

    def __call__(self, queries: Motions, gallery: Motions) -> Floats:
        """Distances ``[Q, G]``."""
        return 1.0 - self.signatures(queries) @ self.signatures(gallery).T


class SubMotionRow(EncoderRow):
    """The paper's sub-motion search: the second network signs the queries, the first and frozen one the gallery."""

    def __init__(self, encoder: Signer, of_wholes: Signer) -> None:
        super().__init__(encoder)
        self._gallery = EncoderRow(of_wholes)

    def index(self, gallery: Motions) -> None:
        """Keeps the first network's signatures of a gallery."""
        self._gallery.index(gallery)

    def __call__(self, queries: Motions, gallery: Motions) -> Floats:
        """Distances ``[Q, G]``."""
        return 1.0 - self.signatures(queries) @ self._gallery.signatures(gallery).T


def _resampled_pose(motions: Motions) -> Floats:
    return np.stack([resampled(poses(motion), RESAMPLED_FRAMES).ravel() for motion in motions])


def resampled_pose(queries: Motions, gallery: Motions) -> Floats:
    """Euclidean distance of 32 poses spread evenly over each motion."""
    return euclidean(_resampled_pose(queries), _resampled_pose(gallery))


def pose_pca(queries: Motions, gallery: Motions) -> Floats:
    """The same along the gallery's 32 principal components, each of unit variance."""
    a, b = _resampled_pose(queries), _resampled_pose(gallery)
    mean = np.nanmean(b, axis=0)
    a, b = (np.nan_to_num(vectors - mean) for vectors in (a, b))  # what is missing is taken for the mean
    _, size, axes = np.linalg.svd(b, full_matrices=False)
    axes = axes[:PCA_DIMENSIONS] / np.maximum(size[:PCA_DIMENSIONS, None], 1e-6)
    return euclidean(a @ axes.T, b @ axes.T)


def mean_and_deviation(queries: Motions, gallery: Motions) -> Floats:
    """Euclidean distance of the mean and the deviation over time of each coordinate of the pose."""

    def statistics(motions: Motions) -> Floats:
        frames = [poses(motion) for motion in motions]
        return np.stack([np.concatenate([f.mean(axis=0), f.std(axis=0)]) for f in frames])

    return euclidean(statistics(queries), statistics(gallery))


def motion_field_and_distance(queries: Motions, gallery: Motions) -> Floats:
    """Euclidean distance of the paper's motion field and motion distance, joint by joint, with no network."""

    def trajectory(motions: Motions) -> Floats:
        joints = [np.where(m.valid[:, None], m.joints, np.nan) for m in motions]
        field = [(j[0] - j[-1]).ravel() for j in joints]
        length = [np.linalg.norm(np.diff(j, axis=0), axis=-1).sum(axis=0) for j in joints]
        return np.concatenate([np.stack(field), np.stack(length)], axis=1).astype(np.float32)

    return euclidean(trajectory(queries), trajectory(gallery))


def geometric_template(queries: Motions, gallery: Motions) -> Floats:
    """Euclidean distance of how often each of 39 boolean geometric features holds in each tenth of a motion."""
    return euclidean(*(np.stack([template(motion) for motion in motions]) for motions in (queries, gallery)))


def exact_dtw(queries: Motions, gallery: Motions) -> Floats:
    """Dynamic time warping of all poses at 10 a second: root mean square metres a joint along the best alignment."""
    a, b = ([aligned_frames(motion) for motion in motions] for motions in (queries, gallery))
    order = np.argsort([len(frames) for frames in b], kind="stable")
    out = np.empty((len(a), len(b)), dtype=np.float32)
    for i, query in enumerate(a):
        for some in np.array_split(order, -(-len(order) // 64)):
            out[i, some] = aligned_distance([query] * len(some), [b[j] for j in some])
    return out


def aligned_distance(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Metres a joint ``[P]``, root mean square over the joints both have, along the best alignment of each pair."""
    shared = [np.isfinite(a[0]) & np.isfinite(b[0]) for a, b in zip(first, second, strict=True)]
    a, b = (
        torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(np.where(some, frames, 0.0)) for frames, some in zip(motions, shared, strict=True)],
            batch_first=True,
        ).float()
        for motions in (first, second)
    )
    rows, columns = (torch.tensor([len(frames) for frames in motions]) for motions in (first, second))
    joints = torch.tensor([max(float(some.sum()) / 3.0, 1.0) for some in shared])
    cost = torch.cdist(a, b) / joints[:, None, None].sqrt()
    return warping_distance(cost, rows, columns).numpy()


def aligned_frames(motion: NormalizedMotion) -> Floats:
    """What is aligned of a motion: its poses at 10 a second ``[T, 66]``, two at least."""
    return resampled(poses(motion), max(2, round(len(motion.joints) * ALIGNED_FPS / FPS)))


BASELINES: dict[str, Baseline] = {
    "exact DTW": Baseline(exact_dtw, "dynamic time warping of poses at 10 fps", costly=True),
    "resampled pose": Baseline(resampled_pose, "L2 of 32 poses"),
    "pose PCA": Baseline(pose_pca, "32 whitened components of the same, fitted to the gallery"),
    "mean and deviation": Baseline(mean_and_deviation, "of each pose coordinate over time"),
    "geometric features": Baseline(
        geometric_template, "39 yes-or-no relations of body parts in each tenth, after Müller, Röder, Clausen 2005"
    ),
    "motion field + distance": Baseline(motion_field_and_distance, "the paper's equations 3 and 4 alone"),
}
