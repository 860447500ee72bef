"""Which encoder a column gets, by what was stated or by what its cells are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from fastdense.errors import FormatError
from fastdense.tables.cells import Cells
from fastdense.tables.columns import Category, Ignored, Number
from fastdense.tables.dates import Date
from fastdense.tables.embedded import EmbeddedCategory, EmbeddedDate, EmbeddedNumber, Truth
from fastdense.tables.ids import are_names, are_nearly_names, are_numbered
from fastdense.tables.values import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "Encoder", "learn_column", "read_column"]

KINDS: Final = ("number", "category", "date", "time", "ignore")
"""What may be stated about a column."""

Encoder: TypeAlias = Number | Category | Date | Truth | Ignored
_Types: TypeAlias = dict[str, type[Number] | type[Category] | type[Date] | type[Truth] | type[Ignored]]
_ENCODERS: Final[_Types] = {
    "number": Number,
    "category": Category,
    "date": Date,
    "time": Date,
    "ignored": Ignored,
}
_EMBEDDED: Final[_Types] = {
    "number": EmbeddedNumber,
    "truth": Truth,
    "category": EmbeddedCategory,
    "date": EmbeddedDate,
    "time": EmbeddedDate,
    "ignored": Ignored,
}


def learn_column(
    column: Column,
    kind: str | None = None,
    weights: NDArray[np.float64] | None = None,
    *,
    embedded: bool = False,
) -> Encoder:
    """Learn a column of a kind that was stated, one of `KINDS`, or find out which it is.

    Examples
    --------
    >>> learn_column(Column("size", np.array(["1.5", "2", ""]))).kind
    'number'
    """
    if kind == "ignore":
        return Ignored(column.name, "as asked")
    if kind == "category":
        return _learn_category(column, embedded)
    reading = column.read_as(kind)
    if reading.kind == "category":
        if are_names(column):
            return Ignored(column.name, "every value is distinct, as of names or keys")
        if embedded and column.kind != "category" and are_nearly_names(column):
            return Ignored(column.name, "nearly every value is distinct, as of names or keys")
        return _learn_category(column, embedded)
    if np.isnan(column.numbers(reading)).all():
        return Ignored(column.name, "every value is missing")
    if kind != "number" and reading.kind in ("date", "time"):
        date = (EmbeddedDate if embedded else Date).learn(column, reading, weights)
        return _unless_constant(date.position, date, date.middle) if embedded else date
    if not embedded:
        return Number.learn(column, reading, weights)
    if kind is None and are_numbered(column):
        return Ignored(column.name, "every number is whole and distinct, and the name is that of an id")
    if kind is None and Truth.fits(column, reading):
        return Truth.learn(column, reading)
    number = EmbeddedNumber.learn(column, reading, weights)
    return _unless_constant(number, number, f"{number.center:.10g}")


def _learn_category(column: Column, embedded: bool) -> Encoder:
    if not column.texts[0]:
        return Ignored(column.name, "every value is missing")
    if not embedded:
        return Category.learn(column)
    learned = EmbeddedCategory.learn(column)
    if not learned.categories:
        return Ignored(column.name, "every category is rare")
    is_constant = learned.is_constant
    return Ignored(column.name, f"constant, {learned.categories[0][:40]!r}") if is_constant else learned


def _unless_constant(number: Number, encoder: Encoder, value: str) -> Encoder:
    """Leave a column out of an embedded table that has one value and none missing."""
    is_constant = number.spread == 0 and not number.missing
    return Ignored(number.name, f"constant, {value}") if is_constant else encoder


def read_column(value: object, cells: Cells, *, embedded: bool = False) -> Encoder:
    """Read what an encoder's `to_dict` wrote in a table of these cells; FormatError for anything else."""
    types = _EMBEDDED if embedded else _ENCODERS
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in types:
        raise FormatError(f"table: a column of unknown kind {repr(kind)[:40]}")
    return types[kind].from_dict(value, cells)
