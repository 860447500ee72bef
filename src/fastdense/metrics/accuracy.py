"""The accuracies: the share of right answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastdense.core.checks import number, sizes, whole
from fastdense.errors import ShapeError
from fastdense.metrics.base import FAMILY, Float, MeanOverRows, check_same_shape, class_column

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
]


@FAMILY.add("binary_accuracy")
class BinaryAccuracy(MeanOverRows):
    """The share of outputs on their target's side of ``threshold``.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    threshold : float
        An output above it counts as 1, any other as 0: 0.5 suits probabilities, 0 logits.
    """

    default_name = "binary_accuracy"
    mode = "max"

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = number("threshold", threshold)

    def _rows(self, y: Float, outputs: Float) -> Float:
        check_same_shape(self.name, y, outputs)
        right: Float = ((outputs > self.threshold) == y).mean(axis=1)
        return right


@FAMILY.add("categorical_accuracy")
class CategoricalAccuracy(MeanOverRows):
    """The share of rows whose largest output is where the largest target is.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    groups : tuple of int
        The columns of each group of classes, as of `CategoricalCrossentropy`: the share is then that of all
        rows' groups.

    Examples
    --------
    >>> import fastdense as fd
    >>> metric = fd.metrics.CategoricalAccuracy(groups=(2, 3))
    >>> metric([[1, 0, 0, 0, 1]], [[0.4, 0.6, 0.1, 0.1, 0.8]])  # the first answer is wrong
    0.5
    """

    default_name = "categorical_accuracy"
    mode = "max"
    _later = frozenset({"groups"})

    def __init__(self, name: str | None = None, groups: Sequence[int] = ()) -> None:
        super().__init__(name)
        self.groups = sizes("groups", groups)

    def _rows(self, y: Float, outputs: Float) -> Float:
        check_same_shape(self.name, y, outputs)
        groups = self.groups or (outputs.shape[1],)
        if sum(groups) != outputs.shape[1]:
            raise ShapeError(
                f"{self.name} has groups of {groups} columns, but there are {outputs.shape[1]} outputs"
            )
        ends = np.cumsum(groups)[:-1]
        pairs = zip(np.split(outputs, ends, axis=1), np.split(y, ends, axis=1), strict=True)
        right: Float = np.mean([a.argmax(axis=1) == t.argmax(axis=1) for a, t in pairs], axis=0)
        return right


@FAMILY.add("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(MeanOverRows):
    """The share of rows whose largest output is at the target's class number.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "sparse_categorical_accuracy"
    mode = "max"

    def _rows(self, y: Float, outputs: Float) -> Float:
        right: Float = (outputs.argmax(axis=1) == class_column(self.name, y)[:, 0]).astype(np.float64)
        return right


@FAMILY.add()
class Accuracy(MeanOverRows):
    """The share of outputs that equal their target, of outputs that are class numbers themselves.

    ``metrics=["accuracy"]`` is not this one, but the form that fits the loss.

    Parameters
    ----------
    name : str, optional
        The key in the history.
    """

    default_name = "accuracy"
    mode = "max"

    def _rows(self, y: Float, outputs: Float) -> Float:
        check_same_shape(self.name, y, outputs)
        right: Float = (outputs == y).mean(axis=1)
        return right


@FAMILY.add("sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(MeanOverRows):
    """The share of rows whose output at the target's class number is among the ``k`` largest.

    An output counts among them if fewer than ``k`` are larger, so of equal ones all do.

    Parameters
    ----------
    k : int
        At least 1.
    name : str, optional
        The key in the history.
    """

    default_name = "sparse_top_k_categorical_accuracy"
    mode = "max"

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        super().__init__(name)
        self.k = whole("k", k, 1)

    def _rows(self, y: Float, outputs: Float) -> Float:
        numbers = class_column(self.name, y)
        if not ((numbers >= 0) & (numbers < outputs.shape[1])).all():
            raise ShapeError(
                f"{self.name} takes class numbers from 0 to {outputs.shape[1] - 1}, the outputs, got "
                f"{numbers.min()} to {numbers.max()}"
            )
        return self._found(numbers, outputs)

    def _found(self, numbers: NDArray[np.int64], outputs: Float) -> Float:
        chosen = np.take_along_axis(outputs, numbers, axis=1)
        found: Float = ((outputs > chosen).sum(axis=1) < self.k).astype(np.float64)
        return found


@FAMILY.add("top_k_categorical_accuracy")
class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """The share of rows whose output where the largest target is is among the ``k`` largest.

    Parameters
    ----------
    k : int
        At least 1.
    name : str, optional
        The key in the history.
    """

    default_name = "top_k_categorical_accuracy"

    def _rows(self, y: Float, outputs: Float) -> Float:
        check_same_shape(self.name, y, outputs)
        return self._found(y.argmax(axis=1)[:, np.newaxis], outputs)
