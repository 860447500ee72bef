"""The arguments that several commands share, and the reading of those that need it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fastdense.core.checks import whole

__all__ = ["Model", "Output", "TablePath", "command_line", "hidden_units", "named_types"]

TablePath = Annotated[
    Path, typer.Argument(metavar="TABLE", help="A CSV, TSV or Parquet file; a CSV may be gzipped.")
]
Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="A model that `fastdense train` saved, or an .onnx, .keras or .h5 file."
    ),
]
Output = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of an .onnx file with several outputs: the one to end at."),
]


def hidden_units(text: str) -> tuple[int, ...]:
    """Return the units of the hidden layers from "256,256"; "" is none.

    Examples
    --------
    >>> hidden_units("64, 32")
    (64, 32)
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"--hidden takes units separated by commas, such as 256,256; got {text!r}")
    return tuple(whole("--hidden", int(part), 1) for part in parts)


def named_types(pairs: list[str]) -> dict[str, str]:
    """Return the columns' types from "zip=category" and the like.

    Examples
    --------
    >>> named_types(["zip=category"])
    {'zip': 'category'}
    """
    split = [pair.rpartition("=") for pair in pairs]
    for (column, _, kind), pair in zip(split, pairs, strict=True):
        if not column or not kind:
            raise ValueError(f"--type takes COLUMN=number, category, date, time or ignore; got {pair!r}")
    return {column: kind for column, _, kind in split}


def command_line(context: typer.Context) -> str:
    """Return the command that is running as one would type it, with what differs from its defaults."""
    words = ["fastdense", str(context.info_name)]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if parameter.param_type_name == "argument":
            words.append(f"./{value}" if str(value).startswith("-") else str(value))  # no option
        elif value == parameter.default or value in (None, []):
            continue
        elif isinstance(value, bool):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        else:
            each = value if isinstance(value, list | tuple) else [value]
            words += [word for one in each for word in (parameter.opts[0], str(one))]
    return shlex.join(words)
