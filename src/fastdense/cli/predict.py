"""`fastdense predict`: a model and a table to predictions."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from fastdense.cli.arguments import Model, Output, TablePath
from fastdense.cli.output import say, say_aside, write_data
from fastdense.cli.reading import Decimal, Header, MaxSize, Missing, read_for
from fastdense.cli.saving import check_outputs
from fastdense.cli.spreadsheets import count_formulas, without_formulas
from fastdense.exchange.tables import write_table
from fastdense.models.loading import load
from fastdense.models.sequential import Sequential
from fastdense.tabular.predict import predict_columns, predict_table, table_of

__all__ = ["predict"]


def predict(
    model: Model,
    table: TablePath,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    max_size: MaxSize = "1G",
    out: Annotated[
        Path | None, typer.Option(help="A .csv, .tsv or .parquet file; standard output without it.")
    ] = None,
    output: Output = None,
    safe_cells: Annotated[
        bool,
        typer.Option("--safe-cells", help="Put ' before labels that spreadsheet programs run, as =1+1."),
    ] = False,
) -> None:
    """Predict the target of every row: its label with every label's probability, or its number.

    A model without a table, as those of other formats are, takes all columns as they come, and its outputs
    are written as they are.
    """
    check_outputs({"--out": out}, model, table)
    network = load(model, output=output)
    frame = read_for(network, table, header, decimal, missing, max_size)
    if network.table is None:
        columns: dict[str, Any] = predict_columns(network, frame)
        names = ", ".join(map(str, frame.columns))
        say_aside(f"{model} has no table: the columns {names:.200} go in as they are")
    else:
        columns = _columns(network, frame)
    columns = _checked(columns, safe_cells, text=out is None or out.suffix != ".parquet")
    if out is None:
        _print_csv(columns)
        return
    write_table(columns, out)
    count = len(next(iter(columns.values())))
    say(f"{count:,} predictions written to {out}")


def _columns(network: Sequential, frame: Any) -> dict[str, Any]:
    """Return the predictions as named columns."""
    table = table_of(network)
    predictions = predict_table(network, frame)
    columns = {f"predicted {table.target.name}" if table.target else "predicted": predictions.values}
    if predictions.probabilities is not None:
        probabilities = zip(table.classes, predictions.probabilities.T, strict=True)
        columns |= {f"p({label})": values for label, values in probabilities}
    return columns


def _checked(columns: dict[str, Any], safe: bool, *, text: bool) -> dict[str, Any]:
    """Return columns without cells that spreadsheet programs run, if asked to; else count those in a note."""
    labels = {name: cells for name, cells in columns.items() if isinstance(cells, list)}
    if safe:
        return columns | {name: without_formulas(cells) for name, cells in labels.items()}
    found = sum(map(count_formulas, labels.values()))
    if found and text:
        say_aside(
            f"fastdense: note: {found:,} predicted labels begin as formulas do: before a spreadsheet program "
            f"opens them, write them with --safe-cells"
        )
    return columns


def _print_csv(columns: dict[str, Any]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_data(text.getvalue())
