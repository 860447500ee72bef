"""`fastdense train`: a table to a model."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fastdense.cli.arguments import Kinds, TablePath, Target, Task, command_line, hidden_units, named_types
from fastdense.cli.options import in_options
from fastdense.cli.output import say, say_aside, say_lines
from fastdense.cli.reading import (
    DateOrder,
    Decimal,
    DefaultMissing,
    Header,
    MaxSize,
    Missing,
    read_to_train,
    stated,
)
from fastdense.cli.results import columns_found, perfect_notes, results
from fastdense.cli.saving import check_outputs
from fastdense.errors import FormatError
from fastdense.insight.report import check_page
from fastdense.models.sequential import Sequential
from fastdense.tabular import Interrupted, Recipe, train_table

__all__ = ["train"]


def train(
    context: typer.Context,
    table: TablePath,
    target: Target,
    task: Annotated[Task, typer.Option(help="What to predict: labels or quantities.")] = Task.auto,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers, separated by commas.")] = "256,256",
    epochs: Annotated[
        int | None, typer.Option(help="Times through the rows; chosen by the table's size by default.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Rows a step; chosen by the table's size by default.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="The highest learning rate.")] = Recipe.learning_rate,
    weight_decay: Annotated[
        float, typer.Option(help="How strongly weights are pulled to 0.")
    ] = Recipe.weight_decay,
    dropout: Annotated[float, typer.Option(help="Share of units left out in training.")] = Recipe.dropout,
    validation: Annotated[
        float, typer.Option(help="Share of rows held out to choose the best epoch.")
    ] = 0.15,
    test: Annotated[
        float, typer.Option(help="Share of rows held out that choose nothing: an honest test.")
    ] = 0.0,
    kinds: Kinds = None,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    default_missing: DefaultMissing = True,
    date_order: DateOrder = None,
    max_size: MaxSize = "1G",
    seed: Annotated[int, typer.Option(help="Same seed, same table: the same model, bit for bit.")] = 0,
    out: Annotated[Path, typer.Option(help="Where to save the model.")] = Path("model.safetensors"),
    report: Annotated[
        Path | None, typer.Option(help="Save a page on the run: curves, outcomes, the network, times.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show the result only.")] = False,
) -> None:
    """Train a network to predict one column of a table from the others, and save it."""
    recipe = Recipe(hidden_units(hidden), epochs, learning_rate, weight_decay, dropout, batch_size)
    _check_outputs(out, report, table)
    cells = stated(decimal, missing, default_missing, date_order)
    start, stopped = time.perf_counter(), False
    try:
        frame = read_to_train(table, header, cells, max_size, quiet)
        model = train_table(
            frame,
            target,
            task=task.value,
            types=named_types(kinds or []),
            cells=cells,
            recipe=recipe,
            validation=validation,
            test=test,
            seed=seed,
            verbose=0 if quiet else "auto",
        )
    except Interrupted as stop:
        model, stopped = stop.model, True
    except KeyboardInterrupt:
        say_aside("fastdense: interrupted before the first epoch ended: nothing is saved")
        raise
    seconds = time.perf_counter() - start
    model.save(out)
    _say_results(model, quiet or stopped)
    if stopped:
        _stop(out, report)
    for line in perfect_notes(model, frame):
        say_aside(f"fastdense: note: {in_options(line)}")
    say(f"Trained in {seconds:.1f} s, saved to {out}")
    if report is not None:
        _report(model, report, command_line(context))


def _say_results(model: Sequential, quiet: bool) -> None:
    if not quiet:
        say_lines(columns_found(model))
        model.summary(say_lines)
    for line in results(model):
        say(line)


def _stop(out: Path, report: Path | None) -> NoReturn:
    no_report = "; no report is written" if report else ""
    say_aside(f"fastdense: interrupted: the best epoch so far is saved to {out}{no_report}")
    raise KeyboardInterrupt


def _report(model: Sequential, path: Path, call: str) -> None:
    assert model.run is not None
    model.run = replace(model.run, call=call)
    model.report(path)
    say(f"Reported on in {path}")


def _check_outputs(out: Path, report: Path | None, table: Path) -> None:
    if out.suffix != ".safetensors":
        raise FormatError(f"--out must end in .safetensors, got {out}")
    check_outputs({"--out": out, "--report": report}, table)
    if report is not None:
        check_page(report)
