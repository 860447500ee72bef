"""The ladder as a picture: one bar per rung, longer is faster, up to what the machine can do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastdense.insight.figures import GRID, INK, MUTED, OURS, PAPER, PEER, WRONG, new_figure, plain
from fastdense.insight.rungs import Rung
from fastdense.insight.units import duration, ratio

__all__ = ["draw"]


def draw(title: str, rungs: Sequence[Rung], peak: float) -> Any:
    """Return the chart as a figure.

    Parameters
    ----------
    title : str
    rungs : sequence of Rung
    peak : float
        Of all cores, in GFLOP/s.
    """
    count = len(rungs)
    height = 1.68 + 0.46 * count  # inches: the titles and the axis, then a bar each
    figure = new_figure((10, height))
    axes = figure.add_axes((0.235, 0.62 / height, 0.735, 0.46 * count / height))
    _titles(figure, title, height)
    low, high = _limits(rungs, peak)
    _axes(axes, rungs, low, high)
    for place, rung in enumerate(rungs):
        _bar(axes, place, rung, low)
    _peaks(axes, peak)
    return figure


def _limits(rungs: Sequence[Rung], peak: float) -> tuple[float, float]:
    """Return the ends of the axis: whole powers of ten, with room for the labels beyond the bars."""
    rates = [rung.gflops for rung in rungs if rung.gflops is not None] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(rates) / 2))
    high = max(*rates, peak)
    return low, high * (high / low) ** 0.06


def _titles(figure: Any, title: str, height: float) -> None:
    left = 0.02
    figure.text(left, 1 - 0.2 / height, title, color=INK, fontsize=15, fontweight="bold", va="top", ha="left")
    text = "Time per example and speed-up over the first rung; longer is faster"
    figure.text(left, 1 - 0.54 / height, text, color=MUTED, fontsize=11, va="top", ha="left")


def _axes(axes: Any, rungs: Sequence[Rung], low: float, high: float) -> None:
    axes.set_facecolor(PAPER)
    axes.set_xscale("log")
    plain(axes)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rungs) - 0.4, -0.6)
    axes.set_yticks(range(len(rungs)), [rung.name for rung in rungs], color=INK, fontsize=11)
    axes.set_xlabel("GFLOP/s, logarithmic", color=MUTED, fontsize=10)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.grid(visible=True, color=GRID, linewidth=0.8)


def _bar(axes: Any, place: int, rung: Rung, low: float) -> None:
    """Draw a rung's bar with its label: inside a bar that is long enough for it, else beside it."""
    if rung.problem is not None:
        text = f"not timed: {rung.problem}"
        text = text if len(text) <= 78 else f"{text[:75]}..."
        _label(axes, (low, place), text, WRONG)
        return
    assert rung.gflops is not None
    assert rung.seconds is not None
    assert rung.speedup is not None
    ours = rung.module is None
    axes.barh(place, rung.gflops - low, left=low, height=0.68, color=OURS if ours else PEER, linewidth=0)
    text = f"{duration(rung.seconds).replace('us', 'µs')}   {ratio(rung.speedup)}"
    end = axes.get_xlim()[1]
    inside = math.log(rung.gflops / low) > 0.5 * math.log(end / low)
    _label(axes, (rung.gflops, place), text, PAPER if inside and ours else INK, inside)


def _label(axes: Any, point: tuple[float, int], text: str, color: str, inside: bool = False) -> None:
    axes.annotate(
        text,
        point,
        xytext=(-7 if inside else 7, 0),
        textcoords="offset points",
        ha="right" if inside else "left",
        va="center",
        color=color,
        fontsize=10.5,
        parse_math=False,
        bbox=None if inside else {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},  # over the grid
    )


def _peaks(axes: Any, peak: float) -> None:
    """Mark the measured peak of all cores, which no rung can pass."""
    axes.axvline(peak, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        f"this machine's measured peak: {peak:,.0f}",
        (peak, -0.6),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=10,
    )
