"""`fastdense profile`: where a model's time goes, and what was measured to make it shorter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from fastdense.cli.arguments import Model, Output
from fastdense.cli.output import say_lines
from fastdense.cli.reading import Decimal, Header, MaxSize, Missing, read_for
from fastdense.cli.saving import check_outputs, save_json
from fastdense.core.checks import whole
from fastdense.models.loading import load
from fastdense.models.sequential import Sequential
from fastdense.tabular import number_columns

__all__ = ["profile"]


def profile(
    model: Model,
    table: Annotated[
        Path | None, typer.Argument(metavar="[TABLE]", help="Rows to predict; random ones without it.")
    ] = None,
    rows: Annotated[int, typer.Option(help="How many rows a call takes.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long to time each layer, about.")] = 0.1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Save the numbers as JSON.")
    ] = None,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    max_size: MaxSize = "1G",
    output: Output = None,
) -> None:
    """Measure each layer of a prediction: operations, time, what limits it, and what would be faster."""
    check_outputs({"--json": json_file}, model, table)
    network = load(model, output=output)
    whole("--rows", rows, 1)
    X: Any = rows
    if table is not None:
        X = _rows(network, table, rows, read_for(network, table, header, decimal, missing, max_size))
    with Console().status("measuring"):
        found = network.profile(X, seconds)
    say_lines(found)
    save_json(found, json_file)


def _rows(network: Sequential, table: Path, rows: int, frame: Any) -> Any:
    """Return the first rows of a table as the model takes them."""
    if len(frame) < rows:
        raise ValueError(f"{table} has {len(frame):,} rows, fewer than --rows {rows:,}")
    return number_columns(frame[:rows], network.input_shape[1]) if network.table is None else frame[:rows]
