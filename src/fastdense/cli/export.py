"""`fastdense export`: a model to a file for other software."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fastdense.cli.arguments import Model, Output
from fastdense.cli.output import say, say_lines
from fastdense.cli.saving import check_outputs
from fastdense.formats.torch.source import module_source
from fastdense.models.files import export as export_model
from fastdense.models.files import load, suffix_of

__all__ = ["export"]


class Format(StrEnum):
    """What to write."""

    onnx = "onnx"
    keras = "keras"
    torch = "torch"
    c = "c"


def export(
    model: Model,
    to: Annotated[Format, typer.Option(help="ONNX, Keras, PyTorch's weights, or C99 source and header.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; beside the model by default, under its name.")
    ] = None,
    table: Annotated[
        bool,
        typer.Option("--table", help="ONNX: include what is done to the columns; raw rows go in."),
    ] = False,
    output: Output = None,
    name: Annotated[
        str | None,
        typer.Option(help="C: what the functions' names begin with; the source file's name by default."),
    ] = None,
) -> None:
    """Write a model for ONNX Runtime, Keras, PyTorch or a C compiler."""
    if table and to is not Format.onnx:
        raise ValueError("--table is for --to onnx: the other formats take the network's features only")
    if name is not None and to is not Format.c:
        raise ValueError("--name is for --to c: the other formats have no functions to name")
    target = out or _beside(model, to)
    header = target.with_suffix(".h") if to is Format.c else None
    check_outputs({"--out": target, "the header": header}, model)
    network = load(model, output=output)
    options = {"table": True} if table else {} if name is None else {"name": name}
    export_model(network, target, to.value, **options)
    beside = "" if header is None else f" and {header}"
    say(f"Written: {target}{beside}")
    if to is Format.torch:
        say_lines(f"The module of these weights:\n{module_source(network)}")
    if network.table is not None and not table:
        say("Its table stays here: what goes in are the features that it makes of the columns")


def _beside(model: Path, to: Format) -> Path:
    """Return the model's own path with the format's ending; of PyTorch's weights ".torch" is before it."""
    ending = suffix_of(to.value)
    return model.with_suffix(f".torch{ending}" if to is Format.torch else ending)
