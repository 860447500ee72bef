"""`fastdense import`: other software's file to a model of fastdense's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastdense.cli.arguments import Output
from fastdense.cli.output import say
from fastdense.cli.saving import check_outputs
from fastdense.exchange.table import EXPORTS, TORCH
from fastdense.models.loading import load
from fastdense.models.sequential import Sequential

__all__ = ["import_"]

_READABLE = ", ".join(suffix for one in EXPORTS if one.reader for suffix in one.suffixes)


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=f"A model's file: {_READABLE}; or {TORCH.title}: {', '.join(TORCH.suffixes)}.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to save the model; beside the file by default, under its name.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Of PyTorch's weights: the hidden layers' activation, such as relu.")
    ] = None,
    last: Annotated[
        str | None, typer.Option(help="Of PyTorch's weights: the last layer's activation; linear by default.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="Of PyTorch's weights: the modules, or what their names begin with, first layer first, "
            "as in fc1,fc2,head."
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="Of PyTorch's weights, if there are several networks: what the names begin with."),
    ] = None,
    output: Output = None,
) -> None:
    """Read a dense network from ONNX, Keras or PyTorch's weights, and save it as fastdense's own."""
    target = out or file.with_suffix(".safetensors")
    if out is not None:
        check_outputs({"--out": out}, file)
    model = _read(file, activation, last, order, prefix, output)
    if out is None and target.exists():
        raise ValueError(f"the model would take the place of {target}: choose where to save it with --out")
    model.save(target)
    model.summary()
    say(f"Saved to {target}")


def _read(
    file: Path,
    activation: str | None,
    last: str | None,
    order: str | None,
    prefix: str | None,
    output: str | None,
) -> Sequential:
    if activation is not None and output is not None:
        raise ValueError(
            "--activation is for PyTorch's weights and --output for ONNX files: give one of them"
        )
    if output is not None or (activation is None and file.suffix.lower() not in TORCH.suffixes[1:]):
        if (last, order, prefix) != (None, None, None):
            raise ValueError("--last, --order and --prefix are for PyTorch's weights, and need --activation")
        return load(file, output=output)
    from fastdense.formats.torch import network_from_torch_weights

    if activation is None:
        raise ValueError(
            f"{file} holds weights only: give the hidden layers' activation with --activation relu"
        )
    names = order.split(",") if order is not None else None
    return network_from_torch_weights(file, activation, last or "linear", names, prefix)
