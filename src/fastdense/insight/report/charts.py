"""The pictures of a report: curves, calibration and residuals, in colours that follow the page's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastdense.insight.figures import GRID, INK, MUTED, OURS, PAPER, WRONG, new_figure, plain, svg
from fastdense.insight.report.record import RunRecord
from fastdense.insight.report.wording import share_text
from fastdense.training.outcomes import Classified, Regressed

__all__ = ["HELD_OUT", "calibration_charts", "curves", "picture", "residuals_charts", "series"]

HELD_OUT = "#d55e00"
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    PAPER: "--panel",
    OURS: "--ours",
    HELD_OUT: "--other",
    WRONG: "--wrong",
}
WIDE_RANGE = 30.0  # times from the least to the largest, from which on an axis is logarithmic
PIXELS = 112  # an inch: what is 10 points high is about as large as the page's text
DASHED: dict[str, Any] = {"color": MUTED, "linewidth": 1, "linestyle": (0, (3, 3))}
POINTS = 2000  # beyond which they are counted in cells instead of drawn one by one


def picture(figure: Any, text: str) -> str:
    """Return a figure as HTML, with what it shows in words for those who do not see it.

    Colours become the page's, light or dark; names within it that nothing refers to, which would be the same
    in all pictures of a page, go.
    """
    width = f"width: {figure.get_figwidth() * PIXELS:.0f}px"
    drawn = svg(figure, text, class_="picture", style=width)
    for colour, variable in VARIABLES.items():
        drawn = drawn.replace(colour, f"var({variable})")
    drawn = re.sub(r"(font-family:|font: [\d.]+px) [^;\"]+", r"\1 system-ui, sans-serif", drawn)
    named = set(re.findall(r"#([\w.-]+)", drawn))
    drawn = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in named else "", drawn)
    return re.sub(r' (width|height)="[^"]*pt"', "", drawn, count=2)


def series(history: Mapping[str, Sequence[float]]) -> Iterator[tuple[str, Sequence[float], Sequence[float]]]:
    """Yield each number's name, what it was on the rows trained on, and on those held out.

    Examples
    --------
    >>> list(series({"loss": [2.0], "learning_rate": [0.1], "val_loss": [3.0]}))
    [('loss', [2.0], [3.0]), ('learning_rate', [0.1], [])]
    """
    held = {f"val_{name}" for name in history}
    yield from (
        (name, values, history.get(f"val_{name}", [])) for name, values in history.items() if name not in held
    )


def curves(report: RunRecord) -> list[str]:
    """Return a picture of each of the history's numbers against the epochs, and of a schedule's rate."""
    drawn = list(series(report.history))
    if report.rates:
        drawn.append(("learning_rate", report.rates, []))
    return [_curve(report, *numbers) for numbers in drawn]


def _curve(report: RunRecord, name: str, training: Sequence[float], held_out: Sequence[float]) -> str:
    figure, ax = _panel(name.replace("_", " "), "epoch")
    if len(report.epochs) == 1:
        ax.set_xticks(report.epochs)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)
    style = {"marker": "o" if len(report.epochs) == 1 else "", "linewidth": 1.7}
    ax.plot(report.epochs[: len(training)], training, color=OURS, label="training", **style)
    text = f"{name} by epoch: from {training[0]:.4g} to {training[-1]:.4g}"
    if len(held_out):
        ax.plot(report.epochs[: len(held_out)], held_out, color=HELD_OUT, label="held out", **style)
        text += f"; on the rows held out from {held_out[0]:.4g} to {held_out[-1]:.4g}"
    if report.kept is not None:
        ax.axvline(report.kept, **DASHED, label="kept")
    _logarithmic(ax, [*training, *held_out])
    if len(held_out):
        ax.legend(frameon=False, fontsize=9, labelcolor=INK)
    return picture(figure, text)


def calibration_charts(outcome: Classified) -> list[str]:
    """Return a chart of observed frequency against predicted probability, and one of the rows at each."""
    found = outcome.calibration
    of = f"of {outcome.labels[1]!r}" if len(outcome.labels) == 2 else "of the class chosen"
    figure, ax = _panel("observed frequency", f"probability {of:.40}")
    ax.plot([0, 1], [0, 1], **DASHED)
    ax.plot(found.predicted, found.observed, color=OURS, marker="o", linewidth=1.7)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.04, 1.04)
    groups = zip(found.predicted, found.observed, strict=True)
    text = "; ".join(f"predicted {p:.2f}, observed {o:.2f}" for p, o in groups)
    counts, below = _panel("number of predictions", f"probability {of:.40}")
    below.bar(found.predicted, found.counts, width=0.05, color=OURS)
    below.set_xlim(-0.02, 1.02)
    rows = "; ".join(f"{n:,} near {p:.2f}" for p, n in zip(found.predicted, found.counts, strict=True))
    return [
        picture(figure, f"Calibration of the probability {of}: {text}"),
        picture(counts, f"Rows by the probability {of}: {rows}"),
    ]


def residuals_charts(outcome: Regressed) -> list[str]:
    """Return predictions against the truth, the residuals, and the truth by tenths of the predictions."""
    compared, ax = _panel("truth against prediction", "prediction")
    _cloud(ax, outcome.guess, outcome.truth)
    _diagonal(ax, [*outcome.guess, *outcome.truth])
    left, ax = _panel("residuals: truth - prediction", "residual")
    ax.hist(outcome.residuals, bins=40, range=_range(outcome.residuals), color=OURS)
    ax.axvline(0.0, **DASHED)
    found = outcome.calibration
    tenths, ax = _panel("mean truth of each tenth, by prediction", "mean prediction")
    ax.plot(found.predicted, found.observed, color=OURS, marker="o")
    _diagonal(ax, [*found.predicted, *found.observed])
    low, middle, high = np.quantile(outcome.residuals, (0.05, 0.5, 0.95))
    groups = zip(found.predicted, found.observed, strict=True)
    text = "; ".join(f"predicted {p:.4g}, observed {o:.4g}" for p, o in groups)
    return [
        picture(compared, f"Truth against prediction, R2 {share_text(outcome.r2)}"),
        picture(left, f"Residuals: nine of ten from {low:.4g} to {high:.4g}, half below {middle:.4g}"),
        picture(tenths, f"Means of tenths of the rows: {text}"),
    ]


def _range(values: Any) -> tuple[float, float]:
    """Return where values lie, wide enough for bins that differ."""
    low, high = float(values.min()), float(values.max())
    least = 1e-6 * max(abs(low), abs(high), 1e-300)
    return (low - least, high + least) if high - low < least else (low, high)


def _cloud(ax: Any, x: Any, y: Any) -> None:
    """Draw points; if there are many, their number in each cell."""
    if len(x) <= POINTS:
        ax.scatter(x, y, s=8, color=OURS, alpha=0.5, linewidths=0)
        return
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    shades = LinearSegmentedColormap.from_list("ours", [(*to_rgba(OURS)[:3], a) for a in (0.15, 1.0)])
    ax.hexbin(x, y, gridsize=34, mincnt=1, bins="log", cmap=shades, linewidths=0)


def _diagonal(ax: Any, values: Sequence[float]) -> None:
    """Mark where predictions are the truth."""
    ends = [min(values), max(values)]
    ax.plot(ends, ends, **DASHED)


def _panel(title: str, across: str) -> tuple[Any, Any]:
    """Return an empty figure, and its axes."""
    figure = new_figure((4.3, 2.9), tight=True)
    ax = figure.subplots()
    ax.set_facecolor("none")
    ax.set_title(title, color=INK, fontsize=10.5, loc="left", parse_math=False)
    ax.set_xlabel(across, color=MUTED, fontsize=9.5, parse_math=False)
    ax.grid(color=GRID, linewidth=0.8)
    plain(ax, labels=9)
    return figure, ax


def _logarithmic(ax: Any, values: Sequence[float]) -> None:
    """Make the axis logarithmic if the finite values are all above 0 and span a wide range."""
    from matplotlib.ticker import LogLocator, NullFormatter

    finite = [value for value in values if np.isfinite(value)]
    if not finite or min(finite) <= 0 or max(finite) <= WIDE_RANGE * min(finite):
        return
    ax.set_yscale("log")
    few = max(finite) < 1000 * min(finite)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
