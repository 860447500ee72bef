"""`fastdense evaluate`: how well a model does on a table that has the target."""

from __future__ import annotations

from fastdense.cli.arguments import Header, Model, Output, TablePath
from fastdense.cli.output import say
from fastdense.estimators.table import evaluate_table
from fastdense.formats.models import load
from fastdense.formats.tables import read_table

__all__ = ["evaluate"]


def evaluate(model: Model, table: TablePath, header: Header = True, output: Output = None) -> None:
    """Measure a model on rows whose target is known."""
    frame = read_table(table, header=header)
    numbers = evaluate_table(load(model, output=output), frame)
    width = max(map(len, numbers))
    say(f"{len(frame):,} rows of {table}")
    for name, value in numbers.items():
        say(f"{name:<{width}}  {value:.6g}")
