"""`fastdense evaluate`: how well a model does on a table that has the target."""

from __future__ import annotations

from fastdense.cli.arguments import Model, Output, TablePath
from fastdense.cli.output import say
from fastdense.cli.reading import Decimal, Header, MaxSize, Missing, read_for
from fastdense.core.columns import aligned
from fastdense.models.loading import load
from fastdense.tabular import evaluate_table

__all__ = ["evaluate"]


def evaluate(
    model: Model,
    table: TablePath,
    header: Header = True,
    decimal: Decimal = None,
    missing: Missing = None,
    max_size: MaxSize = "1G",
    output: Output = None,
) -> None:
    """Measure a model on rows whose target is known."""
    network = load(model, output=output)
    frame = read_for(network, table, header, decimal, missing, max_size)
    numbers = evaluate_table(network, frame)
    say(f"{len(frame):,} rows of {table}")
    for line in aligned([(name, f"{value:.6g}") for name, value in numbers.items()]):
        say(line)
