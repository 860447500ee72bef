"""Columns of texts to numbers, if every field is one and the file leaves no doubt which."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastdense.core.notes import note
from fastdense.errors import TableWarning
from fastdense.tables.cells import Cells
from fastdense.tables.numerals import is_open, plain_number
from fastdense.tables.reading import decimal_of, find_reading, follow

if TYPE_CHECKING:
    import polars as pl

__all__ = ["typed"]

_MAX_MARKERS: Final = 100
"""Most different texts of a column that are looked at as to whether all mean missing."""

_FIRST_ROWS: Final = 1000

_PADDED: Final = r"^[+-]?0[0-9]"
_COMMAS: Final = r"^[+-]?([0-9]+(,[0-9]*)?|,[0-9]+)([eE][+-]?[0-9]+)?$"
"""A number that one exchange of a comma makes one that programs write."""

_OPEN: Final = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
"""A number with a point that is another one if the point separates thousands."""


def typed(path: Path, table: pl.DataFrame, separator: str, cells: Cells) -> pl.DataFrame:
    """Return a table of texts with its columns of numbers as integers or floats."""
    import polars as pl

    texts = table.select(pl.all().str.strip_chars().replace("", None))
    texts = texts.with_columns([_without_markers(column, cells) for column in texts.iter_columns()])
    columns = {column.name: _plain(column, cells) for column in texts.iter_columns()}
    shown = _decimal(texts, columns, cells)
    # Spreadsheets write semicolons where the comma is the decimal sign; so do some programs with a point.
    decimal = "," if not shown and separator == ";" else shown[0] if len(shown) == 1 else None
    said = []
    for name, column in columns.items():
        given = texts[name]
        if column.dtype == pl.String or (shown == [","] and _takes_comma(given, cells)):
            columns[name], spelled = _local(given, decimal, cells)
            if spelled:
                said.append(f"{spelled} in column {name!r}")
    if said and cells.decimal is None:
        more = f" and so on in {len(said) - 3} more columns" if len(said) > 3 else ""
        guessed = "; decimal='.' (--decimal .) if the point is the decimal sign" * (
            decimal == "," and not shown
        )
        note(f"{path}: {', '.join(said[:3])}{more}{guessed}", TableWarning)
    return pl.DataFrame(list(columns.values()))


def _without_markers(column: pl.Series, cells: Cells) -> pl.Series:
    """Return a column without what was stated to mean missing."""
    if not cells.missing:
        return column
    stated = replace(cells, default_missing=False)
    markers = [text for text in column.unique().drop_nulls().to_list() if stated.is_missing(text)]
    return column.replace(markers, None) if markers else column


def _plain(column: pl.Series, cells: Cells) -> pl.Series:
    """Return a column of numbers as programs spell them as integers or floats, any other as it is."""
    import polars as pl

    if column.null_count() == len(column) or column.str.contains(_PADDED).any():
        return column
    numbers = column.cast(pl.Float64, strict=False)
    rest = column.filter(numbers.is_null() & column.is_not_null()).unique()
    if len(rest) > _MAX_MARKERS or not all(map(cells.is_missing_number, rest.to_list())):
        return column
    if numbers.null_count() == len(numbers):
        return column
    # "nan" is a number to polars.
    present = column.replace(rest.to_list(), None) if len(rest) else column
    whole = present.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == present.null_count() else numbers


def _decimal(texts: pl.DataFrame, columns: dict[str, pl.Series], cells: Cells) -> list[str]:
    """Return the decimal signs that columns leave no doubt of, or the one that was stated."""
    import polars as pl

    if cells.decimal is not None:
        return [cells.decimal]
    found: set[str | None] = set()
    for name, column in columns.items():
        if column.dtype == pl.Float64 and not _is_open(texts[name]):
            found.add(".")
        elif column.dtype == pl.String and (pointed := _with_points(texts[name])) is not None:
            found.add(None if _is_open(pointed) else ",")
        elif column.dtype == pl.String:
            every = texts[name].unique().drop_nulls().to_list()
            found.add(decimal_of([text for text in every if not cells.is_missing_number(text)]))
    return sorted(sign for sign in found if sign is not None)


def _with_points(column: pl.Series) -> pl.Series | None:
    """Return a column of numbers with commas and nothing else unusual as one with points, or None."""
    parts = (column.head(_FIRST_ROWS), column)  # most columns show it at once
    if not (all(part.str.contains(_COMMAS).all() for part in parts) and column.str.contains(",").any()):
        return None
    return column.str.replace(",", ".", literal=True)


def _is_open(column: pl.Series) -> bool:
    """Return True if points may separate thousands in a column of numbers that has points."""
    for part in (column.head(_FIRST_ROWS), column):  # most columns show it at once
        pointed = part.filter(part.str.contains(".", literal=True))
        if not pointed.str.contains(_OPEN).all():
            return False
    return True


def _takes_comma(column: pl.Series, cells: Cells) -> bool:
    """Return True if a column of numbers with points is to be read with decimal commas."""
    if not column.str.contains(".", literal=True).any():
        return False
    return cells.decimal == "," or _is_open(column)


def _local(column: pl.Series, decimal: str | None, cells: Cells) -> tuple[pl.Series, str]:
    """Return a column of numbers as people spell them as numbers, and an example; any other as it is."""
    import polars as pl

    if column.str.contains(_PADDED).any():
        return column, ""
    pointed = _with_points(column) if decimal == "," else None
    if pointed is not None:
        return pointed.cast(pl.Float64), _first_with_comma(column)
    counts = column.drop_nulls().value_counts()
    texts, rows = counts[column.name].to_list(), counts["count"].to_list()
    reading, _, refusal = find_reading(texts, rows, cells, None, lambda: decimal)
    doubtful = reading.kind != "number" or reading.odd or reading.unit or refusal
    if doubtful or (decimal is None and any(map(is_open, texts))):
        return column, ""
    if any(text.casefold() in ("true", "false") for text in texts):
        return column, ""
    values, _ = follow(reading, texts, rows, cells, lambda: decimal)
    numbers = column.replace_strict(texts, values, default=None, return_dtype=pl.Float64).fill_nan(None)
    local = [
        (text, value)
        for text, value in zip(texts, values, strict=True)
        if value is not None and not math.isnan(value) and plain_number(text) != value
    ]
    text, value = min(local, default=("", 0.0))
    if decimal and decimal not in "".join(texts) and bool((numbers == numbers.round()).all()):
        numbers = numbers.cast(pl.Int64, strict=False)
    return numbers, f"{text[:40]!r} is read as {value:.10g}" if local else ""


def _first_with_comma(column: pl.Series) -> str:
    text = column.drop_nulls().filter(column.drop_nulls().str.contains(",", literal=True))[0]
    return f"{text[:40]!r} is read as {float(text.replace(',', '.')):.10g}"
