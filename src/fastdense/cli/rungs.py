"""How a search shows its progress: a table of its rungs in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from fastdense.cli.output import say
from fastdense.search.tables.heats import Rung, Watcher
from fastdense.search.tables.measures import Measure

__all__ = ["Quiet", "Shown", "watcher_for"]


class Quiet(Watcher):
    """Shows nothing; a ``with`` block holds what the others have on screen."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Show nothing."""


class Lines(Quiet):
    """Prints a line whenever a heat has come to the end of a rung."""

    def begin(self, measure: Measure) -> None:
        """Start the clock."""
        self._measure, self._start = measure.name, time.monotonic()

    def rung_ended(self, rungs: Sequence[Rung], rung: int) -> None:
        """Print the line."""
        of = rungs[rung]
        best = "" if of.best is None else f", best {self._measure} {of.score:.4g} (candidate {of.best})"
        seconds = time.monotonic() - self._start
        say(f"{seconds:7.1f} s: {of.candidates:,} candidates after {of.epochs:,} epochs{best}")
        sys.stdout.flush()


class Shown(Quiet):
    """Shows a table that follows the search."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(console=console or Console(highlight=False), refresh_per_second=4)
        self._measure = ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def begin(self, measure: Measure) -> None:
        """Head the table by the measure's name."""
        self._measure = measure.name

    def scored(self, rungs: Sequence[Rung], rung: int) -> None:
        """Renew the table."""
        self._live.update(_table(rungs, rung, self._measure))


def watcher_for(quiet: bool) -> Quiet:
    """Return what shows the progress of a command."""
    if quiet:
        return Quiet()
    return Shown() if sys.stdout.isatty() else Lines()


def _table(rungs: Sequence[Rung], at: int, measure: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("rung", "epochs", "candidates", "best", measure, "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, rung in enumerate(rungs):
        best, score = ("", "") if rung.best is None else (f"{rung.best}", f"{rung.score:.4g}")
        row = (
            f"{number + 1}",
            f"{rung.epochs:,}",
            f"{rung.candidates:,}",
            best,
            score,
            f"{rung.seconds:.0f} s",
        )
        table.add_row(*row, style="bold" if number == at else None)
    return table
