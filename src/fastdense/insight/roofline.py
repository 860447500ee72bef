"""The sweep as a picture: every way of computing under the machine's roofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastdense.insight.figures import GRID, INK, MUTED, OURS, PAPER, new_figure, plain
from fastdense.insight.roofs import Roofs
from fastdense.insight.units import size_text
from fastdense.insight.ways import Way

__all__ = ["draw"]

# Okabe and Ito's colours, which people with any kind of colour vision tell apart, and three more.
COLOURS = ("#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b6770", "#8c6d31", "#7b4173", "#b8c413")
MARKERS = {"calls": "o", "memory": "s", "arithmetic": "^", None: "x"}
ROOFS = (1, 4, 8)  # of `SIZES`: 16 KB, 1 MB and 256 MB


def draw(
    title: str,
    ways: Sequence[Way],
    rows: Sequence[int],
    roofs: Roofs,
    intensity: Callable[[float], float],
) -> Any:
    """Return the chart as a figure: rows, and so operations per byte, across; operations per second upwards.

    Parameters
    ----------
    title : str
    ways : sequence of Way
    rows : sequence of int
        From few to many.
    roofs : Roofs
    intensity : function
        Returns the operations per byte for a number of rows.
    """
    figure = new_figure((10, 7.6))
    axes = figure.add_axes((0.075, 0.085, 0.62, 0.735))
    lead = "Each line is a way to compute it; the roofs, which none can pass, are measured on this machine"
    figure.text(0.02, 0.975, title, color=INK, fontsize=15, fontweight="bold", va="top")
    figure.text(0.02, 0.932, lead, color=MUTED, fontsize=11, va="top")
    _axes(axes, rows, intensity)
    _roofs(axes, roofs, intensity)
    timed = [way for way in ways if way.points]
    for way, colour in zip(timed, _colours(timed), strict=True):
        _line(axes, way, colour)
    _legends(axes)
    return figure


def _colours(ways: Sequence[Way]) -> list[str]:
    """Return a colour for each way: ours the brand's own, the others in turn."""
    others, shades = iter(COLOURS * 3), iter((INK, OURS))
    return [next(shades if way.name.startswith("native") else others) for way in ways]


def _roofs(axes: Any, roofs: Roofs, intensity: Callable[[float], float]) -> None:
    """Draw what reading allows, for data of three sizes, and what arithmetic does."""
    left, right = axes.get_xlim()
    across = np.geomspace(left, right, 100)
    operations = np.array([intensity(rows) for rows in across])
    for index in ROOFS:
        rate = roofs.bandwidth_all_cores[index]
        axes.plot(
            across, np.minimum(rate * operations, roofs.peak_all_cores), color=GRID, linewidth=6, zorder=0
        )
        if rate * operations[0] < 0.7 * roofs.peak_all_cores:
            text = f"reading {size_text(roofs.sizes[index])}: {rate:,.0f} GB/s"
            _note(axes, text, (across[0], rate * operations[0]), "left")
    peaks = [(roofs.peak_all_cores, "all cores")]
    if roofs.peak_one_core < 0.8 * roofs.peak_all_cores:
        peaks.append((roofs.peak_one_core, "one core"))
    for peak, name in peaks:
        axes.axhline(peak, color=INK, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
        _note(axes, f"peak of {name}: {peak:,.0f} GFLOP/s", (across[-1], peak), "right")


def _note(axes: Any, text: str, point: tuple[float, float], side: str) -> None:
    offset = {"xytext": (4 if side == "left" else 0, 4), "textcoords": "offset points"}
    axes.annotate(text, point, color=MUTED, fontsize=9, ha=side, va="bottom", **offset)


def _line(axes: Any, way: Way, colour: str) -> None:
    dashes = "-" if way.module is None else (0, (5, 2))
    x, y = [point.rows for point in way.points], [point.gflops for point in way.points]
    axes.plot(x, y, color=colour, linewidth=1.6, linestyle=dashes, label=way.name)
    for at, rate, point in zip(x, y, way.points, strict=True):
        limit = point.limit if point.explained >= 0.5 else None
        axes.plot([at], [rate], marker=MARKERS[limit], color=colour, markersize=6.5, linestyle="none")


def _axes(axes: Any, rows: Sequence[int], intensity: Callable[[float], float]) -> None:
    axes.set_facecolor(PAPER)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(rows[0] / 1.4, max(rows[-1], 2 * rows[0]) * 1.4)
    axes.set_xticks(rows, [f"{each:,}" for each in rows])
    axes.set_xlabel("rows per call", color=MUTED, fontsize=10)
    axes.set_ylabel("GFLOP/s", color=MUTED, fontsize=10)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    above = axes.secondary_xaxis("top")
    above.set_xticks(rows, [f"{intensity(each):.2g}" for each in rows])
    above.set_xlabel("operations a byte of the layer's arrays", color=MUTED, fontsize=10)
    axes.grid(color=GRID, linewidth=0.8)
    plain(axes)
    plain(above)


def _legends(axes: Any) -> None:
    """Say which line is whose, fastest first, and what the marks mean."""
    from matplotlib.lines import Line2D

    lines = sorted(axes.get_legend_handles_labels()[0], key=lambda line: -line.get_ydata()[-1])
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "frameon": False, "fontsize": 10}
    own = axes.legend(handles=lines, labelcolor=INK, title="fastest first", **place)
    own.get_title().set_color(MUTED)
    axes.add_artist(own)
    names = {"o": "calls", "s": "reading the numbers", "^": "arithmetic", "x": "none of them by half"}
    marks = [Line2D([], [], color=MUTED, marker=m, linestyle="none", label=name) for m, name in names.items()]
    place |= {"loc": "lower left", "bbox_to_anchor": (1.01, 0.0)}
    axes.legend(handles=marks, labelcolor=INK, title="what takes the time", **place).get_title().set_color(
        MUTED
    )
