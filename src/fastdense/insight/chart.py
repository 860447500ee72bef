"""The ladder as a picture: a bar a rung, longer is faster, up to what the machine can do."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastdense.core.files import atomic_file
from fastdense.insight.wording import duration, ratio, title

if TYPE_CHECKING:
    from fastdense.insight.ladder import Ladder
    from fastdense.insight.rungs import Rung

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "OURS",
    "PAPER",
    "check_drawing",
    "check_path",
    "new_figure",
    "save",
    "save_figure",
    "svg",
]

INK, MUTED, GRID, PAPER = "#1f2933", "#66727f", "#e4e8ec", "#ffffff"
OURS, PEER, WRONG = "#2f6db5", "#a9b7c6", "#b3403a"


def check_path(path: str | os.PathLike[str]) -> str:
    """Return the format that a chart's name asks for, "png" or "svg".

    Raises
    ------
    ValueError
        The name ends otherwise.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in {".png", ".svg"}:
        raise ValueError(f"{path}: a chart's name ends in .png or .svg")
    return suffix[1:]


@contextmanager
def own_style() -> Iterator[None]:
    """Return a context in which matplotlib draws as it does by default, whatever its user has set.

    Letters that its fonts lack are no concern: in pages texts stay texts.
    """
    check_drawing()
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def check_drawing() -> None:
    """Raise ImportError where there is no matplotlib."""
    try:
        import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError(f"charts need matplotlib: pip install 'fastdense[plot]' ({error})") from error


def new_figure(size: tuple[float, float], tight: bool = False) -> Any:
    """Return an empty figure of so many inches that belongs to no window and leaves pyplot's state alone.

    A tight one makes room for the labels of its axes, and no more.
    """
    check_drawing()
    from matplotlib.figure import Figure

    return Figure(figsize=size, facecolor=PAPER, layout="tight" if tight else None)


def save(ladder: Ladder, path: str | os.PathLike[str]) -> None:
    """Draw the ladder and save it, atomically; see `Ladder.plot`."""
    save_figure(lambda: draw(ladder), path)


def save_figure(drawn: Callable[[], Any], path: str | os.PathLike[str]) -> None:
    """Save what a function draws, once the path is found to be a chart's; atomically."""
    kind = check_path(path)
    with own_style():
        figure = drawn()
        with atomic_file(path) as file:
            figure.savefig(file, format=kind, dpi=160, facecolor=PAPER)


def svg(figure: Any, words: str, **attributes: str) -> str:
    """Return a figure as an svg element, its texts as text and without what differs from run to run.

    Parameters
    ----------
    figure : Figure
    words : str
        What it shows, for those who do not see it.
    **attributes : str
        Of the element; ``style`` and ``class_``, say.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fastdense"}):
        figure.savefig(buffer, format="svg", facecolor=figure.get_facecolor(), metadata=nothing)
    named = {name.rstrip("_"): value for name, value in attributes.items()}
    given = "".join(
        f' {name}="{escape(v)}"' for name, v in {**named, "role": "img", "aria-label": words}.items()
    )
    return buffer.getvalue().partition('.dtd">')[2].strip().replace("<svg", f"<svg{given}", 1)


def draw(ladder: Ladder) -> Any:
    """Return the chart as a figure."""
    count = len(ladder.rungs)
    height = 1.68 + 0.46 * count  # inches: the titles and the axis, then a bar each
    figure = new_figure((10, height))
    axes = figure.add_axes((0.235, 0.62 / height, 0.735, 0.46 * count / height))
    _titles(figure, ladder, height)
    low, high = _limits(ladder)
    _axes(axes, ladder, low, high)
    for place, rung in enumerate(ladder.rungs):
        _bar(axes, place, rung, low)
    _peaks(axes, ladder)
    return figure


def _limits(ladder: Ladder) -> tuple[float, float]:
    """Return the ends of the axis: whole powers of ten, with room for the labels beyond the bars."""
    rates = [rung.gflops for rung in ladder.rungs if rung.gflops is not None] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(rates) / 2))
    high = max(*rates, ladder.machine.peak_all_cores or 1.0)
    return low, high * (high / low) ** 0.06


def _titles(figure: Any, ladder: Ladder, height: float) -> None:
    left = 0.02
    figure.text(
        left, 1 - 0.2 / height, title(ladder), color=INK, fontsize=15, fontweight="bold", va="top", ha="left"
    )
    text = "Time per example and speed-up over the first rung; longer is faster"
    figure.text(left, 1 - 0.54 / height, text, color=MUTED, fontsize=11, va="top", ha="left")


def _axes(axes: Any, ladder: Ladder, low: float, high: float) -> None:
    axes.set_facecolor(PAPER)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(ladder.rungs) - 0.4, -0.6)
    axes.set_yticks(range(len(ladder.rungs)), [rung.name for rung in ladder.rungs], color=INK, fontsize=11)
    axes.set_xlabel("GFLOP/s, logarithmic", color=MUTED, fontsize=10)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.minorticks_off()
    axes.tick_params(axis="both", length=0)
    axes.tick_params(axis="x", labelcolor=MUTED, labelsize=10)
    for spine in axes.spines.values():
        spine.set_visible(False)


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


def _peaks(axes: Any, ladder: Ladder) -> None:
    """Mark the measured peak of all cores, the end of every ladder on this machine."""
    peak = ladder.machine.peak_all_cores
    assert peak is not None
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
