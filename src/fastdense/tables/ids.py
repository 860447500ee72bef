"""Which columns are of ids: keys and names of rows, which say nothing about other rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from fastdense.tables.values import Column

__all__ = ["FEW_ROWS", "are_names", "are_nearly_names", "are_numbered", "is_id", "is_whole"]

FEW_ROWS: Final = 20
"""So few rows may all hold distinct values, or come in order, by chance."""

_MANY_ROWS: Final = 100
"""More rows than this hold ids if nearly all values are distinct: a few rows may be there twice."""

_ID: Final = re.compile(
    r"(?i:(.*[\W_])?(id|ids|uuid|key|nr|no)|index|row(id|names?)?|unnamed\W*\d+)|.*[a-z]I[dD]"
)


def is_id(name: str) -> bool:
    """Return True if a column is named as ids are.

    Examples
    --------
    >>> is_id("customer_id"), is_id("userId"), is_id("No"), is_id("paid")
    (True, True, True, False)
    """
    return _ID.fullmatch(name) is not None


def are_names(column: Column) -> bool:
    """Return True if a column of texts has another in every row, of more than 20.

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> are_names(Column("who", np.array([f"name {k}" for k in range(21)])))
    True
    """
    present = int(np.sum(column.texts[1] >= 0))
    return len(column.texts[0]) == present > FEW_ROWS


def are_nearly_names(column: Column) -> bool:
    """Return True if more than nine in ten texts of a column are distinct, in more than 100 rows."""
    present = int(np.sum(column.texts[1] >= 0))
    return present > _MANY_ROWS and 10 * len(column.texts[0]) > 9 * present


def are_numbered(column: Column) -> bool:
    """Return True if a column so named has another whole number in every row, of more than 20."""
    if len(column) <= FEW_ROWS or not (is_id(column.name) and is_whole(column)):
        return False
    return len(np.unique(column.numbers())) == len(column)


def is_whole(column: Column) -> bool:
    """Return True for whole numbers that are written as such; moments in a frame are floats.

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> is_whole(Column("a", np.array([1, 2]))), is_whole(Column("a", np.array(["1", "2.0"])))
    (True, False)
    """
    if column.values.dtype.kind in "iu":
        return True
    if column.values.dtype.kind not in "OUT":
        return False
    cells: list[Any] = column.values.tolist()
    return all(type(cell) is int or (type(cell) is str and cell.strip().isdigit()) for cell in cells)
