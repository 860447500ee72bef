"""What each type of column becomes in the matrix: one small encoder a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np

from fastdense.errors import FormatError
from fastdense.tables.strict import check, record
from fastdense.tables.values import LARGEST, MISSING, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_CATEGORIES", "Category", "Encoder", "Ignored", "Number", "learn_column", "read_column"]

MAX_CATEGORIES: Final = 64
"""Most categories of a column that get a feature of their own.

Each costs a column of the matrix and a row of the first layer's weights, and the 65th most frequent
category holds at most 1/65 of the rows: too few to learn much from.
"""

_MAX_UNIQUE_ROWS: Final = 20
"""A category column of more rows than this, every value distinct, is taken for names or keys and ignored."""

_CLIP: Final = 3.0


@dataclass(frozen=True, slots=True)
class Number:
    """A column of numbers: robustly scaled and smoothly clipped to (-3, 3), missing values at the median.

    ``z = (x - center) / spread`` with the median and the distance between the quartiles; where the
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

    @classmethod
    def learn(cls, column: Column) -> Number:
        """Find the centre and spread of the values that are there; TableError where one is no number."""
        numbers = column.numbers()
        present = numbers[~column.missing]
        low, q25, median, q75, high = np.quantile(present, [0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
        spread = q75 - q25 if q75 > q25 else (high - low) / 2
        return cls(column.name, median, spread, bool(column.missing.any()))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name, or two where values were missing."""
        return (self.name, f"{self.name} (missing)") if self.missing else (self.name,)

    @property
    def summary(self) -> str:
        """What was learned, in a few words."""
        spread = f"spread {self.spread:.6g}" if self.spread > 0 else "constant"
        return f"median {self.center:.6g}, {spread}" + ", some missing" * self.missing

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill this column's features, ``out`` of shape (m, n_features); TableError for what is no number."""
        numbers = column.numbers()
        if self.spread > 0:
            with np.errstate(over="ignore"):  # a tiny spread: the quotient's infinity is clipped
                z = np.clip((numbers - self.center) / self.spread, -1e100, 1e100)
            out[:, 0] = np.where(column.missing, 0.0, z / np.sqrt(1 + np.square(z / _CLIP)))
        if self.missing:
            out[:, 1] = column.missing

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {
            "kind": self.kind,
            "name": self.name,
            "center": self.center,
            "spread": self.spread,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, value: object) -> Number:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"kind": str, "name": str, "center": float, "spread": float, "missing": bool}
        _, name, center, spread, missing = record(value, "number column", keys)
        check(abs(center) <= LARGEST, f"column {name!r}: center {center} out of range")
        check(0 <= spread <= 2 * LARGEST, f"column {name!r}: spread {spread} out of range")
        return cls(name, center, spread, missing)


@dataclass(frozen=True, slots=True)
class Category:
    """A column of categories: one feature a category, 1 where the row is of it and 0 elsewhere.

    The most frequent ``MAX_CATEGORIES`` come first, in order; then, where learned, "other" for all rarer
    ones and "missing". What was never seen counts as "other" where there is one, and else is all zeros.

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
        """Order the texts by how often each occurs, equals by the alphabet."""
        texts, codes = column.texts
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        order = sorted(range(len(texts)), key=lambda place: (-counts[place], texts[place]))
        kept = tuple(texts[place] for place in order[:MAX_CATEGORIES])
        return cls(column.name, kept, len(texts) > MAX_CATEGORIES, bool(column.missing.any()))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name a category, and those of "other" and "missing" where there are such features."""
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
        texts, codes = column.texts
        unseen = len(self.categories) if self.other else -1
        places = {category: place for place, category in enumerate(self.categories)}
        missing = out.shape[1] - 1 if self.missing else unseen
        # A missing cell's code, -1, picks the last entry.
        place = np.array([*(places.get(text, unseen) for text in texts), missing], dtype=np.intp)[codes]
        rows = np.flatnonzero(place >= 0)
        out[rows, place[rows]] = 1

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
    def from_dict(cls, value: object) -> Category:
        """Read what `to_dict` wrote; FormatError for anything else."""
        keys = {"kind": str, "name": str, "categories": list, "other": bool, "missing": bool}
        _, name, categories, other, missing = record(value, "category column", keys)
        what = f"column {name!r}: categories"
        check(1 <= len(categories) <= MAX_CATEGORIES, f"{what} number 1 to {MAX_CATEGORIES}")
        check(all(is_text(category) for category in categories), f"{what} are not all texts")
        check(len(set(categories)) == len(categories), f"{what} repeat")
        check(not other or len(categories) == MAX_CATEGORIES, f"{what} leave no room for others")
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
    name: str
    summary: str

    def encode(self, column: Column, out: NDArray[Any]) -> None:
        """Fill nothing: ``out`` has no columns."""

    def to_dict(self) -> dict[str, Any]:
        """Describe it in values that JSON keeps exactly."""
        return {"kind": self.kind, "name": self.name, "note": self.summary}

    @classmethod
    def from_dict(cls, value: object) -> Ignored:
        """Read what `to_dict` wrote; FormatError for anything else."""
        _, name, note = record(value, "ignored column", {"kind": str, "name": str, "note": str})
        check(len(note) <= 200, f"column {name!r}: the note is too long")
        return cls(name, note)


Encoder: TypeAlias = Number | Category | Ignored
_ENCODERS: Final[dict[str, type[Number] | type[Category] | type[Ignored]]] = {
    encoder.kind: encoder for encoder in (Number, Category, Ignored)
}


def learn_column(column: Column, kind: str | None = None) -> Encoder:
    """Learn a column of a given kind ("number", "category" or "ignore"), or find out which it is.

    Examples
    --------
    >>> learn_column(Column("size", np.array(["1.5", "2", ""]))).kind
    'number'
    """
    if kind == "ignore":
        return Ignored(column.name, "as asked")
    if column.missing.all():
        return Ignored(column.name, "every value is missing")
    if kind == "number" or (kind is None and column.numeric):
        return Number.learn(column)
    if kind is None and len(column.texts[0]) == np.sum(~column.missing) > _MAX_UNIQUE_ROWS:
        return Ignored(column.name, "every value is distinct, as of names or keys")
    return Category.learn(column)


def read_column(value: object) -> Encoder:
    """Read what an encoder's `to_dict` wrote; FormatError for anything else."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _ENCODERS:
        raise FormatError(f"table: a column of unknown kind {repr(kind)[:40]}")
    return _ENCODERS[kind].from_dict(value)


def is_text(value: object) -> bool:
    """Whether a category or label is one that `Column.texts` could give: trimmed and not missing."""
    return type(value) is str and value == value.strip() and value.casefold() not in MISSING
