"""The ladder in words: units that read well, and an aligned table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastdense.core.printable import printable
from fastdense.insight.limits import LETTERS, Limited

if TYPE_CHECKING:
    from fastdense.engines.machine import Info
    from fastdense.insight.ladder import Ladder
    from fastdense.insight.profile import Advice, LayerCost, Profile
    from fastdense.insight.rungs import Rung
    from fastdense.insight.sweep import Point, Sweep

__all__ = ["HEADINGS", "cells", "count", "duration", "ladder_text", "notes", "ratio", "title"]
__all__ += [
    "limit_text",
    "profile_text",
    "size_text",
    "sweep_notes",
    "sweep_rows",
    "sweep_text",
    "sweep_title",
]

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


def count(number: int, noun: str) -> str:
    """Return how many there are of something.

    Examples
    --------
    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
        f"One dense layer, {count(ladder.inputs, 'input')} to {count(ladder.units, 'unit')}, "
        f"{ladder.activation}, float32, {count(ladder.rows, 'row')}"
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


def sweep_title(sweep: Sweep) -> str:
    """Return what was computed, in a line."""
    return (
        f"One dense layer, {count(sweep.inputs, 'input')} to {count(sweep.units, 'unit')}, "
        f"{sweep.activation}: the time a row, and what limits it"
    )


def sweep_rows(sweep: Sweep) -> list[tuple[str, ...]]:
    """Return the table's rows, its headings first: an entry for each number of rows."""
    headings = ("rows a call", *(f"{rows:,}" for rows in sweep.rows))
    table = [headings]
    for way in sweep.ways:
        found = {point.rows: _limited(point) for point in way.points}
        table.append((way.name, *(found.get(rows, "") for rows in sweep.rows)))
    return table


def sweep_notes(sweep: Sweep) -> list[str]:
    """Return what a reader of the table should know, a line each."""
    roofs = sweep.roofs
    read = list(zip(roofs.sizes, roofs.bandwidth_one_core, strict=True))[1::3]
    speeds = ", ".join(f"{rate:,.0f} of {size_text(size)}" for size, rate in read)
    peaks = f"{roofs.peak_one_core:.0f} GFLOP/s on one core, {roofs.peak_all_cores:.0f} on all {roofs.cores}"
    return [
        "C: the calls take the time; M: reading the numbers; A: the arithmetic; in brackets: under half",
        "calls: the same on a layer of one input and one unit; loops end where more rows only take longer",
        f"measured: {peaks}; one core reads, in GB/s: {speeds}",
        *(f"{way.name} was not timed: {way.problem}" for way in sweep.ways if way.problem),
    ]


def sweep_text(sweep: Sweep) -> str:
    """Return the sweep as an aligned table, with its title and notes."""
    table = sweep_rows(sweep)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [_aligned(row, widths).rstrip() for row in table]
    rule = "-" * max(map(len, lines))
    return "\n".join([sweep_title(sweep), "", lines[0], rule, *lines[1:], "", *sweep_notes(sweep)])


def _limited(point: Point) -> str:
    """Return a time a row with the letter of what limits it."""
    return f"{duration(point.seconds / point.rows)} {limit_text(point)}"


def limit_text(measured: Limited) -> str:
    """Return the letter of what limits a time, in brackets where it is less than half of it."""
    if measured.limit is None:
        return "   "
    letter = LETTERS[measured.limit]
    return f" {letter} " if measured.explained >= 0.5 else f"({letter})"


def size_text(size: int) -> str:
    """Return a size in bytes with its unit, to three digits.

    Examples
    --------
    >>> size_text(100), size_text(16384), size_text(2**28), size_text(1234567)
    ('100 B', '16 KB', '256 MB', '1.18 MB')
    """
    for unit, each in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if size >= each:
            return f"{size / each:.3g} {unit}" if size < 1000 * each else f"{size / each:,.0f} {unit}"
    return f"{size} B"


def profile_title(profile: Profile) -> str:
    """Return what was measured, in a line."""
    rows = count(profile.rows, "row")
    return f"Model {profile.model!r}: {rows} a call, {profile.dtype}, engine {profile.engine}"


def profile_rows(profile: Profile) -> list[tuple[str, ...]]:
    """Return the table's rows, its headings first: one a layer."""
    headings = ("layer", "what", "operations", "bytes", "time", "GFLOP/s", "of peak", "limit")
    return [headings, *(_cost(profile, layer) for layer in profile.layers)]


def profile_notes(profile: Profile) -> list[str]:
    """Return the whole call's time, what the letters mean, and what would be faster, a line each."""
    total = sum(layer.operations for layer in profile.layers) / profile.seconds / 1e9
    each = duration(profile.seconds / profile.rows)
    return [
        f"the call: {duration(profile.seconds)}, {each} a row, {total:,.3g} GFLOP/s",
        *(
            [f"of it, making numbers of the columns: {duration(profile.encoding)}"]
            if profile.encoding
            else []
        ),
        "C: the calls take the time; M: reading the numbers; A: the arithmetic; in brackets: under half",
        "",
        "Measured, and faster:",
        *([_advised(advice) for advice in profile.advice] or ["nothing that was tried is faster"]),
    ]


def profile_text(profile: Profile) -> str:
    """Return the layers as an aligned table, with the whole call and what would be faster."""
    table = profile_rows(profile)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    widths[1] *= -1
    lines = [_aligned(row, widths).rstrip() for row in table]
    rule = "-" * max(map(len, lines))
    return "\n".join([profile_title(profile), "", lines[0], rule, *lines[1:], "", *profile_notes(profile)])


def _advised(advice: Advice) -> str:
    before, after = duration(advice.before), duration(advice.after)
    return f"{advice.what}: {before} to {after} a row, {ratio(advice.before / advice.after)}"


def _cost(profile: Profile, layer: LayerCost) -> tuple[str, ...]:
    """Return a layer's entries."""
    gflops = layer.operations / layer.seconds / 1e9
    share = 100 * gflops / profile.roofs.peak_all_cores * (2 if profile.dtype == "float64" else 1)
    rates = (_digits(gflops), f"{_digits(share)} %") if layer.operations else ("-", "-")
    counts = f"{layer.operations:,}" if layer.operations else "-", size_text(layer.traffic)
    return (printable(layer.name), layer.what, *counts, duration(layer.seconds), *rates, limit_text(layer))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    sides = ("<" if width < 0 else ">" for width in widths[1:])
    numbers = (f"{c:{s}{abs(w)}}" for c, s, w in zip(row[1:], sides, widths[1:], strict=True))
    return "  ".join([f"{row[0]:<{widths[0]}}", *numbers])


def _peak(machine: Info) -> str:
    one = f"{machine.peak_one_core:.1f} GFLOP/s on one core"
    return one if machine.cores == 1 else f"{one}, {machine.peak_all_cores:.1f} on all {machine.cores}"


def _digits(value: float) -> str:
    """Return a positive number to three digits, to two below one, never as a power of ten."""
    if value >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:#.3g}" if value >= 0.9995 else f"{value:#.2g}"
    return np.format_float_positional(float(text)) if "e" in text else text
