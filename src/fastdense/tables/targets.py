"""The column to predict: labels to class indices, or numbers to a standard scale, and back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

import numpy as np

from fastdense.errors import FormatError, TableError
from fastdense.tables.cells import Cells
from fastdense.tables.columns import is_text
from fastdense.tables.reading import PLAIN, Reading
from fastdense.tables.spellings import merge, places_of
from fastdense.tables.statistics import mean_and_deviation
from fastdense.tables.strict import check, record
from fastdense.tables.values import LARGEST, TRUTH, Column, cell_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Classes", "Label", "Scale", "Target", "find_task", "learn_target", "read_target", "without_value"]

Label: TypeAlias = str | int | float | bool
Task: TypeAlias = Literal["auto", "classify", "regress"]

_AUTO_CLASSES: Final = 30
"""Whole numbers of more distinct values than this are taken for quantities; of fewer, for labels."""

_MAX_CLASSES: Final = 65_536
"""Beyond this a softmax over the classes outgrows what a dense network is for: likely the wrong column."""


@dataclass(frozen=True, slots=True)
class Classes:
    """A target of labels, in order: text by the alphabet, numbers by size, False before True.

    Attributes
    ----------
    name : str
        The column's.
    labels : tuple of str, int, float or bool
        All of one type; a label's place is its class index.

    Examples
    --------
    >>> target = Classes.learn(Column("grade", np.array([10, 2, 10])))
    >>> target.labels, target.encode(Column("grade", np.array([2.0, 10.0])))
    ((2, 10), array([0, 1]))
    """

    task: ClassVar[Literal["classify"]] = "classify"
    name: str
    labels: tuple[Label, ...]

    @classmethod
    def learn(cls, column: Column) -> Classes:
        """Collect the labels; TableError for fewer than two, far too many, or a mixture of types."""
        _refuse_missing(column, column.texts[1] < 0)
        kind = _label_type(column)
        if kind in (int, float):
            column.numbers()  # refuses infinity and what a file could not hold
        spelled = merge(dict(zip(column.texts[0], column.counts, strict=True)))
        labels = {text == "True" if kind is bool else kind(text) for text in spelled}
        if len(labels) < 2:
            raise TableError(
                f"target {column.name!r} holds one class only, {labels.pop()!r}; need two or more"
            )
        if len(labels) > _MAX_CLASSES:
            raise TableError(f"target {column.name!r} holds {len(labels)} classes; at most {_MAX_CLASSES}")
        return cls(column.name, tuple(sorted(labels)))

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        return f"classify, {len(self.labels)} classes: {self._shown}"

    @property
    def _shown(self) -> str:
        return ", ".join(repr(label)[:40] for label in self.labels[:5]) + ", ..." * (len(self.labels) > 5)

    def encode(self, column: Column) -> NDArray[np.int64]:
        """Return each row's place among the labels, of shape (m,); TableError for an unknown label."""
        texts, codes = column.texts
        _refuse_missing(column, self.missing(column))
        found = self.find(column)
        if (found < 0).any():
            code = int(codes[found < 0].min())
            where, label = column.where(codes == code), texts[code][:80]
            raise TableError(f"target {self.name!r}, {where}: unknown label {label!r}, not of {self._shown}")
        return found

    def missing(self, column: Column) -> NDArray[np.bool_]:
        """Return which rows have no label."""
        return without_value(column, self.task)

    def find(self, column: Column) -> NDArray[np.int64]:
        """Return each row's place among the labels, of shape (m,); -1 for an unknown or missing label."""
        texts, codes = column.texts
        places = places_of([str(cell_text(label)) for label in self.labels], texts)
        return np.array([*(-1 if place is None else place for place in places), -1], dtype=np.int64)[codes]

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {"task": self.task, "name": self.name, "classes": list(self.labels)}

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> Classes:
        """Read what `to_dict` wrote; FormatError for anything else."""
        _, name, labels = record(value, "target", {"task": str, "name": str, "classes": list})
        check(2 <= len(labels) <= _MAX_CLASSES, f"target {name!r}: classes number 2 to {_MAX_CLASSES}")
        check(len(set(map(type, labels))) == 1, f"target {name!r}: classes of several types")
        check(all(_is_label(label, cells) for label in labels), f"target {name!r}: a class is not a label")
        in_order = all(low < high for low, high in pairwise(labels))
        check(in_order, f"target {name!r}: classes repeat or are out of order")
        return cls(name, tuple(labels))


@dataclass(frozen=True, slots=True)
class Scale:
    """A target of numbers, trained on with mean 0 and standard deviation 1.

    Attributes
    ----------
    name : str
        The column's.
    mean, std : float
        Those of the rows learned from, in the target's own units; ``std`` is above 0.
    reading : Reading
        How texts are read.

    Examples
    --------
    >>> target = Scale.learn(Column("price", np.array([1.0, 3.0])))
    >>> target.encode(Column("price", np.array([2.0, 5.0])))
    array([[0.],
           [3.]])
    """

    task: ClassVar[Literal["regress"]] = "regress"
    name: str
    mean: float
    std: float
    reading: Reading = PLAIN

    @classmethod
    def learn(cls, column: Column, weights: NDArray[np.float64] | None = None) -> Scale:
        """Find the mean and standard deviation; TableError if a value is not a number or all are equal."""
        reading = column.read_as("number")
        numbers = column.numbers(reading)
        mean, std = mean_and_deviation(numbers, weights)
        if numbers.min() == numbers.max() or not std > 0:
            raise TableError(f"target {column.name!r} is constant, {numbers[0]:g}: there is nothing to learn")
        return cls(column.name, mean, std, reading)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        return f"regress, mean {self.mean:.6g}, standard deviation {self.std:.6g}"

    def encode(self, column: Column) -> NDArray[np.float64]:
        """Return the standardised values, of shape (m, 1); TableError if one is missing or not a number."""
        _refuse_missing(column, self.missing(column))
        return ((column.numbers(self.reading) - self.mean) / self.std)[:, None]

    def missing(self, column: Column) -> NDArray[np.bool_]:
        """Return which rows have no value."""
        return np.isnan(column.numbers(self.reading))

    def unscale(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return standardised values in the target's own units, float64 of the same shape."""
        return np.asarray(values, dtype=np.float64) * self.std + self.mean

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        reading = {} if self.reading == PLAIN else {"reading": self.reading.to_dict()}
        return {"task": self.task, "name": self.name, "mean": self.mean, "std": self.std, **reading}

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> Scale:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"task": str, "name": str, "mean": float, "std": float}
        reading = {} if cells.plain else {"reading": dict}
        _, name, mean, std, *read = record(value, "target", {**keys, **reading})
        check(abs(mean) <= LARGEST, f"target {name!r}: mean {mean} out of range")
        check(0 < std <= LARGEST, f"target {name!r}: std {std} out of range")
        kinds = ("number", "date", "time", "duration")
        return cls(name, mean, std, Reading.from_dict(read[0], kinds) if read else PLAIN)


Target: TypeAlias = Classes | Scale


def learn_target(column: Column, task: Task = "auto", weights: NDArray[np.float64] | None = None) -> Target:
    """Learn a target: text and truth values as labels, numbers with fractions as quantities.

    Whole numbers are labels if they take at most 30 distinct values and these are at most a fifth of
    the rows, and quantities otherwise.

    Examples
    --------
    >>> learn_target(Column("price", np.array([1.5, 2.5]))).task
    'regress'
    """
    found = find_task(column, task)
    _refuse_missing(column, without_value(column, found))
    return Classes.learn(column) if found == "classify" else Scale.learn(column, weights)


def find_task(column: Column, task: Task = "auto") -> Literal["classify", "regress"]:
    """Return what a column asks for, as `learn_target` finds it; TableError for an unknown task."""
    if task not in ("auto", "classify", "regress"):
        raise TableError(f"task is 'auto', 'classify' or 'regress', not {task!r}")
    if task != "auto":
        return task
    try:
        _ = column.reading
    except TableError as error:
        raise TableError(f"{error}; as a target, task='classify' makes labels of its texts") from error
    return "classify" if _holds_labels(column) else "regress"


def without_value(column: Column, task: Task) -> NDArray[np.bool_]:
    """Return which rows have nothing to predict, once the task is known."""
    if task == "classify":
        return column.texts[1] < 0
    return np.isnan(column.numbers(column.read_as("number")))


def read_target(value: object, cells: Cells) -> Target:
    """Read what a target's `to_dict` wrote; FormatError for anything else."""
    task = value.get("task") if isinstance(value, dict) else None
    if task == "classify":
        return Classes.from_dict(value, cells)
    if task == "regress":
        return Scale.from_dict(value, cells)
    raise FormatError(f"table: a target of unknown task {repr(task)[:40]}")


def _refuse_missing(column: Column, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        raise TableError(f"target {column.name!r}: no value in {column.where(missing)}")


def _holds_labels(column: Column) -> bool:
    if column.values.dtype.kind == "b" or column.kind == "category" or not column.numeric:
        return True
    numbers = column.numbers()
    numbers = numbers[~np.isnan(numbers)]
    if (numbers != np.floor(numbers)).any():
        return False
    distinct = len(np.unique(numbers))
    return (distinct <= _AUTO_CLASSES and distinct * 5 <= len(numbers)) or _spells_truth(column)


def _spells_truth(column: Column) -> bool:
    """Whether texts such as "True" made an otherwise textual column numeric."""
    return column.values.dtype.kind not in "iuf" and any(t.casefold() in TRUTH for t in column.texts[0])


def _label_type(column: Column) -> type[Label]:
    """Return the one type of all the labels; whole numbers beside fractions count as floats."""
    if column.kind in ("date", "time"):
        return str
    if column.kind == "integer" and np.nanmax(np.abs(column.values)) < 2**53:
        return int
    native: dict[str, type[Label]] = {"b": bool, "i": int, "u": int, "f": float}
    kind = column.values.dtype.kind
    found = {native[kind]} if kind in native else {_cell_type(cell) for cell in column.values.tolist()}
    if found == {int, float}:
        return float
    label_type = found.pop()
    if found or label_type is None:
        raise TableError(
            f"target {column.name!r}: labels must be all texts, all numbers or all bools, not a mixture"
        )
    return label_type


def _cell_type(cell: object) -> type[Label] | None:
    kinds: dict[type[Label], tuple[type, ...]] = {
        str: (str,),
        bool: (bool, np.bool_),
        int: (int, np.integer),
        float: (float, np.floating, Decimal),
    }
    return next((kind for kind, types in kinds.items() if isinstance(cell, types)), None)


def _is_label(value: Any, cells: Cells) -> bool:
    if type(value) in (int, float):
        return bool(abs(value) <= LARGEST)
    return type(value) is bool or is_text(value, cells)
