"""Classes: learning which there are, and the way from labels to numbers and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target, unique_labels

from fastdense.core.checks import number
from fastdense.core.spec import LossSpec

__all__ = ["LABELS", "MANY", "Classes", "Labels", "ManyLabels", "class_weights", "labels_of", "weigh"]

Array = NDArray[Any]

MANY = "multiclass-multioutput"
"""scikit-learn's word for targets of several columns, each with classes of its own."""
LABELS = "multilabel-indicator"
"""Its word for columns of zeros and ones."""


class Classes(NamedTuple):
    """What `fit` learned of the targets.

    Attributes
    ----------
    kind : str
        scikit-learn's word for them: "binary", "multiclass", "multilabel-indicator", or `MANY`.
    values : array, or list of arrays
        The classes, sorted; of labels the columns' numbers; of `MANY` a list of each column's.
    sparse : bool
        Whether labels came as a sparse matrix: predictions then are one too, as scikit-learn's are.
    """

    kind: str
    values: Any
    sparse: bool = False

    @classmethod
    def of(cls, y: Any) -> Classes:
        """Return the classes of targets.

        Raises
        ------
        ValueError
            They are no classes.
        """
        if _has_columns_of_classes(y):
            return cls(MANY, [np.unique(_plain(column)) for column in np.asarray(y).T])
        if issparse(y) and not np.isin(y.data, (0, 1)).all():
            raise ValueError("columns of classes must be an array, not a sparse matrix: use y.toarray()")
        binarizer = LabelBinarizer().fit(y)
        return cls(binarizer.y_type_, binarizer.classes_, binarizer.sparse_input_)

    def check(self, y: Array, name: str = "y", all_of_them: bool = False) -> None:
        """Raise ValueError unless targets are of this kind and these classes.

        With ``all_of_them`` no class may be missing. Messages call the targets ``name``.
        """
        columns = y.shape[1] if y.ndim == 2 else 1
        if self.kind in (MANY, LABELS):
            if columns != len(self.values) or y.ndim != 2:
                raise ValueError(
                    f"`{name}` must have {len(self.values)} columns, as when fitted, but has shape {y.shape}"
                )
        elif columns > 1:
            raise ValueError(f"The object was not fitted with multilabel input, but `{name}` has {y.shape}.")
        if self.kind == LABELS:
            values = y.data if issparse(y) else y
            if not np.isin(values, (0, 1)).all():
                raise ValueError(f"`{name}` must hold zeros and ones, as when fitted: a column a label")
            return
        for column, known in self.columns(y):
            _check_column(column, known, name, all_of_them)

    def columns(self, y: Array) -> list[tuple[Array, Array]]:
        """Return each column of targets with its classes."""
        if self.kind == MANY:
            return [(_plain(column), own) for column, own in zip(np.asarray(y).T, self.values, strict=True)]
        if self.kind == LABELS:
            full = y.toarray() if hasattr(y, "toarray") else y
            return [(column, np.array([0, 1])) for column in full.astype(bool).astype(int).T]
        return [(y, self.values)]


def _has_columns_of_classes(y: Any) -> bool:
    """Say whether targets are several columns of classes: scikit-learn takes any two numbers for labels."""
    if issparse(y) or np.ndim(y) != 2 or np.shape(y)[1] < 2:
        return False
    values = np.asarray(y)
    if values.dtype == object:  # columns of a frame may differ in type
        return True
    kind = type_of_target(values, input_name="y")
    return kind == MANY or (kind == LABELS and not np.isin(values, (0, 1)).all())


def _plain(column: Array) -> Array:
    """Return a column of objects as numbers or text."""
    return np.array(column.tolist()) if column.dtype == object else column


def _check_column(column: Array, known: Array, name: str, all_of_them: bool) -> None:
    found = unique_labels(column)
    if all_of_them and set(found) != set(known):
        raise ValueError(
            f"warm_start can only be used where `{name}` has the same classes as in the previous call to fit."
            f" Previously got {known}, `{name}` has {found}"
        )
    if len(np.setdiff1d(found, known, assume_unique=True)):
        raise ValueError(
            f"`{name}` has classes not in `self.classes_`. `self.classes_` has {known}. '{name}' has {found}."
        )


def class_weights(
    class_weight: Any, classes: Classes, y: Array, rows: NDArray[np.float64] | None = None
) -> list[dict[Any, float]]:
    """Return what each class weighs, one dict per column; classes that are not named weigh 1.

    Parameters
    ----------
    class_weight : dict, list of dict, or "balanced"
    classes : Classes
    y : array
        The targets, which "balanced" counts.
    rows : array of shape (m,), optional
        The weight of each row: "balanced" counts a row of weight 3 as three rows.

    Raises
    ------
    ValueError
        A class that is named is not there, or there are not as many dicts as columns, or the weights of a
        class that is to be balanced have a sum below 0.
    """
    columns = classes.columns(y)
    given = class_weight if isinstance(class_weight, list) else [class_weight] * len(columns)
    if len(given) != len(columns):
        raise ValueError(f"class_weight has {len(given)} dicts for {len(columns)} columns of classes")
    found = []
    for weights, (column, known) in zip(given, columns, strict=True):
        if isinstance(weights, dict):
            strange = [label for label in weights if label not in known]
            if strange:
                raise ValueError(f"class_weight names {strange}, not among the classes {known}")
            found.append({k: number(f"class_weight[{k!r}]", v, minimum=0.0) for k, v in weights.items()})
        else:
            found.append(_balanced(column, rows))
    return found


def _balanced(column: Array, rows: NDArray[np.float64] | None) -> dict[Any, float]:
    """Return the weights that let each class of a column weigh the same, and all rows as much as before.

    A class whose rows weigh nothing is not there, as if it had no rows.
    """
    present, numbers = np.unique(column, return_inverse=True)
    counts = np.bincount(numbers, rows)
    if (counts < 0).any():
        raise ValueError(
            f"class_weight='balanced' cannot balance class {present.tolist()[counts.argmin()]!r}: the "
            f"sample_weight of its rows has the sum {counts.min():g}, and must have one of at least 0"
        )
    there = counts > 0
    balanced = counts.sum() / (there.sum() * counts[there])
    return dict(zip(present[there].tolist(), balanced.tolist(), strict=True))


def weigh(weights: list[dict[Any, float]], classes: Classes, y: Array) -> NDArray[np.float64]:
    """Return each row's weight: the product of its classes'."""
    total = np.ones(y.shape[0])
    for of_class, (column, known) in zip(weights, classes.columns(y), strict=True):
        by_class = np.array([of_class.get(label, 1.0) for label in known.tolist()])
        total *= by_class[np.searchsorted(known, column)]
    return total


def labels_of(classes: Classes, smoothing: float) -> Labels | ManyLabels:
    """Return what is learned from targets of these classes."""
    if classes.kind == MANY:
        return ManyLabels(classes.values, smoothing)
    return Labels(classes.kind, classes.values, smoothing, classes.sparse)


@dataclass(frozen=True)
class Labels:
    """Classes: two of them are one output, more of them or several labels a row are one output each.

    Attributes
    ----------
    kind : str
        scikit-learn's word for the targets: "binary", "multiclass" or "multilabel-indicator".
    classes : array of shape (n_classes,)
        Sorted. Of labels, their columns' numbers.
    smoothing : float
        The share of every target that is spread over all classes.
    sparse : bool
        Whether predicted labels are a sparse matrix.
    """

    kind: str
    classes: Array
    smoothing: float = 0.0
    sparse: bool = False

    shares = 1
    groups = ()

    @property
    def n_outputs(self) -> int:
        """One for two classes (or one), else one a class."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def out_activation(self) -> str:
        """Probabilities of classes that exclude each other sum to 1; those of labels don't."""
        return "softmax" if self.kind == "multiclass" else "logistic"

    @property
    def loss(self) -> LossSpec:
        """The cross-entropy; class numbers are its targets where classes exclude each other."""
        name = "sparse_categorical" if self.kind == "multiclass" else "binary"
        return LossSpec(f"{name}_crossentropy", label_smoothing=self.smoothing)

    @property
    def factor(self) -> float:
        """The labels' cross-entropies are summed."""
        return 1.0 if self.kind == "multiclass" else float(self.n_outputs)

    def encode(self, y: Array, dtype: str) -> Array:
        """Return class numbers, or zeros and ones."""
        if self.kind == LABELS:
            return np.asarray(y.toarray() if hasattr(y, "toarray") else y).astype(bool).astype(dtype)
        numbers = np.searchsorted(self.classes, y)
        return numbers if self.kind == "multiclass" else numbers.astype(dtype)[:, np.newaxis]

    def decode(self, outputs: Array) -> Any:
        """Return the likelier class of every row, or each label that is likelier than not."""
        numbers = self._numbers(outputs)
        if self.kind == LABELS:
            return csr_matrix(numbers) if self.sparse else numbers
        labels: Array = self.classes.take(numbers, mode="clip")  # a single class is never the second
        return labels

    def score(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the accuracy; of labels, the share of rows that have all of them right."""
        if not np.isfinite(outputs).all():
            return float("nan")
        right = self._numbers(outputs) == (y[:, 0] if self.kind == "binary" else y)
        all_right = right.all(axis=1) if right.ndim == 2 else right
        return float(np.average(all_right, weights=sample_weight))

    def constant(self, y: Array) -> None:
        """Return None."""

    def _numbers(self, outputs: Array) -> Array:
        if self.kind == "multiclass":
            likeliest: Array = outputs.argmax(axis=1)
            return likeliest
        likely = (outputs > 0.5).astype(int)
        return likely[:, 0] if self.kind == "binary" else likely


@dataclass(frozen=True)
class ManyLabels:
    """Several columns of classes: one group of outputs a column, one output a class.

    Attributes
    ----------
    classes : list of array
        Of every column, sorted.
    smoothing : float
        The share of every target that is spread over the column's classes.
    """

    classes: Sequence[Array]
    smoothing: float = 0.0

    out_activation = "softmax"
    factor, shares = 1.0, 1

    @property
    def groups(self) -> tuple[int, ...]:
        """As many outputs a column as it has classes."""
        return tuple(len(own) for own in self.classes)

    @property
    def n_outputs(self) -> int:
        """One a class of every column."""
        return sum(self.groups)

    @property
    def loss(self) -> LossSpec:
        """The sum of the columns' cross-entropies."""
        return LossSpec("categorical_crossentropy", label_smoothing=self.smoothing, groups=self.groups)

    def encode(self, y: Array, dtype: str) -> Array:
        """Return a 1 in each group, at the column's class."""
        columns = zip(map(_plain, np.asarray(y).T), self.classes, strict=True)
        return np.hstack(
            [np.eye(len(own), dtype=dtype)[np.searchsorted(own, column)] for column, own in columns]
        )

    def decode(self, outputs: Array) -> Array:
        """Return the likeliest class of every column."""
        likeliest = zip(self.classes, self._numbers(outputs), strict=True)
        columns = [own[numbers] for own, numbers in likeliest]
        alike = len({column.dtype.kind for column in columns}) == 1
        return np.column_stack(columns if alike else [column.astype(object) for column in columns])

    def score(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the share of rows that have every column right."""
        if not np.isfinite(outputs).all():
            return float("nan")
        pairs = zip(self._numbers(y), self._numbers(outputs), strict=True)
        right = np.logical_and.reduce([truth == found for truth, found in pairs])
        return float(np.average(right, weights=sample_weight))

    def constant(self, y: Array) -> None:
        """Return None."""

    def split(self, outputs: Array) -> list[Array]:
        """Return each column's outputs."""
        return np.split(outputs, np.cumsum(self.groups)[:-1], axis=1)

    def _numbers(self, outputs: Array) -> Iterator[Array]:
        return (own.argmax(axis=1) for own in self.split(outputs))
