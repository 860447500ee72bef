"""Classes: learning which there are, and the way from labels to numbers and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target, unique_labels

from fastdense.spec import LossSpec

__all__ = ["MANY", "Labels", "ManyLabels", "check_known", "labels_of", "learn_classes"]

Array = NDArray[Any]

MANY = "multiclass-multioutput"
"""scikit-learn's word for targets of several columns, each with classes of its own."""


def learn_classes(y: Any) -> tuple[str, Any]:
    """Return scikit-learn's word for the targets, and their classes, sorted; of `MANY` a list of them.

    Raises
    ------
    ValueError
        They are no classes.
    """
    if type_of_target(y, input_name="y") == MANY:
        return MANY, [np.unique(column) for column in np.asarray(y).T]
    binarizer = LabelBinarizer().fit(y)
    return binarizer.y_type_, binarizer.classes_


def check_known(kind: str, classes: Any, y: Array, all_of_them: bool) -> None:
    """Raise ValueError unless the targets have classes of those, or with ``all_of_them`` just those."""
    if kind == MANY and (y.ndim != 2 or y.shape[1] != len(classes)):
        raise ValueError(
            f"`y` must have {len(classes)} columns, as in the first call, but has shape {y.shape}"
        )
    for column, known in zip(y.T, classes, strict=True) if kind == MANY else [(y, classes)]:
        found = unique_labels(column)
        if all_of_them and set(found) != set(known):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {known}, `y` has {found}"
            )
        if len(np.setdiff1d(found, known, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {known}. 'y' has {found}."
            )


def labels_of(kind: str, classes: Any, smoothing: float) -> Labels | ManyLabels:
    """Return what is learned from targets of a kind."""
    return ManyLabels(classes, smoothing) if kind == MANY else Labels(kind, classes, smoothing)


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
    """

    kind: str
    classes: Array
    smoothing: float = 0.0

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
        if self.kind == "multilabel-indicator":
            return np.asarray(y.toarray() if hasattr(y, "toarray") else y).astype(bool).astype(dtype)
        numbers = np.searchsorted(self.classes, y)
        return numbers if self.kind == "multiclass" else numbers.astype(dtype)[:, np.newaxis]

    def decode(self, outputs: Array) -> Array:
        """Return the likelier class of every row, or each label that is likelier than not."""
        numbers = self._numbers(outputs)
        if self.kind == "multilabel-indicator":
            return numbers
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
        columns = zip(np.asarray(y).T, self.classes, strict=True)
        return np.hstack(
            [np.eye(len(own), dtype=dtype)[np.searchsorted(own, column)] for column, own in columns]
        )

    def decode(self, outputs: Array) -> Array:
        """Return the likeliest class of every column."""
        likeliest = zip(self.classes, self._numbers(outputs), strict=True)
        return np.column_stack([own[numbers] for own, numbers in likeliest])

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
