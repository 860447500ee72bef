"""What columns of numbers and of categories become in the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from fastdense.core.notes import note
from fastdense.errors import TableWarning
from fastdense.tables.cells import Cells
from fastdense.tables.layout import Layout
from fastdense.tables.reading import PLAIN, Reading
from fastdense.tables.spellings import merge, places_of
from fastdense.tables.statistics import quantiles
from fastdense.tables.strict import check, record
from fastdense.tables.values import LARGEST, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_CATEGORIES", "Category", "Ignored", "Number", "by_frequency", "is_text"]

MAX_CATEGORIES: Final = 64
"""Most categories of a column that get a feature of their own.

Each costs a column of the matrix and a row of the first layer's weights, and the 65th most frequent
category holds at most 1/65 of the rows: too few to learn much from.
"""

_CLIP: Final = 3.0

_FEW: Final = 10
"""Rows that may all hold rare categories by chance; a column that does in more was written differently."""


@dataclass(frozen=True, slots=True)
class Number:
    """A column of numbers: robustly scaled and smoothly clipped to (-3, 3), missing values at the median.

    ``z = (x - center) / spread`` with the median and the distance between the quartiles; if the
    quartiles coincide, half the range; a constant column is 0. Then ``z / sqrt(1 + (z / 3)**2)``, which
    leaves the middle of a column nearly alone and keeps outliers, however far, from dominating.

    Attributes
    ----------
    name : str
        The column's.
    center, spread : float
        ``spread`` is at least 0, and 0 for a constant column.
    missing : bool
        Whether a value was missing when the table was learned: then a second feature marks these rows.
    reading : Reading
        How texts are read: the decimal sign, the unit, and those that count as missing.

    References
    ----------
    D. Holzmueller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs and boosted
    trees on tabular data", NeurIPS 2024 (RealMLP's robust scaling and smooth clipping).

    Examples
    --------
    >>> learned = Number.learn(Column("age", np.array([20.0, 30.0, 40.0, np.nan])))
    >>> learned.center, learned.spread, learned.feature_names
    (30.0, 10.0, ('age', 'age (missing)'))
    """

    kind: ClassVar[str] = "number"
    name: str
    center: float
    spread: float
    missing: bool
    reading: Reading = PLAIN

    @classmethod
    def learn(
        cls, column: Column, reading: Reading | None = None, weights: NDArray[np.float64] | None = None
    ) -> Self:
        """Find the centre and spread of the values that are there; TableError if one is not a number."""
        reading = reading or column.read_as("number")
        numbers = column.numbers(reading)
        there = ~np.isnan(numbers)
        shares = [0.0, 0.25, 0.5, 0.75, 1.0]
        weights = None if weights is None else weights[there]
        low, q25, median, q75, high = quantiles(numbers[there], shares, weights)
        spread = q75 - q25 if q75 > q25 else (high - low) / 2
        return cls(column.name, median, spread, not there.all(), reading)

    @property
    def layout(self) -> Layout:
        """The groups of its features."""
        return Layout(plain=len(self.feature_names))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name, or two if values were missing."""
        return (self.name, f"{self.name} (missing)") if self.missing else (self.name,)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        spread = f"spread {self.spread:.6g}" if self.spread > 0 else "constant"
        unit = f" in {self.reading.unit}" if self.reading.unit else ""
        return f"median {self.center:.6g}{unit}, {spread}" + ", some missing" * self.missing

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's features, ``out`` of shape (m, n_features); TableError for other cells."""
        scaled = self.scale(column)
        missing = np.isnan(scaled)
        out[:, 0] = np.where(missing, 0.0, scaled)
        if self.missing:
            out[:, 1] = missing

    def scale(self, column: Column) -> NDArray[np.float64]:
        """Return the values scaled and clipped, of shape (m,), NaN if missing; TableError for other cells."""
        numbers = column.numbers(self.reading)
        if self.spread == 0:
            return np.where(np.isnan(numbers), np.nan, 0.0)
        with np.errstate(over="ignore"):  # a tiny spread: the quotient's infinity is clipped
            z = np.clip((numbers - self.center) / self.spread, -1e100, 1e100)
        clipped: NDArray[np.float64] = z / np.sqrt(1 + np.square(z / _CLIP))
        return clipped

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {
            "kind": self.kind,
            "name": self.name,
            "center": self.center,
            "spread": self.spread,
            "missing": self.missing,
            **({} if self.reading == PLAIN else {"reading": self.reading.to_dict()}),
        }

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> Self:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"kind": str, "name": str, "center": float, "spread": float, "missing": bool}
        reading = {} if cells.plain else {"reading": dict}
        _, name, center, spread, missing, *read = record(value, "number column", {**keys, **reading})
        check(abs(center) <= LARGEST, f"column {name!r}: center {center} out of range")
        check(0 <= spread <= 2 * LARGEST, f"column {name!r}: spread {spread} out of range")
        kinds = ("number", "date", "time", "duration")
        return cls(name, center, spread, missing, Reading.from_dict(read[0], kinds) if read else PLAIN)


@dataclass(frozen=True, slots=True)
class Category:
    """A column of categories: one feature per category, 1 in the rows of it and 0 elsewhere.

    The most frequent ``MAX_CATEGORIES`` come first, in order; then, if learned, "other" for all rarer
    ones and "missing". What was never seen counts as "other" if there is one, and is all zeros otherwise.
    Spellings of one number, such as "1", "1.0" and "01", are one category unless a table has several.

    Attributes
    ----------
    name : str
        The column's.
    categories : tuple of str
        Those with a feature of their own, at most ``MAX_CATEGORIES``, as text.
    other, missing : bool
        Whether there are such features.

    Examples
    --------
    >>> learned = Category.learn(Column("job", np.array(["clerk", "smith", "smith", None], dtype=object)))
    >>> learned.feature_names
    ('job=smith', 'job=clerk', 'job (missing)')
    """

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    other: bool
    missing: bool

    @classmethod
    def learn(cls, column: Column) -> Category:
        """Order the texts by frequency, equally frequent ones by the alphabet."""
        order = list(by_frequency(column))
        missing = bool((column.texts[1] < 0).any())
        return cls(column.name, tuple(order[:MAX_CATEGORIES]), len(order) > MAX_CATEGORIES, missing)

    @property
    def layout(self) -> Layout:
        """The groups of its features."""
        return Layout(plain=len(self.feature_names))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per category, and those of "other" and "missing" if there are such features."""
        names = [f"{self.name}={category}" for category in self.categories]
        return (*names, *[f"{self.name} (other)"] * self.other, *[f"{self.name} (missing)"] * self.missing)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        shown = ", ".join(category[:20] for category in self.categories[:3])
        more = (
            ", ..." * (len(self.categories) > 3) + ", others" * self.other + ", some missing" * self.missing
        )
        return f"{len(self.categories)}: {shown}{more}"

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's features, ``out`` of shape (m, n_features) and zero."""
        unseen = len(self.categories) if self.other else -1
        missing = out.shape[1] - 1 if self.missing else unseen
        place = self.places(column, unseen, missing)
        rows = np.flatnonzero(place >= 0)
        out[rows, place[rows]] = 1

    def places(self, column: Column, unseen: int, missing: int) -> NDArray[np.intp]:
        """Return each row's place among the categories, or what stands for unknown and missing ones.

        It warns if most values are unknown; if the model knows the frequent ones alone, if all of many are.
        """
        texts, codes = column.texts
        places = places_of(self.categories, texts, exact=column.cells.plain)
        self._warn_of_unknown(
            column, [text for text, place in zip(texts, places, strict=True) if place is None]
        )
        # A missing cell's code, -1, picks the last entry.
        known = [unseen if place is None else place for place in places]
        return np.array([*known, missing], dtype=np.intp)[codes]

    def _warn_of_unknown(self, column: Column, unknown: list[str]) -> None:
        counts = dict(zip(column.texts[0], column.counts, strict=True))
        total, rows = sum(counts.values()), sum(counts[text] for text in unknown)
        if (total > _FEW and rows == total) if self.other else 2 * rows > total:
            share, known = f"{100 * rows / total:.0f}%", ", ".join(map(repr, self.categories[:3]))
            note(
                f"column {self.name!r}: {share} of the values are unknown to the model, such as "
                f"{unknown[0][:40]!r}; it knows {known[:200]}" + ", ..." * (len(self.categories) > 3),
                TableWarning,
            )

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {
            "kind": self.kind,
            "name": self.name,
            "categories": list(self.categories),
            "other": self.other,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, value: object, cells: Cells) -> Category:
        """Read what `to_dict` wrote; FormatError for anything else."""
        read = cls._read(value, cells, MAX_CATEGORIES)
        full = len(read.categories) == MAX_CATEGORIES
        check(full or not read.other, f"column {read.name!r}: categories leave no room for others")
        return read

    @classmethod
    def _read(cls, value: object, cells: Cells, most: int) -> Self:
        """Read a description; FormatError if it has more than ``most`` categories."""
        keys = {"kind": str, "name": str, "categories": list, "other": bool, "missing": bool}
        _, name, categories, other, missing = record(value, "category column", keys)
        what = f"column {name!r}: categories"
        check(1 <= len(categories) <= most, f"{what} number 1 to {most}")
        check(all(is_text(category, cells) for category in categories), f"{what} are not all texts")
        check(len(set(categories)) == len(categories), f"{what} repeat")
        return cls(name, tuple(categories), other, missing)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A column that the matrix leaves out, and why.

    Attributes
    ----------
    name : str
        The column's.
    summary : str
        Why, in a few words.
    """

    kind: ClassVar[str] = "ignored"
    feature_names: ClassVar[tuple[str, ...]] = ()
    layout: ClassVar[Layout] = Layout()
    name: str
    summary: str

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill nothing: ``out`` has no columns."""

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {"kind": self.kind, "name": self.name, "note": self.summary}

    @classmethod
    def from_dict(cls, value: object, _: Cells) -> Ignored:
        """Read what `to_dict` wrote; FormatError for anything else."""
        _, name, note = record(value, "ignored column", {"kind": str, "name": str, "note": str})
        check(len(note) <= 200, f"column {name!r}: the note is too long")
        return cls(name, note)


def by_frequency(column: Column) -> dict[str, int]:
    """Return the rows of each category, spellings of one number merged, the most frequent first.

    Equally frequent ones are in the order of the alphabet.
    """
    merged = merge(dict(zip(column.texts[0], column.counts, strict=True)))
    return dict(sorted(merged.items(), key=lambda item: (-item[1], item[0])))


def is_text(value: object, cells: Cells) -> bool:
    """Return True if a category or label is one that `Column.texts` could give: trimmed and not missing."""
    return type(value) is str and value == value.strip() and not cells.is_missing(value)
