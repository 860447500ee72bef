"""Which encoder a column gets, by what was stated or by what its cells are."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from fastdense.errors import FormatError
from fastdense.tables.cells import Cells
from fastdense.tables.columns import Category, Ignored, Number
from fastdense.tables.dates import Date
from fastdense.tables.values import Column

__all__ = ["KINDS", "Encoder", "learn_column", "read_column"]

KINDS: Final = ("number", "category", "date", "time", "ignore")
"""What may be stated about a column."""

_MAX_UNIQUE_ROWS: Final = 20
"""A category column of more rows than this, every value distinct, is taken for names or keys and ignored."""

Encoder: TypeAlias = Number | Category | Date | Ignored
_ENCODERS: Final[dict[str, type[Number] | type[Category] | type[Date] | type[Ignored]]] = {
    "number": Number,
    "category": Category,
    "date": Date,
    "time": Date,
    "ignored": Ignored,
}


def learn_column(column: Column, kind: str | None = None) -> Encoder:
    """Learn a column of a kind that was stated, one of `KINDS`, or find out which it is.

    Examples
    --------
    >>> learn_column(Column("size", np.array(["1.5", "2", ""]))).kind
    'number'
    """
    if kind == "ignore":
        return Ignored(column.name, "as asked")
    if kind == "category":
        return _learn_category(column)
    reading = column.read_as(kind)
    if reading.kind == "category":
        if len(column.texts[0]) == np.sum(column.texts[1] >= 0) > _MAX_UNIQUE_ROWS:
            return Ignored(column.name, "every value is distinct, as of names or keys")
        return _learn_category(column)
    if np.isnan(column.numbers(reading)).all():
        return Ignored(column.name, "every value is missing")
    if kind != "number" and reading.kind in ("date", "time"):
        return Date.learn(column, reading)
    return Number.learn(column, reading)


def _learn_category(column: Column) -> Category | Ignored:
    if not column.texts[0]:
        return Ignored(column.name, "every value is missing")
    return Category.learn(column)


def read_column(value: object, cells: Cells) -> Encoder:
    """Read what an encoder's `to_dict` wrote in a table of these cells; FormatError for anything else."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _ENCODERS:
        raise FormatError(f"table: a column of unknown kind {repr(kind)[:40]}")
    return _ENCODERS[kind].from_dict(value, cells)
