"""The network drawn: a column of units a layer, and lines as strong as the weights between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastdense.insight.figures import INK, MUTED, OURS, PAPER, new_figure
from fastdense.insight.report.charts import HELD_OUT, picture
from fastdense.insight.report.record import RunRecord
from fastdense.insight.units import count

__all__ = ["diagram"]

MOST_UNITS = 9
"""Units of a layer that are drawn: of wider ones the first and the last."""
MOST_COLUMNS = 8
"""Layers that are drawn: of deeper networks the first and the last."""


@dataclass(frozen=True)
class Column:
    """What is drawn of a layer; the names of layers behind it that keep the width are written below it."""

    units: int
    shown: tuple[int, ...]
    label: str
    W: Any = None


def diagram(report: RunRecord) -> str:
    """Return the network as a picture, from its input on the left to its output on the right."""
    every = _columns(report)
    words = "; ".join(c.label.replace("\n", ", ") for c in every)
    columns: list[Column | None] = [*every]
    if len(every) > MOST_COLUMNS:
        columns = [*every[: MOST_COLUMNS - 2], None, *every[-2:]]
    figure = new_figure((max(4.0, 1.65 * len(columns)), 3.9))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set_xlim(-0.6, len(columns) - 0.4)
    ax.set_ylim(-1.75, 1.25)
    before: Column | None = None
    for place, column in enumerate(columns):
        if column is None:
            ax.text(place, 0.0, "…", color=MUTED, ha="center", va="center", fontsize=18)
        else:
            if before is not None and column.W is not None:
                _weights(ax, place, before, column)
            _units(ax, place, column)
        before = column
    return picture(figure, f"The network, layer by layer: {words}")


def _columns(report: RunRecord) -> list[Column]:
    """Return the input, dense layers and those that change the width; the others are written below them."""
    columns = [Column(report.n_in, _shown(report.n_in), count(report.n_in, "input"))]
    for layer in report.layers:
        if layer.W is not None:
            label = f"{count(layer.units, 'unit')}\n{layer.activation}"
            columns.append(Column(layer.units, _shown(layer.units), label, layer.W))
            continue
        last, what = columns[-1], layer.activation if layer.activation != "linear" else layer.kind.lower()
        if layer.units == last.units:
            columns[-1] = replace(last, label=f"{last.label}\n{what}")
        else:
            label = f"{count(layer.units, 'column')}\n{what}"
            columns.append(Column(layer.units, _shown(layer.units), label))
    return columns


def _shown(units: int) -> tuple[int, ...]:
    """Return the units that are drawn, the first and the last if there are too many."""
    if units <= MOST_UNITS:
        return tuple(range(units))
    half = MOST_UNITS // 2
    return (*range(half), *range(units - half, units))


def _heights(column: Column) -> Sequence[float]:
    """Return where a column's units lie, from 1 down to -1, with a gap for those left out."""
    count = len(column.shown)
    places = np.arange(count, dtype=float)
    if count < column.units:
        places[count // 2 :] += 1.0
    middle = places.mean()
    return [float(h) for h in (middle - places) * 2 / (MOST_UNITS - 1)]


def _weights(ax: Any, place: int, before: Column, column: Column) -> None:
    """Draw the weights between two columns: how strong by how visible, which way by colour."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    W = np.asarray(column.W, dtype=float)[np.ix_(before.shown, column.shown)]
    largest = float(np.abs(W).max()) or 1.0
    lines, colours = [], []
    for i, start in enumerate(_heights(before)):
        for j, end in enumerate(_heights(column)):
            lines.append([(place - 1 + 0.09, start), (place - 0.09, end)])
            strength = 0.05 + 0.75 * abs(W[i, j]) / largest
            colours.append((*to_rgba(OURS if W[i, j] > 0 else HELD_OUT)[:3], strength))
    ax.add_collection(LineCollection(lines, colors=colours, linewidths=1.1))


def _units(ax: Any, place: int, column: Column) -> None:
    heights = _heights(column)
    ax.scatter(
        [place] * len(heights), heights, s=110, facecolor=PAPER, edgecolor=INK, linewidths=1.3, zorder=3
    )
    if len(column.shown) < column.units:
        gap = heights[len(heights) // 2 - 1] + heights[len(heights) // 2]
        ax.text(place, gap / 2, "⋮", color=MUTED, ha="center", va="center", fontsize=13)
    ax.text(place, -1.25, column.label, color=MUTED, ha="center", va="top", fontsize=9.5, parse_math=False)
