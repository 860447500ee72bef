"""The cells of one column, read as numbers or as texts, with missing cells marked."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fastdense.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LARGEST", "MISSING", "TRUTH", "Column", "cell_text", "name_rows", "seconds"]

MISSING: Final = frozenset({"", "?", "na", "n/a", "nan", "nat", "null", "<na>"})
"""Texts that mean a missing value, whatever their case and the blanks around them.

"None" is not among them: it is a real answer in many tables.
"""

TRUTH: Final = {"true": 1.0, "false": 0.0}
"""Truth values as CSV writers spell them, so that a saved and reloaded column of bools stays numeric."""

LARGEST: Final = 1e300
"""The largest magnitude of a number; below it no difference of two numbers overflows."""

# Python's float() also takes "1_000" and digits of other scripts, which a CSV rarely means as numbers.
# Infinity matches, so that it is reported as infinity and does not turn its column into categories.
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)


class Column:
    """One column's name and cells.

    Parameters
    ----------
    name : str
    values : array of shape (m,)
        Of dtype bool, integer, floating, text or object; an object cell is a text, number, truth value,
        date, duration, or one of the markers of a missing value (None, NaN, pandas' NA and NaT).
    row_numbers : array of shape (m,), of whole numbers, optional
        What messages call each row; 1 to m by default: row 1 is the first row of the data, below a header.

    Examples
    --------
    >>> column = Column("age", np.array(["39", " 50 ", "?"]))
    >>> column.numeric, column.numbers()
    (True, array([39., 50., nan]))
    """

    def __init__(
        self, name: str, values: NDArray[Any], row_numbers: NDArray[np.integer] | None = None
    ) -> None:
        self.name = name
        self.values = values
        self.row_numbers = np.arange(1, len(values) + 1) if row_numbers is None else row_numbers
        self._native = values.dtype.kind in "biuf"

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.integer]) -> Column:
        """Return the cells of some rows, which keep their numbers."""
        return Column(self.name, self.values[rows], self.row_numbers[rows])

    def where(self, mask: NDArray[np.bool_]) -> str:
        """Name the rows that a mask marks, for a message.

        Examples
        --------
        >>> column = Column("age", np.array([39, 50, 28])).take(np.array([2, 0]))
        >>> column.where(np.array([True, False]))
        'row 3'
        """
        return name_rows(mask, self.row_numbers)

    @cached_property
    def texts(self) -> tuple[list[str], NDArray[np.intp]]:
        """The distinct texts, missing ones left out, and the place of each row's among them (or -1)."""
        if self._native:
            values, inverse = np.unique(self.values, return_inverse=True)
        else:
            values, inverse = self.values, np.arange(len(self))
        cells = [cell.strip() if type(cell) is str else cell_text(cell) for cell in values.tolist()]
        if None in cells:
            raise self._unusable(cells.index(None))
        # All that follows looks at each distinct text once, however many rows hold it.
        places = {text: place for place, text in enumerate(dict.fromkeys(cells))}
        codes = np.fromiter(map(places.__getitem__, cells), np.intp, len(cells))[inverse]
        present = np.array([str(text).casefold() not in MISSING for text in places], dtype=bool)
        renumbered = np.where(present, np.cumsum(present) - 1, -1)
        return [str(text) for text, kept in zip(places, present, strict=True) if kept], renumbered[codes]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        missing: NDArray[np.bool_] = np.isnan(self.values) if self._native else self.texts[1] < 0
        return missing

    @cached_property
    def numeric(self) -> bool:
        """Whether every value is a number, a date or a truth value, or a text of one."""
        return self._native or None not in self._parsed

    @cached_property
    def _parsed(self) -> list[float | None]:
        return [float(t) if _NUMBER.fullmatch(t) else TRUTH.get(t.casefold()) for t in self.texts[0]]

    def numbers(self) -> NDArray[np.float64]:
        """Return the values as float64, NaN where missing.

        Raises
        ------
        TableError
            A value is not a number, is infinite or exceeds ``LARGEST``; the message names its row.
        """
        if self._native:
            with np.errstate(over="ignore"):  # a long double beyond float64 is refused below
                numbers = self.values.astype(np.float64)
        else:
            if not self.numeric:
                raise self._not_a_number(self._parsed.index(None))
            numbers = np.array([*self._parsed, np.nan], dtype=np.float64)[self.texts[1]]  # -1: missing
        too_large = np.abs(numbers) > LARGEST
        if too_large.any():
            raise TableError(
                f"column {self.name!r}, {self.where(too_large)}: the number is infinite or beyond {LARGEST:g}"
            )
        return numbers + 0.0  # -0.0 becomes 0.0, so that equal values give equal bits

    def _not_a_number(self, code: int) -> TableError:
        wrong = self.texts[1] == code
        text = self.texts[0][code]
        return TableError(f"column {self.name!r}, {self.where(wrong)}: {text[:80]!r} is not a number")

    def _unusable(self, index: int) -> TableError:
        kind = type(self.values[index]).__name__
        return TableError(
            f"column {self.name!r}, row {self.row_numbers[index]}: this {kind} cannot be used; "
            f"a cell is a number within {LARGEST:g}, a text, a date or missing"
        )


def cell_text(cell: object) -> str | None:
    """Return a cell as text, the same for equal values of any type, or None for what cannot be one.

    Examples
    --------
    >>> cell_text(3), cell_text(3.0), cell_text(" 3 "), cell_text(None)
    ('3', '3', '3', '')
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, (int, np.integer)) and not isinstance(cell, bool):
        return str(int(cell)) if int(cell).bit_length() <= 1024 else None  # float64 ends at 2**1024
    if cell is None or str(cell).casefold() in MISSING:
        return ""
    if isinstance(cell, (dt.date, dt.timedelta, np.datetime64, np.timedelta64)):
        cell = float(seconds(_moment(cell)))
    if isinstance(cell, (float, np.floating)):
        return _float_text(float(cell))
    return str(cell) if isinstance(cell, (bool, np.bool_, Decimal)) else None


def _float_text(number: float) -> str:
    """Return a whole number without its fraction, so that 3.0 from one frame is the 3 of another."""
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _moment(cell: object) -> NDArray[Any]:
    if isinstance(cell, dt.datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(cell, dt.date):
        return np.asarray(np.datetime64(cell, "us"))
    return np.asarray(np.timedelta64(cell, "us") if isinstance(cell, dt.timedelta) else cell)


def seconds(moments: NDArray[Any]) -> NDArray[np.float64]:
    """Return dates as seconds since 1970 (UTC), durations as seconds, "not a time" as NaN."""
    micro = moments.astype(f"{moments.dtype.kind}8[us]").astype(np.int64)
    return np.where(np.isnat(moments), np.nan, micro / 1e6)


def name_rows(mask: NDArray[np.bool_], numbers: NDArray[np.integer] | None = None) -> str:
    """Name the first rows that a mask marks, by their numbers or counted from 1.

    Examples
    --------
    >>> name_rows(np.array([False, True, True]))
    'rows 2, 3'
    """
    places = np.flatnonzero(mask)
    rows = (places + 1 if numbers is None else numbers[places]).tolist()
    shown = ", ".join(map(str, rows[:5]))
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' * (len(rows) > 1)} {shown}{more}"
