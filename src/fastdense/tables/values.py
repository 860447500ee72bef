"""The cells of one column, read as numbers or as texts, with missing cells marked."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fastdense.core.notes import note
from fastdense.errors import TableError, TableWarning
from fastdense.tables.cells import Cells
from fastdense.tables.numerals import plain_number
from fastdense.tables.reading import TEXTS, Reading, decimal_of, find_reading, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["LARGEST", "TRUTH", "Column", "cell_text", "moment", "name_rows", "seconds"]

TRUTH: Final = frozenset({"true", "false"})
"""Truth values as CSV writers spell them, so that a saved and reloaded column of bools stays numeric."""

_NOTHING: Final = frozenset({"nan", "nat", "<na>"})
"""How the objects that mark a missing value print themselves."""

LARGEST: Final = 1e300
"""The largest magnitude of a number; below it no difference of two numbers overflows."""


_FOUND: Final = Cells()


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
    kind : {"date", "time", "duration", "integer", "category"}, optional
        What the frame says that the column is; dates, times and durations are then floats, in seconds, and
        integers are floats if some are missing.
    cells : Cells
        How texts are to be read, if that was stated.
    hint : callable
        Returns the decimal sign that the rest of the table has, or None.

    Examples
    --------
    >>> column = Column("age", np.array(["39", " 50 ", "?"]))
    >>> column.reading.kind, column.numbers()
    ('number', array([39., 50., nan]))
    """

    def __init__(
        self,
        name: str,
        values: NDArray[Any],
        row_numbers: NDArray[np.integer] | None = None,
        kind: str | None = None,
        cells: Cells = _FOUND,
        hint: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name, self.values, self.kind, self.cells, self._hint = name, values, kind, cells, hint
        self.row_numbers = np.arange(1, len(values) + 1) if row_numbers is None else row_numbers
        self._native = values.dtype.kind in "biuf"
        self._whole: tuple[Column, NDArray[np.integer]] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.integer]) -> Column:
        """Return the cells of some rows, which keep their numbers and are read as the whole column is."""
        taken = Column(
            self.name, self.values[rows], self.row_numbers[rows], self.kind, self.cells, self._hint
        )
        taken._whole = (self, rows)
        return taken

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
            cells = self._native_texts(values)
        else:
            inverse = np.arange(len(self))
            spell = cell_text if self.cells.plain else _moment_text
            cells = [cell.strip() if type(cell) is str else spell(cell) for cell in self.values.tolist()]
        if None in cells:
            raise self._unusable(cells.index(None))
        # All that follows looks at each distinct text once, however many rows hold it.
        places = {text: place for place, text in enumerate(dict.fromkeys(cells))}
        codes = np.fromiter(map(places.__getitem__, cells), np.intp, len(cells))[inverse]
        markers = self.cells.markers
        present = np.array([str(text).casefold() not in markers for text in places], dtype=bool)
        renumbered = np.where(present, np.cumsum(present) - 1, -1)
        return [str(text) for text, kept in zip(places, present, strict=True) if kept], renumbered[codes]

    def _native_texts(self, values: NDArray[Any]) -> list[str | None]:
        if self.kind in ("date", "time") and not self.cells.plain:
            return [_iso(number, self.kind) for number in values.tolist()]
        return [cell_text(cell) for cell in values.tolist()]

    @property
    def counts(self) -> list[int]:
        """The number of rows with each of the distinct texts."""
        texts, codes = self.texts
        counts: list[int] = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
        return counts

    @property
    def reading(self) -> Reading:
        """How the cells are read when nothing is stated about the column; said once if it should be.

        Raises
        ------
        TableError
            Numbers or dates are spelled in several ways.
        """
        return self.read_as(None)

    def read_as(self, kind: str | None) -> Reading:
        """Return how the cells are read if the column is stated to be of numbers, dates or times.

        Raises
        ------
        TableError
            Too many cells are not of that kind.
        """
        if self._whole is not None:
            return self._whole[0].read_as(kind)
        own = self._readings.get(None, TEXTS)
        if own.kind == kind or (kind == "number" and own != TEXTS):
            return own  # and what was said of it is not said again
        if kind not in self._readings:
            self._readings[kind] = self._find(kind)
        return self._readings[kind]

    @cached_property
    def _readings(self) -> dict[str | None, Reading]:
        return {}

    def _find(self, kind: str | None) -> Reading:
        if self.kind == "category" and kind is None:
            return TEXTS
        if self._native:
            if kind in ("date", "time"):
                self._check_kind(kind, "it was stated to be of")
            return Reading(self._native_kind)
        texts, codes = self.texts

        def where(some: Sequence[str]) -> str:
            return self.where(codes == texts.index(some[0]))

        found = find_reading(texts, self.counts, self.cells, kind, self._hint, where)
        if found.refusal:
            text, why = found.refusal
            raise TableError(f"column {self.name!r}, {where([text])}: {text[:80]!r} {why}")
        for text in found.notes:
            note(f"column {self.name!r}: {text}", TableWarning)
        return found.reading

    @property
    def decimal(self) -> str | None:
        """The decimal sign that the column's texts leave no doubt of, or None."""
        if self._native or self.kind == "category":
            return None
        return decimal_of([text for text in self.texts[0] if not self.cells.is_missing_number(text)])

    @property
    def numeric(self) -> bool:
        """Whether the cells are read as numbers, dates or times."""
        return self.reading.kind != "category"

    def numbers(self, reading: Reading | None = None) -> NDArray[np.float64]:
        """Return the values as float64, dates and times in seconds, NaN if missing.

        Parameters
        ----------
        reading : Reading, optional
            What was learned from an earlier table; without one, what is found in this column.

        Raises
        ------
        TableError
            A value is not a number, is infinite or exceeds ``LARGEST``; the message names its row.
        """
        if reading is None:
            reading = self.read_as(None if self.numeric else "number")
        if self._native:
            return self._read(reading)
        if reading not in self._numbers:
            self._numbers[reading] = self._read(reading)
        return self._numbers[reading]

    @cached_property
    def _numbers(self) -> dict[Reading, NDArray[np.float64]]:
        return {}

    def _read(self, reading: Reading) -> NDArray[np.float64]:
        if self._native:
            self._check_kind(reading.kind, "the model learned")
            with np.errstate(over="ignore"):  # a long double beyond float64 is refused below
                numbers = self.values.astype(np.float64)
            if self._native_kind == "number" and self.values.dtype.kind != "b":
                stated = [plain_number(text) for text in self.cells.missing]
                numbers[np.isin(numbers, [number for number in stated if number is not None])] = np.nan
        else:
            numbers = self._read_texts(reading)
        too_large = np.abs(numbers) > LARGEST
        if too_large.any():
            raise TableError(
                f"column {self.name!r}, {self.where(too_large)}: the number is infinite or beyond {LARGEST:g}"
            )
        return numbers + 0.0  # -0.0 becomes 0.0, so that equal values give equal bits

    @property
    def _native_kind(self) -> str:
        """What the numbers of a column that is not of texts are."""
        is_moment = self.kind in ("date", "time") or (self.kind == "duration" and not self.cells.plain)
        return str(self.kind) if is_moment else "number"

    def _check_kind(self, wanted: str, who: str) -> None:
        own = self._native_kind
        fits = own == wanted or {own, wanted} == {"number", "duration"}
        if not (fits or self.cells.plain):
            raise TableError(f"column {self.name!r} is of {own}s; {who} {wanted}s")

    def _read_texts(self, reading: Reading) -> NDArray[np.float64]:
        texts, codes = self.texts
        values, notes = follow(reading, texts, self.counts, self.cells, self._hint)
        if None in values:
            wrong = values.index(None)
            where, unit = self.where(codes == wrong), f" in {reading.unit}" if reading.unit else ""
            raise TableError(
                f"column {self.name!r}, {where}: {texts[wrong][:80]!r} is not a {reading.kind}{unit}"
            )
        for text in notes:
            note(f"column {self.name!r}: {text}", TableWarning)
        return np.array([*values, np.nan], dtype=np.float64)[codes]  # -1: missing

    def _unusable(self, index: int) -> TableError:
        kind = type(self.values[index]).__name__
        return TableError(
            f"column {self.name!r}, row {self.row_numbers[index]}: this {kind} cannot be used; "
            f"a cell is a number within {LARGEST:g}, a text, a date or missing"
        )


def _iso(number: float, kind: str) -> str:
    """Return the seconds of a date or time as ISO 8601 has them, a date alone for a midnight; "" for NaN."""
    if np.isnan(number):
        return ""
    text = str(np.datetime64(round(number * 1e6), "us")).removesuffix(".000000")
    return text[11:] if kind == "time" else text.removesuffix("T00:00:00").replace("T", " ")


def _moment_text(cell: object) -> str | None:
    """Return a cell as text, with dates, times and durations spelled so that they are read as such again."""
    moments = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)
    if not isinstance(cell, moments) or str(cell).casefold() in _NOTHING:
        return cell_text(cell)
    if isinstance(cell, dt.time):
        return cell.isoformat()
    second = float(seconds(moment(cell)))
    is_length = isinstance(cell, (dt.timedelta, np.timedelta64))
    return str(dt.timedelta(seconds=second)) if is_length else _iso(second, "date")


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
    if cell is None or str(cell).casefold() in _NOTHING:
        return ""
    if isinstance(cell, (dt.date, dt.timedelta, np.datetime64, np.timedelta64)):
        cell = float(seconds(moment(cell)))
    if isinstance(cell, (float, np.floating)):
        return _float_text(float(cell))
    return str(cell) if isinstance(cell, (bool, np.bool_, Decimal)) else None


def _float_text(number: float) -> str:
    """Return a whole number without its fraction, so that 3.0 from one frame is the 3 of another."""
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def moment(cell: object) -> NDArray[Any]:
    """Return a date or duration of Python or pandas as one of NumPy, dates with a zone in UTC."""
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
