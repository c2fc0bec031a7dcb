# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves of an evaluation: precision over recall, and mean average precision over how badly queries are altered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .chart_style import SETTINGS, legend_below, line_styles
from .evaluate import Evaluation
from .metrics import RECALL_LEVELS
from .protocols import CLEAN, SWEEPS, Sweep
from .report import FIGURES, by_entry, values


def draw_precision_recall(evaluation: Evaluation, path: Path) -> None:
    """A panel a protocol, a line a row, on clean queries; the mean over the seeds of a row."""
    protocols = [name for name in evaluation.setups if by_entry(evaluation, name, CLEAN)]
    if not protocols:
        return
    styles = line_styles(evaluation.entries)
    with rc_context(SETTINGS):
        figure = Figure(figsize=(max(6.4, 5.2 * len(protocols) + 0.6), 4.6), layout="constrained")
        axes: list[Axes] = list(figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0])
        for axis, protocol in zip(axes, protocols, strict=True):
            for name, results in by_entry(evaluation, protocol, CLEAN).items():
                precision = np.mean([result.figures.precision for result in results], axis=0)
                axis.plot(RECALL_LEVELS, precision, label=name, markevery=4, **styles[name])
            axis.set(title=protocol, xlabel="recall (share of the class that is found)", xlim=(0, 1), ylim=(0, 1.01))
        axes[0].set_ylabel("precision (share of what is found that is right)")
        legend_below(figure, axes)
        figure.savefig(path)


def draw_robustness(evaluation: Evaluation, path: Path) -> None:
    """A line of panels a protocol, a panel a disturbance; the shade is one standard deviation over seeds either way."""
    sweeps = [sweep for sweep in SWEEPS if set(sweep.points.values()) <= {r.condition for r in evaluation.results}]
    protocols = [name for name in evaluation.setups if by_entry(evaluation, name, CLEAN)]
    if not sweeps or not protocols:
        return
    with rc_context(SETTINGS):
        figure = Figure(figsize=(3.4 * len(sweeps), 2.9 * len(protocols) + 0.3), layout="constrained")
        grid = figure.subplots(len(protocols), len(sweeps), sharey="row", squeeze=False)
        for protocol, panels in zip(protocols, grid, strict=True):
            for sweep, axis in zip(sweeps, panels, strict=True):
                _draw_sweep(axis, evaluation, protocol, sweep)
            panels[0].set(title=protocol, ylabel="mean average precision")
        for sweep, axis in zip(sweeps, grid[-1], strict=True):
            axis.set_xlabel(sweep.axis)
        legend_below(figure, list(grid.flat))
        figure.savefig(path)


def _draw_sweep(axis: Axes, evaluation: Evaluation, protocol: str, sweep: Sweep) -> None:
    """The rows that were measured at every point."""
    columns = [by_entry(evaluation, protocol, condition) for condition in sweep.points.values()]
    at = np.array(list(sweep.points), dtype=float)
    styles = line_styles(evaluation.entries)
    for name in columns[0]:
        if not all(name in column for column in columns):
            continue
        seeds = np.array([values(column[name], FIGURES["mean_ap"]) for column in columns])
        mean = seeds.mean(axis=1)
        axis.plot(at, mean, label=name, **styles[name])
        if seeds.shape[1] > 1:
            spread = seeds.std(axis=1, ddof=1)
            low, high = mean - spread, np.minimum(mean + spread, 1.0)
            axis.fill_between(at, low, high, color=styles[name]["color"], alpha=0.1, linewidth=0)
    if sweep.ratio:
        axis.set_xscale("log")
        axis.minorticks_off()
    axis.set_xticks(at, [f"{value:g}" for value in at])
    if sweep.worst_first:
        axis.invert_xaxis()
