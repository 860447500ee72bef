"""What the owner of a table should know before believing a model of it: a note each, none on most tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.core.notes import note
from fastdense.errors import TableWarning
from fastdense.tables import Number, Table
from fastdense.tables.encoders import Encoder
from fastdense.tables.frames import Frame
from fastdense.tables.ids import FEW_ROWS, is_id, is_whole
from fastdense.tables.targets import Classes, Scale, Target
from fastdense.tables.values import Column

__all__ = ["deciding_columns", "leave_out", "note_doubts"]

_FEW_COLUMNS: Final = 2
"""With so few features, a quantity that rises with one, or one of 0, 1, 2..., is an example's."""

_ROWS_PER_CLASS: Final = 5
"""Fewer rows than this of each class, on average, are too few to learn from."""

_ROUNDED: Final = 1e-3
"""The share of a target's variance that a copy of it may lose by rounding."""


def note_doubts(table: Table, data: Frame, validation: float) -> None:
    """Warn of classes too many or too small, of columns that give the target away, and of ids.

    Parameters
    ----------
    table : Table
        With a target.
    data : Frame
        All rows, each with a target.
    validation : float
        The share of rows held out to choose the epoch.
    """
    doubts = [*_of_target(table, data, validation), *_of_columns(table, data)]
    for text in doubts:
        note(text, TableWarning)


def deciding_columns(table: Table, frame: Any) -> list[str]:
    """Return the columns of numbers that decide the target alone, and that `note_doubts` is silent about.

    Every class has a range of such a column to itself, or a quantity rises or falls with it in all rows.
    It may give the target away, or be a very good feature: worth a word if a model makes no mistakes.
    """
    target, data = table.target, Frame(frame, table.cells)
    assert target is not None
    data = data.take(np.flatnonzero(~target.missing(data.column(target.name))))
    if len(data) <= FEW_ROWS:
        return []
    goal = _values(target, data.column(target.name))
    found = []
    for encoder in table.columns:
        if isinstance(encoder, Number):
            values = _values(encoder, data.column(encoder.name))
            decides = _is_in_ranges if table.task == "classify" else _rises_with
            if decides(values, goal) and not _gives_away(values, goal, table):
                found.append(encoder.name)
    return found


def leave_out(name: str) -> str:
    """Return what to do with a column that may be known only together with the target."""
    return f"if it is known only with the answer, leave it out: types={{{name!r}: 'ignore'}}"


def _of_target(table: Table, data: Frame, validation: float) -> Iterator[str]:
    target = table.target
    if not isinstance(target, Classes):
        return
    name, counts = target.name, np.bincount(target.find(data.column(target.name)))
    if len(counts) > FEW_ROWS and len(counts) * _ROWS_PER_CLASS > len(data):
        yield (
            f"target {name!r}: {len(counts):,} distinct labels in {len(data):,} rows are too many classes to "
            f"learn: if they are quantities, write them as numbers and use task='regress'; if they are "
            f"names or ids, predict another column"
        )
        return
    small = [repr(label)[:40] for label, count in zip(target.labels, counts, strict=True) if count == 1]
    if small and validation:
        one = len(small) == 1
        shown = ", ".join(small[:5]) + ", ..." * (len(small) > 5)
        yield (
            f"target {name!r}: {'class' if one else f'{len(small):,} classes'} {shown} "
            f"{'has' if one else 'have'} one row only, which is trained on: no row of "
            f"{'it' if one else 'them'} can be held out"
        )


class _Values(NamedTuple):
    """A column: which of its distinct values each row has, missing being one of them, and its numbers."""

    distinct: int
    codes: NDArray[np.intp]
    numbers: NDArray[np.float64] | None

    @property
    def whole(self) -> bool:
        """Whether it is of numbers, and none is missing."""
        return self.numbers is not None and not bool(np.isnan(self.numbers).any())


def _values(encoder: Encoder | Target, column: Column) -> _Values:
    if isinstance(encoder, Number | Scale):
        numbers = column.numbers(encoder.reading)
        values, codes = np.unique(numbers, return_inverse=True)
        return _Values(len(values), codes, numbers)
    if isinstance(encoder, Classes):
        return _Values(len(encoder.labels), encoder.find(column), None)
    texts, codes = column.texts
    missing = int((codes < 0).any())
    return _Values(len(texts) + missing, codes + missing, None)


def _of_columns(table: Table, data: Frame) -> Iterator[str]:
    assert table.target is not None
    if len(data) <= FEW_ROWS:
        return
    goal = _values(table.target, data.column(table.target.name))
    for encoder in table.columns:
        if not encoder.feature_names:
            continue
        column = data.column(encoder.name)
        values = _values(encoder, column)
        if _gives_away(values, goal, table):
            what = f"column {encoder.name!r} gives the target {table.target.name!r} away"
            yield f"{what}, which follows from it in all rows: {leave_out(encoder.name)}"
        elif isinstance(encoder, Number) and _is_id(column, values, table):
            yield (
                f"column {encoder.name!r} is used as a number, but its values are whole and all distinct, as "
                f"those of ids are: if it is one, leave it out: types={{{encoder.name!r}: 'ignore'}}"
            )


def _gives_away(column: _Values, goal: _Values, table: Table) -> bool:
    """Return True if the target follows from the column, and not by chance."""
    rows = len(column.codes)
    if table.task == "regress":
        if column.distinct == goal.distinct <= rows // 2 and _follows(column.codes, goal):
            return True
        return _rises_with(column, goal) and (not _is_example(table) or _is_same(column, goal))
    if column.distinct * _ROWS_PER_CLASS <= rows and _follows(column.codes, goal):
        return True
    counts = np.bincount(column.codes)
    usual = (column.codes == counts.argmax()).astype(np.intp)  # as all rows of a class may have 0, or nothing
    return goal.distinct == 2 and counts.max() >= _ROWS_PER_CLASS and _follows(usual, goal)


def _follows(codes: NDArray[np.intp], goal: _Values) -> bool:
    """Return True if each value of one column has one value of the other beside it in all rows."""
    return len(np.unique(codes)) == len(np.unique(codes * np.int64(goal.distinct) + goal.codes))


def _rises_with(column: _Values, goal: _Values) -> bool:
    """Return True if two columns of numbers are one in two units: ordered alike or oppositely, with ties."""
    if not (column.whole and goal.whole) or 2 * column.distinct < goal.distinct:
        return False
    x, y = column.codes, goal.codes.astype(np.float64)  # ranks
    rising, falling = (np.diff(y[np.lexsort((sign * y, x))]) for sign in (1, -1))
    if not ((rising >= 0).all() or (falling <= 0).all()):
        return False
    means = np.bincount(x, weights=y) / np.bincount(x)
    return bool(np.var(y - means[x]) <= _ROUNDED * np.var(y))


def _is_same(column: _Values, goal: _Values) -> bool:
    return column.numbers is not None and bool((column.numbers == goal.numbers).all())


def _is_in_ranges(column: _Values, goal: _Values) -> bool:
    """Return True if each class has a range of the numbers to itself."""
    if not column.whole:
        return False
    order = np.lexsort((goal.codes, column.codes))
    turns = np.diff(goal.codes[order]) != 0
    shared = turns & (np.diff(column.codes[order]) == 0)  # a number of rows of two classes
    return not shared.any() and int(turns.sum()) == len(np.unique(goal.codes)) - 1


def _is_example(table: Table) -> bool:
    return sum(bool(encoder.feature_names) for encoder in table.columns) <= _FEW_COLUMNS


def _is_id(column: Column, values: _Values, table: Table) -> bool:
    """Return True if numbers look like ids: whole, distinct, and in order or so named."""
    if not values.whole or values.distinct < len(column) or not is_whole(column):
        return False
    if is_id(column.name):
        return True
    steps = np.diff(values.codes)
    return not _is_example(table) and bool((steps > 0).all() or (steps < 0).all())
