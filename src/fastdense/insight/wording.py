"""The ladder in words: units that read well, and an aligned table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastdense.insight.ladder import Ladder
    from fastdense.insight.rungs import Rung
    from fastdense.machine import Info

__all__ = ["HEADINGS", "cells", "duration", "ladder_text", "notes", "ratio", "title"]

HEADINGS = ("rung", "rows", "time/row", "GFLOP/s", "of peak", "cores", "speed-up")


def duration(seconds: float) -> str:
    """Return a time with its unit, to three digits.

    Examples
    --------
    >>> duration(0.0123), duration(4.56e-6), duration(7.8e-10)
    ('12.3 ms', '4.56 us', '0.78 ns')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= 0.9995 * size:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def ratio(value: float) -> str:
    """Return a speed-up.

    Examples
    --------
    >>> ratio(1.0), ratio(3.14159), ratio(12345.6)
    ('1.0x', '3.1x', '12,346x')
    """
    return f"{value:.1f}x" if value < 99.95 else f"{value:,.0f}x"


def cells(rung: Rung) -> tuple[str, ...]:
    """Return a rung's entries under `HEADINGS`."""
    if rung.problem is not None:
        return (rung.name, *["-"] * (len(HEADINGS) - 1))
    assert rung.seconds is not None
    assert rung.gflops is not None
    assert rung.speedup is not None
    return (
        rung.name,
        f"{rung.rows:,}",
        duration(rung.seconds),
        _digits(rung.gflops),
        "-" if rung.percent_of_peak is None else f"{_digits(rung.percent_of_peak)} %",
        "-" if rung.cores is None else str(rung.cores),
        ratio(rung.speedup),
    )


def title(ladder: Ladder) -> str:
    """Return what was computed, in a line."""
    return (
        f"One dense layer, {_count(ladder.inputs, 'input')} to {_count(ladder.units, 'unit')}, "
        f"{ladder.activation}, float32, {_count(ladder.rows, 'row')}"
    )


def notes(ladder: Ladder) -> list[str]:
    """Return what a reader of the table should know, a line each."""
    machine = ladder.machine
    lines = [
        f"measured peak: {_peak(machine)}",
        "every rung gave the definition's numbers before it was timed; the first three work in float64",
        "rows: how many one call computed; loops over rows are given only as many as their time needs",
        "of peak: of the cores that the rung may use; a multiply-add counts as two, the activation as none",
    ]
    if any(rung.cores is None for rung in ladder.rungs):
        lines.append("GPU: data and weights lie there before the clock starts; its peak is not measured")
    return lines + [f"{rung.name} was not timed: {rung.problem}" for rung in ladder.rungs if rung.problem]


def ladder_text(ladder: Ladder) -> str:
    """Return the ladder as an aligned table, with its title and notes."""
    table = [HEADINGS, *map(cells, ladder.rungs)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [_aligned(row, widths) for row in table]
    rule = "-" * max(map(len, lines))
    return "\n".join([title(ladder), "", lines[0], rule, *lines[1:], "", *notes(ladder)])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([f"{row[0]:<{widths[0]}}", *numbers])


def _peak(machine: Info) -> str:
    one = f"{machine.peak_one_core:.1f} GFLOP/s on one core"
    return one if machine.cores == 1 else f"{one}, {machine.peak_all_cores:.1f} on all {machine.cores}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _digits(value: float) -> str:
    """Return a positive number to three digits, to two below one, never as a power of ten."""
    if value >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:#.3g}" if value >= 0.9995 else f"{value:#.2g}"
    return np.format_float_positional(float(text)) if "e" in text else text
