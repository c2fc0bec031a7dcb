# SPDX-License-Identifier: GPL-3.0-or-later
"""How charts look: models in colours that the colour-blind tell apart, what needs no training in grey dashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .entries import Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008), without the yellow that is lost on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ((4, 1.5), (1, 1.2), (6, 1.5, 1, 1.5), (2, 3), (8, 2.5), (3, 1, 1, 1, 1, 1), (1, 3))
_GREYS = ("#444444", "#777777", "#999999")
INK = "#333333"
_LEGEND_COLUMN, _LEGEND_LINE = 3.1, 0.2  # inches

SETTINGS: dict[Any, Any] = {
    "font.size": 9.5,
    "font.family": "sans-serif",
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "figure.facecolor": "white",
}


def line_styles(entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """Keywords of ``Axes.plot`` for each entry, the same in every chart of an evaluation."""
    models = [entry.name for entry in entries if entry.is_model]
    others = [entry.name for entry in entries if not entry.is_model]
    styles = {name: _model_style(i) for i, name in enumerate(models)}
    return styles | {name: _other_style(i) for i, name in enumerate(others)}


def _model_style(i: int) -> dict[str, Any]:
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": "-" if i < len(COLOURS) else (0, (5, 1.5)),
        "marker": _MARKERS[(i + i // len(COLOURS)) % len(_MARKERS)],
        "linewidth": 1.7,
        "markersize": 4.5,
    }


def _other_style(i: int) -> dict[str, Any]:
    return {
        "color": _GREYS[i % len(_GREYS)],
        "linestyle": (0, _DASHES[i % len(_DASHES)]),
        "marker": _MARKERS[i % len(_MARKERS)],
        "markerfacecolor": "white",
        "linewidth": 1.3,
        "markersize": 4.0,
    }


def legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, under them, where it covers nothing; the figure grows by its height."""
    handles = {label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    columns = max(1, int(figure.get_figwidth() / _LEGEND_COLUMN))
    figure.set_figheight(figure.get_figheight() + _LEGEND_LINE * (1 + -(-len(handles) // columns)))
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=columns, handlelength=3.4, fontsize=9
    )
