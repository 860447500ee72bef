"""A report in words: its numbers with their names, and the few lines that a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fastdense.core.printable import printable
from fastdense.insight.report.record import RunRecord
from fastdense.insight.units import count, duration
from fastdense.training.outcomes import Classified, Outcome, Regressed

__all__ = ["measures", "report_text", "share_text", "shortened", "speeds", "trained"]

LONGEST = 32  # of a name


def measures(outcome: Outcome) -> list[tuple[str, str]]:
    """Return an outcome's numbers, each with its name, the most telling first."""
    return list(_of_classes(outcome) if isinstance(outcome, Classified) else _of_quantity(outcome))


def _of_classes(outcome: Classified) -> Iterator[tuple[str, str]]:
    support = outcome.support
    most = outcome.labels[int(np.argmax(support))]
    yield "accuracy", f"{outcome.accuracy:.4f}"
    yield f"always {shortened(most)!r}", f"{support.max() / support.sum():.4f}"
    yield "log loss", f"{outcome.log_loss:.4g}"
    if outcome.auc is not None:
        yield "AUC", share_text(outcome.auc)
    yield "calibration error", f"{outcome.calibration.error:.4f}"


def _of_quantity(outcome: Regressed) -> Iterator[tuple[str, str]]:
    yield "RMSE", f"{outcome.rmse:.6g}"
    yield "MAE", f"{outcome.mae:.6g}"
    yield "R2", share_text(outcome.r2)
    yield "bias", f"{outcome.bias:.4g}"
    if outcome.quantile is not None:
        yield f"below, of {outcome.quantile:g}", f"{outcome.below:.4f}"


def share_text(value: float) -> str:
    """Return a share to four places; a number that is far from one to four digits.

    Examples
    --------
    >>> share_text(0.98765), share_text(-12345.678), share_text(float("nan"))
    ('0.9877', '-1.235e+04', 'none')
    """
    if np.isnan(value):
        return "none"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"


def shortened(text: str) -> str:
    """Return a name, cut if it is long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def trained(report: RunRecord) -> str:
    """Return in one line what it was trained on, and for how many epochs."""
    held = f", {report.held_out:,} held out" if report.held_out else ""
    held += f", {report.tested:,} for a test" if report.tested else ""
    kept = "" if report.kept is None else f", the weights of epoch {report.kept:,} kept"
    epochs, steps = count(len(report.epochs), "epoch"), count(report.steps, "step")
    return f"{count(report.rows, 'row')}{held}; {epochs} of {steps}{kept}"


def speeds(report: RunRecord) -> list[tuple[str, str]]:
    """Return the times and rates, each with its name."""
    speed = report.speed
    share = "" if speed.percent_of_peak is None else f", {speed.percent_of_peak:.3g} % of this machine's peak"
    return [
        ("training, with validation", duration(speed.seconds)),
        ("an epoch", duration(speed.seconds / len(report.epochs))),
        ("rows a second", f"{speed.rows_per_second:,.0f}"),
        ("arithmetic", f"{speed.gflops:.3g} GFLOP/s{share}"),
        ("to predict one row", duration(speed.one_row)),
        (f"a row of {speed.many:,}", duration(speed.of_many)),
    ]


def report_text(report: RunRecord) -> str:
    """Return the report's numbers as lines."""
    lines = [f"Model {report.model!r}, trained {report.started}", trained(report), ""]
    lines += _measured(report.measured, report.outcomes)
    lines += _measured(report.chosen.rows, report.chosen.outcomes) if report.chosen else []
    lines += ["", *(f"{what}: {value}" for what, value in speeds(report))]
    return "\n".join([*lines, *([""] if report.notes else []), *map(printable, report.notes)])


def _measured(rows: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"On {rows}:"
    for outcome in outcomes:
        name = f"{printable(outcome.name)}: " if outcome.name else ""
        yield f"  {name}{', '.join(f'{what} {value}' for what, value in measures(outcome))}"
