"""A data frame of any library as named columns of one length."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fastdense.errors import TableError
from fastdense.tables.cells import Cells
from fastdense.tables.values import Column, moment, name_rows, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Frame", "nearest"]

_MOMENTS: Final = (
    ((dt.date, np.datetime64), "date"),
    ((dt.timedelta, np.timedelta64), "duration"),
    ((dt.time,), "time"),
)
"""Types of objects, and what a column of nothing else holds."""


class Frame:
    """A pandas or polars data frame, a pyarrow table or a dict of columns, as NumPy arrays; never modified.

    Parameters
    ----------
    frame : data frame, mapping of names to one-dimensional columns, or Frame
        Anything with ``.columns`` (or ``.column_names``, as pyarrow's tables have), ``[name]`` and, of a
        column, ``.to_numpy()`` will do. A Frame is taken
        as it is, with the row numbers that it remembers.
    cells : Cells, optional
        How texts are to be read, if that was stated; those of a Frame by default.

    Raises
    ------
    TableError
        It is not a frame, names two columns alike, or has no columns or rows.

    Examples
    --------
    >>> frame = Frame({"age": [39, 50], "job": ["clerk", None]})
    >>> frame.names, frame.n_rows
    (['age', 'job'], 2)
    """

    cells: Cells
    _rows: NDArray[np.intp] | None
    _columns: dict[str, Column]
    _decimals: dict[str, str | None]

    def __init__(self, frame: Any, cells: Cells | None = None) -> None:
        if isinstance(frame, Frame):
            vars(self).update(vars(frame))
            if cells is not None and cells != self.cells:
                self.cells, self._columns, self._decimals = cells, {}, {}
            return
        self.cells = cells or Cells()
        self._rows = None
        self._columns, self._decimals = {}, {}
        self._frame = frame
        self._keys = _names(frame)
        self.names = list(self._keys)
        if not self.names:
            raise TableError("the table has no columns")
        self.n_rows = len(self._array(self.names[0])) if isinstance(frame, Mapping) else len(frame)
        self._height = self.n_rows
        if self.n_rows == 0:
            raise TableError("the table has no rows")

    def __len__(self) -> int:
        return self.n_rows

    @property
    def columns(self) -> list[str]:
        """The columns' names, as a data frame has them."""
        return self.names

    def take(self, rows: NDArray[np.integer] | slice) -> Frame:
        """Return some of the rows, which keep their numbers in messages.

        Parameters
        ----------
        rows : array of shape (k,), of whole numbers from 0, or slice

        Examples
        --------
        >>> frame = Frame({"age": ["39", "old", "50"]}).take(np.array([1, 2]))
        >>> frame.n_rows, frame.column("age").row_numbers.tolist()
        (2, [2, 3])
        """
        taken = Frame(self)
        taken._rows = np.arange(self.n_rows)[rows] if self._rows is None else self._rows[rows]
        taken.n_rows = len(taken._rows)
        return taken

    def column(self, name: str | int) -> Column:
        """Return one column; the same object each time, so that what it found is found once.

        Raises
        ------
        TableError
            There is none of this name (the message names the nearest), or it cannot be used.
        """
        name = str(name)
        if name not in self._keys:
            raise TableError(f"there is no column {name!r}{nearest(name, self.names)}")
        whole = self._whole(name)
        return whole if self._rows is None else whole.take(self._rows)

    def decimal(self) -> str | None:
        """Return the one decimal sign that columns of texts leave no doubt of, or None."""
        if "" not in self._decimals:
            self._decimals[""] = self._find_decimal()
        return self._decimals[""]

    def _find_decimal(self) -> str | None:
        found = set()
        for name in self.names:
            with contextlib.suppress(TableError):  # a column that cannot be used says nothing
                found.add(self._whole(name).decimal)
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def _whole(self, name: str) -> Column:
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def _read(self, name: str) -> Column:
        array = self._array(name)
        if len(array) != self._height:
            raise TableError(f"column {name!r} has {len(array)} rows; {self.names[0]!r} has {self._height}")
        if isinstance(array, np.ma.MaskedArray):
            raise TableError(f"column {name!r} is a masked array; fill what is missing with NaN or None")
        kind = None
        if array.dtype.kind == "O":
            array, kind = _moments(array)
        if array.dtype.kind in "mM":
            _check_range(name, array)
            array, kind = seconds(array), "date" if array.dtype.kind == "M" else "duration"
        if array.dtype.kind not in "biufOUT":
            raise TableError(f"column {name!r} is of dtype {array.dtype}; use numbers, texts or dates")
        if array.dtype.kind == "f" and _dtype(self._frame[self._keys[name]]).lower().startswith(
            ("int", "uint")
        ):
            kind = "integer"  # NumPy has no missing integers
        if _is_categorical(self._frame[self._keys[name]]):
            if kind in ("date", "time"):  # categories of these are texts of them
                texts, codes = Column(name, array, kind=kind, cells=self.cells).texts
                array = np.array([*texts, None], dtype=object)[codes]
            kind = "category"
        return Column(name, array, kind=kind, cells=self.cells, hint=self.decimal)

    def _array(self, name: str) -> NDArray[Any]:
        series = self._frame[self._keys[name]]
        array = series.to_numpy() if hasattr(series, "to_numpy") else _as_array(series)
        if array.ndim != 1:
            raise TableError(f"column {name!r} has {array.ndim} dimensions; a column has one")
        return array


def _is_categorical(series: Any) -> bool:
    """Return True if the frame's library keeps a column as categories, which the user stated then."""
    return _dtype(series).startswith(("category", "Categorical", "Enum", "dictionary"))


def _dtype(series: Any) -> str:
    """Return what a column's library calls its type, or ""."""
    return str(getattr(series, "dtype", getattr(series, "type", "")))


def _moments(array: NDArray[Any]) -> tuple[NDArray[Any], str | None]:
    """Return objects that are all dates, durations or times as seconds, and which; others as they are."""
    cells = array.tolist()
    if set(map(type, cells)) <= {str, type(None)}:
        return array, None
    absent = [_is_nothing(cell) for cell in cells]
    for types, kind in _MOMENTS:
        if not all(absent) and all(
            skip or isinstance(cell, types) for cell, skip in zip(cells, absent, strict=True)
        ):
            found = [np.nan if skip else _second(cell) for cell, skip in zip(cells, absent, strict=True)]
            return np.array(found, dtype=np.float64), kind
    return array, None


def _check_range(name: str, moments: NDArray[Any]) -> None:
    """Refuse dates and durations beyond 146,000 years, which NumPy would wrap around in microseconds."""
    whole = moments.astype(f"{moments.dtype.kind}8[s]").astype(np.int64)
    far = (np.abs(whole) >= 2**62 // 10**6) & ~np.isnat(moments)
    if far.any():
        raise TableError(f"column {name!r}, {name_rows(far)}: beyond the range of dates and durations")


def _is_nothing(cell: Any) -> bool:
    """Return True for None, NaN, pandas' NA and NaT."""
    return (
        cell is None
        or type(cell).__name__ in ("NAType", "NaTType")
        or (isinstance(cell, (float, np.floating)) and bool(np.isnan(cell)))
    )


def _second(cell: Any) -> float:
    if isinstance(cell, dt.time):
        return cell.hour * 3600.0 + cell.minute * 60.0 + cell.second + cell.microsecond / 1e6
    return float(seconds(moment(cell)))


def _as_array(cells: Any) -> NDArray[Any]:
    """Return a list as an array that keeps each cell as it is if NumPy would turn numbers into text."""
    if isinstance(cells, (str, bytes)) or not isinstance(cells, Sequence):
        return np.asanyarray(cells)  # an array of any library; or one cell, refused for its dimensions
    if set(map(type, cells)) in ({bool}, {int}, {float}):
        numbers = np.asarray(cells)
        if numbers.dtype.kind in "biuf":  # integers beyond 64 bits stay objects
            return numbers
    return np.fromiter(cells, dtype=object, count=len(cells))


def _names(frame: Any) -> dict[str, Any]:
    """Map each column's name as text to the key that the frame knows it by."""
    # Length first: a lazy frame has none, and asking for its columns may start a computation.
    if not isinstance(frame, Mapping) and not (hasattr(frame, "__len__") and hasattr(frame, "columns")):
        raise TableError(
            "a table is a pandas or polars data frame, a pyarrow table or a dict of columns, "
            f"not {type(frame).__name__}"
        )
    # The columns of pyarrow's tables are arrays.
    keys = list(frame if isinstance(frame, Mapping) else getattr(frame, "column_names", frame.columns))
    for key in keys:
        if not isinstance(key, (str, int, np.integer)):
            raise TableError(
                f"column names are texts or integers, not {type(key).__name__}: "
                f"rename the column {repr(key)[:80]}"
            )
    names = [str(key) for key in keys]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"more than one column is named {', '.join(map(repr, twice))}")
    return dict(zip(names, keys, strict=True))


def nearest(name: str | int, names: Iterable[str | int]) -> str:
    """Suggest the names closest to a misspelt one, as the end of a message.

    Examples
    --------
    >>> nearest("incom", ["age", "income"])
    "; did you mean 'income'?"
    """
    known = list(map(str, names))
    lower = {column.casefold(): column for column in known}
    close = [lower[match] for match in difflib.get_close_matches(str(name).casefold(), lower, n=3)]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    shown = ", ".join(map(repr, known[:10])) + ", ..." * (len(known) > 10)
    return f"; the columns are {shown}"
