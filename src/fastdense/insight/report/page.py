"""What the page of a report shows; `assets/report.html` lays it out."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdense.insight import pages
from fastdense.insight.figures import own_style
from fastdense.insight.report.charts import calibration_charts, curves, residuals_charts, series
from fastdense.insight.report.diagram import diagram
from fastdense.insight.report.record import RunRecord
from fastdense.insight.report.wording import measures, share_text, speeds, trained
from fastdense.training.outcomes import Classified, Outcome

__all__ = ["report_page"]

MOST_CLASSES = 25
"""The number of classes up to which confusions are drawn as a matrix; beyond, the commonest are listed."""
MOST_OUTCOMES = 12
"""How many outcomes are shown in full; all are in the table before them."""
MOST_LISTED = 20

Table = tuple[list[str], list[list[str]]]


def report_page(report: RunRecord) -> str:
    """Return the page."""
    with own_style():
        return pages.render(
            "report.html",
            title=f"Training run of model {report.model!r}",
            report=report,
            trained=trained(report),
            measures=measures,
            outcomes=[_outcome(outcome) for outcome in report.outcomes[:MOST_OUTCOMES]],
            all_outcomes=_all_outcomes,
            curves=curves(report),
            epochs=_epochs(report),
            diagram=diagram(report),
            speeds=speeds(report),
        )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's charts and, of classes, its tables."""
    if not isinstance(outcome, Classified):
        return {"name": outcome.name, "charts": residuals_charts(outcome), "classes": None}
    many = len(outcome.labels) > MOST_CLASSES
    return {
        "name": outcome.name,
        "charts": calibration_charts(outcome),
        "classes": _classes(outcome),
        "confusion": None if many else _confusion(outcome),
        "mistakes": _mistakes(outcome) if many else None,
    }


def _all_outcomes(report: RunRecord) -> Table:
    """Return the headings and the rows of the table of all outcomes."""
    names = [name for name, _ in measures(report.outcomes[0])]
    if isinstance(report.outcomes[0], Classified):
        names[1] = "always the commonest"
    return ["", *names], [[o.name, *(value for _, value in measures(o))] for o in report.outcomes]


def _confusion(outcome: Classified) -> list[tuple[str, Any]]:
    """Return the rows of the confusion matrix: each count with its share of the row."""
    shares = outcome.confusion / np.maximum(outcome.support, 1)[:, None]
    rows = (list(zip(*row, strict=True)) for row in zip(outcome.confusion, shares, strict=True))
    return list(zip(outcome.labels, rows, strict=True))


def _mistakes(outcome: Classified) -> list[list[str]]:
    """Return the commonest mistakes: the class, what it was taken for, and in how many rows."""
    mistakes = [
        (int(outcome.confusion[i, j]), i, j) for i, j in np.argwhere(outcome.confusion).tolist() if i != j
    ]
    worst = sorted(mistakes, key=lambda mistake: -mistake[0])[:MOST_LISTED]
    return [[outcome.labels[i], outcome.labels[j], f"{count:,}"] for count, i, j in worst]


def _classes(outcome: Classified) -> list[list[str]]:
    columns, support = (outcome.precision, outcome.recall, outcome.f1), outcome.support
    return [
        [label, *(share_text(column[i]) for column in columns), f"{support[i]:,}"]
        for i, label in enumerate(outcome.labels)
    ]


def _epochs(report: RunRecord) -> Table:
    """Return the headings and the rows of every epoch's numbers."""
    named = [
        (name if side == 0 else f"val_{name}", values)
        for name, *sides in series(report.history)
        for side, values in enumerate(sides)
        if values
    ]
    rows = [
        [f"{epoch}", *(f"{values[i]:.6g}" if i < len(values) else "" for _, values in named)]
        for i, epoch in enumerate(report.epochs)
    ]
    return ["epoch", *(name for name, _ in named)], rows
