# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing one motion with the encoder that ships, against the IndRNN of DeepHuMS, in turn in one run.

``python benchmarks/encoding.py`` needs the ``train`` extra: the IndRNN is written as ONNX first; how long it takes
does not depend on its weights. Either runs in onnxruntime on one thread, from a normalised motion.
Printed for each length: the median over the rounds, in milliseconds of the thread, and how many times as fast the
shipped one is.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hums_engine.encoder import Encoder
from hums_engine.normalize import NormalizedMotion
from hums_engine.skeleton import JOINT_COUNT, REFERENCE
from training.deephums import DeepHuMSSettings
from training.export import export
from training.model import DeepHuMS


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[30, 150, 600])
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    shipped, faithful = Encoder(provider="cpu"), indrnn()
    print("| frames | IndRNN of DeepHuMS, ms | shipped, ms | times as fast | shipped, 4 joints missing, ms |")
    print("|---|---|---|---|---|")
    for frames in arguments.frames:
        whole, partly = motion(frames, 0), motion(frames, 4)
        slow, fast, completed = in_turn([(faithful, whole), (shipped, whole), (shipped, partly)], arguments.rounds)
        print(f"| {frames} | {slow:.2f} | {fast:.2f} | {slow / fast:.1f} | {completed:.2f} |", flush=True)


def indrnn() -> Encoder:
    """The paper's encoder with the settings of its recipe, on one thread."""
    settings = DeepHuMSSettings()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "indrnn.onnx"
        export(DeepHuMS(settings.layers, settings.size), {}, path)
        return Encoder(path, provider="cpu")


def motion(frames: int, missing: int) -> NormalizedMotion:
    """A body that sways, some of its joints not seen."""
    sway = 0.1 * np.sin(np.arange(frames)[:, None, None] / 9.0 + np.arange(JOINT_COUNT)[:, None])
    valid = np.arange(JOINT_COUNT) < JOINT_COUNT - missing
    return NormalizedMotion(np.where(valid[:, None], REFERENCE + sway, 0.0).astype(np.float32), valid)


def in_turn(asked: list[tuple[Encoder, NormalizedMotion]], rounds: int) -> list[float]:
    """Median milliseconds of the thread for each; one after the other, so that what else runs slows all alike."""
    seconds = np.empty((rounds, len(asked)))
    for encoder, one in asked:
        encoder.encode([one])
    for row in seconds:
        for i, (encoder, one) in enumerate(asked):
            begun = time.thread_time()
            encoder.encode([one])
            row[i] = time.thread_time() - begun
    return (np.median(seconds, axis=0) * 1000.0).tolist()


if __name__ == "__main__":
    main()
