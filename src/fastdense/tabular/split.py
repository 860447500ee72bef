"""The rows of a table: those with a target, divided into rows to train on, to choose the epoch, to test."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import fraction
from fastdense.core.notes import note
from fastdense.core.streams import HELD_OUT, generator
from fastdense.errors import TableError, TableWarning
from fastdense.tables import Cells
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Classes, Target, Task, find_task, learn_target, without_value
from fastdense.tables.values import Column

__all__ = [
    "Parts",
    "check_shares",
    "known_rows",
    "part_of_rows",
    "places_with_target",
    "split",
    "with_target",
]


class Parts(NamedTuple):
    """A table's rows by what they are for; None if no row is."""

    training: Frame
    validation: Frame | None
    test: Frame | None


def check_shares(validation: float, test: float) -> tuple[float, float]:
    """Return the shares of rows to hold out; ValueError if they leave nothing to train on."""
    shares = fraction("validation", validation), fraction("test", test)
    if sum(shares) >= 1.0:
        raise ValueError(
            f"validation={validation} and test={test} leave no rows to train on: their sum must be below 1"
        )
    return shares


def known_rows(frame: Any, target: str | int, task: Task, cells: Cells | None) -> tuple[Frame, Target]:
    """Return the rows of a table that have a value in the target's column, and what was learned of that.

    Raises
    ------
    TableError
        The target is not there, has one class, or has no value in any row.
    """
    whole = Frame(frame, cells)
    column = whole.column(target)
    found = find_task(column, task)
    data = with_target(whole, column, without_value(column, found))
    return data, learn_target(data.column(target), found)


def with_target(data: Frame, column: Column, missing: NDArray[np.bool_]) -> Frame:
    """Return the rows that have a value in the target's column; a TableWarning counts those that do not.

    Raises
    ------
    TableError
        No row has one.
    """
    return data.take(places_with_target(column, missing)) if missing.any() else data


def places_with_target(column: Column, missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of the rows that have a value in the target's column; see `with_target`."""
    if missing.all():
        raise TableError(f"target {column.name!r} has no value in any row")
    if missing.any():
        count = f"{int(missing.sum()):,} of {len(column):,} rows"
        note(
            f"target {column.name!r}: no value in {count}, which are left out ({column.where(missing)})",
            TableWarning,
        )
    return np.flatnonzero(~missing)


def split(data: Frame, goal: Target, shares: tuple[float, float], seed: int) -> Parts:
    """Divide rows: of every class the same shares, rounded, to choose the epoch and to test.

    Every class keeps a row to train on. The rows that choose the epoch are the same with a test and without.
    """
    part = part_of_rows(data, goal, shares, seed)
    return Parts(data.take(np.flatnonzero(part == 0)), _taken(data, part == 1), _taken(data, part == 2))


def part_of_rows(data: Frame, goal: Target, shares: tuple[float, float], seed: int) -> NDArray[np.int64]:
    """Return what every row is for in `split`: 0 to train on, 1 to choose the epoch, 2 to test."""
    column = data.column(goal.name)
    strata = goal.encode(column) if isinstance(goal, Classes) else np.zeros(len(data), dtype=np.int64)
    order = generator(seed, HELD_OUT).permutation(len(strata))
    part = np.zeros(len(strata), dtype=np.int64)
    for stratum in np.unique(strata):
        rows = order[strata[order] == stratum]
        most = len(rows) - 1
        validation = min(round(shares[0] * len(rows)), most)
        test = min(round(shares[1] * len(rows)), most - validation)
        part[rows[:validation]] = 1
        part[rows[validation : validation + test]] = 2
    return part


def _taken(data: Frame, chosen: NDArray[np.bool_]) -> Frame | None:
    return data.take(np.flatnonzero(chosen)) if chosen.any() else None
