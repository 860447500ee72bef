"""The options that say how a table is read, and the reading by them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastdense.cli.output import say
from fastdense.exchange.tables import read_table
from fastdense.tables import Cells

if TYPE_CHECKING:
    from fastdense.models.sequential import Sequential

__all__ = [
    "DateOrder",
    "Decimal",
    "DefaultMissing",
    "Header",
    "MaxSize",
    "Missing",
    "byte_count",
    "read_for",
    "read_to_train",
    "stated",
]

Header = Annotated[
    bool,
    typer.Option(
        "--header/--no-header", help="Whether the first line names the columns (else column_1, column_2...)."
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN", help="The decimal sign of numbers, . or , (found from the file by default)."
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="A text that means a missing value, beside the usual ones; may be repeated."
    ),
]
DefaultMissing = Annotated[
    bool,
    typer.Option(
        "--default-missing/--no-default-missing",
        help="Whether the usual texts, such as NA and #N/A, mean a missing value.",
    ),
]
DateOrder = Annotated[
    str | None,
    typer.Option(metavar="ORDER", help="The order in dates such as 01/02/2024: dmy, mdy or ymd."),
]
MaxSize = Annotated[
    str,
    typer.Option(metavar="BYTES", help="What a .csv.gz or .parquet file may unpack to, such as 500M or 4G."),
]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.ASCII | re.IGNORECASE)


def byte_count(text: str) -> int:
    """Return the bytes that "500M", "4 GiB" or "1000000" say, K, M, G and T being powers of 1024.

    Examples
    --------
    >>> byte_count("2k"), byte_count("1.5G")
    (2048, 1610612736)
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"--max-size takes bytes, such as 500M or 4G; got {text!r}")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " "))


def stated(decimal: str | None, missing: list[str] | None, default_missing: bool, order: str | None) -> Cells:
    """Return what a command's options say of a table's cells."""
    return Cells(decimal, tuple(missing or ()), default_missing, order)


def read_to_train(path: Path, header: bool, cells: Cells, max_size: str, quiet: bool) -> Any:
    """Read a table to learn from, and say its size unless ``quiet``."""
    frame = read_table(path, header=header, cells=cells, max_size=byte_count(max_size))
    if not quiet:
        say(f"{path}: {len(frame):,} rows, {len(frame.columns)} columns")
    return frame


def read_for(
    network: Sequential,
    path: Path,
    header: bool,
    decimal: str | None,
    missing: list[str] | None,
    max_size: str,
) -> Any:
    """Read a table for a model: what meant missing when it was trained does so now.

    The decimal sign is the file's; if the file leaves it open, the table in the model decides.
    """
    learned = Cells() if network.table is None or network.table.cells.plain else network.table.cells
    cells = replace(learned, decimal=decimal, missing=(*learned.missing, *(missing or ())))
    return read_table(path, header=header, cells=cells, max_size=byte_count(max_size))
