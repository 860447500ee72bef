"""Classes: learning which there are, and the way from labels to numbers and back."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target, unique_labels

from fastdense.core.arrays import Array
from fastdense.core.spec import (
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    SparseCategoricalCrossentropySpec,
)
from fastdense.estimators.goal import Goal

__all__ = ["MANY", "Indicators", "Labels", "ManyLabels", "labels_of", "labels_with"]

MANY = "multiclass-multioutput"
"""scikit-learn's word for targets of several columns, each with classes of its own."""
_INDICATORS = "multilabel-indicator"
"""Its word for columns of zeros and ones."""
_TWO, _SEVERAL = "binary", "multiclass"
"""Its words for one column of at most two classes, and of more."""


@dataclass(frozen=True, kw_only=True)
class Labels(Goal):
    """Classes of targets, as `fit` learns them.

    Attributes
    ----------
    classes : array of shape (n_classes,), or list of arrays
        Sorted; for labels the columns' numbers; for `ManyLabels` a list of each column's.
    """

    classes: Any

    def smoothed(self, share: float) -> Self:
        """Return the same with a share of every target spread over all classes of its column."""
        cross_entropy: Any = self.loss
        if share == cross_entropy.label_smoothing:
            return self
        return replace(self, loss=replace(cross_entropy, label_smoothing=share))

    @abstractmethod
    def columns(self, y: Any) -> list[tuple[Array, Array]]:
        """Return each column of targets with its classes."""

    @abstractmethod
    def check(self, y: Any, name: str = "y", all_of_them: bool = False) -> None:
        """Raise ValueError unless targets are of this kind and these classes.

        With ``all_of_them`` no class may be missing. Messages call the targets ``name``.
        """

    @abstractmethod
    def numbers(self, outputs: Array) -> Array:
        """Return the number of the likeliest class of every row, or of every row and column."""

    @abstractmethod
    def decode(self, outputs: Array) -> Any:
        """Return the likeliest class of every row, or each label that is likelier than not."""

    def probabilities(self, outputs: Array) -> Any:
        """Return the probability of every class; a list of one array per column for `ManyLabels`."""
        return outputs if self.n_outputs > 1 else np.hstack([1 - outputs, outputs])

    def score_finite(self, y: Array, outputs: Array, sample_weight: Array | None) -> float:
        """Return the accuracy: for several columns, the share of rows that have all of them right."""
        truth = y if y.ndim == 1 else self.numbers(y)  # a vector is of class numbers
        right = (self.numbers(outputs) == truth).reshape(len(y), -1).all(axis=1)
        return float(np.average(right, weights=sample_weight))


class Multiclass(Labels):
    """One column of classes that exclude each other: one output per class."""

    @classmethod
    def of(cls, classes: Array) -> Multiclass:
        """Return the goal for these classes."""
        loss = SparseCategoricalCrossentropySpec()
        return cls(n_outputs=len(classes), out_activation="softmax", loss=loss, classes=classes)

    def columns(self, y: Array) -> list[tuple[Array, Array]]:
        """Return the one column."""
        return [(y, self.classes)]

    def check(self, y: Array, name: str = "y", all_of_them: bool = False) -> None:
        """Raise ValueError unless targets are one column of these classes."""
        if y.ndim == 2 and y.shape[1] > 1:
            raise ValueError(f"The object was not fitted with multilabel input, but `{name}` has {y.shape}.")
        _check_column(y, self.classes, name, all_of_them)

    def encode(self, y: Array, dtype: str) -> Array:
        """Return class numbers."""
        return np.searchsorted(self.classes, y)

    def numbers(self, outputs: Array) -> Array:
        """Return the number of the likeliest class of every row."""
        likeliest: Array = outputs.argmax(axis=1)
        return likeliest

    def decode(self, outputs: Array) -> Array:
        """Return the likeliest class of every row."""
        # The classes may be a single one, which is then never the second.
        labels: Array = self.classes.take(self.numbers(outputs), mode="clip")
        return labels

    def plain_score(self, y: Array, outputs: Array) -> float:
        """Return the accuracy."""
        return float((self.decode(outputs) == y).mean())


class Binary(Multiclass):
    """One column of two classes, or of one: one output, the probability of the second."""

    @classmethod
    def of(cls, classes: Array) -> Binary:
        """Return the goal for these classes."""
        loss = BinaryCrossentropySpec()
        return cls(n_outputs=1, out_activation="logistic", loss=loss, classes=classes)

    def encode(self, y: Array, dtype: str) -> Array:
        """Return zeros and ones."""
        return super().encode(y, dtype).astype(dtype)[:, np.newaxis]

    def numbers(self, outputs: Array) -> Array:
        """Return 1 for every row whose second class is likelier."""
        return (outputs[:, 0] > 0.5).astype(int)


@dataclass(frozen=True, kw_only=True)
class Indicators(Labels):
    """Several labels per row, as columns of zeros and ones: one output per label.

    Attributes
    ----------
    sparse : bool
        Whether targets came as a sparse matrix: predictions then are one too, as scikit-learn's are.
    """

    sparse: bool = False

    @classmethod
    def of(cls, classes: Array, sparse: bool) -> Indicators:
        """Return the goal for labels of these numbers; their cross-entropies are summed."""
        loss, n = BinaryCrossentropySpec(), len(classes)
        return cls(
            n_outputs=n, out_activation="logistic", loss=loss, factor=float(n), classes=classes, sparse=sparse
        )

    def columns(self, y: Any) -> list[tuple[Array, Array]]:
        """Return each label's column."""
        return [(column, np.array([0, 1])) for column in self.encode(y, "int").T]

    def check(self, y: Any, name: str = "y", all_of_them: bool = False) -> None:
        """Raise ValueError unless there is a column of zeros and ones per label."""
        _check_width(y, len(self.classes), name)
        if not np.isin(y.data if issparse(y) else y, (0, 1)).all():
            raise ValueError(f"`{name}` must hold zeros and ones, as when fitted: one column per label")

    def encode(self, y: Any, dtype: str) -> Array:
        """Return zeros and ones."""
        return np.asarray(y.toarray() if hasattr(y, "toarray") else y).astype(bool).astype(dtype)

    def numbers(self, outputs: Array) -> Array:
        """Return 1 for every label that is likelier than not."""
        return (outputs > 0.5).astype(int)

    def decode(self, outputs: Array) -> Any:
        """Return each label that is likelier than not."""
        numbers = self.numbers(outputs)
        return csr_matrix(numbers) if self.sparse else numbers


class ManyLabels(Labels):
    """Several columns of classes: one group of outputs per column, one output per class."""

    @classmethod
    def of(cls, classes: list[Array]) -> ManyLabels:
        """Return the goal for these classes of each column."""
        groups = tuple(map(len, classes))
        loss = CategoricalCrossentropySpec(groups=groups)
        return cls(n_outputs=sum(groups), out_activation="softmax", loss=loss, classes=classes)

    def columns(self, y: Any) -> list[tuple[Array, Array]]:
        """Return each column with its classes."""
        return [(_plain(column), own) for column, own in zip(np.asarray(y).T, self.classes, strict=True)]

    def check(self, y: Any, name: str = "y", all_of_them: bool = False) -> None:
        """Raise ValueError unless each column has these classes."""
        _check_width(y, len(self.classes), name)
        for column, known in self.columns(y):
            _check_column(column, known, name, all_of_them)

    def encode(self, y: Any, dtype: str) -> Array:
        """Return a 1 in each group, at the column's class."""
        pairs = self.columns(y)
        return np.hstack(
            [np.eye(len(own), dtype=dtype)[np.searchsorted(own, column)] for column, own in pairs]
        )

    def numbers(self, outputs: Array) -> Array:
        """Return the number of the likeliest class of every row and column."""
        return np.column_stack([own.argmax(axis=1) for own in self.probabilities(outputs)])

    def decode(self, outputs: Array) -> Array:
        """Return the likeliest class of every row and column."""
        columns = [own[found] for own, found in zip(self.classes, self.numbers(outputs).T, strict=True)]
        alike = len({column.dtype.kind for column in columns}) == 1
        return np.column_stack(columns if alike else [column.astype(object) for column in columns])

    def probabilities(self, outputs: Array) -> list[Array]:
        """Return each column's outputs."""
        return np.split(outputs, np.cumsum(self.loss.groups)[:-1], axis=1)


def labels_of(y: Any) -> Labels:
    """Learn the classes of targets.

    Raises
    ------
    ValueError
        They are not classes.
    """
    if _has_columns_of_classes(y):
        return ManyLabels.of([np.unique(_plain(column)) for column in np.asarray(y).T])
    if issparse(y) and not np.isin(y.data, (0, 1)).all():
        raise ValueError("columns of classes must be an array, not a sparse matrix: use y.toarray()")
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biufU":
        kind = type_of_target(y, input_name="y")
        if kind in (_TWO, _SEVERAL):  # what a binarizer finds, which looks at the targets' type once more
            return (Multiclass if kind == _SEVERAL else Binary).of(np.unique(y))
    return labels_with(LabelBinarizer().fit(y))


def labels_with(binarizer: LabelBinarizer) -> Labels:
    """Return the classes that scikit-learn's binarizer has learned."""
    if binarizer.y_type_ == _INDICATORS:
        return Indicators.of(binarizer.classes_, binarizer.sparse_input_)
    return (Multiclass if binarizer.y_type_ == _SEVERAL else Binary).of(binarizer.classes_)


def _has_columns_of_classes(y: Any) -> bool:
    """Return True for several columns of classes; scikit-learn takes any two numbers for labels."""
    if issparse(y) or np.ndim(y) != 2 or np.shape(y)[1] < 2:
        return False
    values = np.asarray(y)
    if values.dtype == object:  # columns of a frame may differ in type
        return True
    kind = type_of_target(values, input_name="y")
    return kind == MANY or (kind == _INDICATORS and not np.isin(values, (0, 1)).all())


def _plain(column: Array) -> Array:
    """Return a column of objects as numbers or text."""
    return np.array(column.tolist()) if column.dtype == object else column


def _check_width(y: Any, width: int, name: str) -> None:
    if y.ndim != 2 or y.shape[1] != width:
        raise ValueError(f"`{name}` must have {width} columns, as when fitted, but has shape {y.shape}")


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
