"""Learn how to turn a data frame into a matrix, and do it again for frames to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from fastdense.core.columns import aligned
from fastdense.core.printable import printable
from fastdense.errors import TableError
from fastdense.tables.cells import Cells
from fastdense.tables.encoders import KINDS, Encoder, learn_column, read_column
from fastdense.tables.frames import Frame, nearest
from fastdense.tables.layout import Layout, places_of_parts
from fastdense.tables.statistics import check_weights
from fastdense.tables.strict import check, record
from fastdense.tables.targets import Classes, Label, Scale, Target, Task, learn_target, read_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["Table"]

_VERSION: Final = 3
"""Of embedded tables; the others are of version 2, or of 1 if they read their cells as `_FIRST` says."""
_FIRST: Final = Cells(plain=True)


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """What turns a data frame's columns into a matrix of numbers, and a target column into what to predict.

    A frame is a pandas or polars data frame, a pyarrow table or a dict of one-dimensional columns; it is
    never modified. Columns are found by name: their order does not matter and further columns are ignored.

    Attributes
    ----------
    columns : tuple of encoders
        Every column in the order of the frame learned from; each has ``name``, ``kind``,
        ``feature_names``, ``layout`` and ``summary``.
    target : Classes, Scale or None
    cells : Cells
        What was stated about how texts are read.
    embedded : bool
        Whether the features are those of a network that embeds numbers and categories; see `layout`.

    Examples
    --------
    >>> frame = {"age": [20, 30, 40, None], "job": ["clerk", "smith", "clerk", "clerk"],
    ...          "rich": ["no", "yes", "no", "yes"]}
    >>> table = Table.learn(frame, target="rich")
    >>> table
    Table(2 columns -> 4 features; target 'rich': classify, 2 classes: 'no', 'yes')
    >>> table.feature_names
    ['age', 'age (missing)', 'job=clerk', 'job=smith']
    >>> table.features({"age": [30, 33], "job": ["smith", "baker"]})
    array([[0.        , 0.        , 0.        , 1.        ],
           [0.29851115, 0.        , 0.        , 0.        ]], dtype=float32)
    >>> table.targets(frame), table.labels([1, 0])
    (array([0, 1, 0, 1]), ['yes', 'no'])
    """

    columns: tuple[Encoder, ...]
    target: Target | None
    cells: Cells = _FIRST
    embedded: bool = False

    @classmethod
    def learn(
        cls,
        frame: Any,
        target: str | int | None = None,
        *,
        task: Task = "auto",
        types: Mapping[Any, str] | None = None,
        cells: Cells | None = None,
        embedded: bool = False,
        weights: ArrayLike | None = None,
    ) -> Table:
        """Find the type of every column and what encodes it.

        Numbers are numbers, truth values, durations and texts of these, in the spellings of people too;
        dates and times of day are those and texts of these; all else is categories, and so is what a
        frame's dtype says is categorical. A column of more than 20 rows of texts whose every value is
        distinct is ignored. Missing values are None, NaN, NA, NaT and the texts that `Cells` lists.

        What a reader should know is said by a `TableWarning`: numbers that no program spells so, dates
        whose order is open, and cells that are of another kind than most of their column.

        Parameters
        ----------
        frame : data frame or dict of columns
        target : str, optional
            The column to predict, which then is none of the features.
        task : {"auto", "classify", "regress"}
            "auto" takes text and truth values for labels, numbers with fractions for quantities, and
            whole numbers for labels if they have at most 30 distinct values that are at most a fifth
            of the rows, for quantities otherwise.
        types : dict of column names to "number", "category", "date", "time" or "ignore", optional
            Overrides what would be found.
        cells : Cells, optional
            How texts are to be read, if that should not be found from the data.
        embedded : bool
            Encode for a network that embeds numbers and categories itself: missing numbers are NaN,
            categories beyond eight are codes, constant columns are left out, and a frame with its columns
            in another order gives the same matrix. Texts of which more than nine in ten are distinct, in
            more than 100 rows, and whole, distinct numbers in a column named as ids are, such as
            "customer_id", are left out too.
        weights : array of shape (m,), optional
            One weight per row, for the quantiles of numbers and the target's mean and deviation. A row
            with a whole weight counts as that many rows; other weights are scaled to a mean of 1. Rows with
            the weight 0 are ignored.

        Returns
        -------
        table : Table

        Raises
        ------
        TableError
            No such column, nothing to learn from, or a value that does not fit its column; the message
            names the column and row.
        """
        data = Frame(frame, cells)
        goal = None if target is None else str(target)
        if goal is None and task != "auto":
            raise TableError(f"task={task!r} needs a target column")
        kinds = _check_types(types or {}, data, goal)
        counts = check_weights(weights, len(data))
        learned = None if goal is None else learn_target(data.column(goal), task, counts)
        if counts is not None:
            data, counts = data.take(np.flatnonzero(counts)), counts[counts > 0]
        columns = tuple(
            learn_column(data.column(name), kinds.get(name), counts, embedded=embedded)
            for name in data.names
            if name != goal
        )
        if not any(column.feature_names for column in columns):
            notes = "".join(f"; {column.name!r}: {column.summary}" for column in columns[:5])
            raise TableError(f"no column is of use as a feature{notes}")
        return cls(columns, learned, data.cells, embedded)

    @property
    def layout(self) -> Layout:
        """The groups of the matrix's columns.

        Examples
        --------
        >>> frame = {"age": [20, 30, 40, None], "job": list("abca"), "paid": [True, False, True, True]}
        >>> table = Table.learn(frame, embedded=True)
        >>> table.layout, table.feature_names
        (Layout(numbers=1, plain=4, sizes=()), ['age', 'job=a', 'job=b', 'job=c', 'paid'])
        """
        return sum((column.layout for column, _ in self.places()), Layout())

    @property
    def feature_names(self) -> list[str]:
        """One name per column of the matrix, for people to read."""
        names = [""] * self.layout.width
        for column, places in self.places():
            for place, name in zip(places, column.feature_names, strict=True):
                names[place] = name
        return names

    def places(self) -> list[tuple[Encoder, NDArray[np.intp]]]:
        """Return each column that has features, and where these stand in the matrix.

        Examples
        --------
        >>> table = Table.learn({"job": ["clerk", "smith", "clerk"], "age": [20, 30, 40]}, embedded=True)
        >>> [(column.name, places.tolist()) for column, places in table.places()]
        [('age', [0]), ('job', [1])]
        """
        used = [column for column in self.columns if column.feature_names]
        if self.embedded:
            used.sort(key=lambda column: column.name)
        return list(zip(used, places_of_parts([column.layout for column in used]), strict=True))

    @property
    def task(self) -> Literal["classify", "regress"] | None:
        """What the target asks for; None if the table was learned without one."""
        return None if self.target is None else self.target.task

    @property
    def classes(self) -> list[Label]:
        """The labels, each where its class index points; TableError for a table that does not classify."""
        return list(self._classes().labels)

    def features(self, frame: Any, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Return the matrix of features; a row's numbers depend on nothing but that row.

        Parameters
        ----------
        frame : data frame or dict of columns
            Needs every column of `columns` that is not ignored.
        dtype : {"float32", "float64"}

        Returns
        -------
        features : array of shape (m, n_features)

        Raises
        ------
        TableError
            Columns are missing (all are named), or a number column holds text or infinity (the message
            names column, row and value).
        """
        _check_dtype(dtype)
        data = Frame(frame, self.cells)
        used = self.places()
        absent = [column.name for column, _ in used if column.name not in data.names]
        if absent:
            hint = nearest(absent[0], data.names) if len(absent) == 1 else ""
            raise TableError(f"the table lacks {', '.join(map(repr, absent))}{hint}")
        matrix = np.zeros((data.n_rows, self.layout.width), dtype)
        for column, places in used:
            first, width = places[0], len(places)
            if places[-1] - first == width - 1:
                column.encode(data.column(column.name), matrix[:, first : first + width])
            else:
                part = np.zeros((data.n_rows, width), dtype)
                column.encode(data.column(column.name), part)
                matrix[:, places] = part
        return matrix

    def targets(self, frame: Any, dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Return what to learn from each row.

        Returns
        -------
        targets : array of int64 of shape (m,), or of ``dtype`` and shape (m, 1)
            Class indices if the task is to classify; if it is to regress, values with the mean 0
            and standard deviation 1 of the rows learned from.

        Raises
        ------
        TableError
            The table has no target, the frame lacks it, or a value is missing, unknown or no number.
        """
        _check_dtype(dtype)
        if self.target is None:
            raise TableError("this table was learned without a target")
        column = Frame(frame, self.cells).column(self.target.name)
        if isinstance(self.target, Classes):
            return self.target.encode(column)
        return self.target.encode(column).astype(dtype)

    def labels(self, indices: ArrayLike) -> list[Label]:
        """Return the labels of class indices, integers of shape (m,); TableError for one out of range."""
        labels, places = self._classes().labels, np.asarray(indices)
        if places.ndim != 1 or (places.size and places.dtype.kind not in "iu"):
            raise TableError(f"class indices are whole numbers in one dimension, not {places.dtype}")
        if places.size and not 0 <= places.min() <= places.max() < len(labels):
            raise TableError(f"class indices are 0 to {len(labels) - 1}")
        return [labels[place] for place in places.tolist()]

    def unscale(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return predicted values in the target's own units; TableError for a table that does not regress."""
        if not isinstance(self.target, Scale):
            raise TableError(f"only a table whose task is to regress unscales; this one's is {self.task}")
        return self.target.unscale(values)

    def summary(self) -> str:
        """List the columns, the types found and what was learned of each."""
        cells = [(printable(c.name), f"{c.kind:<8}", printable(c.summary)) for c in self.columns]
        return "\n".join([repr(self), *(f"  {line}" for line in aligned(cells))])

    def __repr__(self) -> str:
        goal = "" if self.target is None else f"; target {self.target.name!r}: {self.target.summary}"
        return f"Table({len(self.columns)} columns -> {len(self.feature_names)} features{goal})"

    def to_dict(self) -> dict[str, Any]:
        """Describe the table in values that JSON keeps exactly."""
        version = _VERSION if self.embedded else 2
        own = {"version": 1} if self.cells.plain else {"version": version, "cells": self.cells.to_dict()}
        return {
            **own,
            "columns": [column.to_dict() for column in self.columns],
            "target": None if self.target is None else self.target.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: object) -> Table:
        """Read what `to_dict` wrote, to a table that encodes every frame to the same bits.

        Raises
        ------
        FormatError
            Anything else, down to one more key, another type or a number out of range.
        """
        goal, version = (
            (value.get(key) for key in ("target", "version")) if isinstance(value, dict) else (None, 0)
        )
        keys = {"version": int, "columns": list, "target": type(goal)}
        if version in (2, _VERSION):
            keys["cells"] = dict
        _, columns, _, *stated = record(value, "description", keys)
        known = f"this release reads 1 to {_VERSION}"
        check(version in (1, 2, _VERSION), f"version {version} is unknown; {known}")
        cells = Cells.from_dict(stated[0]) if stated else _FIRST
        check(cells.plain == (version == 1), "cells: only version 1 is plain")
        embedded = version == _VERSION
        encoders = tuple(read_column(column, cells, embedded=embedded) for column in columns)
        table = cls(encoders, None if goal is None else read_target(goal, cells), cells, embedded)
        names = [column.name for column in table.columns] + ([table.target.name] if table.target else [])
        check(len(set(names)) == len(names), "two columns have one name")
        check(any(column.feature_names for column in table.columns), "no column gives a feature")
        return table

    def _classes(self) -> Classes:
        if not isinstance(self.target, Classes):
            raise TableError(f"only a table whose task is to classify has classes; this one's is {self.task}")
        return self.target


def _check_dtype(dtype: DTypeLike) -> None:
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TableError(f"the dtype is float32 or float64, not {np.dtype(dtype)}")


def _check_types(types: Mapping[Any, str], data: Frame, target: str | None) -> dict[str, str]:
    kinds = {str(name): kind for name, kind in types.items()}
    for name, kind in kinds.items():
        if name not in data.names:
            raise TableError(f"types: there is no column {name!r}{nearest(name, data.names)}")
        if name == target:
            raise TableError(f"types: {name!r} is the target; say task='classify' or 'regress'")
        if kind not in KINDS:
            *others, last = map(repr, KINDS)
            raise TableError(f"types: {name!r} is {', '.join(others)} or {last}, not {kind!r}")
    return kinds
