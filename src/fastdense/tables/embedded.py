"""What columns become for a network that embeds numbers and categories itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from fastdense.errors import TableError
from fastdense.tables.columns import Category, Ignored, Number, by_frequency
from fastdense.tables.dates import Date
from fastdense.tables.layout import Layout
from fastdense.tables.reading import PLAIN, Reading
from fastdense.tables.strict import check, record
from fastdense.tables.values import TRUTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastdense.tables.cells import Cells
    from fastdense.tables.values import Column

__all__ = ["MAX_CODES", "EmbeddedCategory", "EmbeddedDate", "EmbeddedNumber", "Truth"]

MAX_CODES: Final = 5000
"""Most categories of a column that get a code of their own; each costs a row of the embedding's weights."""

_MAX_PLAIN: Final = 9
"""The largest size of a category column whose categories are plain features, as RealMLP has it."""


@dataclass(frozen=True, slots=True)
class EmbeddedNumber(Number):
    """A column of numbers, scaled and smoothly clipped as `Number` does it, NaN where one is missing.

    Attributes
    ----------
    name, center, spread, missing, reading
        As `Number` has them.

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> learned = EmbeddedNumber.learn(Column("age", np.array([20.0, 30.0, 40.0, np.nan])))
    >>> learned.feature_names, learned.layout
    (('age',), Layout(numbers=1, plain=0, sizes=()))
    """

    @property
    def layout(self) -> Layout:
        """The groups of its features."""
        return Layout(numbers=1)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's name."""
        return (self.name,)

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's feature, ``out`` of shape (m, 1); TableError for other cells."""
        out[:, 0] = self.scale(column)


@dataclass(frozen=True, slots=True)
class EmbeddedDate(Date):
    """A column of dates or times of day: a position as `EmbeddedNumber` has it, and plain cycles.

    Attributes
    ----------
    position : EmbeddedNumber
    cycles
        As `Date` has them.
    """

    position_type: ClassVar[type[Number]] = EmbeddedNumber


@dataclass(frozen=True, slots=True)
class Truth:
    """A column of truth values: one plain feature, 1 for true, -1 for false and 0 if missing.

    Attributes
    ----------
    name : str
        The column's.
    missing : bool
        Whether a value was missing when the table was learned.
    reading : Reading
        How texts are read.

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> column, out = Column("paid", np.array([True, False])), np.zeros((2, 1))
    >>> Truth.learn(column, column.reading).encode(column, out)
    >>> out.ravel()
    array([ 1., -1.])
    """

    kind: ClassVar[str] = "truth"
    layout: ClassVar[Layout] = Layout(plain=1)
    name: str
    missing: bool
    reading: Reading = PLAIN

    @classmethod
    def fits(cls, column: Column, reading: Reading) -> bool:
        """Return True if the numbers of a column are all spelled as truth values."""
        if column.values.dtype.kind == "b":
            return True
        if reading.kind != "number" or column.values.dtype.kind in "iuf":
            return False
        pairs = zip(column.texts[0], column.counts, strict=True)
        spelled = sum(rows for text, rows in pairs if text.casefold() in TRUTH)
        return spelled == int(np.sum(~np.isnan(column.numbers(reading))))

    @classmethod
    def learn(cls, column: Column, reading: Reading) -> Truth | Ignored:
        """Find out whether values are missing, and both truth values there."""
        numbers = column.numbers(reading)
        present = np.unique(numbers[~np.isnan(numbers)])
        missing = bool(np.isnan(numbers).any())
        if len(present) < 2 and not missing:
            return Ignored(column.name, f"constant, {bool(present[0])}")
        return cls(column.name, missing, reading)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's name."""
        return (self.name,)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        return "true or false" + ", some missing" * self.missing

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's feature, ``out`` of shape (m, 1); TableError for cells that are neither."""
        numbers = column.numbers(self.reading)
        missing = np.isnan(numbers)
        wrong = ~(missing | (numbers == 0) | (numbers == 1))
        if wrong.any():
            number = numbers[wrong][0]
            raise TableError(f"column {self.name!r}, {column.where(wrong)}: {number:g} is not true or false")
        out[:, 0] = np.where(missing, 0.0, 2 * numbers - 1)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        reading = self.reading.to_dict()
        return {"kind": self.kind, "name": self.name, "missing": self.missing, "reading": reading}

    @classmethod
    def from_dict(cls, value: object, _: Cells) -> Truth:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"kind": str, "name": str, "missing": bool, "reading": dict}
        _kind, name, missing, reading = record(value, "truth column", keys)
        return cls(name, missing, Reading.from_dict(reading, ("number",)))


@dataclass(frozen=True, slots=True)
class EmbeddedCategory(Category):
    """A column of categories: a code from 1 for each known one, and 0 for missing, rare and unknown ones.

    Few categories are plain features: one alone is 1, and -1 for code 0; two are -1 and 1, and 0 for code 0;
    up to eight have a feature each, 1 in its rows. More are one column of codes, for a network to embed.

    Attributes
    ----------
    name : str
        The column's.
    categories : tuple of str
        The known ones in the order of their codes, that of the alphabet.
    other, missing : bool
        Whether rare and missing ones had code 0 when the table was learned.

    Notes
    -----
    A category of one row in 100 and more, or of fewer than three in 1000 and more, is rare: what a network
    could learn of it is its rows' noise, while all rare ones together train what unknown ones will get.

    References
    ----------
    D. Holzmueller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data", NeurIPS 2024 (RealMLP's one-hot features and embeddings by size).

    Examples
    --------
    >>> from fastdense.tables.values import Column
    >>> learned = EmbeddedCategory.learn(Column("job", np.array(["smith", "clerk", None], dtype=object)))
    >>> learned.categories, learned.features.ravel(), learned.feature_names
    (('clerk', 'smith'), array([ 0., -1.,  1.]), ('job=smith',))
    """

    @classmethod
    def learn(cls, column: Column) -> EmbeddedCategory:
        """Find the categories of enough rows, maybe none; what is left out has code 0."""
        counts = by_frequency(column)
        enough = 1 + (len(column) >= 100) + (len(column) >= 1000)
        known = [text for text, rows in counts.items() if rows >= enough][:MAX_CODES]
        missing = bool((column.texts[1] < 0).any())
        return cls(column.name, tuple(sorted(known)), len(known) < len(counts), missing)

    @property
    def is_constant(self) -> bool:
        """Whether every row had the same code."""
        return not self.categories or (len(self.categories) == 1 and not (self.other or self.missing))

    @property
    def layout(self) -> Layout:
        """The groups of its features."""
        size = len(self.categories) + 1
        return Layout(sizes=(size,)) if size > _MAX_PLAIN else Layout(plain=len(self.feature_names))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's name if its categories are embedded; otherwise the category that is 1 in each."""
        if len(self.categories) >= _MAX_PLAIN:
            return (self.name,)
        named = self.categories[1:] if len(self.categories) == 2 else self.categories
        return tuple(f"{self.name}={category}" for category in named)

    @property
    def features(self) -> NDArray[np.float64]:
        """The features of each code, of shape (codes, n_features)."""
        size = len(self.categories) + 1
        if size > _MAX_PLAIN:
            return np.arange(float(size))[:, None]
        if size <= 3:
            return np.array([[-1.0], [1.0]] if size == 2 else [[0.0], [-1.0], [1.0]])
        return np.eye(size)[:, 1:]

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's features, ``out`` of shape (m, n_features)."""
        out[:] = self.features[self.places(column, -1, -1) + 1]

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> EmbeddedCategory:
        """Read what `to_dict` wrote; FormatError for anything else."""
        read = cls._read(value, cells, MAX_CODES)
        in_order = list(read.categories) == sorted(read.categories)
        check(in_order, f"column {read.name!r}: categories are out of order")
        check(not read.is_constant, f"column {read.name!r}: a constant category")
        return read
