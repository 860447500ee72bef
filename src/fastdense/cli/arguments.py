"""The arguments that several commands share, and the reading of those that need it."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fastdense.core.checks import whole

__all__ = ["Kinds", "Model", "Output", "TablePath", "Target", "Task"]
__all__ += ["command_line", "hidden_units", "named_types", "seconds_of"]

TablePath = Annotated[
    Path, typer.Argument(metavar="TABLE", help="A CSV, TSV or Parquet file; a CSV may be gzipped.")
]
Target = Annotated[str, typer.Option(help="The column to predict.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--type", help="COLUMN=number, category, date, time or ignore; may be repeated."),
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

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])", re.ASCII | re.IGNORECASE)


class Task(StrEnum):
    """What to do with the target column."""

    auto = "auto"
    classify = "classify"
    regress = "regress"


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


def seconds_of(text: str) -> float:
    """Return the seconds that "90s", "5m" or "1.5h" say.

    Examples
    --------
    >>> seconds_of("5m"), seconds_of("1.5 h")
    (300.0, 5400.0)
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2].lower()] if found else math.nan
    if not seconds > 0:
        raise ValueError(
            f"--time takes seconds, minutes or hours above 0, such as 90s, 5m or 1.5h; got {text!r}"
        )
    return seconds


def command_line(context: typer.Context, only: Collection[str] | None = None) -> str:
    """Return the command that is running as one would type it, with what differs from its defaults.

    Parameters
    ----------
    context : typer.Context
    only : collection of str, optional
        The names of the parameters to speak of, without the command's own name; all of them by default.
    """
    words = ["fastdense", str(context.info_name)] if only is None else []
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if only is not None and parameter.name not in only:
            continue
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
