# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of what one model does: a map of its signatures, and what it finds for easy and for hard queries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import patheffects, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from hums_engine.pictures import draw_strip

from . import data
from .chart_style import INK, SETTINGS
from .class_names import class_name
from .data import Take
from .protocols import Protocol
from .rows import EncoderRow, Floats

# Paul Tol's "muted" palette with two of his "vibrant": eleven hues that the colour-blind tell apart, named on the map.
_CLASS_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#EE7733",
    "#0077BB",
)  # fmt: skip
_RIGHT, _WRONG = "#00795A", "#A0307A"  # not the hues of left and right limbs
_QUERIES, _HITS = 6, 5
_STRIP = (430, 172)
"""Pixels of a strip, as many as it gets on the sheet."""
_FIGURES = 5

_Spot = tuple[float, float]


class Found(NamedTuple):
    """One model's answers to a protocol: signatures ``[Q, D]`` and ``[G, D]``, distances ``[Q, G]``."""

    protocol: Protocol
    queries: Floats
    gallery: Floats
    distance: Floats


def find(row: EncoderRow, protocol: Protocol) -> Found:
    """Signs all motions of a protocol, clean."""
    queries, gallery = data.normalized(protocol.queries), data.normalized(protocol.gallery)
    row.index(gallery)
    return Found(protocol, row.signatures(queries), row.signatures(gallery), row(queries, gallery))


def draw_map(title: str, answers: list[Found], path: Path) -> None:
    """t-SNE of the signatures of each protocol's gallery and queries, coloured by class."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(6.2 * len(answers), 6.4), layout="constrained")
        for axis, found in zip(figure.subplots(1, len(answers), squeeze=False)[0], answers, strict=True):
            _draw_map(axis, found)
        handles = [
            Line2D([], [], linestyle="", marker="o", markersize=5, color="#888888", label="gallery"),
            Line2D([], [], linestyle="", marker="^", markersize=7, color="#888888", markeredgecolor=INK, label="query"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        figure.suptitle(f"{title}: signatures by t-SNE (near is similar; axes have no unit)", x=0, ha="left")
        figure.savefig(path)


def _draw_map(axis: Axes, found: Found) -> None:
    vectors = np.concatenate([found.gallery, found.queries])
    perplexity = min(30.0, (len(vectors) - 1) / 3.0)
    places = TSNE(perplexity=perplexity, metric="cosine", init="pca", random_state=0).fit_transform(vectors)
    takes = [*found.protocol.gallery, *found.protocol.queries]
    asks = np.arange(len(takes)) >= len(found.gallery)
    labels = np.array([take.label for take in takes])
    names = {take.label: class_name(take) for take in takes}
    colours = {label: _CLASS_COLOURS[i % len(_CLASS_COLOURS)] for i, label in enumerate(sorted(names))}
    for label, colour in colours.items():
        mine = labels == label
        axis.scatter(*places[mine & ~asks].T, s=18, color=colour, alpha=0.75, linewidths=0)
        axis.scatter(*places[mine & asks].T, s=38, color=colour, marker="^", edgecolors=INK, linewidths=0.6)
    axis.set(title=found.protocol.name, xticks=[], yticks=[])
    axis.margins(0.2, 0.08)
    axis.spines[:].set(visible=True, color="#DDDDDD")
    spots = {label: _over(places[labels == label]) for label in names}
    for label, spot in _apart(axis, spots, names).items():
        halo = [patheffects.withStroke(linewidth=3, foreground="white")]
        dark = tuple(0.62 * part for part in to_rgb(colours[label]))
        axis.annotate(names[label], spot, color=dark, ha="center", weight="bold", path_effects=halo)


def _over(places: NDArray[np.float32]) -> _Spot:
    """Above the member that is nearest to all others and its company: over a cluster and not between two."""
    middle = np.linalg.norm(places[:, None] - places[None], axis=-1).sum(axis=1).argmin()
    company = np.linalg.norm(places - places[middle], axis=1).argsort()[: len(places) // 2 + 1]
    return float(places[middle, 0]), float(places[company, 1].max())


def _apart(axis: Axes, spots: Mapping[str, _Spot], names: Mapping[str, str]) -> dict[str, _Spot]:
    """The spots, each raised until its name is clear of those below it."""
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    line, letter = 0.03 * (top - bottom), 0.017 * (right - left)
    placed: dict[str, _Spot] = {}
    for label, (x, y) in sorted(spots.items(), key=lambda item: item[1][1]):
        at = y + 0.4 * line
        for other, (other_x, other_y) in placed.items():
            wide = letter * (len(names[label]) + len(names[other])) / 2
            if abs(x - other_x) < wide and abs(at - other_y) < line:
                at = other_y + line
        placed[label] = (x, at)
    return placed


def draw_hits(title: str, found: Found, path: Path) -> None:
    """Queries from the worst answered to the best, each with its first hits, right ones and wrong ones marked."""
    protocol, order = found.protocol, found.distance.argsort(axis=1, kind="stable")
    chosen = _spread(found)
    hits = min(_HITS, len(protocol.gallery))
    with rc_context(SETTINGS):
        figure = Figure(figsize=(3.0 * (hits + 1), 1.42 * len(chosen) + 0.8), layout="constrained")
        grid = figure.subplots(len(chosen), hits + 1, squeeze=False)
        for axes, query in zip(grid, chosen, strict=True):
            asked = protocol.queries[query]
            _draw_take(axes[0], asked, class_name(asked), INK)
            for rank, (axis, place) in enumerate(zip(axes[1:], order[query], strict=False), start=1):
                hit = protocol.gallery[place]
                right = hit.label == asked.label
                words = f"{rank}  {'right' if right else 'WRONG'}: {class_name(hit)}"
                _draw_take(axis, hit, words, _RIGHT if right else _WRONG)
        grid[0][0].annotate("query", (0, 1.22), xycoords="axes fraction", weight="bold")
        grid[0][1].annotate("first hits", (0, 1.22), xycoords="axes fraction", weight="bold")
        figure.suptitle(f"{title}, {protocol.name}: from the worst answered query to the best", x=0, ha="left")
        figure.savefig(path)


def _spread(found: Found) -> NDArray[np.intp]:
    """Queries at even steps from the worst average precision to the best."""
    labels = np.array([take.label for take in found.protocol.gallery])
    right = labels[found.distance.argsort(axis=1, kind="stable")] == [[t.label] for t in found.protocol.queries]
    precision = right.cumsum(axis=1) / np.arange(1, right.shape[1] + 1)
    average = (precision * right).sum(axis=1) / np.maximum(right.sum(axis=1), 1)
    steps = np.linspace(0, len(average) - 1, min(_QUERIES, len(average))).round().astype(int)
    return average.argsort(kind="stable")[steps]


def _draw_take(axis: Axes, take: Take, words: str, colour: str) -> None:
    width, height = _STRIP
    axis.imshow(np.asarray(draw_strip(take.motion, width, height, _FIGURES)), interpolation="antialiased")
    axis.set(xticks=[], yticks=[])
    axis.set_title(words, fontsize=9, color=colour, pad=3)
    axis.spines[:].set(visible=True, color=colour, linewidth=1.8, linestyle="--" if colour == _WRONG else "-")
