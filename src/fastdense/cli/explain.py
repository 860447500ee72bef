"""`fastdense explain`: one row of a table through a model, every number written out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fastdense.cli.arguments import Model, Output, TablePath
from fastdense.cli.output import say, say_lines
from fastdense.cli.reading import Decimal, Header, MaxSize, Missing, read_for
from fastdense.cli.saving import check_outputs
from fastdense.errors import TableError
from fastdense.models.loading import load
from fastdense.models.sequential import Sequential
from fastdense.tables.frames import Frame
from fastdense.tabular import number_columns

__all__ = ["explain"]


def explain(
    model: Model,
    table: TablePath,
    row: Annotated[int, typer.Option(help="Which row, counted from 1.")] = 1,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of right answers: loss and gradients."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Save a page that steps through it instead.")] = None,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    max_size: MaxSize = "1G",
    output: Output = None,
) -> None:
    """Write out what a model makes of one row, matrix by matrix; with --target loss and gradients too."""
    check_outputs({"--html": html}, model, table)
    network = load(model, output=output)
    frame = read_for(network, table, header, decimal, missing, max_size)
    if not 1 <= row <= len(frame):
        raise ValueError(f"--row must be from 1 to {len(frame):,}, the rows of {table}, got {row}")
    if target is not None and network.loss is None:
        raise ValueError(f"--target needs the loss that the model was trained with, and {model} has none")
    if target is not None and target not in frame.columns:
        raise ValueError(f"{table} has no column {target!r}, but {', '.join(map(repr, frame.columns)):.300}")
    found = network.explain(*_row(network, frame, row, target))
    if html is None:
        say_lines(found)
        return
    found.save_html(html)
    say(f"Saved to {html}")


def _row(network: Sequential, frame: Any, row: int, target: str | None) -> tuple[Any, Any]:
    """Return a row as the model takes it, and the right answer as its loss does."""
    chosen = slice(row - 1, row)  # of a Frame, whose errors name the row by its number in the table
    if network.table is None:
        inputs = frame if target is None else frame.drop(target)
        answer = None if target is None else number_columns(Frame(frame.select(target)).take(chosen), 1)[0]
        return number_columns(Frame(inputs).take(chosen), network.input_shape[1]), answer
    one = Frame(frame, network.table.cells).take(chosen)
    if target is None:
        return one, None
    if network.table.target is None or network.table.target.name != target:
        own = network.table.target.name if network.table.target else "none"
        raise TableError(f"the model's target is {own!r}, not {target!r}")
    network.table.targets(one)  # which refuses what is not an answer
    return one, frame[target][row - 1]
