"""What columns of dates and of times of day become in the matrix: a position, and what repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from fastdense.tables.columns import Number
from fastdense.tables.layout import Layout
from fastdense.tables.moments import DAY
from fastdense.tables.strict import check, record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastdense.tables.cells import Cells
    from fastdense.tables.reading import Reading
    from fastdense.tables.values import Column

__all__ = ["CYCLES", "Date"]

CYCLES: Final = {"year": 365 * DAY, "week": 7 * DAY, "day": DAY}
"""What repeats in dates, and its length in seconds."""


@dataclass(frozen=True, slots=True)
class Date:
    """A column of dates or times of day: the position in time as `Number` has it, and cycles.

    The place in each cycle is a point of the unit circle: ``sin`` and ``cos`` of ``2 pi p``, where ``p``
    from 0 to 1 is the share of the year, of the week in whole days from Monday, or of the day (UTC) that
    has passed. Both are 0 if the date is missing.

    Attributes
    ----------
    position : Number
        The position of the seconds since 1970 (UTC), or since midnight.
    cycles : tuple of {"year", "week", "day"}
        Those that the dates learned from span at least once and do not all share a point of.

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> days = Column("day", np.array(["2024-01-01", "2024-01-02", "2024-01-10"]))
    >>> Date.learn(days, days.reading).feature_names
    ('day', 'day (sin of week)', 'day (cos of week)')
    """

    position_type: ClassVar[type[Number]] = Number
    position: Number
    cycles: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Which of "date" and "time" the column is."""
        return self.position.reading.kind

    @property
    def name(self) -> str:
        """The column's name."""
        return self.position.name

    @classmethod
    def learn(cls, column: Column, reading: Reading, weights: NDArray[np.float64] | None = None) -> Self:
        """Find the position's centre and spread, and which cycles the values span."""
        numbers = column.numbers(reading)
        present = numbers[~np.isnan(numbers)]
        span = np.ptp(present) if reading.kind == "date" else DAY
        cycles = CYCLES if reading.kind == "date" else ("day",)
        spanned = [name for name in cycles if span >= CYCLES[name] and np.ptp(_phase(present, name)) > 0]
        return cls(cls.position_type.learn(column, reading, weights), tuple(spanned))

    @property
    def layout(self) -> Layout:
        """The groups of its features."""
        return self.position.layout + Layout(plain=2 * len(self.cycles))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The position's names, and two per cycle."""
        waves = [f"{self.name} ({wave} of {cycle})" for cycle in self.cycles for wave in ("sin", "cos")]
        return (*self.position.feature_names, *waves)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        cycles = f", part of the {', '.join(self.cycles)}" if self.cycles else ""
        return f"median {self.middle}{cycles}" + ", some missing" * self.position.missing

    @property
    def middle(self) -> str:
        """The median date or time, to the second, as ISO 8601 has it."""
        center = np.datetime64(round(self.position.center), "s")
        middle = str(center).removesuffix("T00:00:00").replace("T", " ")
        return middle if self.kind == "date" else middle.partition(" ")[2] or "00:00:00"

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's features, ``out`` of shape (m, n_features); TableError for other cells."""
        start = len(self.position.feature_names)
        self.position.encode(column, out[:, :start])
        numbers = column.numbers(self.position.reading)
        rows = np.flatnonzero(~np.isnan(numbers))
        for k, cycle in enumerate(self.cycles):
            angle = 2 * np.pi * _phase(numbers[rows], cycle)
            out[rows, start + 2 * k], out[rows, start + 2 * k + 1] = np.sin(angle), np.cos(angle)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {"kind": self.kind, "position": self.position.to_dict(), "cycles": list(self.cycles)}

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> Self:
        """Read what `to_dict` wrote; FormatError for anything else."""
        kind, position, cycles = record(value, "date column", {"kind": str, "position": dict, "cycles": list})
        check(not cells.plain, "a column of dates in a description of version 1")
        number = cls.position_type.from_dict(position, cells)
        check(position["kind"] == "number", "date column: its position is not a number")
        check(number.reading.kind == kind, f"column {number.name!r}: a {kind} that is read otherwise")
        check(_is_date(number.center), f"column {number.name!r}: center {number.center} out of range")
        known = ["day"] if kind == "time" else [*CYCLES]
        check(cycles == [name for name in known if name in cycles], f"column {number.name!r}: unknown cycles")
        return cls(number, tuple(cycles))


def _is_date(seconds: float) -> bool:
    """Return True if a number of seconds since 1970 is a date that NumPy can write."""
    return abs(seconds) < 2**62 / 1e6


def _phase(seconds: NDArray[np.float64], cycle: str) -> NDArray[np.float64]:
    """Return the share of a cycle that has passed, from 0 to 1."""
    days = np.floor(seconds / DAY)
    share: NDArray[np.float64] = seconds / DAY - days
    if cycle == "day":
        return share
    if cycle == "week":
        weekday: NDArray[np.float64] = np.mod(days + 3, 7)  # 1970 began on a Thursday
        return weekday / 7
    date = days.astype(np.int64).astype("datetime64[D]")
    year = date.astype("datetime64[Y]")
    first, last = year.astype("datetime64[D]"), (year + 1).astype("datetime64[D]")
    passed: NDArray[np.float64] = (date - first).astype(np.float64) + share
    length: NDArray[np.float64] = (last - first).astype(np.float64)
    return passed / length
