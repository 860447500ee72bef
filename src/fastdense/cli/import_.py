"""`fastdense import`: other software's file to a model of fastdense's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fastdense.cli.output import say
from fastdense.cli.saving import check_outputs
from fastdense.formats.models import load
from fastdense.network.sequential import Sequential

__all__ = ["import_"]


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="An .onnx, .keras or .h5 file; or PyTorch's weights, as .safetensors or .pt."
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
        typer.Option(help="Of PyTorch's weights: the modules, first layer first, as in fc1,fc2,head."),
    ] = None,
) -> None:
    """Read a dense network from ONNX, Keras or PyTorch's weights, and save it as fastdense's own."""
    target = out or file.with_suffix(".safetensors")
    if out is not None:
        check_outputs({"--out": out}, file)
    model = _read(file, activation, last, order)
    if out is None and target.exists():
        raise ValueError(f"the model would take the place of {target}: choose where to save it with --out")
    model.save(target)
    model.summary()
    say(f"Saved to {target}")


def _read(file: Path, activation: str | None, last: str | None, order: str | None) -> Sequential:
    if activation is None and file.suffix.lower() not in (".pt", ".pth"):
        if last is not None or order is not None:
            raise ValueError("--last and --order are for PyTorch's weights, and need --activation")
        return load(file)
    from fastdense.formats.torch import network_from_torch_weights

    if activation is None:
        raise ValueError(
            f"{file} holds weights only: give the hidden layers' activation with --activation relu"
        )
    return network_from_torch_weights(
        file, activation, last or "linear", order.split(",") if order is not None else None
    )
