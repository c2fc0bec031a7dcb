# SPDX-License-Identifier: GPL-3.0-or-later
"""From a data folder to canonical motions with their subject and class, kept in one ``.npz`` a corpus.

The data folder holds one folder a corpus, named as in `CORPORA`. Reading them takes minutes, so what was read is
kept in a cache; a cache made of other files, or by other code, is made anew. A file that cannot be read
costs one line on stderr.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import hums_engine
from hums_engine import quat
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.errors import HumsError
from hums_engine.formats import asf_amc, bvh, mhad
from hums_engine.motion import Motion
from hums_engine.normalize import NormalizedMotion, normalize

CMU_CITATION = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
MHAD_CITATION = (
    "F. Ofli, R. Chaudhry, G. Kurillo, R. Vidal, R. Bajcsy, 'Berkeley MHAD: A Comprehensive Multimodal Human "
    "Action Database', WACV 2013."
)
HDM05_CITATION = "The data used in this project was obtained from HDM05."

# The BVH conversions of CMU begin with the rest pose and blend it away within six frames at 120 a second.
_CMU_LEAD_IN_S = 8 / 120


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


class Described(NamedTuple):
    """What a file's path says of it."""

    subject: str
    label: str
    split: str = ""


@dataclass(frozen=True)
class Corpus:
    """A corpus: which files it has, how they are read, what their paths say, and how to cite it."""

    pattern: str
    read: Callable[[Path], list[Motion]]
    describe: Callable[[Path], Described]
    citation: str
    lead_in_s: float = 0.0


def _describe_cmu(path: Path) -> Described:
    """``02_01.bvh`` is subject 02; the dances are filed by kind."""
    subject, _, trial = path.stem.partition("_")
    return Described(subject, "") if trial else Described(path.parent.name, "")


def _describe_mhad(path: Path) -> Described:
    """``a01_s02_e03_skeleton.txt``: action, subject, repetition."""
    action, subject = path.stem.split("_")[:2]
    return Described(subject, action)


def _describe_hdm05(path: Path) -> Described:
    """``train/1/HDM_bd_depositFloorR_001_120.amc``: the split, the class, the actor."""
    return Described(path.stem.split("_")[1], path.parent.name, path.parent.parent.name)


CORPORA = {
    "cmu": Corpus("**/*.bvh", bvh.read, _describe_cmu, CMU_CITATION, _CMU_LEAD_IN_S),
    "mhad": Corpus("**/*_skeleton.txt", mhad.read, _describe_mhad, MHAD_CITATION),
    "hdm05": Corpus("**/*.amc", asf_amc.read, _describe_hdm05, HDM05_CITATION),
}


def load(data: Path, name: str, cache: Path) -> list[Take]:
    """All takes of a corpus, from the cache where it holds them.

    Args:
        data: the data folder.
        name: a name of `CORPORA`, and of a folder in ``data``.
        cache: folder to keep what was read.

    Raises:
        ValueError: no such corpus or folder, or none of its files can be read.
    """
    if name not in CORPORA:
        raise ValueError(f"There is no corpus '{name}'; choose of {', '.join(CORPORA)}.")
    corpus = CORPORA[name]
    paths = sorted((data / name).glob(corpus.pattern))
    if not paths:
        raise ValueError(f"{data / name} holds no {corpus.pattern}; give the folder with the unpacked corpora.")
    kept = cache / f"{name}.npz"
    key = _key(paths)
    takes = _load_cache(kept, key, name)
    if takes is None:
        takes = list(_read_all(name, corpus, paths))
        if not takes:
            raise ValueError(f"None of the {len(paths)} files of {data / name} can be read.")
        _save_cache(kept, key, takes)
    return takes


def normalized(takes: Sequence[Take]) -> list[NormalizedMotion]:
    """What the network sees of each take."""
    return [normalize(take.motion) for take in takes]


def _read_all(name: str, corpus: Corpus, paths: Sequence[Path]) -> Iterator[Take]:
    for path in tqdm(paths, desc=f"reading {name}", unit="file", dynamic_ncols=True):
        try:
            described = corpus.describe(path)
            for motion in corpus.read(path):
                canonical = canonicalize(motion.cut(corpus.lead_in_s))
                normalize(canonical)  # a motion that cannot be placed is of no use: it is told here, once
                yield Take(canonical, name, *described)
        except (HumsError, ValueError) as error:
            tqdm.write(f"{path}: {error}", file=sys.stderr)


def _key(paths: Sequence[Path]) -> str:
    """Changes with the files and with the code that reads them."""
    digest = hashlib.sha256()
    for path in paths:
        stat = path.stat()
        digest.update(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    engine = Path(hums_engine.__file__).parent
    modules = ("canonical", "mapping", "shape_mapping", "motion", "quat", "rest_pose", "orientation", "skeleton")
    sources = [
        *(engine / f"{module}.py" for module in modules),
        *engine.glob("formats/*.py"),
        *engine.glob("rig_maps/*"),
    ]
    for source in sorted((*sources, Path(__file__))):
        digest.update(source.read_bytes() if source.exists() else b"")
    return digest.hexdigest()


def _save_cache(path: Path, key: str, takes: Sequence[Take]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    motions = [take.motion for take in takes]
    np.savez(
        path,
        key=np.array(key),
        positions=np.concatenate([motion.positions for motion in motions]),
        frames=np.array([motion.frame_count for motion in motions]),
        valid=np.stack([motion.valid for motion in motions]),
        fps=np.array([motion.fps for motion in motions]),
        text=np.array([[m.name, m.source, t.subject, t.label, t.split] for m, t in zip(motions, takes, strict=True)]),
    )


def _load_cache(path: Path, key: str, name: str) -> list[Take] | None:
    """The takes of a cache, or None when there is none or it is of other files."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            stored = {field: file[field] for field in file.files}
    except (OSError, ValueError, KeyError):
        return None
    ends = stored["frames"].cumsum()
    parts = np.split(stored["positions"], ends[:-1])
    rows = zip(parts, stored["valid"], stored["fps"], stored["text"].tolist(), strict=True)
    return [_take(name, *row) for row in rows]


def _take(
    corpus: str, positions: NDArray[np.float32], valid: NDArray[np.bool_], fps: float, text: Sequence[str]
) -> Take:
    name, source, *described = text
    rotations = np.broadcast_to(quat.IDENTITY.astype(np.float32), (*positions.shape[:2], 4))
    return Take(CanonicalMotion(positions, rotations, valid, float(fps), name, source), corpus, *described)


def is_left_out(take: Take, leave_out: Sequence[str]) -> bool:
    """Whether a take is of one of the subjects named ``corpus/subject``; ``*`` at the end stands for anything."""
    who = f"{take.corpus}/{take.subject}"
    return any(re.fullmatch(re.escape(name).replace(r"\*", ".*"), who) for name in leave_out)
