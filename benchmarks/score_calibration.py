# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits the score of a search, and shows how well it holds on motions that it was not fitted to.

``python benchmarks/score_calibration.py --data CORPORA`` asks libraries of HDM05-11 and of Berkeley MHAD's subjects 1
to 7 with the queries of the protocols hdm05-11 and mhad-xsub (docs/training.md), and prints how often hits of each
tenth of the score were of the class asked for, and how well the queries find their class. With ``--fit`` it first
prints the numbers for hums_engine/calibration.py. They are fitted to the samples of this repository, takes of CMU,
without those of the subjects that are kept for tests. MHAD is not among them although a part of it trained the
encoder, but because it did: the encoder has learnt its classes, so their signatures are nearer than those of actions
that it has not. Whole samples are paired with each other; pieces of them, altered as in the protocol cmu-moments, are
to find their own take as well.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import hums_engine as hums
from hums_engine import calibration
from hums_engine.calibration import Odds
from hums_engine.canonical import CanonicalMotion, canonicalize
from hums_engine.search import Scope
from training.corpora import CORPORA
from training.corpus import Described
from training.metrics import retrieval
from training.moment_protocol import ALTERATIONS, PIECE_S

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
KEPT_FOR_TESTS = ("49", "94")
PROTOCOLS = ("hdm05-11", "mhad-xsub")
ALL = 10_000
PIECES = 4
FEEDBACK = 50  # queries of each protocol
_ALTERED = ("x0.5 to x2 speed", "10 mm noise", "20 % joints missing", "other proportions")

Floats = NDArray[np.float64]
Describe = Callable[[Path], Described]


class Asked(NamedTuple):
    """A query, what it is, and whether takes of its own subject count."""

    motion: CanonicalMotion
    what: Described
    own: bool = False


class Pairs(NamedTuple):
    """All pairs of some queries and the clips of a library, ``[N]`` each.

    Attributes:
        query: number of the query.
        clip: id of the clip.
        wanted: class of the query.
        found: class of the clip.
        score: 0 to 1.
        cosine: of the signatures.
        distance: metres.
    """

    query: NDArray[np.intp]
    clip: NDArray[np.intp]
    wanted: NDArray[np.str_]
    found: NDArray[np.str_]
    score: Floats
    cosine: Floats
    distance: Floats

    @property
    def same(self) -> NDArray[np.bool_]:
        """Which pairs are of one class."""
        return self.wanted == self.found


def main() -> None:
    """Prints the numbers and the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the unpacked corpora")
    parser.add_argument("--fit", action="store_true", help="fit the numbers anew and print them")
    parser.add_argument("--protocols", nargs="*", default=PROTOCOLS, choices=PROTOCOLS, help="which of them")
    arguments = parser.parse_args()
    if arguments.fit:
        aligned, signed = fitted()
        print(f"ALIGNED: Final = {aligned}\nSIGNED: Final = {signed}")
    for name in arguments.protocols:
        with protocol(name, arguments.data) as (library, asked, describe):
            found = pairs(library, asked, describe, "clips")
            print(f"\n{name}, by the distance alone: {ranking(found._replace(score=-found.distance))}")
            show(f"{name}, aligned", found)
            show(f"{name}, signatures alone", found._replace(score=calibration.probability(found.cosine)))
            show_feedback(name, library, asked[:: -(-len(asked) // FEEDBACK)], describe)


@contextmanager
def made_of(files: Sequence[Path]) -> Iterator[hums.Library]:
    """A library of files, which goes when it has been asked."""
    with tempfile.TemporaryDirectory() as folder, hums.Library.create(Path(folder) / "asked.hums") as library:
        library.add(files, workers=1)
        yield library


@contextmanager
def protocol(name: str, folder: Path) -> Iterator[tuple[hums.Library, list[Asked], Describe]]:
    """The gallery of a protocol as a library, its queries, and what says of a file what it is."""
    corpus = CORPORA["hdm05" if name == "hdm05-11" else "mhad"]
    files = {path: corpus.describe(path, folder / corpus.folder) for path in corpus.files(folder)}
    asks = {path: what.split == "test" or what.subject > "s07" for path, what in files.items()}
    with made_of([path for path in files if not asks[path]]) as library:
        asked = [Asked(canonicalize(hums.load(path)), files[path]) for path in files if asks[path]]
        yield library, asked, files.__getitem__


def pairs(library: hums.Library, asked: Sequence[Asked], describe: Describe, scope: Scope) -> Pairs:
    """Everything that a library says to queries, but for the takes of a query's own subject where they do not count."""
    rows = []
    for number, (motion, what, own) in enumerate(asked):
        for hit in library.search(motion, k=ALL, scope=scope):
            clip = describe(Path(hit.source))
            if own or clip.subject != what.subject:
                measured = hit.score / 100.0, hit.cosine, hit.distance_m
                rows.append((number, hit.clip_id, what.label, clip.label, *measured))
    return Pairs(*(np.array(column) for column in zip(*rows, strict=True)))


# fitting


def fitted() -> tuple[Odds, Odds]:
    """The odds with alignment and without, by logistic regression; wholes and pieces weigh the same."""
    sets = list(training_pairs())
    evidence = [calibration.logarithms(some.cosine, some.distance) for some in sets]
    bias, distance, angle = _regression(evidence, sets)
    signed_bias, signed_angle = _regression([some[:, 1:] for some in evidence], sets)
    return Odds(bias, -distance, -angle), Odds(signed_bias, 0.0, -signed_angle)


def training_pairs() -> Iterator[Pairs]:
    """Every sample as a whole among the others, and altered pieces of each among all."""
    random = np.random.default_rng(0)
    with (SAMPLES / "samples.csv").open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["take"].partition("_")[0] not in KEPT_FOR_TESTS]
    files = {SAMPLES / row["file"]: Described(row["take"], row["label"]) for row in rows}
    with made_of(list(files)) as library:
        wholes = [Asked(library.motion(clip.id), files[Path(clip.source)]) for clip in library.clips()]
        yield pairs(library, wholes, files.__getitem__, "clips")
        pieces = [Asked(_altered(one.motion, random), one.what, own=True) for one in wholes * PIECES]
        yield pairs(library, pieces, files.__getitem__, "moments")


def _piece(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    """A stretch as long as those of the protocol cmu-moments."""
    length = min(float(np.exp(random.uniform(*np.log(PIECE_S)))), motion.duration_s)
    start = random.uniform(0.0, motion.duration_s - length)
    return motion.cut(start, start + length)


def _altered(motion: CanonicalMotion, random: np.random.Generator) -> CanonicalMotion:
    return ALTERATIONS[_ALTERED[random.integers(len(_ALTERED))]](_piece(motion, random), random)


def _regression(evidence: Sequence[Floats], sets: Sequence[Pairs]) -> tuple[float, ...]:
    """Logistic regression by Newton's method: bias and weights, to two digits behind the point."""
    x = np.concatenate([np.column_stack([np.ones(len(some)), some]) for some in evidence])
    same = np.concatenate([some.same for some in sets])
    weight = np.concatenate([np.full(len(some.same), 1.0 / len(some.same)) for some in sets])
    parameters = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-x @ parameters))
        curvature = (x * (weight * p * (1.0 - p))[:, None]).T @ x + 1e-9 * np.eye(x.shape[1])
        parameters += np.linalg.solve(curvature, x.T @ (weight * (same - p)))
    return tuple(round(float(number), 2) for number in parameters)


# what is shown


def show(name: str, found: Pairs) -> None:
    """Prints how well scores hold, and how well queries find their class."""
    tenth = np.minimum((found.score * 10).astype(int), 9)
    gap = [abs(found.score[tenth == i].sum() - found.same[tenth == i].sum()) for i in range(10)]
    brier, error = np.mean((found.score - found.same) ** 2), sum(gap) / len(found.score)
    base = found.same.mean() * (1.0 - found.same.mean())
    print(f"\n{name}: {ranking(found)}")
    print(f"Brier score {brier:.4f} (of the share of the class alone: {base:.4f}), calibration error {error:.3f}")
    print("| score | pairs | mean score | of the query's class, % |\n|---|---|---|---|")
    for i in range(10):
        some = tenth == i
        if some.any():
            means = f"{100 * found.score[some].mean():.0f} | {100 * found.same[some].mean():.0f}"
            print(f"| {10 * i} to {10 * i + 10} | {some.sum():,} | {means} |")


def ranking(found: Pairs) -> str:
    """Top-1, top-10 and mAP; what was not found ranks behind all that was."""
    _, asked, query = np.unique(found.query, return_index=True, return_inverse=True)
    _, answered, clip = np.unique(found.clip, return_index=True, return_inverse=True)
    distance = np.full((len(asked), len(answered)), 10.0)
    distance[query, clip] = -found.score
    figures = retrieval(distance, found.wanted[asked], found.found[answered])
    return f"top-1 {figures.top_1:.3f}, top-10 {figures.top_10:.3f}, mAP {figures.mean_ap:.3f}"


def show_feedback(name: str, library: hums.Library, asked: Sequence[Asked], describe: Describe) -> None:
    """Prints what it helps to show the first right hit as a second example, or the first wrong one as unlike."""
    figures = [_feedback(library, one, describe) for one in asked]
    plain, second, unlike = np.mean([some for some in figures if some is not None], axis=0)
    print(f"\n{name}, {len(asked)} queries once more: mAP {plain:.3f}; with the first right hit as a second example")
    print(f"{second:.3f}; unlike the first wrong hit {unlike:.3f}. Neither of these hits counts.")


def _feedback(library: hums.Library, one: Asked, describe: Describe) -> tuple[float, ...] | None:
    """Average precision of a search, of one with the first right hit, too, and of one unlike the first wrong hit."""
    hits = library.search(one.motion, k=ALL)
    right = [describe(Path(hit.source)).label == one.what.label for hit in hits]
    if all(right) or not any(right):
        return None
    shown, unwanted = hits[right.index(True)].clip_id, hits[right.index(False)].clip_id
    second = library.search([one.motion, shown], k=ALL)
    unlike = library.search(one.motion, k=ALL, unlike=unwanted)
    return tuple(
        average_precision(
            [describe(Path(hit.source)).label == one.what.label for hit in some if hit.clip_id not in (shown, unwanted)]
        )
        for some in (hits, second, unlike)
    )


def average_precision(right: Sequence[bool]) -> float:
    """The mean precision at each right hit."""
    places = np.flatnonzero(right) + 1
    return float(np.mean(np.arange(1, len(places) + 1) / places)) if len(places) else 1.0


if __name__ == "__main__":
    main()
