"""`fastdense info`: this machine, or a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastdense.cli.arguments import Output
from fastdense.cli.output import say, say_lines
from fastdense.engines import machine
from fastdense.models.loading import load

__all__ = ["info"]


def info(
    model: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help="A saved model.")] = None,
    output: Output = None,
) -> None:
    """Show what fastdense runs on here, its measured peak included; or what a model holds."""
    if model is None:
        say_lines(machine.info(peak=True))
        return
    network = load(model, output=output)
    network.summary()
    if network.loss is not None:
        steps = network.optimizer.iterations
        say(f"Trained for {steps:,} steps: {network.loss!r}, {network.optimizer!r}")
    if network.table is not None:
        say_lines(network.table.summary())
