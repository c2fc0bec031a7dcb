# SPDX-License-Identifier: GPL-3.0-or-later
"""From a data folder to canonical motions with their subject and class, the motions kept in one ``.npz`` a folder.

The data folder holds one folder a corpus, as `corpora.CORPORA` names them. Reading them takes minutes, so what was
read is kept in a cache; a cache made of other files, or by other code, is made anew. What names and tables say of
the files is not kept: it is looked up every time. A file that cannot be read costs one line on stderr.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import sys
import zipfile
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import hums_engine
from hums_engine import quat
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.errors import HumsError
from hums_engine.normalize import NormalizedMotion, normalize

from .corpora import CORPORA
from .corpus import Corpus, Described
from .sources import sources

__all__ = ["CORPORA", "Corpus", "Described", "Take", "is_left_out", "load", "normalized"]

_LAYOUT = 2  # of the cache and of how it is filled by `_read_all`: count it up when either changes


class Take(NamedTuple):
    """One motion of a corpus.

    Attributes:
        motion: with its name; rotations are not kept and are the identity.
        corpus: a name of `CORPORA`.
        subject: who moved, such as ``"s07"``.
        label: the class, empty where the corpus has none.
        split: ``"train"`` or ``"test"`` where the corpus has its own parts, else empty.
    """

    motion: CanonicalMotion
    corpus: str
    subject: str
    label: str
    split: str = ""


def load(data: Path, name: str, cache: Path) -> list[Take]:
    """All takes of a corpus, from the cache where it holds them.

    Args:
        data: the data folder.
        name: a name of `CORPORA`, whose folder is in ``data``.
        cache: folder to keep what was read.

    Raises:
        ValueError: no such corpus or folder, a list in it is damaged, or none of its files can be read.
    """
    if name not in CORPORA:
        raise ValueError(f"There is no corpus '{name}'; choose of {', '.join(CORPORA)}.")
    corpus = CORPORA[name]
    files = corpus.files(data)
    if not files:
        raise ValueError(f"{data / corpus.folder} holds no *{corpus.ending}; give the folder with the corpora in it.")
    described = _described(corpus, data / corpus.folder, files)
    kept = cache / f"{corpus.folder}.npz"
    key = _key(corpus, files)
    motions = _load_cache(kept, key)
    if motions is None:
        motions = list(_read_all(corpus, files, described))
        if motions:
            _save_cache(kept, key, motions)
    takes = [Take(motion, name, *described[motion.source]) for motion in motions if motion.source in described]
    if not takes:
        raise ValueError(f"None of the {len(files)} files of {data / corpus.folder} can be used.")
    return takes


def normalized(takes: Sequence[Take]) -> list[NormalizedMotion]:
    """What the network sees of each take."""
    return [normalize(take.motion) for take in takes]


def _described(corpus: Corpus, folder: Path, files: Sequence[Path]) -> dict[str, Described]:
    """What is known of each file by its path; one of which nothing is known is told of and left out."""
    described: dict[str, Described] = {}
    for path in files:
        try:
            described[str(path)] = corpus.describe(path, folder)
        except ValueError as error:
            print(f"{path}: {error}", file=sys.stderr)
    return described


def _read_all(corpus: Corpus, files: Sequence[Path], described: Container[str]) -> Iterator[CanonicalMotion]:
    """The motions of all files; one that is not described was told of before, and is not once more."""
    for path in tqdm(files, desc=f"reading {corpus.folder}", unit="file", dynamic_ncols=True):
        try:
            for motion in corpus.read(path):
                canonical = canonicalize(motion.cut(corpus.lead_in_s))
                normalize(canonical)  # a motion that cannot be placed is of no use: it is told here, once
                yield _unturned(canonical.positions, canonical.valid, motion.fps, motion.name, str(path))
        except (HumsError, ValueError) as error:
            if str(path) in described:
                tqdm.write(f"{path}: {error}", file=sys.stderr)


def _unturned(
    positions: NDArray[np.float32], valid: NDArray[np.bool_], fps: float, name: str, source: str
) -> CanonicalMotion:
    """A motion without its rotations, which nothing here needs and which are half of its size."""
    rotations = np.broadcast_to(quat.IDENTITY.astype(np.float32), (*positions.shape[:2], 4))
    return CanonicalMotion(positions, rotations, valid, float(fps), name, source)


def _key(corpus: Corpus, files: Sequence[Path]) -> str:
    """Changes with the files and with the code that reads them; that which reads other corpora does not count."""
    digest = hashlib.sha256(f"{_LAYOUT}|{corpus.lead_in_s}\n".encode())
    for path in files:
        stat = path.stat()
        digest.update(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    engine = Path(hums_engine.__file__).parent
    used = sources([Path(inspect.getfile(corpus.read)), engine / "canonical.py", engine / "normalize.py"])
    for source in (*used, *sorted(engine.glob("rig_maps/*"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _save_cache(path: Path, key: str, motions: Sequence[CanonicalMotion]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.stem}.{os.getpid()}.npz")  # others may read the cache while this one is written
    np.savez(
        unfinished,
        key=np.array(key),
        positions=np.concatenate([motion.positions for motion in motions]),
        frames=np.array([motion.frame_count for motion in motions]),
        valid=np.stack([motion.valid for motion in motions]),
        fps=np.array([motion.fps for motion in motions]),
        text=np.array([[motion.name, motion.source] for motion in motions]),
    )
    unfinished.replace(path)


def _load_cache(path: Path, key: str) -> list[CanonicalMotion] | None:
    """The motions of a cache, or None when there is none or it is of other files."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            stored = {field: file[field] for field in file.files}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    parts = np.split(stored["positions"], stored["frames"].cumsum()[:-1])
    rows = zip(parts, stored["valid"], stored["fps"], stored["text"].tolist(), strict=True)
    return [_unturned(positions, valid, fps, name, source) for positions, valid, fps, (name, source) in rows]


def is_left_out(take: Take, leave_out: Sequence[str]) -> bool:
    """Whether a take is of one of the subjects named ``corpus/subject``; ``*`` at the end stands for anything."""
    who = f"{take.corpus}/{take.subject}"
    return any(re.fullmatch(re.escape(name).replace(r"\*", ".*"), who) for name in leave_out)
