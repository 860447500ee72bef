"""`fastdense ladder`: one dense layer from Python loops to the speed of the hardware, on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fastdense import insight
from fastdense.cli.output import say
from fastdense.cli.saving import check_outputs, save_json
from fastdense.insight.figures import check_path
from fastdense.insight.rungs import Rung
from fastdense.insight.ways import Way

__all__ = ["ladder"]


def ladder(
    rows: Annotated[int, typer.Option(help="Examples in the batch.")] = 1024,
    inputs: Annotated[int, typer.Option(help="Inputs of the layer.")] = 64,
    units: Annotated[int, typer.Option(help="Units of the layer.")] = 64,
    activation: Annotated[str, typer.Option(help="The activation's name.")] = "sigmoid",
    seconds: Annotated[float, typer.Option(help="How long to time each rung, about.")] = 0.3,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep", help="From one row to --rows: what limits each rung, calls, memory or arithmetic."
        ),
    ] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Save a chart, as .png or .svg.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Save the numbers as JSON.")
    ] = None,
) -> None:
    """Time one dense layer from pure Python loops up, every rung first checked to give the same numbers."""
    if plot is not None:
        check_path(plot)
    check_outputs({"--plot": plot, "--json": json_file})
    console = Console(highlight=False, markup=False, emoji=False)
    with console.status("measuring the machine") as status:

        def progress(number: int, count: int, name: str) -> None:
            status.update(f"{number} of {count}: {name}")

        found: insight.Ladder | insight.Sweep
        if sweep:
            found = insight.sweep(rows, inputs, units, activation, seconds / 6, progress)
        else:
            found = insight.ladder(rows, inputs, units, activation, seconds, progress)
    console.print(_table(found, found.rungs if isinstance(found, insight.Ladder) else found.ways), "")
    for line in found.notes:
        console.print(line, style="dim", soft_wrap=True)
    if plot is not None:
        found.plot(plot)
        say(f"Chart saved to {plot}")
    save_json(found, json_file)


def _table(found: insight.Ladder | insight.Sweep, ways: Sequence[Rung | Way]) -> Table:
    """Return the table, one row per way: fastdense's plain, other frameworks' in colour, failures in red."""
    headings, *rows = found.table
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title=f"{found.title}\n",
        title_justify="left",
        title_style="bold",
    )
    table.add_column(headings[0])  # the one that may wrap
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for way, row in zip(ways, rows, strict=True):
        table.add_row(*row, style="red" if way.problem else None if way.module is None else "cyan")
    return table
