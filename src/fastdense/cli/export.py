"""`fastdense export`: a model to a file for other software."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fastdense.cli.arguments import Model, Output
from fastdense.cli.output import say, say_lines
from fastdense.cli.saving import check_outputs
from fastdense.exchange.table import EXPORTS, OWN, TORCH, exported
from fastdense.exchange.torch.source import module_source
from fastdense.models.loading import load
from fastdense.models.saving import content_of

__all__ = ["export"]

_TITLES = ", ".join(one.title for one in EXPORTS[:-1])


class Format(StrEnum):
    """What to write."""

    _ignore_ = ["one"]  # noqa: RUF012
    for one in EXPORTS:
        locals()[one.name] = one.name


def export(
    model: Model,
    to: Annotated[Format, typer.Option(help=f"{_TITLES}, or {EXPORTS[-1].title}.")],
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
    chosen = exported(model, to.value)
    options = ({"table": True} if table else {}) | ({"name": name} if name is not None else {})
    for option in options:
        if option in chosen.writes_with:
            continue
        takers = " or ".join(f"--to {one.name}" for one in EXPORTS if option in one.writes_with)
        raise ValueError(f"--{option} is for {takers}: {_WITHOUT[option]}")
    suffix = chosen.suffixes[0]
    suffix = f".{chosen.name}{suffix}" if suffix in OWN.suffixes else suffix
    target = out or model.with_suffix(suffix)
    others = {f"the {ending} file": target.with_suffix(ending) for ending in chosen.beside}
    check_outputs({"--out": target, **others}, model)
    content = content_of(load(model, output=output))
    chosen.write(content, target, **options)
    say(f"Written: {' and '.join(map(str, [target, *others.values()]))}")
    if chosen is TORCH:
        say_lines(f"The module of these weights:\n{module_source(content)}")
    if content.table is not None and not table:
        say("Its table stays here: what goes in are the features that it makes of the columns")


_WITHOUT = {
    "table": "the other formats take the network's features only",
    "name": "the other formats have no functions to name",
}
